#include "core/memory/shard.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <mutex>

#include "core/key_hash.h"
#include "core/random.h"

namespace tiercel::core {

namespace {

// Between two looks at whether somebody else wants the lock.
constexpr int kStepsPerHold = 256;
constexpr int kBucketsPerHold = 64;
// Every put takes so many steps of the wheel: more than it can cause later.
constexpr int kStepsPerPut = 8;
// What more has to leave for an entry leaves from all shards in turn.
constexpr int kEvictionsPerPut = 8;
constexpr std::size_t kHitsPerHold = 32;
constexpr std::size_t kReclaimAhead = 1024;
// So much of a fill id as JavaScript has of it.
constexpr std::uint64_t kFillMask = (UINT64_C(1) << 48) - 1;
// Of the policy's memory this much of every shard is for free, or it would be most of a small budget.
constexpr std::size_t kFreePolicyBytes = 32768;

std::size_t shardsFor(std::size_t maxBytes) {
  constexpr std::size_t kLeast = std::size_t{4} << 20;
  const std::size_t most = maxBytes >= std::size_t{256} << 20 ? 16 : 8;
  return std::clamp<std::size_t>(std::bit_floor(maxBytes / kLeast), 1, most);
}

// What is mapped but free is a part of each shard's budget.
std::size_t chunkFor(std::size_t share) {
  return std::clamp(std::bit_floor(share / 16 + 1), Arena::kMinChunk, Arena::kMaxChunk);
}

}  // namespace

TierState::TierState(const MemoryOptions& options, const SourceTable& sourceTable, TagTable& tagTable,
                     ChunkSource& chunks)
    : maxBytes(options.maxBytes),
      maxEntryBytes(std::min(options.maxBytes, options.maxEntryBytes == 0 ? SIZE_MAX : options.maxEntryBytes)),
      maxEntries(options.maxEntries),
      shards(shardsFor(options.maxBytes)),
      chunkBytes(chunkFor(options.maxBytes / shards)),
      sources(sourceTable),
      tags(tagTable),
      pool(chunks, options.maxBytes + options.maxBytes / 32 + (shards + 1) * chunkBytes) {}

Shard::Shard(TierState& state, std::uint64_t number)
    : state_(state),
      tokens_((number + 1) << 32),
      leastWeight_(state.maxEntries == 0 ? 0 : state.maxBytes / state.maxEntries),
      arena_(state.pool, state.chunkBytes),
      table_(*this),
      eviction_(*this),
      wheel_(*this) {
  eviction_.setCapacity(state.maxBytes / state.shards);
}

Shard::~Shard() {
  clear();
  while (reclaim()) {
  }
}

std::uint32_t Shard::hash(Slot slot) const {
  if (slot == known_) return knownHash_;
  return static_cast<std::uint32_t>(hashKey(block(slot).key(), state_.seed));
}

Slot Shard::lookup(std::string_view key, std::uint64_t hash) {
  const auto slot = table_.find(static_cast<std::uint32_t>(hash), [&](Slot found) {
    const EntryBlock& entry = block(found);
    // The key mostly ends in the second line.
    __builtin_prefetch(reinterpret_cast<const char*>(&entry) + 64);
    return entry.keySize == key.size() && entry.key() == key;
  });
  if (slot == kNoSlot) return kNoSlot;
  known_ = slot;
  knownHash_ = static_cast<std::uint32_t>(hash);
  return slot;
}

bool Shard::isValid(const EntryBlock& block, Millis now) const {
  if (!block.holdsMarks()) return true;
  return std::ranges::all_of(block.tags(), [&](TagMark mark) { return state_.tags.valid(mark, now); });
}

bool Shard::isUnchanged(const EntryBlock& block) const {
  return std::ranges::all_of(block.tags(), [&](TagMark mark) { return state_.tags.unchanged(mark); });
}

void Shard::pin(Slot slot, Millis now, std::optional<MemoryHit>& hit) {
  EntryBlock& entry = block(slot);
  if (entry.pins.load(std::memory_order_relaxed) == EntryBlock::kMostPins) return;
  entry.pins.fetch_add(1, std::memory_order_relaxed);
  hit.emplace();
  entry.read(arena_.sizeOf(slot), *hit);
  hit->freshness = freshnessAt(hit->deadlines, now);
  hit->token = tokens_ | slot;
  hit->pin = Pin(*this, entry);
}

std::optional<MemoryHit> Shard::find(std::string_view key, std::uint64_t hash, Millis now) {
  std::optional<MemoryHit> hit;
  const std::lock_guard lock(lock_);
  const Slot slot = lookup(key, hash);
  if (slot == kNoSlot) {
    ++counters_.misses;
    return hit;
  }
  const EntryBlock& entry = block(slot);
  if (now >= entry.goneAt()) {
    drop(slot);
    ++counters_.expirations;
  } else if (!state_.sources.trusted(entry.source(), now)) {
    eviction_.cooled(slot);
    ++counters_.invalid;
  } else if (!isValid(entry, now)) {
    ++counters_.invalid;
  } else {
    pin(slot, now, hit);
    if (hit) touch(slot, static_cast<std::uint32_t>(hash));
  }
  ++(hit ? counters_.hits : counters_.misses);
  return hit;
}

std::optional<MemoryHit> Shard::peek(std::string_view key, std::uint64_t hash, Millis now, bool distrusted) {
  std::optional<MemoryHit> hit;
  const std::lock_guard lock(lock_);
  const Slot slot = lookup(key, hash);
  if (slot == kNoSlot) return hit;
  const EntryBlock& entry = block(slot);
  if (now >= entry.goneAt()) return hit;
  const bool good =
      distrusted ? isUnchanged(entry) : state_.sources.trusted(entry.source(), now) && isValid(entry, now);
  if (good) pin(slot, now, hit);
  return hit;
}

// The slot may be any part of any block by now. But nothing there is the fill id, other than by a chance of one in
// 2^48, unless the entry is there: it is overwritten when the entry goes, and is not in what others store.
bool Shard::isStill(std::uint64_t token, std::uint64_t fill, Millis now, const StandingCheck& check) {
  const auto slot = static_cast<Slot>(token);
  const std::lock_guard lock(lock_);
  if ((fill & kFillMask) == 0 || !arena_.isMapped(slot, sizeof(EntryBlock))) return false;
  const EntryBlock& entry = block(slot);
  if (((entry.fill.load(std::memory_order_relaxed) ^ fill) & kFillMask) != 0) return false;
  const Standing standing = entry.standing();
  if (now >= standing.freshUntil || !state_.sources.trusted(entry.source(), now) || !isValid(entry, now)) return false;
  if (check && !check(standing)) return false;
  touch(slot, kUnknownHash);
  ++counters_.hits;
  return true;
}

bool Shard::holds(std::uint64_t token, std::uint64_t fill) const {
  const auto slot = static_cast<Slot>(token);
  const std::lock_guard lock(lock_);
  if ((fill & kFillMask) == 0 || !arena_.isMapped(slot, sizeof(EntryBlock))) return false;
  return ((block(slot).fill.load(std::memory_order_relaxed) ^ fill) & kFillMask) == 0;
}

Ticket Shard::ticket(std::uint64_t hash) const {
  const std::uint32_t version = versions_[versionOf(hash)].load(std::memory_order_acquire);
  return Ticket{epoch_.load(std::memory_order_acquire)} << 32 | version;
}

void Shard::voidTickets() {
  const std::lock_guard lock(lock_);
  epoch_.fetch_add(1, std::memory_order_acq_rel);
}

void Shard::prefetchLinks(const EntryBlock& entry) const {
  const EvictionNode& node = entry.eviction;
  const Slot next = entry.wheel.next;
  const Slot previous = entry.wheel.previous;
  for (const Slot slot : {node.older, node.newer, next, previous}) {
    if (slot < kReservedHandles) __builtin_prefetch(arena_.at(slot), 1);
  }
}

PutResult Shard::put(const PutRequest& request, Room room, bool evicts) {
  const EntryPlan plan(request.key, request.entry, request.deadlines, request.now, request.options);
  const auto hash = static_cast<std::uint32_t>(request.hash);
  const bool isOver = request.now >= request.goneAt();
  const std::lock_guard lock(lock_);
  if (request.options.ticket && *request.options.ticket != ticket(request.hash)) return PutResult::kNotKept;
  replaced_ = lookup(request.key, request.hash);
  bool keeps = replaced_ != kNoSlot;
  const std::uint64_t evictionsBefore = counters_.evictions;
  bool fits = plan.fits() && arena_.costOf(plan.size()) <= state_.maxEntryBytes;
  Slot slot = kNoSlot;
  bool rewritten = false;
  if (room == Room::kNone) fits = false;
  if (fits && !isOver && room != Room::kRefused) {
    if (keeps) {
      prefetchLinks(block(replaced_));
      rewritten = rewrite(replaced_, plan, request);
    }
    slot = rewritten ? replaced_ : allocate(plan, replaced_);
    if (slot == kNoSlot && room == Room::kUnknown) return PutResult::kNoRoom;
    fits = slot != kNoSlot;
  }
  if (!rewritten && slot != kNoSlot) {
    plan.write(arena_.at(slot), arena_.sizeOf(slot));
    if (replaced_ != kNoSlot) {
      replace(replaced_, slot, hash);
    } else if (!add(slot, hash)) {
      arena_.free(slot);
      slot = kNoSlot;
      fits = false;
    }
    if (slot != kNoSlot) {
      for (const TagMark mark : request.options.tags) state_.tags.addReference(mark.cell);
    }
  }
  if (!fits) ++counters_.rejects;
  if (room == Room::kRefused) ++counters_.admissionRejects;
  versions_[versionOf(request.hash)].fetch_add(1, std::memory_order_acq_rel);
  if (slot == kNoSlot) {
    if (replaced_ != kNoSlot) drop(replaced_);
    return PutResult::kNotKept;
  }
  known_ = slot;
  knownHash_ = hash;
  accountTables();
  std::size_t swept = 0;
  sweep(request.now, SIZE_MAX, kStepsPerPut, swept);
  // A new value of a known key is not up for admission, nor is one for which others had to leave.
  keeps |= room == Room::kMade || counters_.evictions != evictionsBefore;
  const Slot keep = keeps ? slot : kNoSlot;
  for (int i = 0; evicts && i < kEvictionsPerPut && state_.isOver(); ++i) {
    const Slot victim = this->victim(keep);
    if (victim == kNoSlot || counters_.entries == 1) break;
    if (victim == slot) {
      drop(slot);
      ++counters_.admissionRejects;
      return PutResult::kNotKept;
    }
    evict(victim);
  }
  ++counters_.sets;
  return PutResult::kKept;
}

// In its place, when nobody looks at it and the new one is as large.
bool Shard::rewrite(Slot slot, const EntryPlan& plan, const PutRequest& request) {
  EntryBlock& entry = block(slot);
  const std::size_t size = arena_.sizeOf(slot);
  const bool large = arena_.isLarge(plan.size());
  if (size < plan.size() || large != arena_.isLarge(size) || entry.pins.load(std::memory_order_acquire) != 0) {
    return false;
  }
  if (large ? arena_.costOf(plan.size()) != size : size - plan.size() > Arena::kMaxSlack) return false;
  for (const TagMark mark : request.options.tags) state_.tags.addReference(mark.cell);
  for (const TagMark mark : entry.tags()) state_.tags.release(mark.cell);
  // The wheel need not know of a later end: sweep() looks.
  const bool waits = entry.wheel.previous != WheelNode::kOff && request.goneAt() >= entry.goneAt();
  if (!waits) wheel_.remove(slot);
  const EvictionNode node = entry.eviction;
  const WheelNode wheelNode = entry.wheel;
  plan.write(&entry, size);
  entry.eviction = node;
  entry.wheel = wheelNode;
  if (!waits) wheel_.add(slot);
  touch(slot, static_cast<std::uint32_t>(request.hash));
  return true;
}

void Shard::replace(Slot old, Slot slot, std::uint32_t hash) {
  for (std::size_t i = 0; i < touchCount_; ++i) {
    if (touches_[i].slot == old) touches_[i].slot = slot;
  }
  table_.replace(old, slot, hash);
  eviction_.moved(old, slot);
  accountWeight();
  wheel_.remove(old);
  wheel_.add(slot);
  discard(old);
  const std::size_t size = arena_.sizeOf(slot);
  blockBytes_ += size;
  state_.bytes.fetch_add(size, std::memory_order_relaxed);
  state_.entries.fetch_add(1, std::memory_order_relaxed);
  ++counters_.entries;
  touch(slot, hash);
}

// false: the table has no room for it, and no memory.
bool Shard::add(Slot slot, std::uint32_t hash) {
  if (!table_.insert(slot, hash)) return false;
  known_ = slot;
  knownHash_ = hash;
  wheel_.add(slot);
  eviction_.added(slot);
  accountWeight();
  const std::size_t size = arena_.sizeOf(slot);
  blockBytes_ += size;
  state_.bytes.fetch_add(size, std::memory_order_relaxed);
  state_.entries.fetch_add(1, std::memory_order_relaxed);
  ++counters_.entries;
  return true;
}

std::size_t Shard::chunkFor(const PutRequest& request) const {
  return arena_.chunkFor(EntryPlan(request.key, request.entry, request.deadlines, request.now, request.options).size());
}

// Evicts when the pool has no more, or no more in one piece.
Slot Shard::allocate(const EntryPlan& plan, Slot keep) {
  constexpr int kPlainEvictions = 8;
  constexpr int kClearings = 8;
  const std::size_t size = plan.size();
  const bool large = arena_.isLarge(size);
  for (int attempt = 0; attempt < kPlainEvictions + kClearings; ++attempt) {
    const Slot slot = arena_.allocate(size);
    if (slot != kNoSlot) return slot;
    if (reclaimChunk(true)) {
      --attempt;
      continue;
    }
    if (large) break;  // it needs a chunk of its own, and that is for all shards to make room for
    const Slot victim = this->victim(keep);
    if (victim == kNoSlot) break;
    if (attempt < kPlainEvictions) {
      evict(victim);
    } else {
      evictAround(victim, size);
    }
  }
  return kNoSlot;
}

void Shard::touch(Slot slot, std::uint32_t hash) {
  if (touchCount_ == kTouches) applyTouches();
  touches_[touchCount_++] = {slot, hash};
  if (hash != kUnknownHash) eviction_.prefetch(hash);
  const EvictionNode& node = block(slot).eviction;
  if (node.older != kNoSlot) __builtin_prefetch(&block(node.older), 1);
  if (node.newer != kNoSlot) __builtin_prefetch(&block(node.newer), 1);
}

void Shard::applyTouches() {
  for (std::size_t i = 0; i < touchCount_; ++i) {
    if (touches_[i].slot == kNoSlot) continue;
    if (touches_[i].hash != kUnknownHash) {
      known_ = touches_[i].slot;
      knownHash_ = touches_[i].hash;
    }
    eviction_.touched(touches_[i].slot);
  }
  touchCount_ = 0;
}

Slot Shard::victim(Slot keep) {
  applyTouches();
  return eviction_.victim(keep);
}

void Shard::evict(Slot victim) {
  drop(victim);
  ++counters_.evictions;
}

// Makes one piece of so many bytes where the victim is, or behind it. In any case the victim is gone.
void Shard::evictAround(Slot victim, std::size_t bytes) {
  // Its bytes have to wait for whoever looks at them, but it is out of the way of the next attempt.
  if (block(victim).pins.load(std::memory_order_acquire) != 0) return evict(victim);
  Slot at = victim;
  while (at != kNoSlot) {
    if (!arena_.isFree(at) && block(at).pins.load(std::memory_order_acquire) == 0) {
      at = drop(at);
      ++counters_.evictions;
      if (at == kNoHandle) return;  // with all of its chunk
    }
    if (arena_.isFree(at) && arena_.sizeOf(at) >= bytes) return;
    at = arena_.following(at);
  }
}

// The entry is gone for everybody; its bytes as soon as nobody looks at them. Returns the free block in its place.
Handle Shard::drop(Slot slot) {
  prefetchLinks(block(slot));
  table_.remove(slot, hash(slot));
  wheel_.remove(slot);
  for (std::size_t i = 0; i < touchCount_; ++i) {
    if (touches_[i].slot == slot) touches_[i].slot = kNoSlot;
  }
  eviction_.removed(slot);
  accountWeight();
  const Handle freed = discard(slot);
  accountTables();
  return freed;
}

// The same for what neither table nor policy nor wheel know any more.
Handle Shard::discard(Slot slot) {
  EntryBlock& entry = block(slot);
  const std::size_t size = arena_.sizeOf(slot);
  blockBytes_ -= size;
  state_.bytes.fetch_sub(size, std::memory_order_relaxed);
  state_.entries.fetch_sub(1, std::memory_order_relaxed);
  --counters_.entries;
  if (slot == known_) known_ = kNoSlot;
  if (slot == replaced_) replaced_ = kNoSlot;
  entry.eviction.older = slot;
  entry.fill.store(0, std::memory_order_relaxed);
  state_.doomed.fetch_add(size, std::memory_order_relaxed);
  if (entry.pins.fetch_or(EntryBlock::kDoomed, std::memory_order_acq_rel) != 0) return kNoHandle;
  return freeBlock(slot);
}

Handle Shard::freeBlock(Slot slot) {
  for (const TagMark mark : block(slot).tags()) state_.tags.release(mark.cell);
  state_.doomed.fetch_sub(arena_.sizeOf(slot), std::memory_order_relaxed);
  return arena_.free(slot);
}

void Shard::freeDoomed(EntryBlock& block) noexcept {
  const std::lock_guard lock(lock_);
  freeBlock(block.eviction.older);
}

Ticket Shard::eraseAndRenew(std::string_view key, std::uint64_t hash, Ticket held) {
  const std::lock_guard lock(lock_);
  const bool good = held == ticket(hash);
  versions_[versionOf(hash)].fetch_add(1, std::memory_order_acq_rel);
  const Slot slot = lookup(key, hash);
  if (slot != kNoSlot) {
    drop(slot);
    ++counters_.deletes;
  }
  return good ? ticket(hash) : held;
}

bool Shard::erase(std::string_view key, std::uint64_t hash) {
  const std::lock_guard lock(lock_);
  versions_[versionOf(hash)].fetch_add(1, std::memory_order_acq_rel);
  const Slot slot = lookup(key, hash);
  if (slot == kNoSlot) return false;
  drop(slot);
  ++counters_.deletes;
  return true;
}

bool Shard::sweep(Millis now, std::size_t limit, int steps, std::size_t& dropped) {
  Slot due = kNoSlot;
  for (; steps > 0 && dropped < limit; --steps) {
    if (!wheel_.advance(now, due)) return false;
    if (due == kNoSlot) continue;
    if (now < block(due).goneAt()) {  // it was rewritten
      wheel_.add(due);
      continue;
    }
    drop(due);
    ++counters_.expirations;
    ++dropped;
  }
  return dropped < limit;
}

std::size_t Shard::expire(Millis now, std::size_t limit) {
  std::size_t dropped = 0;
  for (bool more = true; more;) {
    const std::lock_guard lock(lock_);
    more = sweep(now, limit, kStepsPerHold, dropped);
  }
  return dropped;
}

std::size_t Shard::evictWhileOver(std::size_t limit, std::size_t more, const PutRequest* keep) {
  const std::lock_guard lock(lock_);
  const Slot kept = keep == nullptr ? kNoSlot : lookup(keep->key, keep->hash);
  std::size_t dropped = 0;
  for (; dropped < limit && state_.isOver(more); ++dropped) {
    const Slot victim = this->victim(kept);
    if (victim == kNoSlot) break;
    evict(victim);
  }
  return dropped;
}

bool Shard::admits(const PutRequest& request) {
  const std::lock_guard lock(lock_);
  if (lookup(request.key, request.hash) != kNoSlot) return true;
  return eviction_.admits(static_cast<std::uint32_t>(request.hash), chunkFor(request));
}

std::size_t Shard::vacateChunk() {
  const std::lock_guard lock(lock_);
  if (reclaimChunk(false)) return 1;
  const Handle first = arena_.condemnEmptiest();
  if (first == kNoHandle) return 0;
  std::uint32_t held = 0;
  std::size_t looked = 1;
  for (Handle at = first; at != kNoHandle; at = arena_.following(at)) {
    if (arena_.isFree(at)) continue;
    ++looked;
    const bool pinned = block(at).pins.load(std::memory_order_acquire) != 0;
    const bool doomed = (block(at).pins.load(std::memory_order_acquire) & EntryBlock::kDoomed) != 0;
    if (!pinned && relocate(at)) continue;
    if (!doomed) evict(at);
    if (!arena_.isFree(at)) ++held;  // a hit looks at it still
  }
  arena_.release(first, held, false);
  return looked;
}

bool Shard::relocate(Slot slot) {
  EntryBlock& from = block(slot);
  const bool isLong = (from.extras() & EntryBlock::kLong) != 0;
  const std::size_t size = arena_.sizeOf(slot);
  const std::size_t used = size - (isLong ? 0 : from.extras() & EntryBlock::kSlackMask);
  const Slot to = arena_.allocate(used, false);
  if (to == kNoSlot) return false;
  const std::size_t newSize = arena_.sizeOf(to);
  const std::uint32_t hash = this->hash(slot);
  wheel_.remove(slot);
  EntryBlock& entry = block(to);
  constexpr std::uint32_t kArenasBits = (1U << Arena::kOwnerShift) - 1;
  std::uint32_t extras = from.extras();
  if (!isLong) extras = (extras & ~EntryBlock::kSlackMask) | static_cast<std::uint32_t>(newSize - used);
  const std::uint32_t word = (entry.word & kArenasBits) | extras << Arena::kOwnerShift;
  std::memcpy(arena_.at(to), arena_.at(slot), std::min(size, used));
  entry.word = word;
  table_.replace(slot, to, hash);
  eviction_.moved(slot, to);
  accountWeight();
  wheel_.add(to);
  for (std::size_t i = 0; i < touchCount_; ++i) {
    if (touches_[i].slot == slot) touches_[i].slot = to;
  }
  if (known_ == slot) known_ = to;
  blockBytes_ = blockBytes_ - size + newSize;
  state_.bytes.fetch_add(newSize - size, std::memory_order_relaxed);
  from.fill.store(0, std::memory_order_relaxed);
  arena_.free(slot);
  return true;
}

std::uint64_t Shard::dropIf(std::uint64_t cursor, const std::function<bool(std::string_view key)>& visit,
                            std::size_t& dropped) {
  const std::lock_guard lock(lock_);
  for (int i = 0; i < kBucketsPerHold && cursor != kEnd; ++i) {
    cursor = table_.walk(cursor, [&](Slot slot) {
      if (!visit(block(slot).key())) return;
      drop(slot);
      ++dropped;
      ++counters_.deletes;
    });
  }
  accountTables();
  return cursor;
}

void Shard::clear() {
  const std::lock_guard lock(lock_);
  touchCount_ = 0;
  known_ = kNoSlot;
  state_.bytes.fetch_sub(blockBytes_, std::memory_order_relaxed);
  state_.entries.fetch_sub(counters_.entries, std::memory_order_relaxed);
  blockBytes_ = 0;
  counters_.entries = 0;
  table_.clear();
  wheel_.clear();
  eviction_.clear();
  accountWeight();
  arena_.condemn();
  accountTables();
}

bool Shard::reclaim() {
  const std::lock_guard lock(lock_);
  return reclaimChunk(false);
}

bool Shard::reclaimChunk(bool reuse) {
  const Handle first = arena_.nextCondemned();
  if (first == kNoHandle) return false;
  std::uint32_t held = 0;
  for (Handle at = first; at != kNoHandle; at = arena_.following(at)) {
    if (arena_.isFree(at)) continue;
    EntryBlock& entry = block(at);
    __builtin_prefetch(reinterpret_cast<const char*>(&entry) + kReclaimAhead);
    entry.fill.store(0, std::memory_order_relaxed);  // the chunk may serve again: no token of before finds an entry
    const std::uint16_t pins = entry.pins.fetch_or(EntryBlock::kDoomed, std::memory_order_acq_rel);
    if (pins == 0) {
      for (const TagMark mark : entry.tags()) state_.tags.release(mark.cell);
      continue;
    }
    ++held;
    if ((pins & EntryBlock::kDoomed) != 0) continue;
    entry.eviction.older = at;
    state_.doomed.fetch_add(arena_.sizeOf(at), std::memory_order_relaxed);
  }
  arena_.release(first, held, reuse);
  return true;
}

std::uint64_t Shard::walk(std::uint64_t cursor, Millis now, std::vector<Walked>& hits) {
  const std::lock_guard lock(lock_);
  for (int i = 0; i < kBucketsPerHold && cursor != kEnd && hits.size() < kHitsPerHold; ++i) {
    cursor = table_.walk(cursor, [&](Slot slot) {
      const EntryBlock& entry = block(slot);
      if (now >= entry.goneAt() || !state_.sources.trusted(entry.source(), now) || !isValid(entry, now)) return;
      std::optional<MemoryHit> hit;
      pin(slot, now, hit);
      if (hit) hits.push_back({entry.key(), std::move(*hit)});
    });
  }
  return cursor;
}

void Shard::accountTables() {
  const std::size_t bytes = table_.bytes() + std::max(kFreePolicyBytes, eviction_.bytes()) - kFreePolicyBytes;
  if (bytes == tableBytes_) return;
  state_.bytes.fetch_add(bytes - tableBytes_, std::memory_order_relaxed);
  tableBytes_ = bytes;
}

// With every change of what eviction orders.
void Shard::accountWeight() {
  const std::size_t weight = eviction_.weight();
  state_.held.fetch_add(weight - held_.exchange(weight, std::memory_order_relaxed), std::memory_order_relaxed);
}

void Shard::addTo(MemoryStats& stats) const {
  const std::lock_guard lock(lock_);
  stats.entries += counters_.entries;
  stats.hits += counters_.hits;
  stats.misses += counters_.misses;
  stats.sets += counters_.sets;
  stats.deletes += counters_.deletes;
  stats.evictions += counters_.evictions;
  stats.expirations += counters_.expirations;
  stats.rejects += counters_.rejects;
  stats.admissionRejects += counters_.admissionRejects;
  stats.invalid += counters_.invalid;
}

void Shard::resetStats() {
  const std::lock_guard lock(lock_);
  counters_ = {.entries = counters_.entries};
}

}  // namespace tiercel::core
