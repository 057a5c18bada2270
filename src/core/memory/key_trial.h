// A cache of keys and the weights of their entries, to see how many hits a given window would give.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/memory/eviction_queues.h"
#include "core/memory/frequency_sketch.h"

namespace tiercel::core {

class KeyTrial {
 public:
  // Holds up to `most` keys. May throw std::bad_alloc.
  KeyTrial(std::size_t most, const FrequencySketch& sketch) : most_(most), keys_(most + 1), queues_(keys_, sketch) {}
  KeyTrial(const KeyTrial&) = delete;
  KeyTrial& operator=(const KeyTrial&) = delete;

  [[nodiscard]] bool full() const { return full_; }

  [[nodiscard]] std::size_t bytes() const { return Keys::bytesFor(most_ + 1); }

  // In the unit of the weights.
  void setLimits(std::size_t limit, std::size_t window) {
    limit_ = limit;
    queues_.setLimits(limit, window);
    trim();
  }

  // Whether the key was there. It is now, unless it was not worth its room.
  bool ask(std::uint32_t hash, std::size_t weight) {
    const Slot found = keys_.find(hash);
    if (found != kNoSlot) {
      const std::size_t before = keys_.weight(found);
      if (before != weight) {
        keys_.setWeight(found, weight);
        queues_.resized(found, before);
      }
      queues_.touched(found);
      if (before != weight) trim();
      return true;
    }
    if (count_ == most_) drop(queues_.victim(kNoSlot));
    Slot slot = free_;
    if (slot == kNoSlot) {
      slot = static_cast<Slot>(used_++);
    } else {
      free_ = keys_.next(slot);
    }
    ++count_;
    keys_.insert(slot, hash, weight);
    queues_.added(slot);
    trim();
    return false;
  }

 private:
  void trim() {
    while (queues_.weight() > limit_ && count_ > 0) drop(queues_.victim(kNoSlot));
  }

  void drop(Slot slot) {
    --count_;
    queues_.removed(slot);
    keys_.erase(slot);
    keys_.next(slot) = free_;
    free_ = slot;
    full_ = true;
  }

  // What the queues order: the keys' hashes, in a hash table with chains.
  class Keys {
   public:
    explicit Keys(std::size_t count)
        : nodes_(count), hashes_(count), weights_(count), next_(count), buckets_(count, kNoSlot) {}

    static std::size_t bytesFor(std::size_t count) {
      return count * (sizeof(EvictionNode) + 2 * sizeof(std::uint32_t) + 2 * sizeof(Slot));
    }

    EvictionNode& node(Slot slot) { return nodes_[slot]; }
    [[nodiscard]] std::size_t weight(Slot slot) const { return weights_[slot]; }
    void setWeight(Slot slot, std::size_t weight) { weights_[slot] = clamped(weight); }
    [[nodiscard]] std::uint32_t hash(Slot slot) const { return hashes_[slot]; }

    Slot& next(Slot slot) { return next_[slot]; }

    [[nodiscard]] Slot find(std::uint32_t hash) const {
      Slot slot = buckets_[bucketOf(hash)];
      while (slot != kNoSlot && hashes_[slot] != hash) slot = next_[slot];
      return slot;
    }

    void insert(Slot slot, std::uint32_t hash, std::size_t weight) {
      weights_[slot] = clamped(weight);
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
    static std::uint32_t clamped(std::size_t weight) {
      return static_cast<std::uint32_t>(std::min<std::size_t>(weight, UINT32_MAX));
    }

    [[nodiscard]] std::size_t bucketOf(std::uint32_t hash) const {
      return std::uint64_t{hash * 0x9E3779B1U} * buckets_.size() >> 32;
    }

    std::vector<EvictionNode> nodes_;
    std::vector<std::uint32_t> hashes_;
    std::vector<std::uint32_t> weights_;
    std::vector<Slot> next_;
    std::vector<Slot> buckets_;
  };

  std::size_t most_;
  std::size_t limit_ = 0;
  std::size_t count_ = 0;  // keys that it holds
  std::size_t used_ = 0;   // slots that were in use at some time
  Slot free_ = kNoSlot;
  bool full_ = false;
  Keys keys_;
  EvictionQueues<Keys> queues_;
};

}  // namespace tiercel::core
