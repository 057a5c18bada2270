#include "core/memory/entry_block.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <new>

namespace tiercel::core {

namespace {

Short shorten(Millis value) {
  Short bytes{};
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(value >> 8 * i);
  return bytes;
}

void store(char*& to, const void* bytes, std::size_t size) {
  if (size != 0) std::memcpy(to, bytes, size);
  to += size;
}

template <typename T>
void storeValue(char*& to, const T& value) {
  store(to, &value, sizeof(value));
}

// No sum of two of these overflows.
Millis sane(Millis time) { return std::clamp<Millis>(time, -kForever, kForever); }

// When the entry was filled, as its deadlines and durations say.
Millis filledAt(const Entry& entry, const Deadlines& deadlines, Millis now) {
  Millis time = sane(now);
  if (sane(deadlines.goneAt) < kForever) {
    time = sane(deadlines.goneAt) - sane(entry.keepFor);
  } else if (sane(deadlines.staleUntil) < kForever) {
    time = sane(deadlines.staleUntil) - sane(entry.staleFor);
  } else if (sane(deadlines.freshUntil) < kForever) {
    time = sane(deadlines.freshUntil) - sane(entry.freshFor);
  }
  return std::clamp(std::min(time, sane(now)), -kShortBias, kShortBias - 1);
}

// A window that is over stays over, and as long as it was.
Millis windowOf(Millis until, Millis duration, Millis filled, Millis now) {
  if (sane(until) >= kForever) return kForever;
  const Millis window =
      until > now ? sane(until) - filled : std::clamp<Millis>(duration, 0, std::max<Millis>(0, sane(now) - filled));
  return window >= kShortForever ? kForever : std::max<Millis>(0, window);
}

}  // namespace

void EntryBlock::read(std::size_t size, MemoryHit& hit) const {
  const std::uint32_t extra = extras();
  hit.filledAt = filledTime();
  Entry& entry = hit.entry;
  entry.codec = codec;
  entry.flags = flags;
  const std::uint64_t id = fill.load(std::memory_order_relaxed);
  std::memcpy(entry.fillId.data(), &id, sizeof(id));
  entry.freshFor = durationFrom(freshFor);
  entry.loadTime = loadTime;
  entry.outdated = (extra & kOutdated) != 0;
  hit.tags = tags();
  const char* at = rest();
  hit.source = (extra & kSource) != 0 ? loadFrom<SourceId>(at) : kOwnSource;
  entry.staleFor = entry.freshFor;
  entry.keepFor = entry.freshFor;
  if ((extra & kWindows) != 0) {
    entry.staleFor = durationFrom(loadFrom<Short>(at));
    entry.keepFor = durationFrom(loadFrom<Short>(at));
  }
  hit.deadlines = {.freshUntil = plus(hit.filledAt, entry.freshFor),
                   .staleUntil = plus(hit.filledAt, entry.staleFor),
                   .goneAt = plus(hit.filledAt, entry.keepFor)};
  const std::size_t metadataSize = (extra & kMetadata) != 0 ? loadFrom<std::uint32_t>(at) : 0;
  std::size_t payloadSize = (extra & kLong) != 0 ? loadFrom<std::uint32_t>(at) : 0;
  at += keySize;
  entry.metadata = {at, metadataSize};
  at += metadataSize;
  if ((extra & kLong) == 0)
    payloadSize = size - (extra & kSlackMask) - static_cast<std::size_t>(at - reinterpret_cast<const char*>(this));
  entry.payload = {at, payloadSize};
}

EntryPlan::EntryPlan(std::string_view key, const Entry& entry, const Deadlines& deadlines, Millis now,
                     const PutOptions& options)
    : key_(key), entry_(entry), options_(options), filledAt_(core::filledAt(entry, deadlines, now)) {
  constexpr std::size_t kMost = UINT32_MAX;
  fits_ = key.size() <= UINT16_MAX && entry.metadata.size() <= kMost && entry.payload.size() <= kMost &&
          options.tags.size() <= UINT16_MAX && entry.flags <= UINT8_MAX;
  freshFor_ = windowOf(deadlines.freshUntil, entry.freshFor, filledAt_, now);
  staleFor_ = std::max(freshFor_, windowOf(deadlines.staleUntil, entry.staleFor, filledAt_, now));
  keepFor_ = std::max(staleFor_, windowOf(deadlines.goneAt, entry.keepFor, filledAt_, now));
  if (options.keepUntil < kForever) keepFor_ = std::clamp<Millis>(sane(options.keepUntil) - filledAt_, 0, keepFor_);
  size_ = sizeof(EntryBlock) + key.size() + entry.metadata.size() + entry.payload.size();
  const auto need = [&](bool condition, EntryBlock::Extra extra, std::size_t bytes) {
    if (!condition) return;
    extras_ |= extra;
    size_ += bytes;
  };
  need(!options.tags.empty(), EntryBlock::kTags, sizeof(std::uint32_t) + options.tags.size_bytes());
  need(options.source != kOwnSource, EntryBlock::kSource, sizeof(SourceId));
  need(keepFor_ != freshFor_ || staleFor_ != freshFor_, EntryBlock::kWindows, 2 * sizeof(Short));
  need(!entry.metadata.empty(), EntryBlock::kMetadata, sizeof(std::uint32_t));
  need(size_ >= Arena::kMinChunk / 8, EntryBlock::kLong, sizeof(std::uint32_t));
  need(entry.outdated, EntryBlock::kOutdated, 0);
}

void EntryPlan::write(void* memory, std::size_t blockSize) const {
  std::uint32_t word = 0;
  std::memcpy(&word, memory, sizeof(word));
  std::uint32_t owned = extras_;
  if ((owned & EntryBlock::kLong) == 0) owned |= static_cast<std::uint32_t>(blockSize - size_) & EntryBlock::kSlackMask;
  constexpr Millis kMostLoadTime = std::numeric_limits<std::uint16_t>::max();
  std::uint64_t id = 0;
  std::memcpy(&id, entry_.fillId.data(), sizeof(id));
  new (memory) EntryBlock{
      .word = (word & ((1U << Arena::kOwnerShift) - 1)) | owned << Arena::kOwnerShift,
      .eviction = {},
      .keySize = static_cast<std::uint16_t>(key_.size()),
      .fill = id,
      .wheel = {},
      .filledAt = shorten(filledAt_ + kShortBias),
      .freshFor = shorten(std::min(freshFor_, kShortForever)),
      .codec = entry_.codec,
      .flags = static_cast<std::uint8_t>(entry_.flags),
      .pins = 0,
      .loadTime = static_cast<std::uint16_t>(std::min<Millis>(entry_.loadTime, kMostLoadTime)),
  };
  char* at = static_cast<char*>(memory) + sizeof(EntryBlock);
  if ((extras_ & EntryBlock::kTags) != 0) {
    storeValue(at, static_cast<std::uint32_t>(options_.tags.size()));
    store(at, options_.tags.data(), options_.tags.size_bytes());
  }
  if ((extras_ & EntryBlock::kSource) != 0) storeValue(at, options_.source);
  if ((extras_ & EntryBlock::kWindows) != 0) {
    storeValue(at, shorten(std::min(staleFor_, kShortForever)));
    storeValue(at, shorten(std::min(keepFor_, kShortForever)));
  }
  if ((extras_ & EntryBlock::kMetadata) != 0) storeValue(at, static_cast<std::uint32_t>(entry_.metadata.size()));
  if ((extras_ & EntryBlock::kLong) != 0) storeValue(at, static_cast<std::uint32_t>(entry_.payload.size()));
  for (const std::string_view part : {key_, entry_.metadata, entry_.payload}) store(at, part.data(), part.size());
}

}  // namespace tiercel::core
