#include "core/lru_policy.h"

namespace tiercel::core {

void LruPolicy::added(Slot slot, std::uint64_t /*keyHash*/, std::size_t /*bytes*/) {
  while (links_.size() <= slot) links_.grow();
  linkNewest(slot);
}

void LruPolicy::touched(Slot slot) {
  if (slot == newest_) return;
  unlink(slot);
  linkNewest(slot);
}

void LruPolicy::removed(Slot slot) { unlink(slot); }

void LruPolicy::clear() {
  links_.clear();
  oldest_ = kNoSlot;
  newest_ = kNoSlot;
}

Slot LruPolicy::victim(Slot keep) {
  if (oldest_ != keep || oldest_ == kNoSlot) return oldest_;
  return links_[oldest_].newer;
}

void LruPolicy::unlink(Slot slot) {
  const Links links = links_[slot];
  (links.older == kNoSlot ? oldest_ : links_[links.older].newer) = links.newer;
  (links.newer == kNoSlot ? newest_ : links_[links.newer].older) = links.older;
}

void LruPolicy::linkNewest(Slot slot) {
  links_[slot] = {.older = newest_, .newer = kNoSlot};
  (newest_ == kNoSlot ? oldest_ : links_[newest_].newer) = slot;
  newest_ = slot;
}

}  // namespace tiercel::core
