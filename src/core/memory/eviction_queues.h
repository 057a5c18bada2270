// W-TinyLFU with a given window: new entries wait in a window, by recency; those that leave it enter the main part,
// a segmented LRU, only in place of entries that are asked for less often. A window of everything is plain LRU.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "core/memory/frequency_sketch.h"

namespace tiercel::core {

// Entries are named by their owner: any 32 bits but kNoSlot, in the memory tier a handle of its arena. Used again after
// removed().
using Slot = std::uint32_t;
inline constexpr Slot kNoSlot = UINT32_MAX;

// Part of every entry. Packed, as entries count by the million.
#pragma pack(push, 2)
struct EvictionNode {
  Slot older = kNoSlot;
  Slot newer = kNoSlot;
  std::uint8_t queue = 0;
  std::uint8_t sample = 0;  // for Eviction
};
#pragma pack(pop)
static_assert(sizeof(EvictionNode) == 10);

// Nodes offers: EvictionNode& node(Slot); std::size_t weight(Slot), the bytes of the entry; std::uint32_t hash(Slot),
// of its key.
template <class Nodes>
class EvictionQueues {
 public:
  EvictionQueues(Nodes& nodes, const FrequencySketch& sketch) : nodes_(nodes), sketch_(sketch) {}

  [[nodiscard]] std::size_t weight() const { return mainWeight() + lists_[kWindow].weight; }

  // Entries move over as others come and go, not now.
  void setLimits(std::size_t capacity, std::size_t window) {
    windowLimit_ = std::min(window, capacity);
    mainLimit_ = capacity - windowLimit_;
    protectedLimit_ = mainLimit_ - mainLimit_ / 10;
    heavy_ = capacity / kHeavyPart;
  }

  void added(Slot slot) {
    ++count_;
    if (isHeavy(nodes_.weight(slot))) {
      linkOldest(kWindow, slot);
    } else {
      linkNewest(kWindow, slot);
    }
    balance();
  }

  void touched(Slot slot) {
    Queue queue = static_cast<Queue>(nodes_.node(slot).queue);
    if (slot == lists_[queue].newest && (queue == kWindow || queue == kProtected)) return;
    unlink(slot);
    if (queue != kWindow) queue = mainLimit_ == 0 ? kWindow : kProtected;
    linkNewest(queue, slot);
    demote();
  }

  // weight(slot) is the new one already.
  void resized(Slot slot, std::size_t before) {
    List& list = lists_[nodes_.node(slot).queue];
    list.weight = list.weight - before + nodes_.weight(slot);
    demote();
  }

  void removed(Slot slot) {
    --count_;
    unlink(slot);
  }

  // It stands for `from` now, which may be forgotten.
  void moved(Slot from, Slot to) {
    EvictionNode& node = nodes_.node(to);
    node = nodes_.node(from);
    List& list = lists_[node.queue];
    (node.older == kNoSlot ? list.oldest : nodes_.node(node.older).newer) = to;
    (node.newer == kNoSlot ? list.newest : nodes_.node(node.newer).older) = to;
    list.weight = list.weight - nodes_.weight(from) + nodes_.weight(to);
    demote();
  }

  // Worth less than any other, until it is touched.
  void cooled(Slot slot) {
    if (nodes_.node(slot).queue == kCold) return;
    unlink(slot);
    linkNewest(kCold, slot);
  }

  // What leaves the window has to be worth the room it takes. That holds as well when the caller makes room before it
  // adds: both parts are then within their limits.
  Slot victim(Slot keep) {
    balance();
    const Slot cold = oldest(kCold, keep);
    if (cold != kNoSlot) return cold;
    const Slot main = oldestOfMain(keep);
    if (main == kNoSlot) return oldest(kWindow, keep);
    if (mainWeight() > mainLimit_) return main;
    const Slot candidate = oldest(kWindow, keep);
    if (candidate == kNoSlot) return main;
    if (!admits(candidate, keep)) return candidate;
    unlink(candidate);
    linkNewest(kProbation, candidate);
    return main;
  }

  // Whether an entry of that weight, asked for so often, should get room in place of the oldest ones.
  bool admitsNew(unsigned uses, std::size_t weight) {
    constexpr unsigned kMostLooked = 16;
    std::size_t freed = 0;
    unsigned lost = 0;
    unsigned looked = 0;
    Slot slot = oldest(kCold, kNoSlot) != kNoSlot ? kNoSlot : oldestOfMain(kNoSlot);
    for (; slot != kNoSlot && freed < weight && looked < kMostLooked; slot = nodes_.node(slot).newer) {
      lost += sketch_.frequency(nodes_.hash(slot));
      freed += nodes_.weight(slot);
      ++looked;
    }
    return uses * looked >= lost;
  }

  // Up to `limit` entries of the window, the newest ones, oldest first.
  template <class Visit>
  void visitWindow(std::size_t limit, const Visit& visit) {
    Slot slot = lists_[kWindow].newest;
    if (slot == kNoSlot) return;
    for (; limit > 1 && nodes_.node(slot).older != kNoSlot; --limit) slot = nodes_.node(slot).older;
    for (; slot != kNoSlot; slot = nodes_.node(slot).newer) visit(slot);
  }

  void clear() {
    for (List& list : lists_) list = {};
    count_ = 0;
  }

