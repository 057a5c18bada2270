// Entries for tests, fixed and random.
#pragma once

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "core/entry/entry.h"

namespace tiercel::test {

using Random = std::mt19937_64;

inline std::uint64_t below(Random& random, std::uint64_t limit) { return random() % limit; }

inline std::string randomBytes(Random& random, std::size_t size) {
  std::string bytes(size, '\0');
  for (char& byte : bytes) byte = static_cast<char>(random());
  return bytes;
}

// An entry together with the bytes that its views point into.
struct OwnedEntry {
  std::string tags;
  std::string metadata;
  std::string payload;
  core::Entry fields;

  [[nodiscard]] core::Entry entry() const {
    core::Entry result = fields;
    result.tags = tags;
    result.metadata = metadata;
    result.payload = payload;
    return result;
  }
};

inline std::string randomTags(Random& random, std::size_t most) {
  std::vector<std::string> names(below(random, most + 1));
  std::vector<core::TagStamp> tags;
  for (std::string& name : names) {
    name = randomBytes(random, 1 + below(random, 20));
    core::TagStamp tag{.name = name, .stamp = {}};
    for (auto& byte : tag.stamp) byte = static_cast<std::uint8_t>(random());
    tags.push_back(tag);
  }
  return core::encodeTags(tags);
}

inline OwnedEntry randomEntry(Random& random, std::size_t mostPayload = 64) {
  constexpr core::Codec kCodecs[] = {core::Codec::kBytes, core::Codec::kJson, core::Codec::kMsgpack,
                                     core::Codec::kCustom};
  OwnedEntry owned;
  owned.tags = randomTags(random, 3);
  owned.metadata = randomBytes(random, below(random, 12));
  owned.payload = randomBytes(random, below(random, mostPayload + 1));
  core::Entry& fields = owned.fields;
  fields.codec = kCodecs[below(random, 4)];
  fields.flags = static_cast<std::uint16_t>(below(random, 2));
  for (auto& byte : fields.fillId) byte = static_cast<std::uint8_t>(random());
  fields.created = static_cast<core::Millis>(random() & core::kMaxEntryDuration);
  fields.freshFor = static_cast<core::Millis>(below(random, 100000));
  fields.staleFor = fields.freshFor + static_cast<core::Millis>(below(random, 100000));
  fields.keepFor = fields.staleFor + static_cast<core::Millis>(random() >> 24);
  fields.loadTime = static_cast<std::uint32_t>(random());
  return owned;
}

inline void expectSame(const core::Entry& actual, const core::Entry& expected) {
  EXPECT_EQ(actual.codec, expected.codec);
  EXPECT_EQ(actual.flags, expected.flags);
  EXPECT_EQ(actual.fillId, expected.fillId);
  EXPECT_EQ(actual.created, expected.created);
  EXPECT_EQ(actual.freshFor, expected.freshFor);
  EXPECT_EQ(actual.staleFor, expected.staleFor);
  EXPECT_EQ(actual.keepFor, expected.keepFor);
  EXPECT_EQ(actual.loadTime, expected.loadTime);
  EXPECT_EQ(actual.tags, expected.tags);
  EXPECT_EQ(actual.metadata, expected.metadata);
  EXPECT_EQ(actual.payload, expected.payload);
}

// A copy of exactly the given bytes on the heap: a read outside of it is one that AddressSanitizer sees.
class ExactBytes {
 public:
  explicit ExactBytes(std::string_view bytes) : bytes_(bytes.begin(), bytes.end()) { bytes_.shrink_to_fit(); }
  [[nodiscard]] std::string_view view() const { return {bytes_.data(), bytes_.size()}; }

 private:
  std::vector<char> bytes_;
};

}  // namespace tiercel::test
