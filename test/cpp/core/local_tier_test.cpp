// The cache without Redis: several LocalTier on the tables of one process, as its threads have them.
#include "core/local_tier.h"

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/shared_tiers.h"
#include "on_threads.h"

namespace tiercel::test {
namespace {

using namespace core;
using Kind = Found::Kind;
using Tags = std::vector<std::string>;

constexpr Millis kLease = 1000;

Entry entryOf(std::string_view payload) {
  Entry entry;
  entry.freshFor = 60000;
  entry.staleFor = 70000;
  entry.keepFor = 80000;
  entry.payload = payload;
  return entry;
}

class Listener final : public LeaseListener {
 public:
  void onLeaseEnded(std::uint64_t ticket) noexcept override {
    const std::lock_guard lock(mutex_);
    told_.insert(ticket);
  }
  std::size_t told(std::uint64_t ticket) {
    const std::lock_guard lock(mutex_);
    return told_.count(ticket);
  }

 private:
  std::mutex mutex_;
  std::multiset<std::uint64_t> told_;
};

// What the clock of this thread says.
Millis& threadTime() {
  thread_local Millis time = 0;
  return time;
}

// One thread's view.
struct Side {
  explicit Side(ProcessTier& shared, Tags namespaces = {"n"})
      : tier(shared.memory, shared.tags, shared.leases, std::move(namespaces), listener, [] { return threadTime(); }) {}

  Found acquire(std::string_view key, Millis now = 0, const Tags& tags = {}, std::uint64_t ticket = 0) {
    return foundAt(now, [&] { return tier.acquire(key, {.leaseFor = kLease, .tags = tags, .ticket = ticket}); });
  }
  Found refresh(std::string_view key, Millis now = 0, std::uint64_t ticket = 0) {
    return foundAt(now, [&] { return tier.refresh(key, {.leaseFor = kLease, .ticket = ticket}); });
  }
  LeaseNumber leased(std::string_view key, Millis now = 0, const Tags& tags = {}) {
    const Found found = acquire(key, now, tags);
    EXPECT_EQ(found.kind, Kind::kLeased);
    EXPECT_EQ(found.left, kLease);
    return found.lease;
  }
  bool load(std::string_view key, std::string_view payload, Millis now = 0, const Tags& tags = {}) {
    return fill(leased(key, now, tags), entryOf(payload), now);
  }
  bool fill(LeaseNumber lease, const Entry& entry, Millis now) {
    return doneAt(now, [&] { return tier.fill(lease, entry); });
  }
  // failure: nullopt for nothing to tell.
  bool giveUp(LeaseNumber lease, std::optional<std::string_view> failure, Millis now, Millis holdOff) {
    Entry told;
    told.flags = entry_flags::kFailure;
    told.payload = failure.value_or("");
    return doneAt(now, [&] { return tier.giveUp(lease, failure ? &told : nullptr, holdOff); });
  }
  bool held(LeaseNumber lease, Millis now) {
    return doneAt(now, [&] { return tier.held(lease); });
  }
  bool addTags(LeaseNumber lease, const Tags& tags) { return tier.addTags(lease, tags) == Tier::Tagging::kAdded; }
  bool write(std::string_view key, const Entry& entry, const Tags& tags) {
    return doneAt(0, [&] { return tier.write(key, entry, tags); });
  }
  bool remove(std::string_view key) {
    return doneAt(0, [&] { return tier.remove(key); });
  }
  bool soften(std::string_view key, Millis now) {
    return doneAt(now, [&] { return tier.soften(key); });
  }
  void invalidateTags(const Tags& names) { tier.invalidateTags(names); }
  std::size_t removeIf(const std::function<bool(std::string_view)>& matches) {
    std::size_t dropped = 0;
    for (std::uint64_t cursor = 0; cursor != MemoryTier::kEndOfWalk;)
      cursor = tier.removeSome(cursor, matches, dropped);
    return dropped;
  }

  template <class Operation>
  Found foundAt(Millis now, Operation operation) {
    threadTime() = now;
    const Answer answer = operation();
    return answer.found() != nullptr ? *answer.found() : Found{};
  }
  template <class Operation>
  bool doneAt(Millis now, Operation operation) {
    threadTime() = now;
    const Answer answer = operation();
    return answer.number() != nullptr && *answer.number() != 0;
  }

  std::shared_ptr<Listener> listener = std::make_shared<Listener>();
  LocalTier tier;
};

struct LocalTierTest : testing::Test {
  ProcessTier shared{TierOptions{.memory = {}, .standalone = true}};
  Side a{shared};
  Side b{shared};

