#include "core/entry/entry.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <exception>

#include "core/entry/byte_order.h"

namespace tiercel::core {

namespace {

constexpr std::size_t kCheckOffset = 4;

// Mixes the header, whose check field is taken as zero. Not against forgery: it tells our bytes from foreign ones.
std::uint32_t headerCheck(const char* header) {
  std::uint64_t mixed = 0x9e3779b97f4a7c15;
  for (std::size_t at = 0; at < kEntryCheckedSize; at += 8) {
    std::uint64_t word = loadLittle<8>(header + at);
    if (at == 0) word &= 0xffffffff;  // the upper half is the check itself
    mixed = std::rotl((mixed ^ word) * 0xff51afd7ed558ccd, 31);
  }
  mixed ^= mixed >> 32;
  return static_cast<std::uint32_t>(mixed * 0xc4ceb9fe1a85ec53 >> 32);
}

Millis clampDuration(Millis value) { return std::clamp<Millis>(value, 0, kMaxEntryDuration); }

bool isCodec(std::uint8_t codec) { return codec <= static_cast<std::uint8_t>(Codec::kText) || codec == 255; }

constexpr std::size_t kTagFixed = 2 + kStampSize;

bool tagsAreWhole(std::string_view encoded) {
  while (!encoded.empty()) {
    if (encoded.size() < kTagFixed) return false;
    const auto length = static_cast<std::size_t>(loadLittle<2>(encoded.data()));
    if (length == 0 || encoded.size() < kTagFixed + length) return false;
    encoded.remove_prefix(kTagFixed + length);
  }
  return true;
}

}  // namespace

std::optional<TagStamp> TagReader::next() {
  if (rest_.size() < kTagFixed) return std::nullopt;
  const auto length = static_cast<std::size_t>(loadLittle<2>(rest_.data()));
  if (rest_.size() < kTagFixed + length) return std::nullopt;
  TagStamp tag{.name = rest_.substr(kTagFixed, length), .stamp = {}};
  std::memcpy(tag.stamp.data(), rest_.data() + 2, kStampSize);
  rest_.remove_prefix(kTagFixed + length);
  return tag;
}

std::string encodeTags(std::span<const TagStamp> tags) {
  std::string out;
  for (const TagStamp& tag : tags) {
    char length[2];
    storeLittle<2>(length, tag.name.size());
    out.append(length, sizeof(length));
    out.append(reinterpret_cast<const char*>(tag.stamp.data()), tag.stamp.size());
    out.append(tag.name);
  }
  return out;
}

std::size_t encodedEntrySize(const Entry& entry) {
  return kEntryHeaderSize + entry.tags.size() + entry.metadata.size() + entry.payload.size();
}

void encodeEntry(const Entry& entry, char* out) {
  out[0] = static_cast<char>(kEntryVersion);
  out[1] = static_cast<char>(entry.codec);
  storeLittle<2>(out + 2, entry.flags);
  std::memcpy(out + kFillIdOffset, entry.fillId.data(), kFillIdSize);
  storeLittle<6>(out + 24, static_cast<std::uint64_t>(clampDuration(entry.created)));
  storeLittle<6>(out + 30, static_cast<std::uint64_t>(clampDuration(entry.freshFor)));
  storeLittle<6>(out + 36, static_cast<std::uint64_t>(clampDuration(entry.staleFor)));
  storeLittle<6>(out + 42, static_cast<std::uint64_t>(clampDuration(entry.keepFor)));
  storeLittle<4>(out + 48, entry.loadTime);
  storeLittle<4>(out + 52, entry.tags.size());
  storeLittle<4>(out + 56, entry.metadata.size());
  storeLittle<4>(out + 60, entry.payload.size());
  storeLittle<4>(out + kCheckOffset, headerCheck(out));
  std::memcpy(out + kLeaseOffset, entry.leaseId.data(), kFillIdSize);
  storeLittle<6>(out + kLeaseUntilOffset, static_cast<std::uint64_t>(clampDuration(entry.leaseUntil)));
  out[kOutdatedOffset] = entry.outdated ? 1 : 0;
  out[kOutdatedOffset + 1] = 0;
  char* at = out + kEntryHeaderSize;
  for (const std::string_view part : {entry.tags, entry.metadata, entry.payload}) {
    if (!part.empty()) std::memcpy(at, part.data(), part.size());
    at += part.size();
  }
}

std::string encodeEntry(const Entry& entry) {
  try {
    std::string out(encodedEntrySize(entry), '\0');
    encodeEntry(entry, out.data());
    return out;
  } catch (const std::exception&) {
    return {};  // no memory: what is empty never becomes an entry again
  }
}

std::optional<Entry> parseEntry(std::string_view bytes) {
  if (bytes.size() < kEntryHeaderSize) return std::nullopt;
  const char* in = bytes.data();
  if (static_cast<std::uint8_t>(in[0]) != kEntryVersion || !isCodec(static_cast<std::uint8_t>(in[1]))) {
    return std::nullopt;
  }
  if (loadLittle<4>(in + kCheckOffset) != headerCheck(in)) return std::nullopt;

  Entry entry;
  entry.codec = static_cast<Codec>(in[1]);
  entry.flags = static_cast<std::uint16_t>(loadLittle<2>(in + 2));
  if ((entry.flags & ~entry_flags::kKnown) != 0) return std::nullopt;
  std::memcpy(entry.fillId.data(), in + kFillIdOffset, kFillIdSize);
  entry.created = static_cast<Millis>(loadLittle<6>(in + 24));
  entry.freshFor = static_cast<Millis>(loadLittle<6>(in + 30));
  entry.staleFor = static_cast<Millis>(loadLittle<6>(in + 36));
  entry.keepFor = static_cast<Millis>(loadLittle<6>(in + 42));
  if (entry.freshFor > entry.staleFor || entry.staleFor > entry.keepFor) return std::nullopt;
  entry.loadTime = static_cast<std::uint32_t>(loadLittle<4>(in + 48));

  std::memcpy(entry.leaseId.data(), in + kLeaseOffset, kFillIdSize);
  entry.leaseUntil = static_cast<Millis>(loadLittle<6>(in + kLeaseUntilOffset));
  entry.outdated = in[kOutdatedOffset] != 0;

  const std::uint64_t tags = loadLittle<4>(in + 52);
  const std::uint64_t metadata = loadLittle<4>(in + 56);
  const std::uint64_t payload = loadLittle<4>(in + 60);
  if (kEntryHeaderSize + tags + metadata + payload != bytes.size()) return std::nullopt;
  entry.tags = bytes.substr(kEntryHeaderSize, tags);
  entry.metadata = bytes.substr(kEntryHeaderSize + tags, metadata);
  entry.payload = bytes.substr(kEntryHeaderSize + tags + metadata, payload);
  if (!tagsAreWhole(entry.tags)) return std::nullopt;
  return entry;
}

}  // namespace tiercel::core
