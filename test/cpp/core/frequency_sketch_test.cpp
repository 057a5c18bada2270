#include "core/memory/frequency_sketch.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>

#include "allocations.h"

namespace tiercel::core {
namespace {

std::uint32_t hashOf(std::uint32_t key) {
  std::uint64_t mixed = (key + std::uint64_t{1}) * 0x9E3779B97F4A7C15U;
  mixed = (mixed ^ mixed >> 32) * 0xD6E8FEB86659FD93U;
  return static_cast<std::uint32_t>(mixed >> 32);
}

TEST(FrequencySketch, WithoutMemoryOfItsOwnItKnowsNothing) {
  FrequencySketch sketch;
  EXPECT_TRUE(sketch.empty());
  sketch.count(1);
  sketch.age();
  EXPECT_EQ(sketch.frequency(1), 0U);
}

TEST(FrequencySketch, CountsUpToItsMaximum) {
  FrequencySketch sketch;
  ASSERT_TRUE(sketch.ensure(1000));
  for (unsigned times = 1; times <= 40; ++times) {
    sketch.count(hashOf(7));
    EXPECT_EQ(sketch.frequency(hashOf(7)), std::min(times, FrequencySketch::kMax));
  }
  EXPECT_EQ(sketch.frequency(hashOf(8)), 0U);
}

TEST(FrequencySketch, NeverTooLowAndRarelyTooHigh) {
  FrequencySketch sketch;
  constexpr std::uint32_t kKeys = 10'000;
  ASSERT_TRUE(sketch.ensure(kKeys));
  for (std::uint32_t key = 0; key < kKeys; ++key) {
    for (std::uint32_t times = 0; times <= key % 5; ++times) sketch.count(hashOf(key));
  }
  std::uint32_t tooHigh = 0;
  for (std::uint32_t key = 0; key < kKeys; ++key) {
    ASSERT_GE(sketch.frequency(hashOf(key)), key % 5 + 1);
    if (sketch.frequency(hashOf(key)) > key % 5 + 1) ++tooHigh;
  }
  EXPECT_LT(tooHigh, kKeys / 10);
}

TEST(FrequencySketch, AgeHalvesEveryCounter) {
  FrequencySketch sketch;
  ASSERT_TRUE(sketch.ensure(100));
  for (int times = 0; times < 9; ++times) sketch.count(hashOf(1));
  sketch.count(hashOf(2));
  sketch.age();
  EXPECT_EQ(sketch.frequency(hashOf(1)), 4U);
  EXPECT_EQ(sketch.frequency(hashOf(2)), 0U);
}

TEST(FrequencySketch, GrowingKeepsWhatIsKnown) {
  FrequencySketch sketch;
  ASSERT_TRUE(sketch.ensure(100));
  for (std::uint32_t key = 0; key < 50; ++key) {
    for (std::uint32_t times = 0; times < key % 7; ++times) sketch.count(hashOf(key));
  }
  std::uint32_t before[50];
  for (std::uint32_t key = 0; key < 50; ++key) before[key] = sketch.frequency(hashOf(key));
  ASSERT_TRUE(sketch.ensure(1'234));
  EXPECT_GE(sketch.keys(), 1'234U);
  for (std::uint32_t key = 0; key < 50; ++key) EXPECT_EQ(sketch.frequency(hashOf(key)), before[key]);
}

TEST(FrequencySketch, TakesSevenBytesPerKeyAtMost) {
  const std::size_t before = test::allocatedBytes();
  FrequencySketch sketch;
  ASSERT_TRUE(sketch.ensure(1'000'000));
  EXPECT_LT(test::allocatedBytes() - before, std::size_t{7'000'000});
}

TEST(FrequencySketch, AFailedAllocationChangesNothing) {
  FrequencySketch sketch;
  {
    const test::FailingAllocations failing(0);
    EXPECT_FALSE(sketch.ensure(100));
    EXPECT_TRUE(sketch.empty());
  }
  ASSERT_TRUE(sketch.ensure(100));
  sketch.count(hashOf(1));
  const test::FailingAllocations failing(0);
  EXPECT_FALSE(sketch.ensure(10'000));
  EXPECT_EQ(sketch.frequency(hashOf(1)), 1U);
}

}  // namespace
}  // namespace tiercel::core
