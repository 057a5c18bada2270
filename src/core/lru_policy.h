// Least recently used: a doubly linked list through an array that is indexed by slot.
#pragma once

#include "core/eviction_policy.h"
#include "core/slot_array.h"

namespace tiercel::core {

class LruPolicy final : public EvictionPolicy {
 public:
  void added(Slot slot, std::uint64_t keyHash, std::size_t bytes) override;
  void touched(Slot slot) override;
  void resized(Slot /*slot*/, std::size_t /*bytes*/) override {}
  void removed(Slot slot) override;
  void clear() override;
  Slot victim(Slot keep) override;

 private:
  struct Links {
    Slot older = kNoSlot;
    Slot newer = kNoSlot;
  };
  void unlink(Slot slot);
  void linkNewest(Slot slot);

  SlotArray<Links> links_;
  Slot oldest_ = kNoSlot;
  Slot newest_ = kNoSlot;
};

}  // namespace tiercel::core
