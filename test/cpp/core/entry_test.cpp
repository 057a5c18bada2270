// The envelope as it is written: layout, round trip, tags.
#include "core/entry/entry.h"

#include <gtest/gtest.h>

#include "samples.h"

namespace tiercel::test {
namespace {

using namespace core;

TEST(Entry, LayoutIsTheDocumentedOne) {
  const TagStamp tag{.name = "t", .stamp = {9, 8}};
  const std::string tags = encodeTags({&tag, 1});
  Entry entry;
  entry.codec = Codec::kMsgpack;
  entry.flags = entry_flags::kMarker;
  for (std::size_t i = 0; i < kFillIdSize; ++i) entry.fillId[i] = static_cast<std::uint8_t>(0xa0 + i);
  entry.created = 0x010203040506;
  entry.freshFor = 0x11;
  entry.staleFor = 0x2200;
  entry.keepFor = 0x330000;
  entry.loadTime = 0x44;
  entry.leaseId.fill(0x77);
  entry.leaseUntil = 0x5566;
  entry.outdated = true;
  entry.tags = tags;
  entry.metadata = "{}";
  entry.payload = "body";
  const std::string bytes = encodeEntry(entry);
  ASSERT_EQ(bytes.size(), 88U + 19 + 2 + 4);
  EXPECT_EQ(bytes.size(), encodedEntrySize(entry));
  EXPECT_EQ(bytes.substr(0, 4), std::string("\x01\x02\x01\x00", 4));
  EXPECT_EQ(bytes.substr(8, 3), "\xa0\xa1\xa2");
  EXPECT_EQ(bytes.substr(24, 6), "\x06\x05\x04\x03\x02\x01");
  EXPECT_EQ(bytes.substr(30, 6), std::string("\x11\0\0\0\0\0", 6));
  EXPECT_EQ(bytes.substr(36, 6), std::string("\0\x22\0\0\0\0", 6));
  EXPECT_EQ(bytes.substr(42, 6), std::string("\0\0\x33\0\0\0", 6));
  EXPECT_EQ(bytes.substr(48, 16), std::string("\x44\0\0\0\x13\0\0\0\x02\0\0\0\x04\0\0\0", 16));
  EXPECT_EQ(bytes.substr(64, 24),
            std::string(entry.leaseId.begin(), entry.leaseId.end()) + std::string("\x66\x55\0\0\0\0\x01\0", 8));
  EXPECT_EQ(bytes.substr(88, 4), std::string("\x01\0\x09\x08", 4));
  EXPECT_EQ(bytes.substr(107), "{}body");
}

// Entries of other releases lie in Redis: a check that comes out otherwise would make all of them misses.
TEST(Entry, CheckValueStaysWhatItIs) {
  Entry entry;
  entry.codec = Codec::kJson;
  entry.created = 1234567890123;
  entry.freshFor = 1000;
  entry.staleFor = 2000;
  entry.keepFor = 3000;
  entry.payload = "{}";
  EXPECT_EQ(encodeEntry(entry).substr(4, 4), "\x90q\x88\xd5");
}

TEST(Entry, RandomEntriesComeBack) {
  Random random(1);
  for (int i = 0; i < 5000; ++i) {
    const OwnedEntry owned = randomEntry(random, 200);
    const ExactBytes bytes(encodeEntry(owned.entry()));
    const auto parsed = parseEntry(bytes.view());
    ASSERT_TRUE(parsed);
    expectSame(*parsed, owned.entry());
    if (HasFailure()) return;
  }
}

TEST(Entry, DurationsAreClamped) {
  Entry entry;
  entry.created = -5;
  entry.freshFor = INT64_MIN;
  entry.staleFor = kForever;
  entry.keepFor = INT64_MAX;
  const std::string bytes = encodeEntry(entry);
  const auto parsed = parseEntry(bytes);
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->created, 0);
  EXPECT_EQ(parsed->freshFor, 0);
  EXPECT_EQ(parsed->staleFor, kMaxEntryDuration);
  EXPECT_EQ(parsed->keepFor, kMaxEntryDuration);
}

TEST(Entry, TagsComeBackInOrder) {
  const std::string longest(65535, 'x');
  const TagStamp tags[] = {{"a", {1}}, {longest, {2}}, {std::string_view("\0\xff", 2), {3}}};
  const std::string encoded = encodeTags(tags);
  TagReader reader(encoded);
  for (const TagStamp& tag : tags) {
    const auto read = reader.next();
    ASSERT_TRUE(read);
    EXPECT_EQ(read->name, tag.name);
    EXPECT_EQ(read->stamp, tag.stamp);
  }
  EXPECT_FALSE(reader.next());
  EXPECT_FALSE(reader.next());
  EXPECT_EQ(encodeTags({}), "");
}

TEST(Entry, TagReaderStopsAtWhatIsCutOff) {
  const TagStamp tag{.name = "name", .stamp = {}};
  const std::string encoded = encodeTags({&tag, 1});
  for (std::size_t size = 0; size < encoded.size(); ++size) {
    const ExactBytes cut(std::string_view(encoded).substr(0, size));
    EXPECT_FALSE(TagReader(cut.view()).next()) << size;
  }
}

}  // namespace
}  // namespace tiercel::test
