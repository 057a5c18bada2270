#include "core/memory_tier.h"

#include <atomic>
#include <bit>
#include <memory>
#include <vector>

#include "core/key_hash.h"
#include "core/reclaimer.h"
#include "core/shard.h"

namespace tiercel::core {

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
    const std::size_t index = indexOf(request.hash);
    PutResult result = shards_[index]->put(request, false);
    if (result == PutResult::kNoRoom) {
      makeRoom(index, request);
      result = shards_[index]->put(request, true);
    }
    for (std::size_t i = 1; i < shards_.size() && state_.isOver(); ++i) {
      shards_[(index + i) % shards_.size()]->evictWhileOver();
    }
    return result == PutResult::kKept;
  }

  void clear() {
    const std::size_t mapped = state_.pool.mapped();
    for (const auto& shard : shards_) shard->clear();
    if (mapped <= kReclaimAtOnce || !reclaimer_.wake([this](const std::atomic<bool>& stop) { reclaim(stop); })) {
      reclaim(kGoOn);
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

  void reclaim(const std::atomic<bool>& stop) {
    for (const auto& shard : shards_) {
      while (!stop.load(std::memory_order_relaxed) && shard->reclaim()) {
      }
    }
  }

  // The shard has nothing more to drop, and needs a chunk: the others empty some of theirs.
  void makeRoom(std::size_t index, const PutRequest& request) {
    const std::size_t bytes = shards_[index]->chunkFor(request);
    for (bool any = true; any && !state_.pool.hasRoom(bytes);) {
      any = false;
      for (std::size_t i = 1; i < shards_.size() && !state_.pool.hasRoom(bytes); ++i) {
        any |= shards_[(index + i) % shards_.size()]->emptyChunk();
      }
    }
  }

  TierState state_;
  int shift_;
  std::vector<std::unique_ptr<Shard>> shards_;
  std::atomic<std::size_t> nextToExpire_{0};
  Reclaimer reclaimer_;  // the last: ends before the shards
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
  for (const auto& shard : impl_->shards()) shard->voidTickets();
  std::size_t dropped = 0;
  for (const auto& shard : impl_->shards()) dropped += shard->dropIf(matches, true);
  return dropped;
}

void MemoryTier::forEach(const std::function<bool(std::string_view key, const MemoryHit& hit)>& visit,
                         Millis now) const {
  std::vector<Shard::Walked> hits;
  for (const auto& shard : impl_->shards()) {
    for (std::uint64_t cursor = 0; cursor != Shard::kEnd;) {
      hits.clear();
      cursor = shard->walk(cursor, now, hits);
      for (const auto& [key, hit] : hits) {
        if (!visit(key, hit)) return;
      }
    }
  }
}

std::size_t MemoryTier::expire(Millis now, std::size_t limit) { return impl_->expire(now, limit); }

MemoryStats MemoryTier::stats() const {
  const TierState& state = impl_->state();
  MemoryStats stats;
  for (const auto& shard : impl_->shards()) shard->addTo(stats);
  stats.bytes = state.bytes.load(std::memory_order_relaxed) + state.doomed.load(std::memory_order_relaxed);
  stats.maxBytes = state.maxBytes;
  stats.maxEntries = state.maxEntries;
  return stats;
}

void MemoryTier::resetStats() {
  for (const auto& shard : impl_->shards()) shard->resetStats();
}

}  // namespace tiercel::core
