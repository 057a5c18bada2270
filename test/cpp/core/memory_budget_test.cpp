// The budget says what the memory tier really takes, from many small entries to one large.
// Not built with a sanitizer, whose allocator accounts otherwise.
#include <gtest/gtest.h>

#include "allocations.h"
#include "core/memory_tier.h"
#include "samples.h"

namespace tiercel::test {
namespace {

using namespace core;

constexpr Deadlines kAlways{kForever, kForever, kForever};
// The tier itself: first buckets, first chunks, its own object. Constant, and not counted.
constexpr double kFixed = 48 << 10;

class MemoryBudget : public ::testing::Test {
 protected:
  [[nodiscard]] double taken() const { return static_cast<double>(allocatedBytes() - before_); }
  void expectHonest(const MemoryTier& tier) const {
    const auto counted = static_cast<double>(tier.stats().bytes);
    EXPECT_NEAR(taken(), counted, kFixed + counted * 0.02);
    EXPECT_LE(taken(), static_cast<double>(tier.stats().maxBytes) + kFixed);
  }

  std::size_t before_ = allocatedBytes();
};

void fill(MemoryTier& tier, int entries, std::size_t payloadSize, const char* prefix) {
  const std::string payload(payloadSize, 'x');
  Entry entry;
  entry.payload = payload;
  for (int i = 0; i < entries; ++i) {
    char key[32];
    const int size = std::snprintf(key, sizeof(key), "%s%d", prefix, i);
    tier.put({key, static_cast<std::size_t>(size)}, entry, kAlways, 0);
    ASSERT_LE(tier.stats().bytes, tier.stats().maxBytes);
  }
}

TEST_F(MemoryBudget, IsWhatTheAllocatorHandsOut) {
  for (const std::size_t payload : {0, 1, 7, 50, 200, 3000}) {
    MemoryTier tier({.maxBytes = std::size_t{1} << 30});
    fill(tier, 20000, payload, "key:");
    expectHonest(tier);
  }
  EXPECT_EQ(taken(), 0);
}

TEST_F(MemoryBudget, HoldsWhenItIsFull) {
  MemoryTier tier({.maxBytes = 4 << 20});
  fill(tier, 60000, 10, "key:");
  EXPECT_GT(tier.stats().evictions, 0U);
  EXPECT_GT(static_cast<double>(tier.stats().bytes), 0.9 * (4 << 20));
  expectHonest(tier);
}

// The tables of many small entries outlive them: they have to be counted when large ones come, or given back.
TEST_F(MemoryBudget, HoldsWhenSizesChange) {
  MemoryTier tier({.maxBytes = 8 << 20});
  for (int round = 0; round < 3; ++round) {
    fill(tier, 60000, 1, "small:");
    expectHonest(tier);
    fill(tier, 200, 100000, "large:");
    expectHonest(tier);
    fill(tier, 1, 7900000, "huge:");
    EXPECT_TRUE(tier.peek("huge:0", 0));
    expectHonest(tier);
  }
  tier.clear();
  EXPECT_EQ(tier.stats().bytes, 0U);
  EXPECT_LE(taken(), kFixed);
}

TEST_F(MemoryBudget, IsGivenBackWhenEntriesGo) {
  MemoryTier tier({});
  fill(tier, 50000, 20, "key:");
  for (int i = 0; i < 50000; ++i) tier.erase("key:" + std::to_string(i));
  EXPECT_EQ(tier.stats().entries, 0U);
  EXPECT_EQ(tier.stats().bytes, 0U);
  EXPECT_LE(taken(), kFixed);
}

}  // namespace
}  // namespace tiercel::test
