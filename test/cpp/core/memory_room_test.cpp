// How room is made for large entries: a little at a time, by the least worthy entries of all parts of the tier.
#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "memory_samples.h"
#include "on_threads.h"
#include "thread_time.h"

namespace tiercel::test {
namespace {

using namespace core;

constexpr std::size_t kBudget = std::size_t{64} << 20;

std::string hotKey(int i) { return "hot:" + std::to_string(i); }

// Its content says of which key and version it is.
std::string textOf(const std::string& key, std::size_t size) {
  std::string text = key + "/" + std::to_string(size) + "/";
  while (text.size() < size) text.append(text, 0, size - text.size());
  return text;
}

TEST(MemoryRoom, ALargePutTakesABoundedTime) {
  for (const std::size_t large : {std::size_t{4} << 20, std::size_t{16} << 20, std::size_t{40} << 20}) {
    Tier tier({.maxBytes = kBudget});
    for (int i = 0; tier.stats().evictions == 0; ++i) tier.put(std::to_string(i), holding("small"), kAlways, 0);
    const std::string payload(large, 'x');
    bool kept = false;
    // What one call does not get done is done by a thread: it is waited for.
    const auto giveUp = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!kept && std::chrono::steady_clock::now() < giveUp) {
      const auto began = threadTime();
      kept = tier.put("large", holding(payload), kAlways, 0);
      // It took more than a second when the statistics were renewed for every eviction.
      EXPECT_LT(threadTime() - began, std::chrono::milliseconds(250));
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    EXPECT_TRUE(kept) << large;
    EXPECT_LE(tier.stats().bytes, kBudget);
  }
}

TEST(MemoryRoom, WhatIsAskedForOftenStaysWhenLargeOnesCome) {
  Tier tier({.maxBytes = kBudget});
  constexpr int kHot = 2000;
  const std::string payload(1000, 'h');
  for (int i = 0; i < kHot; ++i) tier.put(hotKey(i), holding(payload), kAlways, 0);
  // Each of them is in a chunk with others that nobody asks for.
  for (int i = 0; i < 80000; ++i) {
    tier.put("cold:" + std::to_string(i), holding(payload), kAlways, 0);
    tier.find(hotKey(i % kHot), 0);
  }
  int kept = 0;
  const auto giveUp = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  for (int i = 0; i < 200 || (kept <= 20 && std::chrono::steady_clock::now() < giveUp); ++i) {
    for (int j = 0; j < 100; ++j) tier.find(hotKey((i * 100 + j) % kHot), 0);
    const bool took = tier.put("large:" + std::to_string(i), holding(std::string(1 << 20, 'l')), kAlways, 0);
    kept += took ? 1 : 0;
    // Its room is being made by a thread.
    if (!took) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  EXPECT_GT(kept, 20);
  int there = 0;
  for (int i = 0; i < kHot; ++i) there += tier.peek(hotKey(i), 0) ? 1 : 0;
  EXPECT_GE(there, kHot * 95 / 100);
}

// Few large entries that are asked for once each take a large part of what goes through the tier. In order of recency
// they would drive out most of what is asked for again.
TEST(MemoryRoom, OneHitEntriesOfAnySizeLeaveTheHotOnes) {
  struct Stream {
    int largeOneIn;
    std::size_t size;
  };
  for (const Stream stream :
       {Stream{1000, 100'000}, Stream{100, 100'000}, Stream{100, 30'000}, Stream{20, 100'000}, Stream{10, 200'000}}) {
    Tier tier({.maxBytes = kBudget / 2});
    constexpr std::uint32_t kHot = 20'000;  // two thirds of the budget
    const std::string small(1000, 's');
    const std::string large(stream.size, 'l');
    std::mt19937 random(1);
    const auto ask = [&](const std::string& key, const std::string& payload) {
      if (tier.find(key, 0)) return true;
      tier.put(key, holding(payload), kAlways, 0);
      return false;
    };
    const auto askHot = [&] { return ask("hot:" + std::to_string(random() % kHot), small); };
    for (int i = 0; i < 60'000; ++i) ask("cold:" + std::to_string(i), small);
    for (std::uint32_t i = 0; i < 12 * kHot; ++i) askHot();
    int largeOnes = 0;
    int asked = 0;
    int hits = 0;
    for (int i = 0; i < 1'000'000; ++i) {
      if (random() % stream.largeOneIn == 0) {
        ask("large:" + std::to_string(largeOnes++), large);
      } else if (askHot()) {
        hits += i >= 800'000 ? 1 : 0;
      }
      asked += i >= 800'000 ? 1 : 0;
    }
    EXPECT_GT(static_cast<double>(hits) / asked * stream.largeOneIn / (stream.largeOneIn - 1), 0.9)
        << hits << " of " << asked << ", one in " << stream.largeOneIn << " of " << stream.size << " bytes";
  }
}

// Entries of all sizes, with tags and with hits that look at them, while chunks are emptied for others.
TEST(MemoryRoom, WhatMovesIsStillTheSame) {
  CountingChunks chunks;
  {
    Tier tier({.maxBytes = 8 << 20}, &chunks);
    const TagCell cell = tier.tags().acquire("tag");
    const TagMark mark = *tier.tags().mark(cell, 0);
    Random random(5);
    std::vector<std::pair<std::string, MemoryHit>> held;
    for (int i = 0; i < 40000; ++i) {
      const std::string key = std::to_string(below(random, 5000));
      const std::size_t size = below(random, 300) == 0 ? 100000 + below(random, 1000000) : 20 + below(random, 3000);
      PutOptions options;
      if (below(random, 2) == 0) options.tags = {&mark, 1};
      tier.put(key, holding(textOf(key, size)), {1000000 + i, 1000000 + i, 1000000 + i}, 0, options);
      const std::string asked = std::to_string(below(random, 5000));
      if (auto hit = tier.find(asked, 0)) {
        ASSERT_EQ(hit->entry.payload, textOf(asked, hit->entry.payload.size()));
        if (i % 50 == 0) held.emplace_back(asked, std::move(*hit));
      }
      if (held.size() > 30) held.erase(held.begin(), held.begin() + 10);
      for (const auto& [name, hit] : held) ASSERT_TRUE(hit.entry.payload.starts_with(name + "/"));
    }
    EXPECT_GT(tier.stats().entries, 100U);
    EXPECT_LE(static_cast<double>(chunks.most), 1.2 * (8 << 20));
    held.clear();
    // The wheel and the table know where everything is.
    tier.expire(2000000, SIZE_MAX);
    EXPECT_EQ(tier.stats().entries, 0U);
    tier.tags().release(cell);
  }
  EXPECT_EQ(chunks.mapped, 0U);
}

TEST(MemoryRoomThreads, AllPutLargeOnesAndReadThem) {
  Tier tier({.maxBytes = 16 << 20});
  onThreads(4, [&](int thread) {
    Random random(thread);
    for (int i = 0; i < 3000; ++i) {
      const std::string key = std::to_string(below(random, 3000));
      const std::size_t size = below(random, 60) == 0 ? 2000000 : 20 + below(random, 2000);
      tier.put(key, holding(textOf(key, size)), kAlways, 0);
      const std::string asked = std::to_string(below(random, 3000));
      const auto hit = tier.find(asked, 0);
      if (hit) {
        EXPECT_TRUE(hit->entry.payload.starts_with(asked + "/"));
      }
      if (i % 1000 == 999) tier.clear();
    }
  });
  EXPECT_LE(tier.stats().bytes, std::size_t{18} << 20);
}

}  // namespace
}  // namespace tiercel::test
