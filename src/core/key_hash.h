// Hashes keys. Seeded per table, so that nobody outside can choose keys that collide.
#pragma once

#include <cstdint>
#include <string_view>

namespace tiercel::core {

std::uint64_t hashKey(std::string_view key, std::uint64_t seed);

}  // namespace tiercel::core
