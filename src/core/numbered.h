// Things that are named by a number for as long as they are open. A number is not used again for another one: whoever
// asks by the number of one that was closed finds nothing, at any later time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace tiercel::core {

template <class T>
class Numbered {
 public:
  using Number = std::uint64_t;  // 0 is none; all fit into a JavaScript number

  // A new one, as whoever used the place before has left it. May throw std::bad_alloc.
  Number open() {
    if (free_.empty()) {
      free_.reserve(slots_.size() + 1);  // close() must not fail
      slots_.emplace_back();
      free_.push_back(slots_.size() - 1);
    }
    const std::size_t index = free_.back();
    free_.pop_back();
    Slot& slot = slots_[index];
    slot.open = true;
    slot.uses = (slot.uses + 1) % kMostUses;
    return slot.uses << kIndexBits | (index + 1);
  }

  T* find(Number number) {
    const std::size_t place = number & ((Number{1} << kIndexBits) - 1);
    if (place == 0 || place > slots_.size()) return nullptr;
    Slot& slot = slots_[place - 1];
    return slot.open && slot.uses == number >> kIndexBits ? &slot.value : nullptr;
  }
  const T* find(Number number) const {
    return const_cast<Numbered*>(this)->find(number);  // NOLINT(cppcoreguidelines-pro-type-const-cast): const again
  }

  void close(Number number) {
    if (find(number) == nullptr) return;
    const std::size_t index = (number & ((Number{1} << kIndexBits) - 1)) - 1;
    slots_[index].open = false;
    free_.push_back(index);
  }

  template <class Visit>
  void forEach(Visit visit) const {
    for (const Slot& slot : slots_) {
      if (slot.open) visit(slot.value);
    }
  }

 private:
  static constexpr unsigned kIndexBits = 24;
  static constexpr Number kMostUses = Number{1} << (53 - kIndexBits);

  struct Slot {
    T value{};
    Number uses = 0;
    bool open = false;
  };
  std::vector<Slot> slots_;  // as many as were ever open at once
  std::vector<std::size_t> free_;
};

}  // namespace tiercel::core
