// Least recently used, against a list that is kept the simple way.
#include "core/lru_policy.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <list>

#include "samples.h"

namespace tiercel::test {
namespace {

using namespace core;

TEST(LruPolicy, NamesTheOldestAndNeverTheOneToKeep) {
  LruPolicy policy;
  EXPECT_EQ(policy.victim(kNoSlot), kNoSlot);
  policy.added(0, 0, 1);
  EXPECT_EQ(policy.victim(kNoSlot), 0U);
  EXPECT_EQ(policy.victim(0), kNoSlot);
  policy.added(5, 0, 1);
  EXPECT_EQ(policy.victim(kNoSlot), 0U);
  EXPECT_EQ(policy.victim(0), 5U);
  policy.touched(0);
  EXPECT_EQ(policy.victim(kNoSlot), 5U);
  policy.removed(5);
  EXPECT_EQ(policy.victim(kNoSlot), 0U);
  policy.clear();
  EXPECT_EQ(policy.victim(kNoSlot), kNoSlot);
}

TEST(LruPolicy, IsTheOrderOfAList) {
  constexpr Slot kSlots = 3000;  // several chunks
  Random random(1);
  LruPolicy policy;
  std::list<Slot> order;  // oldest first
  std::vector<bool> known(kSlots);
  for (int i = 0; i < 60000; ++i) {
    const auto slot = static_cast<Slot>(below(random, kSlots));
    switch (below(random, 4)) {
      case 0:
        if (known[slot]) continue;
        policy.added(slot, random(), 1);
        order.push_back(slot);
        known[slot] = true;
        break;
      case 1:
        if (!known[slot]) continue;
        policy.touched(slot);
        order.remove(slot);
        order.push_back(slot);
        break;
      case 2:
        if (known[slot]) policy.resized(slot, random());
        break;
      default: {
        const Slot victim = policy.victim(kNoSlot);
        ASSERT_EQ(victim, order.empty() ? kNoSlot : order.front());
        if (victim == kNoSlot) continue;
        ASSERT_EQ(policy.victim(victim), order.size() < 2 ? kNoSlot : *std::next(order.begin()));
        if (below(random, 2) == 0) continue;
        policy.removed(victim);
        order.pop_front();
        known[victim] = false;
      }
    }
  }
}

}  // namespace
}  // namespace tiercel::test
