// Access traces made up to find the weak sides of an eviction policy. The same on every run.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace tiercel::bench {

// The ids of a trace by name; empty: there is no such name.
std::vector<std::uint32_t> syntheticTrace(std::string_view name);

std::vector<std::string_view> syntheticNames();

}  // namespace tiercel::bench
