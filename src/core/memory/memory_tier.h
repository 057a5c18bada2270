// The first tier: entries in process memory, bounded by bytes, with expiry; one for all threads. Reads no clock.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include "core/clock.h"
#include "core/coherence/source_table.h"
#include "core/coherence/tag_table.h"
#include "core/entry/entry.h"

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

class ChunkSource;
class Shard;
struct EntryBlock;

// Keeps the bytes of a hit where they are, whatever happens to the entry meanwhile. The tier must outlive it.
class Pin {
 public:
  Pin() = default;
  Pin(Shard& shard, EntryBlock& block) : shard_(&shard), block_(&block) {}
  Pin(Pin&& other) noexcept : shard_(other.shard_), block_(std::exchange(other.block_, nullptr)) {}
  Pin& operator=(Pin&& other) noexcept {
    std::swap(shard_, other.shard_);
    std::swap(block_, other.block_);
    return *this;
  }
  ~Pin() {
    if (block_ != nullptr) release();
  }

 private:
  void release() noexcept;

  Shard* shard_ = nullptr;
  EntryBlock* block_ = nullptr;
};

// What the tier has under a key. Views are valid for as long as the hit lives; the tier must outlive it.
struct MemoryHit {
  // The fill id has its first 8 bytes, loadTime at most 65535; created and the encoded tags are not kept. The durations
  // count from filledAt; 34 years and more are kForever.
  Entry entry;
  Deadlines deadlines;
  Millis filledAt = 0;  // age = now - filledAt, on the caller's clock; may be negative
  Freshness freshness = Freshness::kFresh;
  SourceId source = kOwnSource;
  std::span<const TagMark> tags;
  std::uint64_t token = 0;  // names the entry to isStill(); below 2^53, never 0
  Pin pin;
};

// What decides whether a fresh entry is due to be refreshed.
struct Standing {
  Millis filledAt = 0;
  Millis freshUntil = 0;
  Millis loadTime = 0;
};
// Must not call the tier.
using StandingCheck = std::function<bool(const Standing& standing)>;

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

// What ticket() hands out: stands for all that had happened to a key until then.
using Ticket = std::uint64_t;

struct PutOptions {
  SourceId source = kOwnSource;
  std::span<const TagMark> tags = {};  // the entry takes a reference to each cell; at most 65535
  std::optional<Ticket> ticket = std::nullopt;
};

// Every method may be called by any thread. None throws, but for what callbacks throw.
class MemoryTier {
 public:
  // May throw std::bad_alloc. Both tables must outlive the tier, and so must chunks: where the memory for the entries
  // comes from, the system by default.
  MemoryTier(const MemoryOptions& options, const SourceTable& sources, TagTable& tags, ChunkSource* chunks = nullptr);
  ~MemoryTier();
  MemoryTier(const MemoryTier&) = delete;
  MemoryTier& operator=(const MemoryTier&) = delete;

  // Counts a hit or a miss, and teaches the eviction policy. An entry whose time is over is dropped. One whose source
  // is trusted no longer, or with a tag that is not valid, is a miss and stays: the tag may only be in doubt, and what
  // is not trusted is better than nothing when nobody can be asked.
  std::optional<MemoryHit> find(std::string_view key, Millis now);

  // The same without a trace: no statistics, no effect on eviction, nothing dropped.
  // `distrusted`: also one whose source is trusted no longer, and whose tags have not changed as far as is known.
  [[nodiscard]] std::optional<MemoryHit> peek(std::string_view key, Millis now, bool distrusted = false) const;

  // Whether a hit of earlier would be one again, and fresh, and `check` (if any) agrees: without its key. Of the fill
  // id the first 6 bytes count, as a little-endian number; zero is nobody's. Counts a hit, or nothing.
  bool isStill(std::uint64_t token, std::uint64_t fill, Millis now, const StandingCheck& check = {});

  // Whether the entry of a hit of earlier is still in the tier, fresh or not. Leaves no trace.
  [[nodiscard]] bool holds(std::uint64_t token, std::uint64_t fill) const;

  // To be taken before an entry is asked for elsewhere, and handed to its put().
  [[nodiscard]] Ticket ticket(std::string_view key) const;

  // Keeps a copy of the entry; entry.tags is ignored. false: it was not kept (too large, already over, no memory, or
  // not worth the room); an older entry of that key is gone all the same, since it would be out of date. With a ticket:
  // false, and nothing is changed, when the key was erased or put, or everything cleared, after the ticket was taken.
  // (Tickets of a few other keys are voided too: to be refused without need is rare and harmless.)
  bool put(std::string_view key, const Entry& entry, const Deadlines& deadlines, Millis now,
           const PutOptions& options = {});

  // Voids the tickets of the key, also when there is no entry.
  bool erase(std::string_view key);
  // The same, but for one ticket: a good one is renewed, in the same step. For whoever knows that this is no news to
  // it.
  [[nodiscard]] Ticket eraseAndRenew(std::string_view key, Ticket held);
  // Voids all tickets. What other threads put meanwhile may stay or go. When there is much, its memory is given back by
  // a thread.
  void clear();
  // Drops all entries whose key matches, voids all tickets; returns how many were dropped. `matches` is called while
  // a part of the tier is locked: it must not call the tier.
  std::size_t eraseIf(const std::function<bool(std::string_view key)>& matches);

  // The same in steps of some 100 entries, from 0 on: returns the next cursor, kEndOfWalk after the last. The first one
  // voids the tickets. Entries of before the first step that match are gone after the last; those that come meanwhile
  // may go as well. `dropped` is added to.
  static constexpr std::uint64_t kEndOfWalk = UINT64_MAX;
  std::uint64_t eraseSome(std::uint64_t cursor, const std::function<bool(std::string_view key)>& matches,
                          std::size_t& dropped);

  // Shows every entry that is in the tier during the whole walk once, and may show others; in no order. Nothing is
  // locked while `visit` runs; the walk ends when it returns false.
  void forEach(const std::function<bool(std::string_view key, const MemoryHit& hit)>& visit, Millis now) const;

  // The same in steps of some 100 entries, as eraseSome(). May throw std::bad_alloc.
  std::uint64_t visitSome(std::uint64_t cursor,
                          const std::function<void(std::string_view key, const MemoryHit& hit)>& visit,
                          Millis now) const;

  // So much more of the budget is used for what callers keep of the entries: decoded values. false: it is not, half of
  // the budget is used so already.
  bool reserve(std::size_t bytes);
  void release(std::size_t bytes);

  // Drops up to `limit` entries whose time has been over for a tick (64 ms); returns how many. Every put() does some
  // of this.
  std::size_t expire(Millis now, std::size_t limit);

  [[nodiscard]] MemoryStats stats() const;
  void resetStats();  // the counters; entries, bytes and the bounds are what they are

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tiercel::core
