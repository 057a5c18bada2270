// What a memory tier is opened with, and what it counts.
#pragma once

#include <cstddef>
#include <cstdint>

namespace tiercel::core {

struct MemoryStats {
  std::uint64_t entries = 0;
  std::uint64_t bytes = 0;       // keys, entries, tables and statistics of use, as they are allocated
  std::uint64_t tagBytes = 0;    // tags and their names, as far as they count
  std::uint64_t valueBytes = 0;  // what reserve() was told
  std::uint64_t maxBytes = 0;
  std::uint64_t maxEntries = 0;  // 0: no bound
  std::uint64_t hits = 0;
  std::uint64_t misses = 0;
  std::uint64_t sets = 0;
  std::uint64_t deletes = 0;
  std::uint64_t evictions = 0;         // gone for lack of room
  std::uint64_t expirations = 0;       // gone because their time was over
  std::uint64_t rejects = 0;           // served, but not kept: too large, or no memory
  std::uint64_t admissionRejects = 0;  // not kept, since all others seem to be worth more
  std::uint64_t invalid = 0;           // misses: the source of the entry was lost, or one of its tags has changed
};

struct MemoryOptions {
  std::size_t maxBytes = std::size_t{64} << 20;
  std::size_t maxEntryBytes = 0;  // 0: the whole budget
  std::size_t maxEntries = 0;     // 0: no bound
};

}  // namespace tiercel::core
