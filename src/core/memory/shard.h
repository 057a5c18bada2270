// A part of the memory tier, chosen by the hash of the key, with a lock of its own. What all parts share is in
// TierState: the budget above all.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "core/key_hash.h"
#include "core/memory/arena.h"
#include "core/memory/bucket_table.h"
#include "core/memory/chunk_pool.h"
#include "core/memory/entry_block.h"
#include "core/memory/eviction.h"
#include "core/memory/memory_tier.h"
#include "core/memory/stripe_lock.h"
#include "core/memory/timer_wheel.h"

namespace tiercel::core {

struct TierState {
  TierState(const MemoryOptions& options, const SourceTable& sources, TagTable& tags, ChunkSource& chunks);

  // What the process keeps because of the cache, besides entries and their tables. One chunk of the table of tags is in
  // every cache, and would be most of a small budget.
  [[nodiscard]] std::size_t others() const {
    constexpr std::size_t kFreeTagBytes = std::size_t{96} << 10;
    const std::size_t tagBytes = tags.bytes();
    return reserved.load(std::memory_order_relaxed) + (tagBytes > kFreeTagBytes ? tagBytes - kFreeTagBytes : 0);
  }
  [[nodiscard]] bool isOver(std::size_t more = 0) const {
    return bytes.load(std::memory_order_relaxed) + others() + more > maxBytes ||
           (maxEntries != 0 && entries.load(std::memory_order_relaxed) > maxEntries);
  }

  // Whether that is much more than the part of one shard in what all entries weigh.
  [[nodiscard]] bool isMuch(std::size_t weight) const {
    const std::size_t part = held.load(std::memory_order_relaxed) / shards;
    return weight > part + part / 4;
  }

  std::size_t maxBytes;
  std::size_t maxEntryBytes;
  std::size_t maxEntries;
  std::size_t shards;
  std::size_t chunkBytes;
  HashSeed seed = randomHashSeed();
  const SourceTable& sources;
  TagTable& tags;
  ChunkPool pool;
  std::atomic<std::size_t> bytes{0};     // blocks of entries, and tables
  std::atomic<std::size_t> held{0};      // what the entries of all shards weigh
  std::atomic<std::size_t> reserved{0};  // see MemoryTier::reserve()
  std::atomic<std::size_t> entries{0};
  std::atomic<std::size_t> doomed{0};  // bytes of what is gone, but for a hit that still looks at it
};

struct PutRequest {
  std::string_view key;
  std::uint64_t hash;
  const Entry& entry;
  const Deadlines& deadlines;
  Millis now;
  const PutOptions& options;

  [[nodiscard]] Millis goneAt() const { return std::min(deadlines.goneAt, options.keepUntil); }
};

// What a put knows of the room for its entry.
enum class Room : std::uint8_t {
  kUnknown,
  kMade,     // the entry is not up for admission any more
  kNone,     // it would take too long: it is made in the background, for the next put
  kRefused,  // it is not worth it
};

enum class PutResult : std::uint8_t { kKept, kNotKept, kNoRoom };

class Shard {
 public:
  // May throw std::bad_alloc.
  Shard(TierState& state, std::uint64_t number);
  ~Shard();
  Shard(const Shard&) = delete;
  Shard& operator=(const Shard&) = delete;

  std::optional<MemoryHit> find(std::string_view key, std::uint64_t hash, Millis now);
  std::optional<MemoryHit> peek(std::string_view key, std::uint64_t hash, Millis now, bool distrusted);
  bool isStill(std::uint64_t token, std::uint64_t fill, Millis now, const StandingCheck& check);

  [[nodiscard]] bool holds(std::uint64_t token, std::uint64_t fill) const;

  [[nodiscard]] Ticket ticket(std::uint64_t hash) const;
  void voidTickets();

  // kNoRoom: nothing has happened yet; to be called again with what became of it. Drops a few others at most: the tier
  // may be over its budget then.
  // `evicts`: entries of this shard leave when the tier is over its budget; else those of another do, afterwards.
  PutResult put(const PutRequest& request, Room room, bool evicts);
  bool erase(std::string_view key, std::uint64_t hash);
  Ticket eraseAndRenew(std::string_view key, std::uint64_t hash, Ticket held);
  std::size_t expire(Millis now, std::size_t limit);

  // Drops up to so many entries while the tier with `more` bytes would be over its budget; never the one of the key of
  // `keep`. Returns how many.
  std::size_t evictWhileOver(std::size_t limit, std::size_t more, const PutRequest* keep);
  // What the pool must have for it.
  [[nodiscard]] std::size_t chunkFor(const PutRequest& request) const;
  [[nodiscard]] bool admits(const PutRequest& request);
  // Gives a chunk back to the pool; what is in it moves. Returns for how many entries; 0: there was nothing to be done.
  std::size_t vacateChunk();

