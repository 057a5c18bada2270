// The first tier: entries in process memory, bounded by bytes, with expiry; one for all threads. Reads no clock.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "core/clock.h"
#include "core/coherence/source_table.h"
#include "core/coherence/tag_table.h"
#include "core/entry/entry.h"
#include "core/entry/freshness.h"
#include "core/memory/memory_hit.h"
#include "core/memory/memory_options.h"

namespace tiercel::core {

class ChunkSource;
// What ticket() hands out: stands for all that had happened to a key until then.
using Ticket = std::uint64_t;

struct PutOptions {
  SourceId source = kOwnSource;
  std::span<const TagMark> tags = {};  // the entry takes a reference to each cell; at most 65535
  std::optional<Ticket> ticket = std::nullopt;
  Millis keepUntil = kForever;  // the tier forgets it then, however long it is fresh
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
