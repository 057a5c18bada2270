// MemoryTier::eraseAndRenew: one who knows of a change keeps the right to put; nobody else does.
#include <gtest/gtest.h>

#include <atomic>
#include <string>

#include "memory_samples.h"
#include "on_threads.h"

namespace tiercel::test {
namespace {

using namespace core;

bool put(Tier& tier, std::string_view key, std::string_view payload, Ticket ticket) {
  return tier.put(key, holding(payload), kAlways, 0, {.ticket = ticket});
}

TEST(MemoryRenew, RenewsAGoodTicketAndErases) {
  Tier tier;
  ASSERT_TRUE(tier.put("a", holding("old"), kAlways, 0));
  const Ticket held = tier.ticket("a");
  const Ticket renewed = tier.eraseAndRenew("a", held);
  EXPECT_EQ(payloadOf(tier, "a"), "(miss)");
  EXPECT_NE(renewed, held);
  EXPECT_EQ(renewed, tier.ticket("a"));
  EXPECT_FALSE(put(tier, "a", "old", held)) << "for everybody else it is news";
  EXPECT_EQ(payloadOf(tier, "a"), "(miss)");
  EXPECT_TRUE(put(tier, "a", "new", renewed));
  EXPECT_EQ(payloadOf(tier, "a"), "new");
  EXPECT_EQ(tier.stats().deletes, 1U);
}

TEST(MemoryRenew, WorksWithoutAnEntryAndAgain) {
  Tier tier;
  Ticket ticket = tier.ticket("a");
  for (int i = 0; i < 5; ++i) ticket = tier.eraseAndRenew("a", ticket);
  EXPECT_EQ(tier.stats().deletes, 0U);
  EXPECT_TRUE(put(tier, "a", "value", ticket));
}

TEST(MemoryRenew, ABadTicketStaysBad) {
  Tier tier;
  const auto voided = [&](auto change) {
    const Ticket held = tier.ticket("a");
    change();
    const Ticket bad = tier.eraseAndRenew("a", held);
    EXPECT_NE(bad, tier.ticket("a"));
    EXPECT_FALSE(put(tier, "a", "value", bad));
    EXPECT_FALSE(put(tier, "a", "value", tier.eraseAndRenew("a", bad))) << "however often";
    EXPECT_EQ(payloadOf(tier, "a"), "(miss)");
  };
  voided([&] { tier.erase("a"); });
  voided([&] { tier.clear(); });
  voided([&] { tier.eraseIf([](std::string_view) { return false; }); });
  voided([&] { tier.put("a", holding("theirs"), kAlways, 0); });
  voided([&] { (void)tier.eraseAndRenew("a", tier.ticket("a")); });
}

TEST(MemoryRenew, ARenewedTicketIsVoidedLikeAnyOther) {
  Tier tier;
  const Ticket renewed = tier.eraseAndRenew("a", tier.ticket("a"));
  tier.erase("a");
  EXPECT_FALSE(put(tier, "a", "value", renewed));
}

// Of two that hold a good one, the other's is void: it was not the one who knew.
TEST(MemoryRenew, RenewsForOneOnly) {
  Tier tier;
  const Ticket ours = tier.ticket("a");
  const Ticket theirs = tier.ticket("a");
  const Ticket renewed = tier.eraseAndRenew("a", ours);
  EXPECT_FALSE(put(tier, "a", "theirs", theirs));
  EXPECT_TRUE(put(tier, "a", "ours", renewed));
}

// Renewed in the same step: an erase of another thread is before it, and the ticket was bad, or behind it, and the
// ticket is. Were it two steps, an erase between them would be lost.
TEST(MemoryRenew, LosesNoEraseOfAnotherThread) {
  Tier tier;
  constexpr int kRounds = 20000;
  std::atomic<int> begun{0};
  std::atomic<int> erased{0};
  std::atomic<int> late{0};
  onThreads(2, [&](int thread) {
    for (int round = 1; round <= kRounds; ++round) {
      if (thread == 0) {
        Ticket ticket = tier.ticket("a");
        begun = round;
        // Until the erase is known to be over: what is put behind it with this ticket would be a lost erase.
        while (erased != round) ticket = tier.eraseAndRenew("a", ticket);
        if (put(tier, "a", "value", ticket)) ++late;
      } else {
        while (begun != round) {
        }
        tier.erase("a");
        erased = round;
      }
    }
  });
  EXPECT_EQ(late, 0);
}

}  // namespace
}  // namespace tiercel::test