  std::string kept(std::string_view key, Millis now = 0) {
    const auto hit = shared.memory.peek(key, now);
    return hit ? std::string(hit->entry.payload) : "(nothing)";
  }
};

TEST_F(LocalTierTest, OneLoadsAndTheOtherIsTold) {
  const LeaseNumber lease = a.leased("k");
  const Found busy = b.acquire("k", 300, {}, 7);
  EXPECT_EQ(busy.kind, Kind::kBusy);
  EXPECT_EQ(busy.left, kLease - 300);
  EXPECT_EQ(busy.lease, 0U);
  EXPECT_EQ(b.listener->told(7), 0U);
  EXPECT_TRUE(a.held(lease, 0));
  EXPECT_TRUE(a.fill(lease, entryOf("value"), 400));
  EXPECT_EQ(b.listener->told(7), 1U);
  EXPECT_EQ(kept("k", 400), "value");
  EXPECT_EQ(kept("k", 80400), "(nothing)");
  EXPECT_FALSE(a.held(lease, 0));
  EXPECT_FALSE(a.fill(lease, entryOf("again"), 500)) << "a lease ends once";
  EXPECT_EQ(kept("k", 500), "value");
}

// Filled between the look at memory that led here and the lease.
TEST_F(LocalTierTest, WhatIsFreshIsNotLoadedAgain) {
  ASSERT_TRUE(a.load("k", "value"));
  EXPECT_EQ(b.acquire("k").kind, Kind::kAgain);
  EXPECT_EQ(shared.leases.size(), 0U);
  EXPECT_EQ(b.acquire("k", 60000).kind, Kind::kLeased) << "stale by now";
}

TEST_F(LocalTierTest, ARefreshLooksOnlyAtLeases) {
  ASSERT_TRUE(a.load("k", "old"));
  const Found found = a.refresh("k");
  ASSERT_EQ(found.kind, Kind::kLeased);
  EXPECT_EQ(b.refresh("k", 0, 3).kind, Kind::kBusy);
  EXPECT_EQ(kept("k"), "old");
  EXPECT_TRUE(a.fill(found.lease, entryOf("new"), 10));
  EXPECT_EQ(kept("k", 10), "new");
  EXPECT_EQ(b.listener->told(3), 1U);
}

TEST_F(LocalTierTest, WhateverOvertakesALoadFencesItsFill) {
  const std::pair<const char*, std::function<void()>> cases[] = {
      {"remove", [&] { b.remove("k"); }},
      {"write", [&] { b.write("k", entryOf("theirs"), {}); }},
      {"soften", [&] { b.soften("k", 0); }},
      {"removeIf", [&] { b.removeIf([](std::string_view key) { return key == "k"; }); }},
  };
  for (const auto& [name, overtake] : cases) {
    a.remove("k");
    const LeaseNumber lease = a.leased("k");
    EXPECT_EQ(b.acquire("k", 0, {}, 9).kind, Kind::kBusy) << name;
    const std::size_t before = b.listener->told(9);
    overtake();
    EXPECT_EQ(b.listener->told(9), before + 1) << name << ": who waits looks again";
    EXPECT_FALSE(a.held(lease, 0)) << name;
    EXPECT_FALSE(a.fill(lease, entryOf("old"), 0)) << name;
    EXPECT_EQ(kept("k"), std::string(name) == "write" ? "theirs" : "(nothing)") << name;
  }
}

TEST_F(LocalTierTest, APatternLeavesOtherLoadsAlone) {
  ASSERT_TRUE(a.load("user:1", "value"));
  const LeaseNumber lease = a.leased("other:1");
  EXPECT_EQ(b.removeIf([](std::string_view key) { return key.starts_with("user:"); }), 1U);
  EXPECT_TRUE(a.fill(lease, entryOf("value"), 0));
  EXPECT_EQ(kept("user:1"), "(nothing)");
  EXPECT_EQ(kept("other:1"), "value");
}

// The marks are those of before the load: the entry is stored, and invalid from the first moment on.
TEST_F(LocalTierTest, ATagOrANamespaceThatChangesDuringALoadFencesIt) {
  for (const char* name : {"t:x", "n"}) {
    const LeaseNumber lease = a.leased("k", 0, {"t:x"});
    EXPECT_TRUE(a.held(lease, 0));
    b.invalidateTags(Tags{name});
    EXPECT_FALSE(a.held(lease, 0)) << name;
    a.fill(lease, entryOf("old"), 0);
    EXPECT_EQ(kept("k"), "(nothing)") << name;
    ASSERT_TRUE(a.load("k", "new", 0, {"t:x"})) << name;
    EXPECT_EQ(kept("k"), "new") << name;
    b.invalidateTags(Tags{"t:y"});
    EXPECT_EQ(kept("k"), "new") << "of another tag";
    b.invalidateTags(Tags{name});
    EXPECT_EQ(kept("k"), "(nothing)") << name;
  }
}

TEST_F(LocalTierTest, ANamespaceIsThatOfItsOwnCache) {
  Side other(shared, {"n", "n.shop"});
  ASSERT_TRUE(a.load("k", "outer"));
  ASSERT_TRUE(other.load("shop:k", "inner"));
  b.invalidateTags(Tags{"n.shop"});
  EXPECT_EQ(kept("k"), "outer");
  EXPECT_EQ(kept("shop:k"), "(nothing)");
  ASSERT_TRUE(other.load("shop:k", "inner"));
  b.invalidateTags(Tags{"n"});
  EXPECT_EQ(kept("k"), "(nothing)");
  EXPECT_EQ(kept("shop:k"), "(nothing)") << "what holds for the outer one holds for the inner one";
}

TEST_F(LocalTierTest, AddsTagsThatWereComputedFromTheValue) {
  LeaseNumber lease = a.leased("k");
  EXPECT_FALSE(a.tier.anyTagChanged(lease));
  EXPECT_TRUE(a.addTags(lease, Tags{"t:x"}));
  ASSERT_TRUE(a.fill(lease, entryOf("value"), 0));
  b.invalidateTags(Tags{"t:x"});
  EXPECT_EQ(kept("k"), "(nothing)");
  // Which tags it will have was not known when this one changed: it may have been one of them.
  lease = a.leased("k");
  b.invalidateTags(Tags{"t:z"});
  EXPECT_TRUE(a.tier.anyTagChanged(lease));
  EXPECT_FALSE(a.addTags(lease, Tags{"t:x"}));
  a.giveUp(lease, std::nullopt, 0, 0);
  EXPECT_FALSE(a.addTags(lease, Tags{"t:x"})) << "it has ended";
  EXPECT_FALSE(a.addTags(0, Tags{"t:x"}));
}

TEST_F(LocalTierTest, AFailureIsToldUntilItsTimeIsOver) {
  const LeaseNumber lease = a.leased("k");
  ASSERT_EQ(b.acquire("k", 0, {}, 5).kind, Kind::kBusy);
  EXPECT_TRUE(a.giveUp(lease, "why", 100, 500));
  EXPECT_EQ(b.listener->told(5), 1U);
  const Found failed = b.acquire("k", 200);
  EXPECT_EQ(failed.kind, Kind::kFailed);
  EXPECT_EQ(failed.entry.payload, "why");
  EXPECT_EQ(failed.left, 400);
  EXPECT_EQ(b.refresh("k", 200).kind, Kind::kBusy) << "not now";
  EXPECT_EQ(b.acquire("k", 600).kind, Kind::kLeased);
}

TEST_F(LocalTierTest, AFailureIsForgottenByAWriteOrARemoval) {
  for (const bool write : {false, true}) {
    a.giveUp(a.leased("k"), "why", 0, 500);
    ASSERT_EQ(b.acquire("k").kind, Kind::kFailed);
    if (write) {
      b.write("k", entryOf("value"), {});
      EXPECT_EQ(b.acquire("k").kind, Kind::kAgain);
    } else {
      b.remove("k");
      const Found found = b.acquire("k");
      EXPECT_EQ(found.kind, Kind::kLeased);
      b.giveUp(found.lease, std::nullopt, 0, 0);
    }
  }
}

TEST_F(LocalTierTest, GivingUpWithoutAWordLetsTheNextOneTry) {
  a.giveUp(a.leased("k"), std::nullopt, 0, 500);
  EXPECT_TRUE(a.giveUp(b.leased("k") == 0 ? 0 : a.leased("other"), "why", 0, 0));
  EXPECT_EQ(a.acquire("other").kind, Kind::kLeased) << "no hold-off, no failure";
}

TEST_F(LocalTierTest, ALeaseThatIsOverIsTakenOverAndFillsNoMore) {
  const LeaseNumber slow = a.leased("k");
  ASSERT_EQ(b.acquire("k", 0, {}, 4).kind, Kind::kBusy);
  const LeaseNumber next = b.leased("k", kLease);
  EXPECT_EQ(b.listener->told(4), 1U);
  EXPECT_FALSE(a.held(slow, kLease));
  EXPECT_FALSE(a.fill(slow, entryOf("slow"), kLease + 1));
  EXPECT_TRUE(b.fill(next, entryOf("next"), kLease + 2));
  EXPECT_EQ(kept("k", kLease + 2), "next");
}

TEST_F(LocalTierTest, ACacheThatIsClosedGivesItsLeasesBack) {
  auto closing = std::make_unique<Side>(shared);
  closing->leased("k");
  ASSERT_EQ(b.acquire("k", 0, {}, 6).kind, Kind::kBusy);
  closing.reset();
  EXPECT_EQ(b.listener->told(6), 1U);
  EXPECT_EQ(b.acquire("k").kind, Kind::kLeased);
}

TEST_F(LocalTierTest, SoftenLeavesACopyForErrors) {
  EXPECT_FALSE(a.soften("k", 0));
  ASSERT_TRUE(a.load("k", "value", 0, {"t:x"}));
  EXPECT_TRUE(b.soften("k", 100));
  const auto hit = shared.memory.peek("k", 100);
  ASSERT_TRUE(hit);
  EXPECT_EQ(hit->entry.payload, "value");
  EXPECT_EQ(hit->freshness, Freshness::kStaleError);
  EXPECT_EQ(hit->deadlines.goneAt, 80000) << "it lives no longer for that";
  EXPECT_EQ(kept("k", 80000), "(nothing)");
  a.invalidateTags(Tags{"t:x"});
  EXPECT_EQ(kept("k", 100), "(nothing)") << "it carries its tags still";
}

TEST_F(LocalTierTest, AWriteCarriesItsTags) {
  EXPECT_TRUE(a.write("k", entryOf("value"), Tags{"t:x"}));
  b.invalidateTags(Tags{"t:x"});
  EXPECT_EQ(kept("k"), "(nothing)");
  EXPECT_FALSE(a.remove("nothing there"));
}

// A source whose value only grows, and threads that change it, invalidate, and load it: what was invalidated is never
// served again.
TEST(LocalTierThreads, NeverServeWhatWasInvalidatedBefore) {
  ProcessTier shared(TierOptions{.memory = {}, .standalone = true});
  constexpr int kRounds = 3000;
  std::atomic<int> source{0};
  std::atomic<int> stale{0};
  std::atomic<int> hits{0};
  onThreads(kThreads, [&](int index) {
    Side side(shared);
    const Tags tags{"t:x"};
    for (int round = 0; round < kRounds; ++round) {
      if (index < 2) {
        const int now = ++source;
        switch ((round + index) % 4) {
          case 0:
            side.remove("k");
            break;
          case 1:
            side.invalidateTags(tags);
            break;
          case 2:
            side.removeIf([](std::string_view key) { return key == "k"; });
            break;
          default:
            side.invalidateTags(Tags{"n"});
        }
        const auto hit = shared.memory.peek("k", 0);
        if (hit && std::stoi(std::string(hit->entry.payload)) < now) ++stale;
      } else {
        const Found found = side.acquire("k", 0, tags);
        if (found.kind == Kind::kAgain) ++hits;
        if (found.kind != Kind::kLeased) continue;
        const std::string value = std::to_string(source.load());
        side.fill(found.lease, entryOf(value), 0);
      }
    }
  });
  EXPECT_EQ(stale.load(), 0);
  EXPECT_GT(hits.load(), 0) << "nothing was ever kept";
  EXPECT_EQ(shared.leases.size(), 0U);
}

TEST(LocalTierThreads, OneLoadPerKey) {
  ProcessTier shared(TierOptions{.memory = {}, .standalone = true});
  constexpr int kKeys = 500;
  std::vector<std::atomic<int>> loads(kKeys);
  onThreads(kThreads, [&](int /*index*/) {
    Side side(shared);
    for (int i = 0; i < kKeys; ++i) {
      const std::string key = "key" + std::to_string(i);
      const Found found = side.acquire(key);
      if (found.kind != Kind::kLeased) continue;
      ++loads[static_cast<std::size_t>(i)];
      ASSERT_TRUE(side.fill(found.lease, entryOf("value"), 0));
    }
  });
  for (const auto& count : loads) EXPECT_EQ(count.load(), 1);
}

}  // namespace
}  // namespace tiercel::test