  // Gives the next few entries from the cursor on to `visit`, and drops those for which it says so. Returns the next
  // cursor, kEnd after the last.
  std::uint64_t dropIf(std::uint64_t cursor, const std::function<bool(std::string_view key)>& visit,
                       std::size_t& dropped);
  // What it gives up is given back by reclaim(): its bytes count no more, but for those that hits still look at.
  void clear();
  // What its entries weigh. Without a lock.
  [[nodiscard]] std::size_t held() const { return held_.load(std::memory_order_relaxed); }
  // One chunk of that; false: there is no more.
  bool reclaim();
  // The next few hits from the cursor on; kEnd after the last. May throw std::bad_alloc.
  struct Walked {
    std::string_view key;
    MemoryHit hit;
  };
  static constexpr std::uint64_t kEnd = BucketTable<Shard>::kEnd;
  std::uint64_t walk(std::uint64_t cursor, Millis now, std::vector<Walked>& hits);

  void addTo(MemoryStats& stats) const;
  void resetStats();

  // The last pin of a block that is doomed was given back.
  void freeDoomed(EntryBlock& block) noexcept;

  // What the policy, the wheel and the table see of an entry.
  [[nodiscard]] EvictionNode& node(Slot slot) { return block(slot).eviction; }
  [[nodiscard]] std::size_t weight(Slot slot) const { return std::max(arena_.sizeOf(slot), leastWeight_); }
  [[nodiscard]] std::uint32_t hash(Slot slot) const;
  [[nodiscard]] WheelNode& wheelNode(Slot slot) { return block(slot).wheel; }
  [[nodiscard]] Millis goneAt(Slot slot) const { return block(slot).goneAt(); }

 private:
  static constexpr std::size_t kVersions = 1024;

  [[nodiscard]] EntryBlock& block(Slot slot) const { return *reinterpret_cast<EntryBlock*>(arena_.at(slot)); }
  [[nodiscard]] Slot lookup(std::string_view key, std::uint64_t hash);
  [[nodiscard]] bool isValid(const EntryBlock& block, Millis now) const;
  [[nodiscard]] bool isUnchanged(const EntryBlock& block) const;
  // Nothing, when the block has as many pins as it can count.
  void pin(Slot slot, Millis now, std::optional<MemoryHit>& hit);
  void prefetchLinks(const EntryBlock& entry) const;
  // The three ways in which a put ends well.
  bool rewrite(Slot slot, const EntryPlan& plan, const PutRequest& request);
  void replace(Slot old, Slot slot, std::uint32_t hash);
  bool add(Slot slot, std::uint32_t hash);
  static std::size_t versionOf(std::uint64_t hash) { return hash >> 32 & (kVersions - 1); }
  Slot allocate(const EntryPlan& plan, Slot keep);
  // The policy learns of hits a few at a time: what it has to write to has come from memory by then.
  void touch(Slot slot, std::uint32_t hash);
  void applyTouches();
  Slot victim(Slot keep);
  void evict(Slot victim);
  void evictAround(Slot victim, std::size_t bytes);
  // To another chunk; false: there is no room there.
  bool relocate(Slot slot);
  Handle drop(Slot slot);
  Handle discard(Slot slot);
  Handle freeBlock(Slot slot);
  bool reclaimChunk(bool reuse);
  // Drops what is over, in so many steps of the wheel. false: there is no more.
  bool sweep(Millis now, std::size_t limit, int steps, std::size_t& dropped);
  void accountTables();
  void accountWeight();

  TierState& state_;
  std::uint64_t tokens_;
  std::size_t leastWeight_;
  mutable StripeLock lock_;
  Arena arena_;
  BucketTable<Shard> table_;
  Eviction<Shard> eviction_;
  TimerWheel<Shard> wheel_;
  MemoryStats counters_;
  std::size_t tableBytes_ = 0;
  std::size_t blockBytes_ = 0;  // of the entries that are in the table
  Slot replaced_ = kNoSlot;     // the older entry of the key that is put, while it is there
  // The hash of the key in hand: the policy asks for it again and again.
  Slot known_ = kNoSlot;
  std::uint32_t knownHash_ = 0;
  struct Touch {
    Slot slot;
    std::uint32_t hash;
  };
  static constexpr std::uint32_t kUnknownHash = 0;
  static constexpr std::size_t kTouches = 16;
  std::array<Touch, kTouches> touches_{};
  std::size_t touchCount_ = 0;
  // Change with every key of a group that is put or erased, and with everything.
  std::array<std::atomic<std::uint32_t>, kVersions> versions_{};
  std::atomic<std::uint32_t> epoch_{0};
  std::atomic<std::size_t> held_{0};
};

}  // namespace tiercel::core
