// What the memory tier has under a key, and what keeps its bytes where they are meanwhile.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <utility>

#include "core/clock.h"
#include "core/coherence/source_table.h"
#include "core/coherence/tag_table.h"
#include "core/entry/entry.h"
#include "core/entry/freshness.h"

namespace tiercel::core {

class Shard;
struct EntryBlock;

// Keeps the bytes of a hit where they are, whatever happens to the entry meanwhile. The tier must outlive it.
class Pin {
 public:
  Pin() = default;
  Pin(Shard& shard, EntryBlock& block) : shard_(&shard), block_(&block) {}
  Pin(Pin&& other) noexcept : shard_(other.shard_), block_(std::exchange(other.block_, nullptr)) {}
  Pin& operator=(Pin&& other) noexcept {
    std::swap(shard_, other.shard_);
    std::swap(block_, other.block_);
    return *this;
  }
  ~Pin() {
    if (block_ != nullptr) release();
  }

 private:
  void release() noexcept;

  Shard* shard_ = nullptr;
  EntryBlock* block_ = nullptr;
};

// What the tier has under a key. Views are valid for as long as the hit lives; the tier must outlive it.
struct MemoryHit {
  // The fill id has its first 8 bytes, loadTime at most 65535; created and the encoded tags are not kept. The durations
  // count from filledAt; 34 years and more are kForever.
  Entry entry;
  Deadlines deadlines;
  Millis filledAt = 0;  // age = now - filledAt, on the caller's clock; may be negative
  Freshness freshness = Freshness::kFresh;
  SourceId source = kOwnSource;
  std::span<const TagMark> tags;
  std::uint64_t token = 0;  // names the entry to isStill(); below 2^53, never 0
  Pin pin;
};

// What decides whether a fresh entry is due to be refreshed.
struct Standing {
  Millis filledAt = 0;
  Millis freshUntil = 0;
  Millis loadTime = 0;
};
// Must not call the tier.
using StandingCheck = std::function<bool(const Standing& standing)>;

}  // namespace tiercel::core
