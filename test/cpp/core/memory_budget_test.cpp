// The budget says what the memory tier really takes, from many small entries to one large, also after a long time.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <thread>

#include "memory_samples.h"

namespace tiercel::test {
namespace {

using namespace core;

void fill(MemoryTier& tier, int entries, std::size_t payloadSize, const char* prefix) {
  const std::string payload(payloadSize, 'x');
  for (int i = 0; i < entries; ++i) {
    tier.put(prefix + std::to_string(i), holding(payload), kAlways, 0);
    ASSERT_LE(tier.stats().bytes, tier.stats().maxBytes);
  }
}

// At most 80 bytes for an entry beside its key and value, all included, and no more mapped than is counted.
TEST(MemoryBudget, AnEntryCostsLittle) {
  for (const std::size_t payload : {0, 1, 7, 50, 200, 3000}) {
    CountingChunks chunks;
    Tier tier({.maxBytes = std::size_t{1} << 30}, &chunks);
    constexpr int kEntries = 200000;
    fill(tier, kEntries, payload, "key:");
    const auto bytes = static_cast<double>(tier.stats().bytes);
    const double data = kEntries * (static_cast<double>(payload) + 9.4);
    EXPECT_LE(bytes - data, 80.0 * kEntries) << payload;
    EXPECT_NEAR(static_cast<double>(chunks.mapped), bytes, 16 * (1 << 20) + bytes * 0.02);
  }
}

TEST(MemoryBudget, HoldsWhenItIsFull) {
  CountingChunks chunks;
  Tier tier({.maxBytes = 4 << 20}, &chunks);
  fill(tier, 60000, 10, "key:");
  EXPECT_GT(tier.stats().evictions, 0U);
  EXPECT_GT(static_cast<double>(tier.stats().bytes), 0.9 * (4 << 20));
  EXPECT_LE(static_cast<double>(chunks.most), 1.15 * (4 << 20));
}

// What many small entries leave behind has to make way when large ones come.
TEST(MemoryBudget, HoldsWhenSizesChange) {
  CountingChunks chunks;
  constexpr std::size_t kBudget = 8 << 20;
  {
    Tier tier({.maxBytes = kBudget}, &chunks);
    for (int round = 0; round < 3; ++round) {
      fill(tier, 60000, 1, "small:");
      fill(tier, 200, 100000, "large:");
      // It has to be worth what leaves for it, and room for it may have to be made in the background.
      for (int i = 0; i < 10000 && !tier.peek("huge:0", 0); ++i) {
        fill(tier, 1, 7900000, "huge:");
        std::this_thread::yield();
      }
      EXPECT_TRUE(tier.peek("huge:0", 0));
    }
    EXPECT_LE(static_cast<double>(chunks.most), 1.2 * kBudget);
    tier.clear();
    EXPECT_EQ(tier.stats().bytes, 0U);
    EXPECT_LE(chunks.mapped, kBudget / 8);
  }
  EXPECT_EQ(chunks.mapped, 0U);
}

// Sizes from 100 B to 100 KB, all magnitudes alike: free memory falls to pieces, and the tier copes with it.
TEST(MemoryBudget, HoldsInTheLongRun) {
  for (const std::size_t budget : {std::size_t{16} << 20, std::size_t{64} << 20}) {
    CountingChunks chunks;
    Tier tier({.maxBytes = budget}, &chunks);
    Random random(1);
    const std::string payload(100000, 'x');
    for (int i = 0; i < 100000; ++i) {
      const double magnitude = 2 + 3 * static_cast<double>(below(random, 1000)) / 1000;
      const auto size = static_cast<std::size_t>(std::pow(10, magnitude));
      tier.put(std::to_string(below(random, 20000)), holding(std::string_view(payload).substr(0, size)), kAlways, 0);
      ASSERT_LE(tier.stats().bytes, budget);
    }
    const MemoryStats stats = tier.stats();
    EXPECT_EQ(stats.rejects, 0U);
    EXPECT_GT(stats.evictions, 10000U);
    EXPECT_GT(static_cast<double>(stats.bytes), 0.85 * static_cast<double>(budget));
    EXPECT_LE(static_cast<double>(chunks.most), 1.15 * static_cast<double>(budget));
  }
}

TEST(MemoryBudget, IsGivenBackWhenEntriesGo) {
  CountingChunks chunks;
  Tier tier({}, &chunks);
  fill(tier, 50000, 20, "key:");
  for (int i = 0; i < 50000; ++i) tier.erase("key:" + std::to_string(i));
  EXPECT_EQ(tier.stats().entries, 0U);
  tier.clear();
  EXPECT_EQ(tier.stats().bytes, 0U);
  EXPECT_LE(chunks.mapped, std::size_t{8} << 19);
}

// What callers keep of the entries, and the tags that entries carry, leave less for entries.
TEST(MemoryBudget, DecodedValuesLeaveLessForEntries) {
  CountingChunks chunks;
  constexpr std::size_t kBudget = 8 << 20;
  Tier tier({.maxBytes = kBudget}, &chunks);
  fill(tier, 60000, 200, "key:");
  ASSERT_TRUE(tier.reserve(kBudget / 2));
  EXPECT_FALSE(tier.reserve(1));
  const auto within = [&] {
    const MemoryStats stats = tier.stats();
    return stats.bytes + stats.valueBytes <= kBudget && chunks.mapped <= kBudget / 2 * 5 / 4;
  };
  for (int i = 0; i < 10000 && !within(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  EXPECT_TRUE(within());
  EXPECT_EQ(tier.stats().valueBytes, kBudget / 2);
  EXPECT_GT(tier.stats().entries, 0U);
  fill(tier, 60000, 200, "more:");
  EXPECT_LE(tier.stats().bytes, kBudget / 2);
  tier.release(kBudget / 2);
  fill(tier, 60000, 200, "again:");
  EXPECT_GT(tier.stats().bytes, kBudget / 2);
}

TEST(MemoryBudget, TagsCount) {
  CountingChunks chunks;
  constexpr std::size_t kBudget = 8 << 20;
  Tier tier({.maxBytes = kBudget}, &chunks);
  for (int i = 0; i < 100000; ++i) {
    const TagCell cell = tier.tags().acquire("user:" + std::to_string(i) + ":0123456789abcdef");
    const TagMark mark = *tier.tags().mark(cell, 0);
    tier.put("key:" + std::to_string(i), holding("x"), kAlways, 0, {.tags = {&mark, 1}});
    tier.tags().release(cell);
    const MemoryStats stats = tier.stats();
    ASSERT_LE(stats.bytes + stats.tagBytes, kBudget + kBudget / 16);
  }
  EXPECT_GT(tier.stats().tagBytes, kBudget / 4);
  EXPECT_LE(chunks.mapped + tier.tags().bytes(), kBudget * 5 / 4);
}

TEST(MemoryTierHolds, SaysWhetherAnEntryIsThere) {
  Tier tier;
  Entry entry = holding("value");
  entry.fillId[0] = 7;
  tier.put("k", entry, {100, 100, 100}, 0);
  const auto hit = tier.find("k", 0);
  ASSERT_TRUE(hit);
  EXPECT_TRUE(tier.holds(hit->token, 7));
  EXPECT_FALSE(tier.holds(hit->token, 8));
  EXPECT_FALSE(tier.holds(0, 7));
  const std::uint64_t hits = tier.stats().hits;
  EXPECT_TRUE(tier.holds(hit->token, 7));
  EXPECT_EQ(tier.stats().hits, hits);
  tier.erase("k");
  EXPECT_FALSE(tier.holds(hit->token, 7));
}

}  // namespace
}  // namespace tiercel::test
