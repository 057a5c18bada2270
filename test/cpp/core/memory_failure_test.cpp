// When operator new fails nothing is thrown, nothing is lost that need not be, and all goes on as before.
#include <gtest/gtest.h>

#include "allocations.h"
#include "core/memory_tier.h"
#include "core/metadata.h"
#include "samples.h"

namespace tiercel::test {
namespace {

using namespace core;

constexpr Deadlines kAlways{kForever, kForever, kForever};

Entry holding(std::string_view payload) {
  Entry entry;
  entry.payload = payload;
  return entry;
}

TEST(MemoryFailure, PutWithoutMemoryKeepsTheOthers) {
  MemoryTier tier({});
  ASSERT_TRUE(tier.put("old", holding("v"), kAlways, 0));
  ASSERT_TRUE(tier.put("other", holding("v"), kAlways, 0));
  bool kept = true;
  {
    const FailingAllocations failing(0);
    kept = tier.put("old", holding("new"), kAlways, 0);
  }
  EXPECT_FALSE(kept);
  EXPECT_FALSE(tier.peek("old", 0));
  EXPECT_TRUE(tier.peek("other", 0));
  EXPECT_TRUE(tier.put("old", holding("again"), kAlways, 0));
  EXPECT_EQ(tier.peek("old", 0)->entry.payload, "again");
}

// At sizes around every growth of a table, with the first, second, ... allocation of a put failing.
TEST(MemoryFailure, EveryAllocationOfAPutMayFail) {
  int failures = 0;
  for (const int entries : {0, 1, 63, 64, 128, 1023, 1024, 2048, 4096}) {
    for (int successes = 0;; ++successes) {
      MemoryTier tier({});
      for (int i = 0; i < entries; ++i) ASSERT_TRUE(tier.put(std::to_string(i), holding("v"), kAlways, 0));
      bool kept = false;
      bool failed = false;
      {
        const FailingAllocations failing(successes);
        kept = tier.put("new", holding("value"), kAlways, 0);
        failed = failing.failed();
      }
      EXPECT_EQ(kept, tier.peek("new", 0).has_value());
      for (int i = 0; i < entries; ++i) ASSERT_TRUE(tier.peek(std::to_string(i), 0)) << i;
      EXPECT_EQ(tier.stats().entries, static_cast<std::uint64_t>(entries) + (kept ? 1 : 0));
      ASSERT_TRUE(tier.put("new", holding("again"), kAlways, 0));
      EXPECT_EQ(tier.peek("new", 0)->entry.payload, "again");
      if (!failed) {
        EXPECT_TRUE(kept);
        break;
      }
      ++failures;
    }
  }
  EXPECT_GE(failures, 15);
}

TEST(MemoryFailure, ClearingAndDroppingNeedNoMemory) {
  MemoryTier tier({.maxBytes = 1 << 20});
  for (int i = 0; i < 3000; ++i) tier.put(std::to_string(i), holding("v"), kAlways, 0);
  {
    const FailingAllocations failing(0);
    EXPECT_TRUE(tier.find("5", 0));
    EXPECT_TRUE(tier.erase("6"));
    tier.expire(kForever, SIZE_MAX);
    tier.clear();
  }
  EXPECT_EQ(tier.stats().entries, 0U);
  EXPECT_TRUE(tier.put("k", holding("v"), kAlways, 0));
  EXPECT_TRUE(tier.find("k", 0));
}

TEST(MemoryFailure, TextsComeBackEmptyOrShort) {
  const std::string json = R"({"a long enough key to be on the heap":"a long enough value to be on the heap"})";
  Entry entry = holding(json);
  entry.metadata = json;
  for (int successes = 0; successes < 60; ++successes) {
    std::string bytes;
    std::string text;
    bool failedBytes = false;
    bool failedText = false;
    {
      const FailingAllocations failing(successes);
      bytes = encodeEntry(entry);
      failedBytes = failing.failed();
    }
    {
      const FailingAllocations failing(successes);
      text = describeEntry(entry);
      failedText = failing.failed();
    }
    EXPECT_EQ(parseEntry(bytes).has_value(), !failedBytes);
    EXPECT_EQ(text.size() > 2, !failedText);
    const FailingAllocations failing(successes);
    const auto problem = metadataProblem(json);
    EXPECT_TRUE(!problem || failing.failed());
  }
}

}  // namespace
}  // namespace tiercel::test
