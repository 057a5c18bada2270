// The tiers of a process: one per name for all threads, gone with the last holder.
#include "core/shared_tiers.h"

#include <gtest/gtest.h>

#include <atomic>
#include <vector>

#include "allocations.h"
#include "on_threads.h"

namespace tiercel::test {
namespace {

using namespace core;

constexpr Deadlines kAlways{kForever, kForever, kForever};

std::shared_ptr<ProcessTier> open(const std::string& name, const TierOptions& options = {}) {
  std::optional<TierOptions> conflicting;
  auto tier = openTier(name, options, conflicting);
  EXPECT_EQ(tier == nullptr, conflicting.has_value());
  return tier;
}

TEST(SharedTiers, OneTierPerName) {
  const auto tier = open("a");
  EXPECT_EQ(open("a"), tier);
  EXPECT_NE(open("b"), tier);
  Entry entry;
  entry.payload = "value";
  ASSERT_TRUE(tier->memory.put("k", entry, kAlways, 0));
  EXPECT_EQ(open("a")->memory.peek("k", 0)->entry.payload, "value");
}

TEST(SharedTiers, GoneWithItsLastHolder) {
  auto one = open("a");
  auto two = open("a");
  const std::weak_ptr<ProcessTier> watched = one;
  EXPECT_EQ(openTierCount(), 1U);
  one.reset();
  EXPECT_EQ(openTierCount(), 1U);
  two.reset();
  EXPECT_TRUE(watched.expired());
  EXPECT_EQ(openTierCount(), 0U);
  EXPECT_FALSE(open("a")->memory.peek("k", 0));
}

TEST(SharedTiers, OtherOptionsAreAConflict) {
  const TierOptions options{.memory = {.maxBytes = 1 << 20, .maxEntryBytes = 1000, .maxEntries = 5},
                            .standalone = true};
  const auto tier = open("a", options);
  EXPECT_EQ(tier->options, options);
  std::vector<TierOptions> others(4, options);
  others[0].memory.maxBytes += 1;
  others[1].memory.maxEntryBytes += 1;
  others[2].memory.maxEntries += 1;
  others[3].standalone = false;
  std::optional<TierOptions> conflicting;
  for (const TierOptions& other : others) {
    EXPECT_EQ(openTier("a", other, conflicting), nullptr);
    EXPECT_EQ(conflicting, options);
  }
  EXPECT_EQ(openTier("a", options, conflicting), tier);
  EXPECT_FALSE(conflicting);
}

TEST(SharedTiers, OtherOptionsAreWelcomeAfterTheLastHolder) {
  open("a", {.memory = {.maxBytes = 1 << 20}});
  EXPECT_EQ(open("a", {.memory = {.maxBytes = 2 << 20}})->options.memory.maxBytes, 2U << 20);
}

TEST(SharedTiers, StandaloneTiersKnowTheirTags) {
  const auto alone = open("alone", {.standalone = true});
  const auto redis = open("redis", {.standalone = false});
  EXPECT_TRUE(alone->tags.mark(alone->tags.acquire("tag"), 0));
  EXPECT_FALSE(redis->tags.mark(redis->tags.acquire("tag"), 0));
}

TEST(SharedTiers, WhenTheNumbersOfSourcesRunOutAllIsForgotten) {
  const auto tier = open("a");
  Entry entry;
  entry.payload = "value";
  const SourceId first = *tier->openSource(kForever);
  ASSERT_TRUE(tier->memory.put("k", entry, kAlways, 0, {.source = first}));
  const TagCell cell = tier->tags.acquire("tag");
  ASSERT_TRUE(tier->tags.learn(cell, Stamp{}, first, tier->tags.ticket(cell)));
  const TagMark mark = *tier->tags.mark(cell, 0);
  for (int i = 1; i < 65535; ++i) tier->sources.lost(*tier->openSource(kForever));
  EXPECT_TRUE(tier->tags.valid(mark, 0));
  EXPECT_TRUE(tier->memory.peek("k", 0));
  tier->sources.lost(first);
  // Whoever gets the number of the first one now vouches for nothing that the first one said.
  EXPECT_EQ(tier->openSource(kForever), first);
  EXPECT_FALSE(tier->tags.valid(mark, 0));
  EXPECT_FALSE(tier->memory.peek("k", 0));
  EXPECT_TRUE(tier->openSource(kForever));
}

TEST(SharedTiers, WithoutMemoryNothingIsOpened) {
  const std::string name = "a name that is long enough to be on the heap";
  int failures = 0;
  for (int successes = 0; successes < 1000; ++successes) {
    std::shared_ptr<ProcessTier> tier;
    bool failed = false;
    {
      const FailingAllocations failing(successes);
      std::optional<TierOptions> conflicting;
      try {
        tier = openTier(name, {}, conflicting);
      } catch (const std::bad_alloc&) {
        failed = true;
      }
    }
    ASSERT_EQ(tier == nullptr, failed);
    ASSERT_EQ(openTierCount(), failed ? 0U : 1U);
    if (!failed) break;
    ++failures;
  }
  EXPECT_GE(failures, 3);
}

// A tier that dies must not take the name from one that was opened meanwhile.
TEST(SharedTiers, ClosingRacesWithOpening) {
  std::atomic<int> wrong{0};
  onThreads(4, [&](int) {
    for (int i = 0; i < 2000; ++i) {
      const auto tier = open("a");
      for (int again = 0; again < 4; ++again) {
        if (open("a") != tier) ++wrong;
      }
    }
  });
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(openTierCount(), 0U);
}

TEST(SharedTiers, ThreadsOpenAndCloseTheSameName) {
  std::atomic<int> wrong{0};
  onThreads(kThreads, [&](int index) {
    for (int i = 0; i < 300; ++i) {
      const TierOptions options{.memory = {.maxBytes = std::size_t{1} << (20 + i % 2)}};
      std::optional<TierOptions> conflicting;
      const auto tier = openTier("a", options, conflicting);
      if ((tier == nullptr) != conflicting.has_value()) ++wrong;
      if (tier && tier->options != options) ++wrong;
      if (tier && openTier("a", options, conflicting) != tier) ++wrong;
      if (i % 3 == 0) open(std::to_string(index));
    }
  });
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(openTierCount(), 0U);
}

}  // namespace
}  // namespace tiercel::test
