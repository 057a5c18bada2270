#include "core/memory_tier.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>
#include <vector>

#include "core/entry_block.h"
#include "core/key_hash.h"
#include "core/lru_policy.h"
#include "core/random.h"
#include "core/slot_array.h"

namespace tiercel::core {

namespace {

// Both saturate: times and durations may be anything that an int64 holds.
Millis later(Millis now, Millis duration) {
  now = std::max<Millis>(0, now);
  return duration >= kForever - now ? kForever : now + std::max<Millis>(0, duration);
}

// Also keeps the deadlines in order, whatever the entry says.
Deadlines deadlinesAt(const Entry& entry, Millis now, Millis age) {
  const auto rest = [&](Millis duration) { return later(now, std::clamp<Millis>(duration, 0, kForever) - age); };
  const Millis goneAt = rest(entry.keepFor);
  const Millis staleUntil = std::min(rest(entry.staleFor), goneAt);
  return {.freshUntil = std::min(rest(entry.freshFor), staleUntil), .staleUntil = staleUntil, .goneAt = goneAt};
}

// Every put gives back a few entries whose time is over, so that it is no later read that has to.
constexpr std::size_t kSweepPerPut = 2;

// A slot holds one entry, or is on the free list.
struct SlotState {
  EntryBlockPtr block;
  std::uint64_t hash = 0;
  Slot next = kNoSlot;  // in the same bucket, or on the free list
};

// What a slot costs, used or free: its state, and its place in the policy.
constexpr std::size_t kSlotCost = sizeof(SlotState) + 8;

// What an entry costs besides: its block as the allocator rounds it.
std::size_t costOf(std::size_t dataSize) {
  constexpr std::size_t kHeader = 8;
  constexpr std::size_t kUnit = 16;
  return (sizeof(EntryBlock) + dataSize + kHeader + kUnit - 1) / kUnit * kUnit;
}

std::size_t costOf(const EntryBlock& block) { return costOf(block.dataSize()); }

// So many buckets are part of the tier and not counted; it never has fewer.
constexpr std::size_t kFirstBuckets = 64;

}  // namespace

Deadlines deadlinesFrom(const Entry& entry, Millis now) { return deadlinesAt(entry, now, 0); }

Deadlines deadlinesFrom(const Entry& entry, Millis now, Millis left) {
  const Millis keepFor = std::clamp<Millis>(entry.keepFor, 0, kForever);
  return deadlinesAt(entry, now, keepFor - std::clamp<Millis>(left, 0, keepFor));
}

Freshness freshnessAt(const Deadlines& deadlines, Millis now) {
  if (now < deadlines.freshUntil) return Freshness::kFresh;
  return now < deadlines.staleUntil ? Freshness::kStale : Freshness::kStaleError;
}

class MemoryTier::Impl {
 public:
  Impl(const MemoryOptions& options, std::unique_ptr<EvictionPolicy> policy)
      : maxEntryBytes_(options.maxEntryBytes == 0 ? options.maxBytes : options.maxEntryBytes),
        policy_(policy ? std::move(policy) : std::make_unique<LruPolicy>()),
        buckets_(kFirstBuckets, kNoSlot) {
    const FillId random = randomFillId();
    std::memcpy(&seed_, random.data(), sizeof(seed_));
    stats_.maxBytes = options.maxBytes;
  }

  std::optional<MemoryHit> find(std::string_view key, Millis now) {
    const Slot slot = lookup(key, hashKey(key, seed_));
    if (slot == kNoSlot) {
      ++stats_.misses;
      return std::nullopt;
    }
    if (isOver(slot, now)) {
      drop(slot);
      ++stats_.expirations;
      ++stats_.misses;
      return std::nullopt;
    }
    ++stats_.hits;
    policy_->touched(slot);
    return hitOf(slot, now);
  }

  [[nodiscard]] std::optional<MemoryHit> peek(std::string_view key, Millis now) const {
    const Slot slot = lookup(key, hashKey(key, seed_));
    if (slot == kNoSlot || isOver(slot, now)) return std::nullopt;
    return hitOf(slot, now);
  }

