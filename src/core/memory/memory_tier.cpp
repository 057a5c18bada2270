#include "core/memory/memory_tier.h"

#include <atomic>
#include <bit>
#include <memory>
#include <vector>

#include "core/key_hash.h"
#include "core/memory/reclaimer.h"
#include "core/memory/shard.h"

namespace tiercel::core {

namespace {

// A cursor: the number of the shard, and that within it.
constexpr unsigned kShardShift = 33;
constexpr std::uint64_t kWithinShard = (UINT64_C(1) << kShardShift) - 1;
static_assert(Shard::kEnd <= kWithinShard);

std::uint64_t nextCursor(std::uint64_t index, std::uint64_t within, std::size_t shards) {
  if (within != Shard::kEnd) return index << kShardShift | within;
  return index + 1 < shards ? (index + 1) << kShardShift : MemoryTier::kEndOfWalk;
}

}  // namespace

void Pin::release() noexcept {
  if (block_->pins.fetch_sub(1, std::memory_order_acq_rel) == (EntryBlock::kDoomed | 1)) shard_->freeDoomed(*block_);
}

class MemoryTier::Impl {
 public:
  Impl(const MemoryOptions& options, const SourceTable& sources, TagTable& tags, ChunkSource& chunks)
      : state_(options, sources, tags, chunks), shift_(64 - std::countr_zero(state_.shards)) {
    for (std::size_t i = 0; i < state_.shards; ++i) shards_.push_back(std::make_unique<Shard>(state_, i));
  }

  [[nodiscard]] std::uint64_t hashOf(std::string_view key) const { return hashKey(key, state_.seed); }
  [[nodiscard]] std::size_t indexOf(std::uint64_t hash) const { return shift_ == 64 ? 0 : hash >> shift_; }
  [[nodiscard]] Shard& shardOf(std::uint64_t hash) const { return *shards_[indexOf(hash)]; }
  [[nodiscard]] const std::vector<std::unique_ptr<Shard>>& shards() const { return shards_; }
  [[nodiscard]] const TierState& state() const { return state_; }

  bool put(const PutRequest& request) {
    state_.pool.reserve(state_.others());
    const std::size_t index = indexOf(request.hash);
    const std::size_t size = request.entry.payload.size();
    const bool needsRoom = size > state_.chunkBytes / 4 && size < state_.maxEntryBytes && state_.isOver(size);
    // Where another shard has taken much of its part, that one gives it back: settle() sees to it.
    const bool evicts = !state_.isOver(size) || giverFor(index) == index;
    PutResult result = shards_[index]->put(request, needsRoom ? roomFor(index, request) : Room::kUnknown, evicts);
    if (result == PutResult::kNoRoom) {
      // Put once more in any case: what is not kept drops the older value of its key.
      result = shards_[index]->put(request, roomFor(index, request), evicts);
    }
    settle(index, result == PutResult::kKept ? &request : nullptr);
    return result == PutResult::kKept;
  }

  bool reserve(std::size_t more) {
    std::size_t before = state_.reserved.load(std::memory_order_relaxed);
    do {
      if (before + more > state_.maxBytes / 2) return false;
    } while (!state_.reserved.compare_exchange_weak(before, before + more, std::memory_order_relaxed));
    state_.pool.reserve(state_.others());
    settle(0, nullptr);
    return true;
  }

  void release(std::size_t bytes) {
    state_.reserved.fetch_sub(bytes, std::memory_order_relaxed);
    state_.pool.reserve(state_.others());
  }

  void clear() {
    const std::size_t mapped = state_.pool.mapped();
    wanted_.store(0, std::memory_order_relaxed);
    for (const auto& shard : shards_) shard->clear();
    if (mapped <= kReclaimAtOnce) {
      reclaim(kGoOn);
    } else {
      inBackground();
    }
  }

  std::size_t expire(Millis now, std::size_t limit) {
    // In turns, so that a small limit does not always go to the same.
    const std::size_t first = nextToExpire_.fetch_add(1, std::memory_order_relaxed);
    std::size_t dropped = 0;
    for (std::size_t i = 0; i < shards_.size() && dropped < limit; ++i) {
      dropped += shards_[(first + i) % shards_.size()]->expire(now, limit - dropped);
    }
    return dropped;
  }

 private:
  // More takes a few milliseconds.
  static constexpr std::size_t kReclaimAtOnce = std::size_t{16} << 20;
  static constexpr std::atomic<bool> kGoOn{false};
  // Entries that a call drops or moves to make room, at most. Each takes about a microsecond.
  static constexpr std::size_t kStepsPerCall = 4096;
  static constexpr std::size_t kStepsPerTurn = 8;

  // Within the budget again: at once what takes little, the rest in the background.
  void settle(std::size_t first, const PutRequest* keep) {
    if (makesRoom_.load(std::memory_order_relaxed)) return;
    const bool evicted = !state_.isOver() || evictWhileOver(kStepsPerCall, first, keep);
    if (!evicted || state_.pool.isOver()) inBackground();
  }

