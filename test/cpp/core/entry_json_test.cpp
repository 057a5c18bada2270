// What may be metadata, and the description of an entry.
#include "core/entry/entry_json.h"

#include <gtest/gtest.h>

#include <chrono>
#include <nlohmann/json.hpp>

#include "samples.h"
#include "thread_time.h"

namespace tiercel::test {
namespace {

using namespace core;
using Json = nlohmann::json;

TEST(Metadata, TakesObjects) {
  for (const char* json : {"{}", R"({"status":200,"headers":[["etag","\"x\""]],"n":null,"f":1.5,"t":true})", " { } \n",
                           R"({"a":1,"a":2})", R"({"ü":"\ud83d\ude00"})"}) {
    EXPECT_EQ(metadataProblem(json), std::nullopt) << json;
  }
}

TEST(Metadata, RefusesEverythingElseAndSaysWhy) {
  const std::pair<const char*, const char*> others[] = {{"[]", "array"},   {"1", "number"},     {"-1", "number"},
                                                        {"1.5", "number"}, {"\"x\"", "string"}, {"true", "boolean"},
                                                        {"null", "null"}};
  for (const auto& [json, type] : others) {
    EXPECT_EQ(metadataProblem(json), std::string("expected a JSON object, got a JSON ") + type);
  }
  for (const std::string_view broken :
       {std::string_view(), std::string_view(" "), std::string_view("{"), std::string_view("{}x"),
        std::string_view("{\"a\":}"), std::string_view("{'a':1}"), std::string_view("{\"a\":1,}"),
        std::string_view("{\"a\":1e999}"), std::string_view("{}\0", 3), std::string_view("{}\0{}", 5),
        std::string_view("\xef\xbb\xbf{}"), std::string_view("{\"a\":\"\xff\"}"), std::string_view("{} // no"),
        std::string_view("undefined")}) {
    EXPECT_EQ(metadataProblem(broken), "expected JSON, got what does not parse") << broken;
  }
}

std::string nested(std::size_t depth, char open, char close) {
  const std::string before = open == '[' ? "[" : "{\"a\":";
  std::string json = R"({"a":)";
  for (std::size_t i = 1; i < depth; ++i) json += before;
  json += "1" + std::string(depth - 1, close) + "}";
  return json;
}

TEST(Metadata, NestingIsBounded) {
  for (const auto& [open, close] : {std::pair('[', ']'), std::pair('{', '}')}) {
    EXPECT_EQ(metadataProblem(nested(64, open, close)), std::nullopt);
    EXPECT_EQ(metadataProblem(nested(65, open, close)), "expected at most 64 levels of nesting");
    EXPECT_EQ(metadataProblem(nested(100000, open, close)), "expected at most 64 levels of nesting");
  }
  std::string flat = "{\"a\":[1";
  for (int i = 0; i < 1000; ++i) flat += ",[],{}";
  EXPECT_EQ(metadataProblem(flat + "]}"), std::nullopt);
}

TEST(Metadata, SizeIsBounded) {
  const std::string frame = R"({"a":""})";
  const std::string most = R"({"a":")" + std::string(kMaxMetadataBytes - frame.size(), 'x') + R"("})";
  EXPECT_EQ(metadataProblem(most), std::nullopt);
  EXPECT_EQ(metadataProblem(most + " "), "expected at most 1048576 bytes of JSON, got 1048577");
}

// A document with ordered keys takes minutes for this one.
TEST(Metadata, ManyKeysAreNoWork) {
  std::string json = "{";
  for (int i = 0; json.size() < kMaxMetadataBytes - 20; ++i)
    json += (i == 0 ? "\"" : ",\"") + std::to_string(i) + "\":1";
  const auto began = threadTime();
  EXPECT_EQ(metadataProblem(json + "}"), std::nullopt);
  EXPECT_LT(threadTime() - began, std::chrono::seconds(3));
}

TEST(Metadata, RandomBytesNeverThrow) {
  Random random(1);
  constexpr char kAlphabet[] = "{}[]\":,0123-+.eE\\ntrufals \xc3\xff";
  for (int i = 0; i < 50000; ++i) {
    std::string json(below(random, 24), ' ');
    for (char& byte : json) byte = kAlphabet[below(random, sizeof(kAlphabet))];
    if (i % 2 == 0) json.insert(0, "{");
    const auto problem = metadataProblem(ExactBytes(json).view());
    const Json parsed = Json::parse(json, nullptr, false);
    // Who accepts, agrees with a parser that builds the document.
    ASSERT_TRUE(problem || parsed.is_object()) << json;
    ASSERT_TRUE(!problem || !parsed.is_object() || json.find('\0') != std::string::npos) << json;
  }
}

TEST(DescribeEntry, SaysAllButThePayload) {
  const TagStamp tag{.name = "news", .stamp = {0x01, 0xff}};
  const std::string tags = encodeTags({&tag, 1});
  Entry entry;
  entry.codec = Codec::kJson;
  entry.flags = entry_flags::kMarker;
  entry.fillId = {0xab};
  entry.leaseId = {0xcd};
  entry.created = 7;
  entry.freshFor = 1;
  entry.staleFor = 2;
  entry.keepFor = 3;
  entry.loadTime = 4;
  entry.tags = tags;
  entry.metadata = R"({"z":1,"a":[2]})";
  entry.payload = "secret";
  const std::string text = describeEntry(entry);
  EXPECT_EQ(text.find("secret"), std::string::npos);
  const Json expected = {{"version", 1},
                         {"kind", "lease"},
                         {"codec", "json"},
                         {"fillId", "ab" + std::string(30, '0')},
                         {"created", 7},
                         {"freshFor", 1},
                         {"staleFor", 2},
                         {"keepFor", 3},
                         {"loadTime", 4},
                         {"lease", "cd" + std::string(30, '0')},
                         {"outdated", false},
                         {"tags", {{{"name", "news"}, {"stamp", "01ff" + std::string(28, '0')}}}},
                         {"metadata", {{"z", 1}, {"a", {2}}}},
                         {"payloadBytes", 6}};
  EXPECT_EQ(Json::parse(text, nullptr, false), expected) << text;
}

TEST(DescribeEntry, IsJsonWhateverTheEntryHolds) {
  Random random(2);
  for (int i = 0; i < 3000; ++i) {
    OwnedEntry owned = randomEntry(random);
    if (i % 3 == 0) owned.metadata = "{\"a\":\"\xff\"}";
    if (i % 3 == 1) owned.metadata = std::string("{}\0x", 4);
    const Json parsed = Json::parse(describeEntry(owned.entry()), nullptr, false);
    ASSERT_TRUE(parsed.is_object());
    ASSERT_EQ(parsed["payloadBytes"], owned.payload.size());
    ASSERT_TRUE(i % 3 == 2 || parsed["metadata"].is_null());
  }
}

}  // namespace
}  // namespace tiercel::test
