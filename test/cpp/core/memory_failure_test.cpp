// When there is no memory nothing is thrown, nothing is lost that need not be, and all goes on as before.
#include <gtest/gtest.h>

#include "allocations.h"
#include "core/entry/entry_json.h"
#include "memory_samples.h"

namespace tiercel::test {
namespace {

using namespace core;

TEST(MemoryFailure, PutWithoutMemoryKeepsTheOthers) {
  CountingChunks chunks;
  Tier tier({.maxBytes = 4 << 20}, &chunks);
  const std::string large(300000, 'x');
  ASSERT_TRUE(tier.put("old", holding("v"), kAlways, 0));
  ASSERT_TRUE(tier.put("pinned", holding("v"), kAlways, 0));
  const auto pinned = tier.find("pinned", 0);
  chunks.failing = true;
  EXPECT_FALSE(tier.put("old", holding(large), kAlways, 0));
  EXPECT_FALSE(tier.peek("old", 0));
  EXPECT_EQ(tier.stats().rejects, 1U);
  chunks.failing = false;
  EXPECT_EQ(pinned->entry.payload, "v");
  EXPECT_TRUE(tier.put("old", holding(large), kAlways, 0));
  EXPECT_EQ(tier.peek("old", 0)->entry.payload, large);
}

// The system gives no more: what there is goes on being used.
TEST(MemoryFailure, WithoutNewChunksTheOldOnesServe) {
  CountingChunks chunks;
  Tier tier({.maxBytes = 64 << 20}, &chunks);
  for (int i = 0; i < 10000; ++i) ASSERT_TRUE(tier.put("old" + std::to_string(i), holding("v"), kAlways, 0));
  chunks.failing = true;
  const std::string payload(100, 'x');
  for (int i = 0; i < 50000; ++i) ASSERT_TRUE(tier.put("new" + std::to_string(i), holding(payload), kAlways, 0)) << i;
  EXPECT_GT(tier.stats().evictions, 0U);
  EXPECT_EQ(tier.stats().rejects, 0U);
}

// At sizes around every growth of a table, with the first, second, ... allocation of a put failing. Tables are not
// worth an entry: it is kept all the same, or not at all.
TEST(MemoryFailure, EveryAllocationOfAPutMayFail) {
  int failures = 0;
  for (const int entries : {0, 1, 31, 32, 511, 512, 1023, 1024, 4096}) {
    for (int successes = 0;; ++successes) {
      Tier tier({.maxBytes = 4 << 20});
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
  EXPECT_GE(failures, 2);
}

TEST(MemoryFailure, TablesThatCannotGrowAreSlowNotWrong) {
  Tier tier({.maxBytes = 4 << 20});
  {
    ASSERT_TRUE(tier.put("first", holding("v"), kAlways, 0));
    const FailingAllocations failing(0);
    int kept = 0;
    for (int i = 0; i < 3000; ++i) {
      char key[16];
      const int size = std::snprintf(key, sizeof(key), "%d", i);
      kept += tier.put({key, static_cast<std::size_t>(size)}, holding("v"), kAlways, 0) ? 1 : 0;
    }
    EXPECT_GT(kept, 500);
    EXPECT_TRUE(failing.failed());
  }
  for (int i = 3000; i < 6000; ++i) ASSERT_TRUE(tier.put(std::to_string(i), holding("v"), kAlways, 0));
  for (int i = 3000; i < 6000; ++i) ASSERT_TRUE(tier.find(std::to_string(i), 0));
}

TEST(MemoryFailure, ClearingAndDroppingNeedNoMemory) {
  Tier tier({.maxBytes = 1 << 20});
  for (int i = 0; i < 3000; ++i) tier.put(std::to_string(i), holding("v"), kAlways, 0);
  {
    const FailingAllocations failing(0);
    EXPECT_TRUE(tier.find("5", 0));
    EXPECT_TRUE(tier.erase("6"));
    tier.expire(kForever, SIZE_MAX);
    tier.clear();
    EXPECT_FALSE(failing.failed());
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
