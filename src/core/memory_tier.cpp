#include "core/memory_tier.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>
#include <vector>

#include "core/key_hash.h"
#include "core/lru_policy.h"
#include "core/random.h"

namespace tiercel::core {

namespace {

Millis later(Millis now, Millis duration) {
  return duration >= kForever - now ? kForever : now + std::max<Millis>(0, duration);
}

// One kept entry: these fields, and behind them in the same allocation key, tags, metadata and payload.
struct Block {
  FillId fillId;
  Deadlines deadlines;
  Millis created;
  Millis freshFor;
  Millis staleFor;
  Millis keepFor;
  std::uint32_t loadTime;
  std::uint32_t keySize;
  std::uint32_t tagsSize;
  std::uint32_t metadataSize;
  std::uint32_t payloadSize;
  std::uint16_t flags;
  Codec codec;

  [[nodiscard]] const char* bytes() const { return reinterpret_cast<const char*>(this) + sizeof(Block); }
  [[nodiscard]] std::string_view key() const { return {bytes(), keySize}; }
  [[nodiscard]] Entry entry() const {
    const char* at = bytes() + keySize;
    return {.codec = codec,
            .flags = flags,
            .fillId = fillId,
            .created = created,
            .freshFor = freshFor,
            .staleFor = staleFor,
            .keepFor = keepFor,
            .loadTime = loadTime,
            .tags = {at, tagsSize},
            .metadata = {at + tagsSize, metadataSize},
            .payload = {at + tagsSize + metadataSize, payloadSize}};
  }
};

struct FreeBlock {
  void operator()(Block* block) const { ::operator delete(block); }
};
using BlockPtr = std::unique_ptr<Block, FreeBlock>;

// nullptr when there is no memory.
BlockPtr makeBlock(std::string_view key, const Entry& entry, const Deadlines& deadlines) {
  const std::string_view parts[] = {key, entry.tags, entry.metadata, entry.payload};
  std::size_t size = sizeof(Block);
  for (const std::string_view part : parts) size += part.size();
  void* raw = ::operator new(size, std::nothrow);
  if (raw == nullptr) return nullptr;
  BlockPtr block(new (raw) Block{.fillId = entry.fillId,
                                 .deadlines = deadlines,
                                 .created = entry.created,
                                 .freshFor = entry.freshFor,
                                 .staleFor = entry.staleFor,
                                 .keepFor = entry.keepFor,
                                 .loadTime = entry.loadTime,
                                 .keySize = static_cast<std::uint32_t>(key.size()),
                                 .tagsSize = static_cast<std::uint32_t>(entry.tags.size()),
                                 .metadataSize = static_cast<std::uint32_t>(entry.metadata.size()),
                                 .payloadSize = static_cast<std::uint32_t>(entry.payload.size()),
                                 .flags = entry.flags,
                                 .codec = entry.codec});
  char* at = static_cast<char*>(raw) + sizeof(Block);
  for (const std::string_view part : parts) {
    if (!part.empty()) std::memcpy(at, part.data(), part.size());
    at += part.size();
  }
  return block;
}

// Every put gives back a few entries whose time is over, so that it is no later read that has to.
constexpr std::size_t kSweepPerPut = 2;

// A slot holds one entry, or is on the free list.
struct SlotState {
  BlockPtr block;
  std::uint64_t hash = 0;
  Slot next = kNoSlot;  // in the same bucket, or on the free list
};

// What an entry costs: its block as the allocator rounds it, its slot, its place in the policy and in the buckets.
std::size_t costOf(std::size_t payloadAndKey) {
  constexpr std::size_t kAllocator = 16;
  constexpr std::size_t kPolicy = 8;
  constexpr std::size_t kBucket = 8;
  const std::size_t block = (sizeof(Block) + payloadAndKey + kAllocator - 1) / kAllocator * kAllocator + kAllocator;
  return block + sizeof(SlotState) + kPolicy + kBucket;
}

std::size_t costOf(const Block& block) {
  return costOf(std::size_t{block.keySize} + block.tagsSize + block.metadataSize + block.payloadSize);
}

}  // namespace

Deadlines deadlinesFrom(const Entry& entry, Millis now) {
  return {later(now, entry.freshFor), later(now, entry.staleFor), later(now, entry.keepFor)};
}

Deadlines deadlinesFrom(const Entry& entry, Millis now, Millis left) {
  const Millis age = std::max<Millis>(0, entry.keepFor - left);
  const auto rest = [&](Millis duration) { return later(now, std::max<Millis>(0, duration - age)); };
  return {rest(entry.freshFor), rest(entry.staleFor), rest(entry.keepFor)};
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
        buckets_(64, kNoSlot),
        seed_(static_cast<std::uint64_t>(randomUnit() * 0x1.0p53)) {
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
    const bool fits = cost <= maxEntryBytes_ && cost <= stats_.maxBytes;
    if (!fits) ++stats_.rejects;
    // The new one is made before the old one goes: what is put may be a view of it.
    BlockPtr block = fits && now < deadlines.goneAt ? makeBlock(key, entry, deadlines) : nullptr;
    if (old != kNoSlot) drop(old);
    if (!block) return false;
    if (!makeRoom(stats_.bytes + cost, kNoSlot)) return false;
    try {
      insert(std::move(block), hash, cost);
    } catch (const std::bad_alloc&) {
      return false;
    }
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
    slots_.clear();
    freeSlots_ = kNoSlot;
    std::fill(buckets_.begin(), buckets_.end(), kNoSlot);
    policy_->clear();
    stats_.entries = 0;
    stats_.bytes = 0;
    sweep_ = 0;
  }

  std::size_t expire(Millis now, std::size_t limit) {
    std::size_t dropped = 0;
    // A few slots of every kind of fate are looked at for each that may be dropped.
    std::size_t looks = std::min(slots_.size(), limit * 4);
    for (; looks > 0 && dropped < limit; --looks) {
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
  void resetStats() {
    stats_ = {.entries = stats_.entries, .bytes = stats_.bytes, .maxBytes = stats_.maxBytes};
  }

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
    const Block& block = *slots_[slot].block;
    return {block.entry(), block.deadlines, freshnessAt(block.deadlines, now)};
  }

  bool makeRoom(std::size_t wanted, Slot keep) {
    while (wanted > stats_.maxBytes) {
      const Slot victim = policy_->victim(keep);
      if (victim == kNoSlot) return false;
      wanted -= costOf(*slots_[victim].block);
      drop(victim);
      ++stats_.evictions;
    }
    return true;
  }

  // May throw std::bad_alloc, and has then changed nothing.
  void insert(BlockPtr block, std::uint64_t hash, std::size_t cost) {
    if (freeSlots_ == kNoSlot) {
      slots_.emplace_back();
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
    if (stats_.entries > buckets_.size()) growBuckets();
  }

  void link(Slot slot) {
    Slot& first = buckets_[bucketOf(slots_[slot].hash)];
    slots_[slot].next = first;
    first = slot;
  }

  void growBuckets() {
    try {
      buckets_.assign(buckets_.size() * 2, kNoSlot);
    } catch (const std::bad_alloc&) {
      return;  // longer chains, nothing worse
    }
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
  }

  std::size_t maxEntryBytes_;
  std::unique_ptr<EvictionPolicy> policy_;
  std::vector<SlotState> slots_;
  std::vector<Slot> buckets_;  // heads of chains; a power of two
  Slot freeSlots_ = kNoSlot;
  std::size_t sweep_ = 0;
  std::uint64_t seed_;
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
