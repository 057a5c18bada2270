// How the memory tier stores an entry: one block of an arena that holds these fields and, behind them, what only some
// entries have, the key, the metadata and the payload. 48 bytes, since entries count by the million.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

#include "core/memory/arena.h"
#include "core/memory/eviction.h"
#include "core/memory/memory_tier.h"
#include "core/memory/timer_wheel.h"

namespace tiercel::core {

static_assert(kNoSlot == kNoHandle, "slots are handles of the arena");

// Durations and times of 5 bytes: 34 years.
using Short = std::array<std::uint8_t, 5>;
inline constexpr Millis kShortForever = (INT64_C(1) << 40) - 1;
// Times are stored with this added: an entry may be older than the clock.
inline constexpr Millis kShortBias = INT64_C(1) << 39;

// For fields behind each other that may lie at any address.
template <typename T>
T loadFrom(const char*& from) {
  T value;
  std::memcpy(&value, from, sizeof(value));
  from += sizeof(value);
  return value;
}

struct EntryBlock {
  std::uint32_t word;     // the arena's; its upper bits are `Extra` and the slack
  EvictionNode eviction;  // once it is doomed: `older` is the entry's own slot
  std::uint16_t keySize;
  std::atomic<std::uint64_t> fill;  // the first 8 bytes of the fill id; 0 once it is doomed or freed
  WheelNode wheel;
  Short filledAt;
  Short freshFor;
  Codec codec;
  std::uint8_t flags;
  std::atomic<std::uint16_t> pins;
  std::uint16_t loadTime;

  // What is there only when it is needed, in this order behind the fields.
  enum Extra : std::uint32_t {
    kTags = 0x10,      // u32 count, and the marks
    kSource = 0x20,    // u16
    kWindows = 0x40,   // staleFor and keepFor, when they are not freshFor
    kMetadata = 0x80,  // u32 size
    kLong = 0x100,     // u32 size of the payload, which else follows from the size of the block
    kOutdated = 0x200,
  };
  static constexpr std::uint32_t kSlackMask = 0xf;

  // In `pins`: gone for all but the hits that still look at it. Whoever gives back the last of them frees it.
  static constexpr std::uint16_t kDoomed = 0x8000;
  static constexpr std::uint16_t kMostPins = 0x7fff;

  [[nodiscard]] std::uint32_t extras() const { return word >> Arena::kOwnerShift; }
  [[nodiscard]] std::string_view key() const { return {data(), keySize}; }
  [[nodiscard]] std::span<const TagMark> tags() const {
    return (extras() & kTags) != 0 ? std::span(marks(), tagCount()) : std::span<const TagMark>();
  }
  [[nodiscard]] SourceId source() const {
    if ((extras() & kSource) == 0) return kOwnSource;
    const char* at = rest();
    return loadFrom<SourceId>(at);
  }
  [[nodiscard]] Millis goneAt() const {
    if ((extras() & kWindows) == 0) return plus(filledTime(), durationFrom(freshFor));
    const char* at = rest();
    if ((extras() & kSource) != 0) at += sizeof(SourceId);
    at += sizeof(Short);
    return plus(filledTime(), durationFrom(loadFrom<Short>(at)));
  }
  [[nodiscard]] Standing standing() const {
    return {.filledAt = filledTime(), .freshUntil = plus(filledTime(), durationFrom(freshFor)), .loadTime = loadTime};
  }
  [[nodiscard]] bool holdsMarks() const { return (extras() & kTags) != 0; }

  // Everything but the pin and the freshness. size: of the block.
  void read(std::size_t size, MemoryHit& hit) const;

 private:
  [[nodiscard]] const char* fields() const { return reinterpret_cast<const char*>(this) + sizeof(EntryBlock); }
  static Millis lengthen(const Short& bytes) {
    std::uint32_t low = 0;
    for (unsigned i = 0; i < 4; ++i) low |= std::uint32_t{bytes[i]} << 8 * i;
    return static_cast<Millis>(std::uint64_t{bytes[4]} << 32 | low);
  }
  static Millis durationFrom(const Short& bytes) {
    const Millis value = lengthen(bytes);
    return value == kShortForever ? kForever : value;
  }
  static Millis plus(Millis time, Millis duration) { return duration == kForever ? kForever : time + duration; }
  [[nodiscard]] Millis filledTime() const { return lengthen(filledAt) - kShortBias; }
  [[nodiscard]] std::uint32_t tagCount() const {
    const char* at = fields();
    return loadFrom<std::uint32_t>(at);
  }
  [[nodiscard]] const TagMark* marks() const { return reinterpret_cast<const TagMark*>(fields() + 4); }
  // Behind the tags.
  [[nodiscard]] const char* rest() const {
    return holdsMarks() ? fields() + 4 + tagCount() * sizeof(TagMark) : fields();
  }
  // The key.
  [[nodiscard]] const char* data() const {
    const std::uint32_t extra = extras();
    const char* at = rest();
    if ((extra & (kSource | kWindows | kMetadata | kLong)) == 0) return at;
    if ((extra & kSource) != 0) at += sizeof(SourceId);
    if ((extra & kWindows) != 0) at += 2 * sizeof(Short);
    if ((extra & kMetadata) != 0) at += sizeof(std::uint32_t);
    if ((extra & kLong) != 0) at += sizeof(std::uint32_t);
    return at;
  }
};
static_assert(sizeof(EntryBlock) == 48 && alignof(EntryBlock) == 8 && alignof(TagMark) == 4);
static_assert(sizeof(std::atomic<std::uint64_t>) == 8);

// What a block will hold; made before the block, since it says how large that is.
class EntryPlan {
 public:
  EntryPlan(std::string_view key, const Entry& entry, const Deadlines& deadlines, Millis now,
            const PutOptions& options);

  // Whether every part has a length that a block can hold.
  [[nodiscard]] bool fits() const { return fits_; }
  [[nodiscard]] std::size_t size() const { return size_; }
  // blockSize: at least size().
  void write(void* block, std::size_t blockSize) const;

 private:
  std::string_view key_;
  const Entry& entry_;
  const PutOptions& options_;
  Millis filledAt_ = 0;
  Millis freshFor_ = 0;
  Millis staleFor_ = 0;
  Millis keepFor_ = 0;
  std::uint32_t extras_ = 0;
  std::size_t size_ = 0;
  bool fits_ = false;
};

}  // namespace tiercel::core