  bool put(std::string_view key, const Entry& entry, const Deadlines& deadlines, Millis now) {
    const std::uint64_t hash = hashKey(key, seed_);
    const Slot old = lookup(key, hash);
    const std::size_t cost = costOf(key.size() + entry.tags.size() + entry.metadata.size() + entry.payload.size());
    const bool fits =
        fitsBlock(key, entry) && cost + kSlotCost <= std::min<std::size_t>(maxEntryBytes_, stats_.maxBytes);
    if (!fits) ++stats_.rejects;
    // The new one is made before anything goes: what is put may be a view of it. For that moment it is over the budget.
    EntryBlockPtr block = fits && now < deadlines.goneAt ? makeEntryBlock(key, entry, deadlines) : nullptr;
    if (!block) {
      if (old != kNoSlot) drop(old);
      return false;
    }
    if (!(old != kNoSlot && replace(old, block, cost)) && !add(std::move(block), hash, cost)) return false;
    ++stats_.sets;
    expire(now, kSweepPerPut);
    return true;
  }

  bool erase(std::string_view key) {
    const Slot slot = lookup(key, hashKey(key, seed_));
    if (slot == kNoSlot) return false;
    drop(slot);
    ++stats_.deletes;
    return true;
  }

  void clear() {
    policy_->clear();
    stats_.entries = 0;
    resetTables();
  }

  std::size_t expire(Millis now, std::size_t limit) {
    std::size_t dropped = 0;
    // A few slots of every kind of fate are looked at for each that may be dropped.
    std::size_t looks = limit < slots_.size() / 4 ? limit * 4 : slots_.size();
    for (; looks > 0 && dropped < limit && stats_.entries > 0; --looks) {
      if (sweep_ >= slots_.size()) sweep_ = 0;
      const auto slot = static_cast<Slot>(sweep_++);
      if (!slots_[slot].block || !isOver(slot, now)) continue;
      drop(slot);
      ++stats_.expirations;
      ++dropped;
    }
    return dropped;
  }

  [[nodiscard]] const MemoryStats& stats() const { return stats_; }
  void resetStats() { stats_ = {.entries = stats_.entries, .bytes = stats_.bytes, .maxBytes = stats_.maxBytes}; }

 private:
  [[nodiscard]] std::size_t bucketOf(std::uint64_t hash) const { return hash & (buckets_.size() - 1); }
  [[nodiscard]] bool isOver(Slot slot, Millis now) const { return now >= slots_[slot].block->deadlines.goneAt; }

  [[nodiscard]] Slot lookup(std::string_view key, std::uint64_t hash) const {
    for (Slot slot = buckets_[bucketOf(hash)]; slot != kNoSlot; slot = slots_[slot].next) {
      if (slots_[slot].hash == hash && slots_[slot].block->key() == key) return slot;
    }
    return kNoSlot;
  }

  [[nodiscard]] MemoryHit hitOf(Slot slot, Millis now) const {
    const EntryBlock& block = *slots_[slot].block;
    return {block.entry(), block.deadlines, freshnessAt(block.deadlines, now)};
  }

  // In place, so that the policy keeps what it knows of the key. false: the old one is gone, and the new one still to
  // add.
  bool replace(Slot slot, EntryBlockPtr& block, std::size_t cost) {
    const std::size_t before = costOf(*slots_[slot].block);
    while (stats_.bytes - before + cost > stats_.maxBytes) {
      const Slot victim = policy_->victim(slot);
      if (victim == kNoSlot) {
        drop(slot);
        return false;
      }
      evict(victim);
    }
    slots_[slot].block = std::move(block);
    stats_.bytes = stats_.bytes - before + cost;
    policy_->resized(slot, cost);
    policy_->touched(slot);
    return true;
  }

  // false: no memory left.
  bool add(EntryBlockPtr block, std::uint64_t hash, std::size_t cost) {
    while (stats_.bytes + cost + growthForOne() > stats_.maxBytes) {
      const Slot victim = policy_->victim(kNoSlot);
      if (victim == kNoSlot) return false;
      evict(victim);
    }
    if (stats_.entries >= buckets_.size()) growBuckets();
    try {
      insert(std::move(block), hash, cost);
    } catch (const std::bad_alloc&) {
      return false;
    }
    return true;
  }

