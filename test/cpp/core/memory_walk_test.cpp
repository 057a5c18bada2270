// Walks over all entries: once each, while others come and go.
#include <gtest/gtest.h>

#include <map>

#include "memory_samples.h"

namespace tiercel::test {
namespace {

using namespace core;

TEST(MemoryWalk, ShowsEveryEntryOnce) {
  for (const int entries : {0, 1, 100, 5000, 100000}) {
    Tier tier({.maxBytes = std::size_t{256} << 20});
    for (int i = 0; i < entries; ++i) tier.put(std::to_string(i), holding("v" + std::to_string(i)), kAlways, 0);
    std::map<std::string, int, std::less<>> seen;
    tier.forEach(
        [&](std::string_view key, const MemoryHit& hit) {
          EXPECT_EQ(hit.entry.payload, "v" + std::string(key));
          ++seen[std::string(key)];
          return true;
        },
        0);
    EXPECT_EQ(seen.size(), static_cast<std::size_t>(entries));
    for (const auto& [key, times] : seen) ASSERT_EQ(times, 1) << key;
  }
}

// The table grows to many times its size and shrinks again under the walk.
TEST(MemoryWalk, ShowsOnceWhatLivesThroughIt) {
  for (const bool growing : {true, false}) {
    Tier tier({.maxBytes = std::size_t{64} << 20});
    const auto key = [](const char* kind, int i) { return kind + std::to_string(i); };
    for (int i = 0; i < 2000; ++i) tier.put(key("stays", i), holding("v"), kAlways, 0);
    if (!growing) {
      for (int i = 0; i < 60000; ++i) tier.put(key("other", i), holding("v"), kAlways, 0);
    }
    std::map<std::string, int, std::less<>> seen;
    int changed = 0;
    tier.forEach(
        [&](std::string_view found, const MemoryHit&) {
          if (found.starts_with("stays")) ++seen[std::string(found)];
          for (int i = 0; i < 20 && changed < 60000; ++i, ++changed) {
            if (growing) {
              tier.put(key("other", changed), holding("v"), kAlways, 0);
            } else {
              tier.erase(key("other", changed));
            }
          }
          return true;
        },
        0);
    EXPECT_EQ(seen.size(), 2000U);
    for (const auto& [name, times] : seen) ASSERT_EQ(times, 1) << name;
  }
}

TEST(MemoryWalk, ShowsNoEntryThatIsNoHitAndEndsWhenTold) {
  Tier tier;
  const SourceId source = *tier.sources().open(kForever);
  tier.put("over", holding("v"), {5, 5, 5}, 0);
  tier.put("lost", holding("v"), kAlways, 0, {.source = source});
  tier.put("here", holding("v"), kAlways, 0);
  tier.put("there", holding("v"), kAlways, 0);
  tier.sources().lost(source);
  int shown = 0;
  const auto count = [&](std::string_view, const MemoryHit&) { return ++shown > 0; };
  tier.forEach(count, 6);
  EXPECT_EQ(shown, 2);
  shown = 0;
  tier.forEach([&](std::string_view, const MemoryHit&) { return ++shown < 1; }, 6);
  EXPECT_EQ(shown, 1);
}

TEST(MemoryWalk, EraseIfDropsWhatMatches) {
  Tier tier;
  for (int i = 0; i < 50000; ++i) tier.put((i % 5 == 0 ? "a:" : "b:") + std::to_string(i), holding("v"), kAlways, 0);
  EXPECT_EQ(tier.eraseIf([](std::string_view key) { return key.starts_with("b:"); }), 40000U);
  EXPECT_EQ(tier.stats().entries, 10000U);
  EXPECT_EQ(tier.stats().deletes, 40000U);
  EXPECT_TRUE(tier.find("a:5", 0));
  EXPECT_FALSE(tier.find("b:6", 0));
  EXPECT_EQ(tier.eraseIf([](std::string_view) { return true; }), 10000U);
  EXPECT_EQ(tier.stats().bytes, 0U);
}

// What was there before the first step is gone after the last, whatever comes and goes in between.
TEST(MemoryWalk, EraseSomeMissesNothingWhileTheTableChanges) {
  for (const bool growing : {true, false}) {
    Tier tier({.maxBytes = std::size_t{64} << 20});
    const auto key = [](const char* kind, int i) { return kind + std::to_string(i); };
    for (int i = 0; i < 3000; ++i) tier.put(key("gone", i), holding("v"), kAlways, 0);
    if (!growing) {
      for (int i = 0; i < 60000; ++i) tier.put(key("other", i), holding("v"), kAlways, 0);
    }
    const Ticket ticket = tier.ticket("gone1");
    std::size_t dropped = 0;
    std::size_t steps = 0;
    int changed = 0;
    for (std::uint64_t cursor = 0; cursor != MemoryTier::kEndOfWalk; ++steps) {
      const std::size_t before = dropped;
      cursor = tier.eraseSome(
          cursor, [](std::string_view found) { return found.starts_with("gone"); }, dropped);
      // A lock is held for so many only.
      EXPECT_LE(dropped - before, 1500U);
      EXPECT_FALSE(tier.put("gone1", holding("late"), kAlways, 0, {.ticket = ticket}));
      for (int i = 0; i < 2000 && changed < 60000; ++i, ++changed) {
        if (growing) {
          tier.put(key("other", changed), holding("v"), kAlways, 0);
        } else {
          tier.erase(key("other", changed));
        }
      }
    }
    EXPECT_EQ(dropped, 3000U);
    EXPECT_GT(steps, 8U);
    for (int i = 0; i < 3000; ++i) ASSERT_FALSE(tier.peek(key("gone", i), 0));
  }
}

}  // namespace
}  // namespace tiercel::test
