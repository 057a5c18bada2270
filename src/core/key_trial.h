// A cache of keys alone, to see how many hits a given window would give.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/eviction_queues.h"
#include "core/frequency_sketch.h"

namespace tiercel::core {

class KeyTrial {
 public:
  // Room for up to `most` keys. May throw std::bad_alloc.
  KeyTrial(std::size_t most, const FrequencySketch& sketch) : most_(most), keys_(most + 1), queues_(keys_, sketch) {}
  KeyTrial(const KeyTrial&) = delete;
  KeyTrial& operator=(const KeyTrial&) = delete;

  [[nodiscard]] bool full() const { return full_; }

  [[nodiscard]] std::size_t bytes() const { return Keys::bytesFor(most_ + 1); }

  void setLimits(std::size_t limit, std::size_t window) {
    limit_ = std::min(limit, most_);
    queues_.setLimits(limit_, window);
    trim();
  }

  // Whether the key was there. It is now, unless it was not worth its room.
  bool ask(std::uint32_t hash) {
    const Slot found = keys_.find(hash);
    if (found != kNoSlot) {
      queues_.touched(found);
      return true;
    }
    Slot slot = free_;
    if (slot == kNoSlot) {
      slot = static_cast<Slot>(used_++);
    } else {
      free_ = keys_.next(slot);
    }
    keys_.insert(slot, hash);
    queues_.added(slot);
    trim();
    return false;
  }

 private:
  void trim() {
    while (queues_.weight() > limit_) drop(queues_.victim(kNoSlot));
  }

  void drop(Slot slot) {
    queues_.removed(slot);
    keys_.erase(slot);
    keys_.next(slot) = free_;
    free_ = slot;
    full_ = true;
  }

  // What the queues order: the keys' hashes, in a hash table with chains.
  class Keys {
   public:
    explicit Keys(std::size_t count) : nodes_(count), hashes_(count), next_(count), buckets_(count, kNoSlot) {}

    static std::size_t bytesFor(std::size_t count) {
      return count * (sizeof(EvictionNode) + sizeof(std::uint32_t) + 2 * sizeof(Slot));
    }

    EvictionNode& node(Slot slot) { return nodes_[slot]; }
    static std::size_t weight(Slot /*slot*/) { return 1; }
    [[nodiscard]] std::uint32_t hash(Slot slot) const { return hashes_[slot]; }

    Slot& next(Slot slot) { return next_[slot]; }

    [[nodiscard]] Slot find(std::uint32_t hash) const {
      Slot slot = buckets_[bucketOf(hash)];
      while (slot != kNoSlot && hashes_[slot] != hash) slot = next_[slot];
      return slot;
    }

    void insert(Slot slot, std::uint32_t hash) {
      Slot& first = buckets_[bucketOf(hash)];
      hashes_[slot] = hash;
      next_[slot] = first;
      first = slot;
    }

    void erase(Slot slot) {
      Slot* link = &buckets_[bucketOf(hashes_[slot])];
      while (*link != slot) link = &next_[*link];
      *link = next_[slot];
    }

   private:
    [[nodiscard]] std::size_t bucketOf(std::uint32_t hash) const {
      return std::uint64_t{hash * 0x9E3779B1U} * buckets_.size() >> 32;
    }

    std::vector<EvictionNode> nodes_;
    std::vector<std::uint32_t> hashes_;
    std::vector<Slot> next_;
    std::vector<Slot> buckets_;
  };

  std::size_t most_;
  std::size_t limit_ = 0;
  std::size_t used_ = 0;  // slots that were in use at some time
  Slot free_ = kNoSlot;
  bool full_ = false;
  Keys keys_;
  EvictionQueues<Keys> queues_;
};

}  // namespace tiercel::core
