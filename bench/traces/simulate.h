// Hit counts of a trace under the cache's own eviction, under LRU, and under Belady's OPT. Every entry weighs 1.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace tiercel::bench {

// Key numbers are dense: 0 … keys - 1.
struct Trace {
  std::vector<std::uint32_t> accesses;
  std::uint32_t keys = 0;
};

Trace densified(const std::vector<std::uint32_t>& ids);

std::size_t hitsOfOurs(const Trace& trace, std::size_t entries);

// Hits of LRU for every size at once, from the stack distances: element n is the hits with n entries.
std::vector<std::size_t> hitsOfLru(const Trace& trace);

std::size_t hitsOfOpt(const Trace& trace, std::size_t entries);

}  // namespace tiercel::bench