  // Chunks that are hardly used are emptied into others, until what is mapped is within the limit.
  void giveChunksBack(const std::atomic<bool>& stop) {
    for (bool any = true; any && state_.pool.isOver() && !stop.load(std::memory_order_relaxed);) {
      any = false;
      for (const auto& shard : shards_) any = (state_.pool.isOver() && shard->vacateChunk() != 0) || any;
    }
  }

  void inBackground() {
    const auto work = [this](const std::atomic<bool>& stop) {
      reclaim(stop);
      makesRoom_.store(true, std::memory_order_relaxed);
      while (!stop.load(std::memory_order_relaxed) && state_.isOver() && !evictWhileOver(kStepsPerCall, 0, nullptr)) {
      }
      giveChunksBack(stop);
      // Others may take what is won: then it is for the next put to ask again.
      constexpr int kMostTries = 4096;
      const std::size_t wanted = wanted_.exchange(0, std::memory_order_relaxed);
      for (int i = 0; i < kMostTries && wanted != 0 && !stop.load(std::memory_order_relaxed) && !tryRoom(wanted); ++i) {
      }
      makesRoom_.store(false, std::memory_order_relaxed);
    };
    if (!reclaimer_.wake(work)) work(kGoOn);
  }

  // Which shard gives first: the one of the key, unless another has much more than its part. What large entries have
  // taken from others comes back so.
  [[nodiscard]] std::size_t giverFor(std::size_t first) const {
    std::size_t giver = first;
    for (std::size_t i = 0; i < shards_.size(); ++i) {
      if (shards_[i]->held() > shards_[giver]->held()) giver = i;
    }
    return state_.isMuch(shards_[giver]->held()) ? giver : first;
  }

  // Entries leave from all shards in turn, so that none of them loses what it uses most. false: there was more to be
  // done than `limit` steps.
  bool evictWhileOver(std::size_t limit, std::size_t first, const PutRequest* keep, std::size_t more = 0) {
    for (std::size_t done = 0; state_.isOver(more);) {
      if (done >= limit) return false;
      const std::size_t before = done;
      const std::size_t giver = giverFor(first);
      for (std::size_t i = 0; i < shards_.size() && state_.isOver(more); ++i) {
        const std::size_t index = (giver + i) % shards_.size();
        // The key to keep is in the first one.
        done += shards_[index]->evictWhileOver(kStepsPerTurn, more, index == first ? keep : nullptr);
      }
      if (done == before) return true;  // there is nothing left
    }
    return true;
  }

  // So much for one more chunk: the least worthy entries leave, and the chunks that have least in use are emptied into
  // the others. false: there was more to be done than a call may take.
  bool tryRoom(std::size_t bytes) {
    const std::size_t before = state_.entries.load(std::memory_order_relaxed);
    if (!evictWhileOver(kStepsPerCall, 0, nullptr, bytes)) return false;
    const std::size_t after = state_.entries.load(std::memory_order_relaxed);
    std::size_t done = before > after ? before - after : 0;
    for (bool any = true; any;) {
      any = false;
      for (const auto& shard : shards_) {
        if (state_.pool.hasRoom(bytes)) return true;
        if (done >= kStepsPerCall) return false;
        const std::size_t steps = shard->vacateChunk();
        done += steps;
        any = any || steps != 0;
      }
    }
    return true;  // no more can be had
  }

  Room roomFor(std::size_t index, const PutRequest& request) {
    if (!shards_[index]->admits(request)) return Room::kRefused;
    // Two that drop entries of the same shards wait for each other most of the time.
    if (makesRoom_.load(std::memory_order_relaxed)) return Room::kNone;
    const std::size_t bytes = shards_[index]->chunkFor(request);
    if (tryRoom(bytes)) return Room::kMade;
    wanted_.store(bytes, std::memory_order_relaxed);
    inBackground();
    return Room::kNone;
  }

  void reclaim(const std::atomic<bool>& stop) {
    for (const auto& shard : shards_) {
      while (!stop.load(std::memory_order_relaxed) && shard->reclaim()) {
      }
    }
  }

