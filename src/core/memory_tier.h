// The first tier: envelopes in process memory, bounded by bytes, with expiry. Holds no lock and reads no clock.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>

#include "core/clock.h"
#include "core/entry.h"
#include "core/eviction_policy.h"

namespace tiercel::core {

// Until when an entry may be used, on the clock that the caller hands in. freshUntil <= staleUntil <= goneAt.
struct Deadlines {
  Millis freshUntil = 0;
  Millis staleUntil = 0;
  Millis goneAt = 0;
};

// Deadlines of an entry that was filled just now, or of one with `left` ms to live in Redis (PTTL): its age is then
// keepFor - left, measured by the server alone.
Deadlines deadlinesFrom(const Entry& entry, Millis now);
Deadlines deadlinesFrom(const Entry& entry, Millis now, Millis left);

enum class Freshness : std::uint8_t {
  kFresh,
  kStale,       // may be served while somebody revalidates it (staleWhileRevalidate)
  kStaleError,  // may be served only when the loader fails (staleIfError)
};

Freshness freshnessAt(const Deadlines& deadlines, Millis now);

struct MemoryHit {
  Entry entry;  // views into the tier: valid until its next non-const call
  Deadlines deadlines;
  Freshness freshness;
};

struct MemoryStats {
  std::uint64_t entries = 0;
  std::uint64_t bytes = 0;  // keys, envelopes and bookkeeping
  std::uint64_t maxBytes = 0;
  std::uint64_t hits = 0;
  std::uint64_t misses = 0;
  std::uint64_t sets = 0;
  std::uint64_t deletes = 0;
  std::uint64_t evictions = 0;    // gone for lack of room
  std::uint64_t expirations = 0;  // gone because their time was over
  std::uint64_t rejects = 0;      // served, but not kept: larger than maxEntryBytes
};

struct MemoryOptions {
  std::size_t maxBytes = std::size_t{64} << 20;
  std::size_t maxEntryBytes = 0;  // 0: the whole budget
};

class MemoryTier {
 public:
  // policy: nullptr takes the default, least recently used.
  explicit MemoryTier(const MemoryOptions& options, std::unique_ptr<EvictionPolicy> policy = nullptr);
  ~MemoryTier();
  MemoryTier(const MemoryTier&) = delete;
  MemoryTier& operator=(const MemoryTier&) = delete;

  // Counts a hit or a miss, and moves the entry to where its policy wants it. An entry whose time is over is dropped.
  std::optional<MemoryHit> find(std::string_view key, Millis now);

  // The same without a trace: no statistics, no effect on eviction.
  [[nodiscard]] std::optional<MemoryHit> peek(std::string_view key, Millis now) const;

  // Keeps a copy of the entry. false: it was not kept (too large, already over, or no memory left); an older entry of
  // that key is gone all the same, since it would be out of date.
  bool put(std::string_view key, const Entry& entry, const Deadlines& deadlines, Millis now);

  bool erase(std::string_view key);
  void clear();

  // Drops up to `limit` entries whose time is over; returns how many.
  std::size_t expire(Millis now, std::size_t limit);

  [[nodiscard]] MemoryStats stats() const;
  void resetStats();  // the counters; entries, bytes and maxBytes are what they are

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tiercel::core
