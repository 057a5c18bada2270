// Which entries are over, without looking at the others: a hierarchical timer wheel whose links are part of the
// entries. Putting in and taking out is O(1); an entry is moved at most once per level before it is due.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>

#include "core/clock.h"

namespace tiercel::core {

// Part of every entry. Not in the wheel: both are kOff.
struct WheelNode {
  static constexpr std::uint32_t kOff = UINT32_MAX;
  std::uint32_t next = kOff;
  std::uint32_t previous = kOff;
};

// Nodes offers: WheelNode& wheelNode(slot); Millis goneAt(slot). Slots are below kFirstTag.
template <class Nodes>
class TimerWheel {
 public:
  using Slot = std::uint32_t;
  static constexpr Slot kNone = WheelNode::kOff;
  static constexpr Slot kFirstTag = UINT32_MAX - 511;
  static constexpr Millis kTick = 64;
  // What is due later (139 years) is never due.
  static constexpr Millis kHorizon = kTick << 36;

  explicit TimerWheel(Nodes& nodes) : nodes_(nodes) { heads_.fill(kNone); }

  void add(Slot slot) {
    const Millis goneAt = nodes_.goneAt(slot);
    if (goneAt > kHorizon - kTick) {
      nodes_.wheelNode(slot) = {};
      return;
    }
    // Rounded up: when its tick has come, its time is over for sure.
    const std::uint64_t tick = std::max(ticksOf(goneAt + kTick - 1), now_);
    const std::uint64_t differing = tick ^ now_;
    const unsigned level = differing == 0 ? 0 : static_cast<unsigned>(std::bit_width(differing) - 1) / kBits;
    link(slot, level * kSlots + static_cast<unsigned>(tick >> level * kBits & (kSlots - 1)));
  }

  void remove(Slot slot) {
    WheelNode& node = nodes_.wheelNode(slot);
    if (node.previous == kNone) return;
    if (node.next != kNone) nodes_.wheelNode(node.next).previous = node.previous;
    if (node.previous < kFirstTag) {
      nodes_.wheelNode(node.previous).next = node.next;
    } else {
      setHead(node.previous - kFirstTag, node.next);
    }
    node = {};
  }

  // One step towards `now`. false: there is nothing more to do. `due`: an entry that is over, taken out; or kNone, when
  // the step went into moving another.
  bool advance(Millis now, Slot& due) {
    due = kNone;
    const std::uint64_t until = ticksOf(now);
    if (now_ > until) return false;
    if (heads_[draining_] == kNone) {
      if (filled_ == 0) {
        now_ = until;
        draining_ = static_cast<unsigned>(now_ & (kSlots - 1));
        return false;
      }
      // What is next is in the lowest level that has anything, there in the first slot.
      const auto level = static_cast<unsigned>(std::countr_zero(filled_));
      const auto slot = static_cast<unsigned>(std::countr_zero(masks_[level]));
      const std::uint64_t next = (now_ >> (level + 1) * kBits << kBits | slot) << level * kBits;
      if (next > until) {
        now_ = until;
        draining_ = static_cast<unsigned>(now_ & (kSlots - 1));
        return false;
      }
      now_ = next;
      draining_ = level * kSlots + slot;
    }
    const Slot slot = heads_[draining_];
    remove(slot);
    if (draining_ < kSlots) {
      due = slot;
    } else {
      add(slot);
    }
    return true;
  }

  // Forgets all entries, whose nodes are no longer looked at.
  void clear() {
    heads_.fill(kNone);
    masks_.fill(0);
    filled_ = 0;
  }

 private:
  static constexpr unsigned kBits = 6;
  static constexpr unsigned kSlots = 1U << kBits;
  static constexpr unsigned kLevels = 6;
  static_assert(kLevels * kSlots < 511);

  static std::uint64_t ticksOf(Millis time) {
    return static_cast<std::uint64_t>(std::clamp<Millis>(time, 0, kHorizon - 1) / kTick);
  }

  // The first of a list has the list's number, above all slots, in place of a predecessor.
  void link(Slot slot, unsigned list) {
    const Slot first = heads_[list];
    nodes_.wheelNode(slot) = {.next = first, .previous = kFirstTag + list};
    if (first != kNone) nodes_.wheelNode(first).previous = slot;
    setHead(list, slot);
  }

  void setHead(unsigned list, Slot slot) {
    heads_[list] = slot;
    const unsigned level = list / kSlots;
    const std::uint64_t bit = std::uint64_t{1} << (list & (kSlots - 1));
    masks_[level] = slot == kNone ? masks_[level] & ~bit : masks_[level] | bit;
    filled_ = masks_[level] == 0 ? filled_ & ~(1U << level) : filled_ | 1U << level;
  }

  Nodes& nodes_;
  std::uint64_t now_ = 0;  // in ticks; all before it is done
  unsigned draining_ = 0;  // the list whose time has come, and which is emptied step by step
  std::uint32_t filled_ = 0;
  std::array<std::uint64_t, kLevels> masks_{};
  std::array<Slot, kLevels * kSlots> heads_{};
};

}  // namespace tiercel::core
