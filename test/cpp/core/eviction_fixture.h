// Entries for tests of Eviction: a weight, a key's hash and a node each, and a cache of keys that all weigh 1.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <unordered_map>
#include <vector>

#include "core/memory/eviction.h"

namespace tiercel::test {

struct Entries {
  struct One {
    core::EvictionNode node;
    std::size_t weight = 1;
    std::uint32_t hash = 0;
    bool resident = false;
  };

  explicit Entries(std::size_t count) : all(count) {
    for (std::size_t i = 0; i < count; ++i) all[i].hash = hashOf(i);
  }

  core::EvictionNode& node(core::Slot slot) { return all[slot].node; }
  [[nodiscard]] std::size_t weight(core::Slot slot) const { return all[slot].weight; }
  [[nodiscard]] std::uint32_t hash(core::Slot slot) const { return all[slot].hash; }

  static std::uint32_t hashOf(std::size_t key) {
    std::uint64_t mixed = (key + std::uint64_t{1}) * 0x9E3779B97F4A7C15U;
    mixed = (mixed ^ mixed >> 32) * 0xD6E8FEB86659FD93U;
    return static_cast<std::uint32_t>(mixed >> 32);
  }

  std::vector<One> all;
};

// A key's number is its slot.
class KeyCache {
 public:
  KeyCache(std::size_t keys, std::size_t capacity) : entries_(keys), eviction_(entries_), capacity_(capacity) {
    eviction_.setCapacity(capacity);
  }

  // Whether the key was there. Room is made before or after the key comes in, as the memory tier may do either.
  bool ask(std::uint32_t key, bool roomFirst = false) {
    Entries::One& entry = entries_.all[key];
    if (entry.resident) {
      eviction_.touched(key);
      return true;
    }
    if (roomFirst) makeRoom(capacity_ - 1);
    entry.resident = true;
    ++used_;
    eviction_.added(key);
    makeRoom(capacity_);
    return false;
  }

  [[nodiscard]] bool has(std::uint32_t key) const { return entries_.all[key].resident; }

  void clear() {
    eviction_.clear();
    for (Entries::One& entry : entries_.all) entry.resident = false;
    used_ = 0;
  }

 private:
  void makeRoom(std::size_t most) {
    while (used_ > most) {
      const core::Slot victim = eviction_.victim(core::kNoSlot);
      eviction_.removed(victim);
      entries_.all[victim].resident = false;
      --used_;
    }
  }

  Entries entries_;
  core::Eviction<Entries> eviction_;
  std::size_t capacity_;
  std::size_t used_ = 0;
};

// What Eviction is measured against.
class LruCache {
 public:
  explicit LruCache(std::size_t capacity) : capacity_(capacity) {}

  bool ask(std::uint32_t key) {
    const auto found = places_.find(key);
    const bool hit = found != places_.end();
    if (hit) order_.erase(found->second);
    order_.push_front(key);
    places_[key] = order_.begin();
    if (order_.size() > capacity_) {
      places_.erase(order_.back());
      order_.pop_back();
    }
    return hit;
  }

 private:
  std::size_t capacity_;
  std::list<std::uint32_t> order_;
  std::unordered_map<std::uint32_t, std::list<std::uint32_t>::iterator> places_;
};

}  // namespace tiercel::test
