// Values of entries as elements of a JSON array.
#include "core/entry/json_array.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

namespace tiercel::core {
namespace {

Entry holding(Codec codec, std::string_view payload) {
  Entry entry;
  entry.codec = codec;
  entry.payload = payload;
  return entry;
}

TEST(JsonArray, TakesJsonAsItIsAndQuotesText) {
  std::string every;
  for (int byte = 0; byte < 0x80; ++byte) every += static_cast<char>(byte);
  every += "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80";
  std::string array = "[";
  EXPECT_TRUE(appendJson(holding(Codec::kJson, R"({"a":[1,"b"]})"), array));
  array += ',';
  EXPECT_TRUE(appendJson(holding(Codec::kText, every), array));
  array += ',';
  EXPECT_TRUE(appendJson(holding(Codec::kText, ""), array));
  array += ']';
  const auto parsed = nlohmann::json::parse(array);
  ASSERT_EQ(parsed.size(), 3U);
  EXPECT_EQ(parsed[0]["a"][1], "b");
  EXPECT_EQ(parsed[1].get<std::string>(), every);
  EXPECT_EQ(parsed[2].get<std::string>(), "");
}

TEST(JsonArray, LeavesBytesAndWhatHasMetadata) {
  std::string array = "[";
  for (const Codec codec : {Codec::kBytes, Codec::kMsgpack, Codec::kCustom}) {
    EXPECT_FALSE(appendJson(holding(codec, "1"), array));
  }
  Entry entry = holding(Codec::kJson, "1");
  entry.metadata = "{}";
  EXPECT_FALSE(appendJson(entry, array));
  EXPECT_EQ(array, "[");
}

}  // namespace
}  // namespace tiercel::core