 private:
  static constexpr unsigned kLuckyUses = 6;
  static constexpr unsigned kLuckOneIn = 128;
  static constexpr int kMoves = 4;
  static constexpr std::size_t kHeavyPart = 100;    // of the capacity
  static constexpr std::size_t kHeavyAverages = 8;  // entries as they are on average

  enum Queue : std::uint8_t { kWindow, kProbation, kProtected, kCold, kQueues };

  struct List {
    Slot oldest = kNoSlot;
    Slot newest = kNoSlot;
    std::size_t weight = 0;
  };

  [[nodiscard]] std::size_t mainWeight() const {
    return lists_[kProbation].weight + lists_[kProtected].weight + lists_[kCold].weight;
  }

  // Such an entry would drive many others out of the window while it waits there, whatever it is worth: it is the first
  // to be judged instead. Where the window is everything nothing is judged.
  [[nodiscard]] bool isHeavy(std::size_t weight) const {
    return weight > heavy_ && mainLimit_ > 0 && weight * count_ > kHeavyAverages * this->weight();
  }

  // The window's excess moves on while the main part has room. A few at a time: the window may just have shrunk.
  void balance() {
    for (int moves = 0; moves < kMoves; ++moves) {
      const Slot slot = lists_[kWindow].oldest;
      if (slot == kNoSlot || lists_[kWindow].weight <= windowLimit_) return;
      if (mainWeight() + nodes_.weight(slot) > mainLimit_) return;
      unlink(slot);
      linkNewest(kProbation, slot);
    }
  }

  // One entry in, a few out: the limit may just have shrunk.
  void demote() {
    for (int moves = 0; moves < kMoves; ++moves) {
      const Slot slot = lists_[kProtected].oldest;
      if (slot == kNoSlot || lists_[kProtected].weight <= protectedLimit_) return;
      unlink(slot);
      linkNewest(kProbation, slot);
    }
  }

  // Whether the candidate is asked for more often than all those together that have to leave for it. Each of them
  // counts at least one, so this looks at no more than 15.
  bool admits(Slot candidate, Slot keep) {
    const unsigned uses = sketch_.frequency(nodes_.hash(candidate));
    const std::size_t weight = nodes_.weight(candidate);
    std::size_t freed = 0;
    unsigned lost = 0;
    for (Slot slot = oldestOfMain(keep); slot != kNoSlot && freed < weight; slot = newerThan(slot, keep)) {
      lost += std::max(1U, sketch_.frequency(nodes_.hash(slot)));
      if (!isWorth(uses, lost)) return false;
      freed += nodes_.weight(slot);
    }
    return true;
  }

  // More than one above, but for the rarest: the candidate's last use is in its count already, while in a loop that of
  // the other one is still to come. Now and then luck decides, so that nobody can keep others out by keys that share
  // their counters.
  bool isWorth(unsigned uses, unsigned lost) {
    if (uses > lost + (lost > 1 ? 1 : 0)) return true;
    if (uses < kLuckyUses) return false;
    luck_ ^= luck_ << 13;
    luck_ ^= luck_ >> 17;
    luck_ ^= luck_ << 5;
    return luck_ % kLuckOneIn == 0;
  }

  Slot oldest(Queue queue, Slot keep) {
    const Slot slot = lists_[queue].oldest;
    return slot == keep && slot != kNoSlot ? nodes_.node(slot).newer : slot;
  }

  Slot oldestOfMain(Slot keep) {
    const Slot slot = oldest(kProbation, keep);
    return slot == kNoSlot ? oldest(kProtected, keep) : slot;
  }

  Slot newerThan(Slot slot, Slot keep) {
    const Slot newer = nodes_.node(slot).newer;
    return newer == keep && newer != kNoSlot ? nodes_.node(newer).newer : newer;
  }

  void unlink(Slot slot) {
    const EvictionNode& node = nodes_.node(slot);
    List& list = lists_[node.queue];
    if (node.older == kNoSlot) {
      list.oldest = node.newer;
    } else {
      nodes_.node(node.older).newer = node.newer;
    }
    if (node.newer == kNoSlot) {
      list.newest = node.older;
    } else {
      nodes_.node(node.newer).older = node.older;
    }
    list.weight -= nodes_.weight(slot);
  }

  void linkNewest(Queue queue, Slot slot) { link(queue, slot, lists_[queue].newest, kNoSlot); }
  void linkOldest(Queue queue, Slot slot) { link(queue, slot, kNoSlot, lists_[queue].oldest); }

  // Between these two; kNoSlot: at the end of the list.
  void link(Queue queue, Slot slot, Slot older, Slot newer) {
    List& list = lists_[queue];
    EvictionNode& node = nodes_.node(slot);
    node.older = older;
    node.newer = newer;
    node.queue = queue;
    (older == kNoSlot ? list.oldest : nodes_.node(older).newer) = slot;
    (newer == kNoSlot ? list.newest : nodes_.node(newer).older) = slot;
    list.weight += nodes_.weight(slot);
  }

  Nodes& nodes_;
  const FrequencySketch& sketch_;
  List lists_[kQueues];
  std::size_t windowLimit_ = 0;
  std::size_t mainLimit_ = 0;
  std::size_t protectedLimit_ = 0;
  std::size_t heavy_ = 0;
  std::size_t count_ = 0;
  std::uint32_t luck_ = 0x9E3779B9;
};

}  // namespace tiercel::core