  TierState state_;
  int shift_;
  std::vector<std::unique_ptr<Shard>> shards_;
  std::atomic<std::size_t> nextToExpire_{0};
  std::atomic<bool> makesRoom_{false};  // in the background
  std::atomic<std::size_t> wanted_{0};  // bytes of a chunk that a put did without: room is made for the next one
  Reclaimer reclaimer_;                 // the last: ends before the shards
};

MemoryTier::MemoryTier(const MemoryOptions& options, const SourceTable& sources, TagTable& tags, ChunkSource* chunks)
    : impl_(std::make_unique<Impl>(options, sources, tags, chunks != nullptr ? *chunks : ChunkSource::system())) {}
MemoryTier::~MemoryTier() = default;

std::optional<MemoryHit> MemoryTier::find(std::string_view key, Millis now) {
  const std::uint64_t hash = impl_->hashOf(key);
  return impl_->shardOf(hash).find(key, hash, now);
}

std::optional<MemoryHit> MemoryTier::peek(std::string_view key, Millis now, bool distrusted) const {
  const std::uint64_t hash = impl_->hashOf(key);
  return impl_->shardOf(hash).peek(key, hash, now, distrusted);
}

bool MemoryTier::isStill(std::uint64_t token, std::uint64_t fill, Millis now, const StandingCheck& check) {
  const auto& shards = impl_->shards();
  const std::uint64_t index = (token >> 32) - 1;  // no token is 0
  return index < shards.size() && shards[index]->isStill(token, fill, now, check);
}

bool MemoryTier::holds(std::uint64_t token, std::uint64_t fill) const {
  const auto& shards = impl_->shards();
  const std::uint64_t index = (token >> 32) - 1;  // no token is 0
  return index < shards.size() && shards[index]->holds(token, fill);
}

Ticket MemoryTier::ticket(std::string_view key) const {
  const std::uint64_t hash = impl_->hashOf(key);
  return impl_->shardOf(hash).ticket(hash);
}

bool MemoryTier::put(std::string_view key, const Entry& entry, const Deadlines& deadlines, Millis now,
                     const PutOptions& options) {
  return impl_->put(
      {.key = key, .hash = impl_->hashOf(key), .entry = entry, .deadlines = deadlines, .now = now, .options = options});
}

bool MemoryTier::erase(std::string_view key) {
  const std::uint64_t hash = impl_->hashOf(key);
  return impl_->shardOf(hash).erase(key, hash);
}

Ticket MemoryTier::eraseAndRenew(std::string_view key, Ticket held) {
  const std::uint64_t hash = impl_->hashOf(key);
  return impl_->shardOf(hash).eraseAndRenew(key, hash, held);
}

void MemoryTier::clear() {
  for (const auto& shard : impl_->shards()) shard->voidTickets();
  impl_->clear();
}

std::size_t MemoryTier::eraseIf(const std::function<bool(std::string_view key)>& matches) {
  std::size_t dropped = 0;
  for (std::uint64_t cursor = 0; cursor != kEndOfWalk;) cursor = eraseSome(cursor, matches, dropped);
  return dropped;
}

std::uint64_t MemoryTier::eraseSome(std::uint64_t cursor, const std::function<bool(std::string_view key)>& matches,
                                    std::size_t& dropped) {
  const auto& shards = impl_->shards();
  if (cursor == 0) {
    for (const auto& shard : shards) shard->voidTickets();
  }
  const std::uint64_t index = cursor >> kShardShift;
  if (index >= shards.size()) return kEndOfWalk;
  return nextCursor(index, shards[index]->dropIf(cursor & kWithinShard, matches, dropped), shards.size());
}

void MemoryTier::forEach(const std::function<bool(std::string_view key, const MemoryHit& hit)>& visit,
                         Millis now) const {
  bool goesOn = true;
  const auto visitWhile = [&](std::string_view key, const MemoryHit& hit) { goesOn = goesOn && visit(key, hit); };
  for (std::uint64_t cursor = 0; goesOn && cursor != kEndOfWalk;) cursor = visitSome(cursor, visitWhile, now);
}

std::uint64_t MemoryTier::visitSome(std::uint64_t cursor,
                                    const std::function<void(std::string_view key, const MemoryHit& hit)>& visit,
                                    Millis now) const {
  const auto& shards = impl_->shards();
  const std::uint64_t index = cursor >> kShardShift;
  if (index >= shards.size()) return kEndOfWalk;
  std::vector<Shard::Walked> hits;
  const std::uint64_t next = shards[index]->walk(cursor & kWithinShard, now, hits);
  for (const auto& [key, hit] : hits) visit(key, hit);
  return nextCursor(index, next, shards.size());
}

bool MemoryTier::reserve(std::size_t bytes) { return impl_->reserve(bytes); }

void MemoryTier::release(std::size_t bytes) { impl_->release(bytes); }

std::size_t MemoryTier::expire(Millis now, std::size_t limit) { return impl_->expire(now, limit); }

MemoryStats MemoryTier::stats() const {
  const TierState& state = impl_->state();
  MemoryStats stats;
  for (const auto& shard : impl_->shards()) shard->addTo(stats);
  stats.bytes = state.bytes.load(std::memory_order_relaxed) + state.doomed.load(std::memory_order_relaxed);
  stats.valueBytes = state.reserved.load(std::memory_order_relaxed);
  stats.tagBytes = state.others() - stats.valueBytes;
  stats.maxBytes = state.maxBytes;
  stats.maxEntries = state.maxEntries;
  return stats;
}

void MemoryTier::resetStats() {
  for (const auto& shard : impl_->shards()) shard->resetStats();
}

}  // namespace tiercel::core
