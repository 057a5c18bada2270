// The entry envelope: the one binary form of a cached value, the same in memory and in Redis.
// encodeEntry writes it, parseEntry reads it. Bytes that are not a whole, well-formed envelope never become an entry.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/clock.h"

namespace tiercel::core {

// Layout, little-endian:
//    0  u8   version (kEntryVersion)
//    1  u8   codec
//    2  u16  flags
//    4  u32  check over the header (with this field as zero) and the lengths of what follows
//    8  16 B fill id          (fixed offset: scripts compare it as bytes 9..24 of the string)
//   24  u48  created          (wall-clock ms since the epoch; for people and for HTTP Date, never for freshness)
//   30  u48  freshFor         (ms from the fill until the entry is stale)
//   36  u48  staleFor         (ms from the fill until it may no longer be served while it is revalidated)
//   42  u48  keepFor          (ms from the fill until it is gone: the expiry that Redis was given)
//   48  u32  loadTime         (ms that the loader took)
//   52  u32  tags length      56  u32  metadata length      60  u32  payload length
//   64  16 B lease id        (zeros: nobody loads)
//   80  u48  leaseUntil       (ms of the server's clock; until then nobody else may load)
//   86  u8   outdated         (1: invalidated softly; only good for staleIfError)     87  u8  zero
//   88  tags, metadata, payload; nothing behind them
// Bytes 64 to 87 belong to the scripts (src/redis/cache_scripts.h), which rewrite them in place: the check leaves them
// out.
inline constexpr std::uint8_t kEntryVersion = 1;
inline constexpr std::size_t kEntryHeaderSize = 88;
inline constexpr std::size_t kEntryCheckedSize = 64;
inline constexpr std::size_t kFillIdOffset = 8;
inline constexpr std::size_t kFillIdSize = 16;
inline constexpr std::size_t kLeaseOffset = 64;
inline constexpr std::size_t kLeaseUntilOffset = 80;
inline constexpr std::size_t kOutdatedOffset = 86;
inline constexpr std::size_t kStampSize = 16;
inline constexpr Millis kMaxEntryDuration = (INT64_C(1) << 48) - 1;

using FillId = std::array<std::uint8_t, kFillIdSize>;
using Stamp = std::array<std::uint8_t, kStampSize>;

// The bytes of either, as an argument of a command.
inline std::string_view textOf(const FillId& id) { return {reinterpret_cast<const char*>(id.data()), id.size()}; }

// How the payload was encoded; what it means is the JavaScript layer's business, but for kBytes, kJson and kText.
enum class Codec : std::uint8_t { kBytes = 0, kJson = 1, kMsgpack = 2, kText = 3, kCustom = 255 };

namespace entry_flags {
inline constexpr std::uint16_t kNone = 0;
// Not a value but a lease: somebody is loading.
inline constexpr std::uint16_t kMarker = 1;
// Not a value but the error of a load that failed a moment ago; the payload says which.
inline constexpr std::uint16_t kFailure = 2;
// Not a value: a load has just ended without one to keep. Who waited for it need not wait for the next.
inline constexpr std::uint16_t kUncacheable = 4;
inline constexpr std::uint16_t kKnown = kMarker | kFailure | kUncacheable;
}  // namespace entry_flags

// Encoded, a tag is the length of its name in two bytes, its stamp, and the name.
inline constexpr std::size_t kTagStampOffset = 2;

// A tag and the stamp that it had before the load began.
struct TagStamp {
  std::string_view name;  // 1 to 65535 bytes
  Stamp stamp;
};

// What an envelope says. Views point into the bytes that were parsed and live as long as they do.
struct Entry {
  Codec codec = Codec::kBytes;
  std::uint16_t flags = entry_flags::kNone;
  FillId fillId{};
  Millis created = 0;   // wall clock, ms since the epoch
  Millis freshFor = 0;  // freshFor <= staleFor <= keepFor
  Millis staleFor = 0;
  Millis keepFor = 0;
  std::uint32_t loadTime = 0;
  FillId leaseId{};
  Millis leaseUntil = 0;
  bool outdated = false;
  std::string_view tags;      // encoded; read with TagReader
  std::string_view metadata;  // JSON or empty
  std::string_view payload;

  [[nodiscard]] bool isMarker() const { return (flags & entry_flags::kMarker) != 0; }
  [[nodiscard]] bool isValue() const { return flags == entry_flags::kNone; }
};

// Walks the encoded tags of a parsed entry. next() gives std::nullopt at the end.
class TagReader {
 public:
  explicit TagReader(std::string_view encoded) : rest_(encoded) {}
  std::optional<TagStamp> next();

 private:
  std::string_view rest_;
};

// Encodes tags into the form that Entry::tags holds. Names must be 1 to 65535 bytes.
std::string encodeTags(std::span<const TagStamp> tags);

[[nodiscard]] std::size_t encodedEntrySize(const Entry& entry);

// Writes the envelope to out, which has encodedEntrySize(entry) bytes. Durations are clamped to 0..kMaxEntryDuration.
void encodeEntry(const Entry& entry, char* out);
std::string encodeEntry(const Entry& entry);

// std::nullopt: not one of our envelopes (foreign, truncated, another version, a lie about a length, an unknown flag,
// tags that do not parse, durations out of order).
std::optional<Entry> parseEntry(std::string_view bytes);

}  // namespace tiercel::core
