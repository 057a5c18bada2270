#include "core/memory/eviction.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <random>
#include <vector>

#include "allocations.h"
#include "eviction_fixture.h"

namespace tiercel::core {
namespace {

using test::Entries;
using test::KeyCache;

// Drops everything: each resident slot must come out once, and nothing else.
void drain(Entries& entries, Eviction<Entries>& eviction, std::size_t resident) {
  for (; resident > 0; --resident) {
    const Slot victim = eviction.victim(kNoSlot);
    ASSERT_NE(victim, kNoSlot);
    ASSERT_TRUE(entries.all[victim].resident);
    eviction.removed(victim);
    entries.all[victim].resident = false;
  }
  EXPECT_EQ(eviction.victim(kNoSlot), kNoSlot);
}

TEST(Eviction, HasNoVictimWhenEmpty) {
  Entries entries(1);
  Eviction<Entries> eviction(entries);
  eviction.setCapacity(10);
  EXPECT_EQ(eviction.victim(kNoSlot), kNoSlot);
}

TEST(Eviction, KeepsTheOneThatMustStay) {
  Entries entries(2);
  Eviction<Entries> eviction(entries);
  eviction.setCapacity(2);
  eviction.added(0);
  EXPECT_EQ(eviction.victim(0), kNoSlot);
  eviction.added(1);
  EXPECT_EQ(eviction.victim(0), 1U);
  EXPECT_EQ(eviction.victim(1), 0U);
}

TEST(Eviction, IsLruUntilItKnowsBetter) {
  Entries entries(4);
  Eviction<Entries> eviction(entries);
  eviction.setCapacity(100);
  for (Slot slot = 0; slot < 4; ++slot) eviction.added(slot);
  eviction.touched(0);
  EXPECT_EQ(eviction.victim(kNoSlot), 1U);
}

// Against a model that knows what is resident: adds, hits, replacements of other sizes, removals, evictions down to the
// capacity with and without a protected slot, and other capacities.
TEST(Eviction, AMillionRandomStepsKeepTheListsWhole) {
  constexpr std::size_t kSlots = 3'000;
  Entries entries(kSlots);
  Eviction<Entries> eviction(entries);
  std::mt19937 random(1);
  std::size_t capacity = 200'000;
  std::size_t weight = 0;
  std::size_t resident = 0;
  eviction.setCapacity(capacity);
  const auto weightAtRandom = [&] { return random() % 50 == 0 ? 20'000 + random() % 50'000 : 100 + random() % 300; };
  const auto drop = [&](Slot slot) {
    eviction.removed(slot);
    entries.all[slot].resident = false;
    weight -= entries.all[slot].weight;
    --resident;
  };
  for (int step = 0; step < 1'000'000; ++step) {
    const auto slot = static_cast<Slot>(std::min(random() % kSlots, random() % kSlots));
    Entries::One& entry = entries.all[slot];
    Slot keep = kNoSlot;
    if (!entry.resident) {
      entry = {.node = {}, .weight = weightAtRandom(), .hash = Entries::hashOf(random() % 10'000), .resident = true};
      weight += entry.weight;
      ++resident;
      eviction.added(slot);
      if (random() % 2 == 0) keep = slot;
    } else if (random() % 20 == 0) {
      drop(slot);
    } else if (random() % 20 == 0) {
      drop(slot);
      entry = {.node = {}, .weight = weightAtRandom(), .hash = entry.hash, .resident = true};
      weight += entry.weight;
      ++resident;
      eviction.added(slot);
      keep = slot;
    } else {
      eviction.touched(slot);
    }
    if (step % 100'000 == 99'999) eviction.setCapacity(capacity = 50'000 + random() % 400'000);
    while (weight > capacity) {
      const Slot victim = eviction.victim(keep);
      if (victim == kNoSlot) break;
      ASSERT_NE(victim, keep);
      ASSERT_TRUE(entries.all[victim].resident);
      drop(victim);
    }
    ASSERT_TRUE(weight <= capacity || resident == 1);
    if (step % 250'000 == 249'999) {
      drain(entries, eviction, resident);
      weight = resident = 0;
    }
  }
}

TEST(Eviction, ALargeEntryHasToBeWorthAllThatWouldLeaveForIt) {
  Entries entries(2'000);
  Eviction<Entries> eviction(entries);
  std::size_t weight = 0;
  eviction.setCapacity(1'000);
  const auto put = [&](Slot slot) {
    entries.all[slot].resident = true;
    weight += entries.all[slot].weight;
    eviction.added(slot);
    while (weight > 1'000) {
      const Slot victim = eviction.victim(kNoSlot);
      eviction.removed(victim);
      entries.all[victim].resident = false;
      weight -= entries.all[victim].weight;
    }
  };
  // A loop: the window has become small.
  for (int round = 0; round < 40; ++round) {
    for (Slot slot = 0; slot < 1'300; ++slot) {
      if (entries.all[slot].resident) {
        eviction.touched(slot);
      } else {
        put(slot);
      }
    }
  }
  std::size_t before = 0;
  for (Slot slot = 0; slot < 1'300; ++slot) before += entries.all[slot].resident ? 1 : 0;
  entries.all[1'900].weight = 500;
  for (int times = 0; times < 20; ++times) {
    if (!entries.all[1'900].resident) put(1'900);
  }
  std::size_t after = 0;
  for (Slot slot = 0; slot < 1'300; ++slot) after += entries.all[slot].resident ? 1 : 0;
  EXPECT_GE(before, 900U);
  EXPECT_GE(after + 50, before);
}

TEST(Eviction, ClearForgetsEverything) {
  KeyCache cache(5'000, 500);
  for (std::uint32_t key = 0; key < 5'000; ++key) cache.ask(key);
  cache.clear();
  for (std::uint32_t key = 0; key < 500; ++key) EXPECT_FALSE(cache.ask(key));
  for (std::uint32_t key = 0; key < 500; ++key) EXPECT_TRUE(cache.ask(key));
}

TEST(Eviction, WithoutMemoryItIsLru) {
  KeyCache cache(2'000, 300);
  test::LruCache lru(300);
  std::mt19937 random(2);
  std::vector<std::uint32_t> keys(20'000);
  for (std::uint32_t& key : keys) key = std::min({random() % 2'000, random() % 2'000, random() % 2'000});
  std::vector<bool> expected;
  expected.reserve(keys.size());
  for (const std::uint32_t key : keys) expected.push_back(lru.ask(key));
  const test::FailingAllocations failing(0);
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (cache.ask(keys[i]) != expected[i]) FAIL() << "access " << i;
  }
  EXPECT_TRUE(failing.failed());
}

TEST(Eviction, WorksWhereverMemoryEnds) {
  for (int successes = 1; successes < 25; ++successes) {
    KeyCache cache(2'000, 300);
    std::size_t hits = 0;
    {
      const test::FailingAllocations failing(successes);
      for (std::uint32_t i = 0; i < 20'000; ++i) hits += cache.ask(i * i % 1'999 % (i % 7 * 200 + 20)) ? 1 : 0;
    }
    EXPECT_GT(hits, 5'000U) << successes;
  }
}

// Far fewer entries than the statistics were made for: they are made anew.
TEST(Eviction, WithoutMemoryForFewerEntriesItIsLruAgain) {
  Entries entries(3'000);
  Eviction<Entries> eviction(entries);
  std::size_t capacity = 1'000;
  std::size_t used = 0;
  eviction.setCapacity(capacity);
  const auto put = [&](Slot slot) {
    entries.all[slot].resident = true;
    ++used;
    eviction.added(slot);
    while (used > capacity) {
      const Slot victim = eviction.victim(kNoSlot);
      eviction.removed(victim);
      entries.all[victim].resident = false;
      --used;
    }
  };
  for (int i = 0; i < 100'000; ++i) {
    const auto slot = static_cast<Slot>(i % 1'500);
    if (entries.all[slot].resident) {
      eviction.touched(slot);
    } else {
      put(slot);
    }
  }
  for (Slot slot = 2'000; slot < 2'100; ++slot) put(slot);
  EXPECT_FALSE(entries.all[2'000].resident) << "the loop should have made the window small";

  bool failed = false;
  {
    const test::FailingAllocations failing(0);
    eviction.setCapacity(capacity = 100);
    for (Slot slot = 2'200; slot < 2'400; ++slot) put(slot);
    failed = failing.failed();
  }
  EXPECT_TRUE(failed);
  for (Slot slot = 2'300; slot < 2'400; ++slot) EXPECT_TRUE(entries.all[slot].resident) << slot;
}

TEST(Eviction, TakesNoMemoryBeforeItIsHalfFull) {
  KeyCache cache(1'000, 1'000);
  const std::size_t before = test::allocatedBytes();
  for (std::uint32_t key = 0; key < 500; ++key) cache.ask(key);
  EXPECT_EQ(test::allocatedBytes(), before);
}

TEST(Eviction, TakesEightBytesPerEntry) {
  KeyCache cache(500'000, 500'000);
  const std::size_t before = test::allocatedBytes();
  for (std::uint32_t key = 0; key < 500'000; ++key) cache.ask(key);
  EXPECT_LT(test::allocatedBytes() - before, std::size_t{500'000} * 8);
}

}  // namespace
}  // namespace tiercel::core
