// How many hits Eviction gives beside LRU, on access patterns that are hard on one or the other.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>
#include <utility>
#include <vector>

#include "eviction_fixture.h"

namespace tiercel::test {
namespace {

using Keys = std::vector<std::uint32_t>;

struct Ratios {
  double lru;
  double ours;
};

Ratios ratiosOf(const Keys& keys, std::size_t capacity, bool roomFirst = false) {
  KeyCache cache(*std::max_element(keys.begin(), keys.end()) + 1, capacity);
  LruCache lru(capacity);
  double hits = 0;
  double hitsOfLru = 0;
  for (const std::uint32_t key : keys) {
    hits += cache.ask(key, roomFirst) ? 1 : 0;
    hitsOfLru += lru.ask(key) ? 1 : 0;
  }
  return {.lru = hitsOfLru / static_cast<double>(keys.size()), .ours = hits / static_cast<double>(keys.size())};
}

// Few keys are asked for often. `power` 1: all alike.
std::uint32_t popular(std::mt19937& random, std::uint32_t keys, double power) {
  return static_cast<std::uint32_t>(keys * std::pow(static_cast<double>(random()) / 4294967296.0, power));
}

Keys popularKeys(std::size_t count) {
  std::mt19937 random(3);
  Keys keys(count);
  for (std::uint32_t& key : keys) key = popular(random, 5'000, 4);
  return keys;
}

// A key has a short life with a few accesses, and never comes again.
Keys shortLives(std::size_t count) {
  std::mt19937 random(4);
  Keys live(600);
  std::uint32_t next = 0;
  for (std::uint32_t& key : live) key = next++;
  Keys keys(count);
  for (std::uint32_t& key : keys) {
    std::uint32_t& one = live[random() % live.size()];
    key = one;
    if (random() % 4 == 0) one = next++;
  }
  return keys;
}

Keys loop(std::size_t count, std::uint32_t length) {
  Keys keys(count);
  for (std::size_t i = 0; i < count; ++i) keys[i] = static_cast<std::uint32_t>(i % length);
  return keys;
}

TEST(EvictionHits, ALoopBeyondTheCapacity) {
  for (const bool roomFirst : {false, true}) {
    const Ratios ratios = ratiosOf(loop(200'000, 1'000), 700, roomFirst);
    EXPECT_EQ(ratios.lru, 0);
    EXPECT_GT(ratios.ours, 0.6) << roomFirst;
  }
}

// The sample of the trials may well have fewer keys than its share of the capacity.
TEST(EvictionHits, ALoopJustBeyondTheCapacity) {
  for (const std::uint32_t length : {1'005U, 1'011U, 1'020U}) {
    EXPECT_GT(ratiosOf(loop(100'000, length), 1'000).ours, 0.8) << length;
  }
}

TEST(EvictionHits, PopularKeysStay) {
  for (const bool roomFirst : {false, true}) {
    for (const std::size_t capacity : {10, 100, 1'000}) {
      const Ratios ratios = ratiosOf(popularKeys(100'000), capacity, roomFirst);
      EXPECT_GT(ratios.ours, ratios.lru + 0.04) << capacity << roomFirst;
    }
  }
}

TEST(EvictionHits, AScanDoesNotWashOutPopularKeys) {
  KeyCache cache(50'000, 500);
  std::mt19937 random(5);
  for (int i = 0; i < 50'000; ++i) cache.ask(popular(random, 5'000, 4));
  const auto hottest = [&] {
    int resident = 0;
    for (std::uint32_t key = 0; key < 100; ++key) resident += cache.has(key) ? 1 : 0;
    return resident;
  };
  EXPECT_GT(hottest(), 95);
  for (std::uint32_t key = 10'000; key < 14'000; ++key) cache.ask(key);
  EXPECT_GT(hottest(), 85);
}

TEST(EvictionHits, NotUnderLruWhereRecencyIsEverything) {
  for (const std::size_t capacity : {10, 100, 500, 1'000}) {
    const Ratios ratios = ratiosOf(shortLives(200'000), capacity);
    EXPECT_GT(ratios.ours, ratios.lru - 0.005) << capacity;
  }
}

TEST(EvictionHits, NotUnderLruWhereEverythingFits) {
  const Ratios ratios = ratiosOf(loop(100'000, 1'000), 1'000);
  EXPECT_EQ(ratios.ours, ratios.lru);
}

TEST(EvictionHits, ChangesItsMindWithThePattern) {
  Keys keys = loop(100'000, 1'000);
  for (const std::uint32_t key : shortLives(100'000)) keys.push_back(key + 1'000);
  const Keys second(keys.begin() + 100'000, keys.end());
  const Ratios both = ratiosOf(keys, 700);
  const Ratios alone = ratiosOf(second, 700);
  EXPECT_GT(both.ours, 0.3 + alone.lru / 2 - 0.02);
}

TEST(EvictionHits, AVerySmallCacheWorks) {
  for (const std::size_t capacity : {1, 2, 3, 5}) {
    const Ratios ratios = ratiosOf(popularKeys(50'000), capacity);
    EXPECT_GT(ratios.ours, ratios.lru - 0.005) << capacity;
  }
}

}  // namespace
}  // namespace tiercel::test