  // By how much the tables grow when one entry is added. None when one is evicted for it: its slot is free then.
  [[nodiscard]] std::size_t growthForOne() const {
    return (freeSlots_ == kNoSlot ? kSlotCost : 0) +
           (stats_.entries >= buckets_.size() ? buckets_.size() * sizeof(Slot) : 0);
  }

  void evict(Slot victim) {
    drop(victim);
    ++stats_.evictions;
  }

  // May throw std::bad_alloc, and has then added nothing.
  void insert(EntryBlockPtr block, std::uint64_t hash, std::size_t cost) {
    if (freeSlots_ == kNoSlot) {
      slots_.grow();
      stats_.bytes += kSlotCost;
      freeSlots_ = static_cast<Slot>(slots_.size() - 1);
    }
    const Slot slot = freeSlots_;
    policy_->added(slot, hash, cost);
    freeSlots_ = slots_[slot].next;
    slots_[slot].block = std::move(block);
    slots_[slot].hash = hash;
    link(slot);
    ++stats_.entries;
    stats_.bytes += cost;
  }

  void link(Slot slot) {
    Slot& first = buckets_[bucketOf(slots_[slot].hash)];
    slots_[slot].next = first;
    first = slot;
  }

  void growBuckets() {
    const std::size_t before = buckets_.size();
    try {
      std::vector<Slot>(before * 2, kNoSlot).swap(buckets_);  // not assign(): it may give up the old ones first
    } catch (const std::bad_alloc&) {
      return;  // longer chains, nothing worse
    }
    stats_.bytes += before * sizeof(Slot);
    for (Slot slot = 0; slot < slots_.size(); ++slot) {
      if (slots_[slot].block) link(slot);
    }
  }

  void drop(Slot slot) {
    SlotState& state = slots_[slot];
    Slot* from = &buckets_[bucketOf(state.hash)];
    while (*from != slot) from = &slots_[*from].next;
    *from = state.next;
    policy_->removed(slot);
    --stats_.entries;
    stats_.bytes -= costOf(*state.block);
    state.block.reset();
    state.next = freeSlots_;
    freeSlots_ = slot;
    if (stats_.entries == 0) resetTables();
  }

  // A tier without entries gives back the tables of a time with many, and starts at zero bytes again.
  void resetTables() {
    // The policy may have learned something, which a small tier that runs empty now and then should not lose.
    if (slots_.size() > SlotArray<SlotState>::kChunk) policy_->clear();
    slots_.clear();
    freeSlots_ = kNoSlot;
    sweep_ = 0;
    try {
      if (buckets_.size() > kFirstBuckets) std::vector<Slot>(kFirstBuckets, kNoSlot).swap(buckets_);
    } catch (const std::bad_alloc&) {
      // As large as it was, then, and counted.
    }
    std::fill(buckets_.begin(), buckets_.end(), kNoSlot);
    stats_.bytes = (buckets_.size() - kFirstBuckets) * sizeof(Slot);
  }

  std::size_t maxEntryBytes_;
  std::unique_ptr<EvictionPolicy> policy_;
  SlotArray<SlotState> slots_;
  std::vector<Slot> buckets_;  // heads of chains; a power of two
  Slot freeSlots_ = kNoSlot;
  std::size_t sweep_ = 0;
  std::uint64_t seed_ = 0;
  MemoryStats stats_;
};

MemoryTier::MemoryTier(const MemoryOptions& options, std::unique_ptr<EvictionPolicy> policy)
    : impl_(std::make_unique<Impl>(options, std::move(policy))) {}
MemoryTier::~MemoryTier() = default;

std::optional<MemoryHit> MemoryTier::find(std::string_view key, Millis now) { return impl_->find(key, now); }
std::optional<MemoryHit> MemoryTier::peek(std::string_view key, Millis now) const { return impl_->peek(key, now); }
bool MemoryTier::put(std::string_view key, const Entry& entry, const Deadlines& deadlines, Millis now) {
  return impl_->put(key, entry, deadlines, now);
}
bool MemoryTier::erase(std::string_view key) { return impl_->erase(key); }
void MemoryTier::clear() { impl_->clear(); }
std::size_t MemoryTier::expire(Millis now, std::size_t limit) { return impl_->expire(now, limit); }
MemoryStats MemoryTier::stats() const { return impl_->stats(); }
void MemoryTier::resetStats() { impl_->resetStats(); }

}  // namespace tiercel::core
