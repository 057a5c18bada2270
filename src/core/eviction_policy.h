// Decides which entry leaves when the memory tier is over its budget. The tier owns the entries, the policy orders
// them.
#pragma once

#include <cstddef>
#include <cstdint>

namespace tiercel::core {

// Slot numbers are those of the tier: small, dense, reused after removed().
using Slot = std::uint32_t;
inline constexpr Slot kNoSlot = UINT32_MAX;

// Only added() may throw, nothing but std::bad_alloc, and has then changed nothing.
class EvictionPolicy {
 public:
  virtual ~EvictionPolicy() = default;

  virtual void added(Slot slot, std::uint64_t keyHash, std::size_t bytes) = 0;
  virtual void touched(Slot slot) = 0;
  virtual void resized(Slot slot, std::size_t bytes) = 0;
  virtual void removed(Slot slot) = 0;
  virtual void clear() = 0;

  // The slot to drop next, never `keep`; kNoSlot when there is no other.
  virtual Slot victim(Slot keep) = 0;
};

}  // namespace tiercel::core
