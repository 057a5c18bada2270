// Bytes that are not a whole envelope never become an entry, and parsing them reads nothing outside of them.
#include <gtest/gtest.h>

#include <bit>

#include "core/entry/byte_order.h"
#include "core/entry/entry.h"
#include "samples.h"

namespace tiercel::test {
namespace {

using namespace core;

std::string sampleBytes() {
  const TagStamp tags[] = {{"news", {1, 2, 3}}, {"user:7", {4}}};
  const std::string encoded = encodeTags(tags);
  Entry entry;
  entry.codec = Codec::kJson;
  entry.created = 1700000000000;
  entry.freshFor = 1000;
  entry.staleFor = 2000;
  entry.keepFor = 3000;
  entry.tags = encoded;
  entry.metadata = R"({"status":200})";
  entry.payload = R"({"a":1})";
  return encodeEntry(entry);
}

bool parses(std::string_view bytes) { return parseEntry(ExactBytes(bytes).view()).has_value(); }

// A header with a right check value over wrong lengths, computed here by the documented mix: encodeEntry would have to
// copy gigabytes for it.
std::string headerWithLengths(std::uint64_t tags, std::uint64_t metadata, std::uint64_t payload,
                              std::uint8_t version = kEntryVersion) {
  std::string header(kEntryHeaderSize, '\0');
  header[0] = static_cast<char>(version);
  storeLittle<4>(header.data() + 52, tags);
  storeLittle<4>(header.data() + 56, metadata);
  storeLittle<4>(header.data() + 60, payload);
  std::uint64_t mixed = 0x9e3779b97f4a7c15;
  for (std::size_t at = 0; at < kEntryCheckedSize; at += 8) {
    mixed = std::rotl((mixed ^ loadLittle<8>(header.data() + at)) * 0xff51afd7ed558ccd, 31);
  }
  mixed ^= mixed >> 32;
  storeLittle<4>(header.data() + 4, mixed * 0xc4ceb9fe1a85ec53 >> 32);
  return header;
}

TEST(EntryParse, HeadersOfThisTestAreRight) { EXPECT_TRUE(parses(headerWithLengths(0, 3, 4) + "1234567")); }

TEST(EntryParse, OtherVersionsFailThoughTheCheckIsRight) {
  for (int version = 0; version < 256; ++version) {
    const std::string bytes = headerWithLengths(0, 3, 4, static_cast<std::uint8_t>(version)) + "1234567";
    EXPECT_EQ(parses(bytes), version == kEntryVersion) << version;
  }
}

TEST(EntryParse, TruncationAtEveryByteFails) {
  const std::string bytes = sampleBytes();
  ASSERT_TRUE(parses(bytes));
  for (std::size_t size = 0; size < bytes.size(); ++size) EXPECT_FALSE(parses(bytes.substr(0, size))) << size;
}

TEST(EntryParse, AnythingBehindFails) {
  for (const std::size_t more : {1, 2, 64, 1000}) EXPECT_FALSE(parses(sampleBytes() + std::string(more, '\0'))) << more;
}

TEST(EntryParse, EveryFlippedHeaderBitFails) {
  Random random(2);
  for (int i = 0; i < 50; ++i) {
    const std::string bytes = i == 0 ? sampleBytes() : encodeEntry(randomEntry(random).entry());
    for (std::size_t bit = 0; bit < kEntryCheckedSize * 8; ++bit) {
      std::string flipped = bytes;
      flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
      ASSERT_FALSE(parses(flipped)) << "bit " << bit;
    }
  }
}

TEST(EntryParse, ForeignBytesFail) {
  for (const std::string_view foreign :
       {std::string_view(), std::string_view("OK"), std::string_view(R"({"value":1})"), std::string_view("\x01", 1)}) {
    EXPECT_FALSE(parses(foreign));
    EXPECT_FALSE(parses(std::string(foreign) + std::string(200, 'x')));
  }
  EXPECT_FALSE(parseEntry(std::string_view{}));
}

// encodeEntry takes fields that no entry may have, and gives them a right check value.
TEST(EntryParse, WrongFieldsFailThoughTheCheckIsRight) {
  const auto fails = [](auto change) {
    Entry entry;
    entry.freshFor = 1;
    entry.staleFor = 2;
    entry.keepFor = 3;
    EXPECT_TRUE(parses(encodeEntry(entry)));
    change(entry);
    EXPECT_FALSE(parses(encodeEntry(entry)));
  };
  for (int codec = 4; codec < 255; ++codec) fails([&](Entry& entry) { entry.codec = static_cast<Codec>(codec); });
  for (int bit = 3; bit < 16; ++bit) fails([&](Entry& entry) { entry.flags = static_cast<std::uint16_t>(1 << bit); });
  fails([](Entry& entry) { entry.freshFor = 3; });
  fails([](Entry& entry) { entry.staleFor = 4; });
  fails([](Entry& entry) { entry.keepFor = 1; });
}

// Lies about lengths with a right check value: an entry with other lengths is encoded for its header.
TEST(EntryParse, LiesAboutLengthsFail) {
  const std::string_view parts = "0123456789012345678901234567890123456789";
  Random random(3);
  for (int i = 0; i < 2000; ++i) {
    Entry honest;
    honest.metadata = parts.substr(0, below(random, 20));
    honest.payload = parts.substr(0, below(random, 20));
    Entry liar = honest;
    liar.metadata = parts.substr(0, below(random, 41));
    liar.payload = parts.substr(0, below(random, 41));
    if (encodedEntrySize(liar) == encodedEntrySize(honest)) continue;
    const std::string bytes =
        encodeEntry(liar).substr(0, kEntryHeaderSize) + encodeEntry(honest).substr(kEntryHeaderSize);
    ASSERT_FALSE(parses(bytes));
  }
}

// Lengths of nearly 4 GiB, whose sum is right in 32 bits only. The header takes its lengths from views that lie.
TEST(EntryParse, LengthsThatOverflowFail) {
  const std::string body(40, 'x');
  for (const std::size_t lie : {std::size_t{UINT32_MAX} - 9, std::size_t{1} << 31, std::size_t{UINT32_MAX}}) {
    const std::string bytes = headerWithLengths(0, lie, (std::size_t{1} << 32) + body.size() - lie) + body;
    EXPECT_FALSE(parses(bytes));
  }
}

TEST(EntryParse, TagsThatDoNotParseFail) {
  const TagStamp tag{.name = "name", .stamp = {}};
  const std::string good = encodeTags({&tag, 1});
  const auto withTags = [](std::string_view tags) {
    Entry entry;
    entry.tags = tags;
    return encodeEntry(entry);
  };
  EXPECT_TRUE(parses(withTags(good)));
  EXPECT_TRUE(parses(withTags(good + good)));
  for (std::size_t size = 1; size < good.size(); ++size) {
    EXPECT_FALSE(parses(withTags(good.substr(0, size)))) << size;
    EXPECT_FALSE(parses(withTags(good + good.substr(0, size)))) << size;
  }
  std::string nameless = good;
  nameless[0] = 0;
  EXPECT_FALSE(parses(withTags(nameless)));
  EXPECT_FALSE(parses(withTags(std::string(18, '\0'))));
  std::string longer = good;
  longer[0] = 5;
  EXPECT_FALSE(parses(withTags(longer)));
}

TEST(EntryParse, RandomGarbageFails) {
  Random random(4);
  for (int i = 0; i < 100000; ++i) {
    std::string bytes = randomBytes(random, below(random, 160));
    if (!bytes.empty() && i % 2 == 0) bytes[0] = 1;
    ASSERT_FALSE(parses(bytes));
  }
}

// Damage behind the header is only found where it breaks the tags; whatever parses must stay inside of the bytes.
TEST(EntryParse, DamagedEntriesAreReadInside) {
  Random random(5);
  for (int i = 0; i < 20000; ++i) {
    std::string bytes = encodeEntry(randomEntry(random).entry());
    for (std::uint64_t n = 1 + below(random, 4); n > 0; --n)
      bytes[below(random, bytes.size())] = static_cast<char>(random());
    const ExactBytes exact(bytes);
    const auto entry = parseEntry(exact.view());
    if (!entry) continue;
    std::size_t read = 0;
    TagReader tags(entry->tags);
    while (const auto tag = tags.next()) read += tag->name.size() + kStampSize + 2;
    EXPECT_EQ(read, entry->tags.size());
    // The bytes of the scripts may be anything; they are written in one form.
    bytes[kOutdatedOffset] = bytes[kOutdatedOffset] == 0 ? 0 : 1;
    bytes[kOutdatedOffset + 1] = 0;
    ASSERT_EQ(encodeEntry(*entry), bytes);
  }
}

}  // namespace
}  // namespace tiercel::test
