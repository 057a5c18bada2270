// Leases of the memory-only mode: one load per key, fills that were overtaken, and everybody who waits is told once.
#include "core/coherence/lease_table.h"

#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "allocations.h"
#include "on_threads.h"

namespace tiercel::test {
namespace {

using namespace core;
using Status = LeaseAnswer::Status;

constexpr Millis kLease = 1000;

class Listener final : public LeaseListener {
 public:
  void onLeaseEnded(std::uint64_t ticket) noexcept override {
    const std::lock_guard lock(mutex_);
    ++told_[ticket];
  }
  int told(std::uint64_t ticket) {
    const std::lock_guard lock(mutex_);
    return told_[ticket];
  }
  std::map<std::uint64_t, int> all() {
    const std::lock_guard lock(mutex_);
    return told_;
  }

 private:
  std::mutex mutex_;
  std::map<std::uint64_t, int> told_;
};

// Needs no memory when it is told.
class Counter final : public LeaseListener {
 public:
  void onLeaseEnded(std::uint64_t /*ticket*/) noexcept override { ++told; }
  int told = 0;
};

struct LeaseTableTest : testing::Test {
  LeaseTable leases;
  std::shared_ptr<Listener> listener = std::make_shared<Listener>();
  int fills = 0;
  std::function<void()> fill = [this] { ++fills; };

  LeaseAnswer take(std::string_view key, Millis now = 0, std::uint64_t ticket = 0) {
    return leases.take(key, now, kLease, listener, ticket);
  }
  // So many other leases that the sweep of a take() does not come to what the test looks at.
  void crowd() {
    for (int i = 0; i < 1000; ++i) leases.take("crowd:" + std::to_string(i), 0, kForever, nullptr, 0);
  }
  FillId taken(std::string_view key, Millis now = 0) {
    const LeaseAnswer answer = take(key, now);
    EXPECT_EQ(answer.status, Status::kTaken);
    EXPECT_EQ(answer.until, now + kLease);
    return answer.id;
  }
};

TEST_F(LeaseTableTest, LastsForAsLongAsItIsRenewed) {
  const FillId id = taken("k");
  for (Millis now = 600; now < 20 * kLease; now += 600) {
    ASSERT_TRUE(leases.extend("k", id, now + kLease));
    const LeaseAnswer answer = take("k", now + 599, 7);
    ASSERT_EQ(answer.status, Status::kBusy) << now;
    EXPECT_EQ(answer.until, now + kLease);
  }
  EXPECT_EQ(listener->told(7), 0) << "who waits has a timer";
  EXPECT_TRUE(leases.complete("k", id, fill));
  EXPECT_FALSE(leases.extend("k", id, 0 + kLease));
}

TEST_F(LeaseTableTest, IsNotRenewedOnceItIsLost) {
  const FillId late = taken("late");
  const FillId next = taken("late", kLease);
  EXPECT_FALSE(leases.extend("late", late, kLease + kLease));
  EXPECT_TRUE(leases.extend("late", next, kLease + kLease));
  const FillId revoked = taken("revoked");
  leases.revoke("revoked");
  EXPECT_FALSE(leases.extend("revoked", revoked, 0 + kLease));
  const FillId failed = taken("failed");
  leases.fail("failed", failed, "down", 0, kLease);
  EXPECT_FALSE(leases.extend("failed", failed, 0 + kLease));
  // Late, but nobody has taken it over.
  const FillId idle = taken("idle");
  EXPECT_TRUE(leases.extend("idle", idle, 2 * kLease + kLease));
  EXPECT_TRUE(leases.holds("idle", idle, 3 * kLease - 1));
}

TEST_F(LeaseTableTest, OneHolderPerKey) {
  const FillId id = taken("k");
  EXPECT_NE(id, FillId{});
  EXPECT_NE(taken("other"), id);
  const LeaseAnswer answer = take("k", 10);
  EXPECT_EQ(answer.status, Status::kBusy);
  EXPECT_EQ(answer.until, kLease);
  EXPECT_EQ(answer.id, FillId{});
  EXPECT_TRUE(leases.holds("k", id, kLease - 1));
  EXPECT_FALSE(leases.holds("k", id, kLease));
  EXPECT_FALSE(leases.holds("k", answer.id, 0));
  EXPECT_FALSE(leases.holds("nobody", id, 0));
}

TEST_F(LeaseTableTest, CompleteFillsOnceAndTellsWhoWaits) {
  const FillId id = taken("k");
  take("k", 1, 7);
  take("k", 1, 8);
  EXPECT_FALSE(leases.complete("k", FillId{}, fill));
  EXPECT_FALSE(leases.complete("other", id, fill));
  EXPECT_EQ(fills, 0);
  EXPECT_TRUE(listener->all().empty());
  EXPECT_TRUE(leases.complete("k", id, fill));
  EXPECT_EQ(fills, 1);
  EXPECT_EQ(listener->all(), (std::map<std::uint64_t, int>{{7, 1}, {8, 1}}));
  EXPECT_EQ(leases.size(), 0U);
  EXPECT_FALSE(leases.complete("k", id, fill));
  EXPECT_EQ(fills, 1);
  leases.revoke("k");
  EXPECT_EQ(listener->told(7), 1);
}

TEST_F(LeaseTableTest, AnEmptyFillGivesTheLeaseUp) {
  const FillId id = taken("k");
  take("k", 0, 7);
  EXPECT_TRUE(leases.complete("k", id, {}));
  EXPECT_EQ(listener->told(7), 1);
  taken("k");
}

TEST_F(LeaseTableTest, TheLeaseEndsEvenWhenTheFillThrows) {
  const FillId id = taken("k");
  take("k", 0, 7);
  EXPECT_THROW(leases.complete("k", id, [] { throw std::bad_alloc(); }), std::bad_alloc);
  EXPECT_EQ(listener->told(7), 1);
  taken("k");
}

// The load reads the old value; the key is deleted; the load ends.
TEST_F(LeaseTableTest, ALoadThatWasOvertakenCannotFill) {
  for (const int way : {0, 1, 2}) {
    const FillId id = taken("k");
    take("k", 1, 7);
    if (way == 0) leases.revoke("k");
    if (way == 1) leases.revokeIf([](std::string_view key) { return key == "k"; });
    if (way == 2) leases.revokeAll();
    EXPECT_EQ(listener->told(7), way + 1);
    EXPECT_FALSE(leases.holds("k", id, 1));
    EXPECT_FALSE(leases.complete("k", id, fill));
    EXPECT_FALSE(leases.fail("k", id, "error", 1, 100));
    // Nor in the place of the next one.
    const FillId next = taken("k", 2);
    EXPECT_FALSE(leases.complete("k", id, fill));
    EXPECT_FALSE(leases.fail("k", id, "error", 2, 100));
    EXPECT_EQ(fills, way);
    EXPECT_TRUE(leases.complete("k", next, fill));
  }
}

TEST_F(LeaseTableTest, RevokeIfLeavesTheOthers) {
  std::vector<std::pair<std::string, FillId>> held;
  for (int i = 0; i < 200; ++i) {
    const std::string key = (i % 2 == 0 ? "a:" : "b:") + std::to_string(i);
    held.emplace_back(key, taken(key));
    take(key, 0, static_cast<std::uint64_t>(i));
  }
  leases.revokeIf([](std::string_view key) { return key.starts_with("a:"); });
  EXPECT_EQ(leases.size(), 100U);
  for (std::size_t i = 0; i < held.size(); ++i) {
    EXPECT_EQ(leases.holds(held[i].first, held[i].second, 0), i % 2 == 1);
    EXPECT_EQ(listener->told(i), i % 2 == 0 ? 1 : 0);
  }
}

TEST_F(LeaseTableTest, AFailureIsRememberedForAWhile) {
  const FillId id = taken("k");
  take("k", 1, 7);
  ASSERT_TRUE(leases.fail("k", id, "the database is down", 10, 50));
  EXPECT_EQ(listener->told(7), 1);
  EXPECT_FALSE(leases.holds("k", id, 10));
  EXPECT_FALSE(leases.complete("k", id, fill));
  EXPECT_FALSE(leases.fail("k", id, "again", 10, 90));
  const LeaseAnswer answer = take("k", 49, 8);
  EXPECT_EQ(answer.status, Status::kFailed);
  EXPECT_EQ(answer.failure, "the database is down");
  EXPECT_EQ(answer.until, 50);
  const FillId next = taken("k", 50);
  EXPECT_EQ(take("k", 51).status, Status::kBusy);
  EXPECT_TRUE(leases.complete("k", next, fill));
  EXPECT_EQ(listener->told(8), 0);
}

TEST_F(LeaseTableTest, AFailureThatIsOverMakesWayForALease) {
  crowd();
  ASSERT_TRUE(leases.fail("k", taken("k"), "error", 10, 50));
  EXPECT_EQ(take("k", 49).status, Status::kFailed);
  const FillId next = taken("k", 50);
  EXPECT_TRUE(leases.holds("k", next, 50));
  EXPECT_EQ(take("k", 51, 9).status, Status::kBusy);
  EXPECT_TRUE(leases.complete("k", next, fill));
  EXPECT_EQ(listener->told(9), 1);
}

TEST_F(LeaseTableTest, AFailureThatIsOverAtOnceIsForgotten) {
  const FillId id = taken("k");
  take("k", 1, 7);
  EXPECT_TRUE(leases.fail("k", id, "error", 10, 10));
  EXPECT_EQ(listener->told(7), 1);
  EXPECT_EQ(leases.size(), 0U);
}

TEST_F(LeaseTableTest, ARevokedFailureIsForgotten) {
  ASSERT_TRUE(leases.fail("k", taken("k"), "error", 0, 100));
  leases.revoke("k");
  taken("k", 1);
}

// A holder that died, or sleeps: whoever comes after its time loads, and the sleeper cannot fill when it wakes up.
TEST_F(LeaseTableTest, AnExpiredLeaseIsTakenOver) {
  crowd();
  const FillId sleeper = taken("k");
  take("k", 1, 7);
  EXPECT_EQ(take("k", kLease - 1, 8).status, Status::kBusy);
  EXPECT_TRUE(listener->all().empty());
  const FillId next = taken("k", kLease);
  EXPECT_NE(next, sleeper);
  EXPECT_EQ(listener->all(), (std::map<std::uint64_t, int>{{7, 1}, {8, 1}}));
  EXPECT_FALSE(leases.complete("k", sleeper, fill));
  EXPECT_TRUE(leases.holds("k", next, kLease));
  take("k", kLease, 9);
  EXPECT_TRUE(leases.complete("k", next, fill));
  EXPECT_EQ(listener->all(), (std::map<std::uint64_t, int>{{7, 1}, {8, 1}, {9, 1}}));
}

TEST_F(LeaseTableTest, AnExpiredLeaseThatNobodyTookStillFills) {
  const FillId id = taken("k");
  EXPECT_FALSE(leases.holds("k", id, kLease));
  EXPECT_TRUE(leases.complete("k", id, fill));
  EXPECT_EQ(fills, 1);
}

TEST_F(LeaseTableTest, ALeaseMayLastForEver) {
  const LeaseAnswer answer = leases.take("k", 1000, kForever, nullptr, 0);
  EXPECT_EQ(answer.until, kForever);
  EXPECT_TRUE(leases.holds("k", answer.id, kForever - 1));
  EXPECT_EQ(leases.take("k", 1000, kLease, nullptr, 0).status, Status::kBusy);
  EXPECT_TRUE(leases.complete("k", answer.id, {}));
}

TEST_F(LeaseTableTest, AListenerThatIsGoneIsNotTold) {
  const FillId id = taken("k");
  take("k", 0, 7);
  const std::weak_ptr<Listener> gone = std::exchange(listener, std::make_shared<Listener>());
  EXPECT_TRUE(gone.expired());
  take("k", 0, 8);
  EXPECT_TRUE(leases.complete("k", id, fill));
  EXPECT_EQ(listener->all(), (std::map<std::uint64_t, int>{{8, 1}}));
}

TEST_F(LeaseTableTest, ListenersAreToldWhenNothingIsLocked) {
  // It may not call the table, but another thread that does must not have to wait for it.
  class Slow final : public LeaseListener {
   public:
    explicit Slow(LeaseTable& table) : table_(table) {}
    void onLeaseEnded(std::uint64_t /*ticket*/) noexcept override {
      std::jthread([this] { size = static_cast<int>(table_.size()); }).join();
    }
    int size = -1;

   private:
    LeaseTable& table_;
  };
  const auto slow = std::make_shared<Slow>(leases);
  const FillId id = taken("k");
  leases.take("k", 0, kLease, slow, 1);
  EXPECT_TRUE(leases.complete("k", id, fill));
  EXPECT_EQ(slow->size, 0);
}

TEST_F(LeaseTableTest, WhatIsOverIsSweptAway) {
  constexpr int kKeys = 20000;
  for (int i = 0; i < kKeys; ++i) {
    const std::string key = std::to_string(i);
    const FillId id = taken(key);
    if (i % 2 == 0) {
      EXPECT_TRUE(leases.fail(key, id, "error", 0, kLease));
    } else {
      take(key, 0, static_cast<std::uint64_t>(i));
    }
  }
  EXPECT_EQ(leases.size(), std::size_t{kKeys});
  for (int i = 0; i < kKeys; ++i) {
    const std::string key = "later:" + std::to_string(i);
    EXPECT_TRUE(leases.complete(key, taken(key, kLease), {}));
  }
  EXPECT_LT(leases.size(), 50U);
  int told = 0;
  for (const auto& [ticket, times] : listener->all()) {
    EXPECT_EQ(times, 1) << ticket;
    ++told;
  }
  EXPECT_GT(told, kKeys / 2 - 50);
}

// Failures of ever new keys: no more are kept than some times what has not run out.
TEST_F(LeaseTableTest, FailuresOfManyKeysAreBounded) {
  std::size_t most = 0;
  for (int now = 0; now < 50000; ++now) {
    const std::string key = std::to_string(now);
    EXPECT_TRUE(leases.fail(key, taken(key, now), "error", now, now + 1000));
    if (now % 500 == 0) most = std::max(most, leases.size());
  }
  EXPECT_LT(most, 3500U);
}

TEST_F(LeaseTableTest, TakeWithoutMemoryTakesNothing) {
  const std::string key = "a key that is long enough to be on the heap";
  int failures = 0;
  for (int successes = 0; successes < 20; ++successes) {
    LeaseTable table;
    bool threw = false;
    {
      const FailingAllocations failing(successes);
      try {
        table.take(key, 0, kLease, listener, 1);
      } catch (const std::bad_alloc&) {
        threw = true;
      }
    }
    EXPECT_EQ(table.size(), threw ? 0U : 1U);
    EXPECT_EQ(table.take(key, 0, kLease, listener, 2).status, threw ? Status::kTaken : Status::kBusy);
    if (!threw) break;
    ++failures;
  }
  EXPECT_GE(failures, 3);
}

TEST_F(LeaseTableTest, EndingALeaseNeedsNoMemory) {
  const FillId first = taken("first");
  const FillId second = taken("second");
  taken("third");
  for (const char* key : {"first", "second", "third"}) take(key, 0, 7);
  const auto counter = std::make_shared<Counter>();
  for (const char* key : {"first", "second", "third"}) leases.take(key, 0, kLease, counter, 0);
  listener.reset();
  std::string failure = "a failure that is long enough to be on the heap";
  {
    const FailingAllocations failing(0);
    EXPECT_TRUE(leases.complete("first", first, fill));
    EXPECT_TRUE(leases.fail("second", second, std::move(failure), 0, 10));
    leases.revoke("third");
    EXPECT_FALSE(failing.failed());
  }
  EXPECT_EQ(counter->told, 3);
}

// Waiters of leases that a take() sweeps away are told even if the take itself fails.
TEST_F(LeaseTableTest, SweptWaitersAreToldWithoutMemory) {
  const auto counter = std::make_shared<Counter>();
  for (int i = 0; i < 200; ++i) {
    taken(std::to_string(i));
    leases.take(std::to_string(i), 0, kLease, counter, 0);
  }
  int failures = 0;
  for (int i = 0; i < 2000; ++i) {
    const std::string key = "later:" + std::to_string(i);
    const FailingAllocations failing(0);
    try {
      leases.take(key, kLease, kLease, nullptr, 0);
    } catch (const std::bad_alloc&) {
      ++failures;
    }
  }
  EXPECT_EQ(failures, 2000);
  EXPECT_EQ(leases.size(), 0U);
  EXPECT_EQ(counter->told, 200);
}

// Every thread loads or waits, as callers do; deletes come in between. No load runs beside another that may still fill,
// no fill is of a value older than the last delete, and nobody waits for ever.
TEST_F(LeaseTableTest, ThreadsNeverFillWhatWasDeleted) {
  struct Source {
    std::atomic<int> value{0};
    std::mutex mutex;
    int cached = -1;  // under the mutex, as in a shard of the memory tier
  };
  std::array<Source, 3> sources;
  std::atomic<int> wrong{0};
  std::atomic<std::uint64_t> tickets{0};
  std::atomic<int> filled{0};
  std::mutex waitedMutex;
  std::map<std::uint64_t, int> waited;
  onThreads(kThreads, [&](int index) {
    for (int i = 0; i < 4000; ++i) {
      const std::size_t number = static_cast<std::size_t>(i) % sources.size();
      const std::string key = std::to_string(number);
      Source& source = sources[number];
      if (index == 0) {
        const int changed = ++source.value;
        leases.revoke(key);
        const std::lock_guard lock(source.mutex);
        if (source.cached == changed) continue;  // a load that began after the change
        source.cached = -1;
        continue;
      }
      const std::uint64_t ticket = ++tickets;
      const LeaseAnswer answer = take(key, 0, ticket);
      if (answer.status == Status::kBusy) {
        const std::lock_guard lock(waitedMutex);
        waited[ticket] = 1;
        continue;
      }
      const int loaded = source.value.load();
      if (i % 2 == 0) std::this_thread::yield();
      leases.complete(key, answer.id, [&] {
        const std::lock_guard lock(source.mutex);
        source.cached = loaded;
        ++filled;
      });
    }
  });
  for (Source& source : sources) {
    if (source.cached != -1 && source.cached != source.value) ++wrong;
  }
  EXPECT_EQ(wrong, 0);
  EXPECT_GT(filled, 0);
  EXPECT_EQ(leases.size(), 0U);
  EXPECT_EQ(listener->all(), waited);
}

TEST_F(LeaseTableTest, ThreadsThatMissAtOnceLoadOnce) {
  for (int round = 0; round < 100; ++round) {
    const std::string key = std::to_string(round);
    std::atomic<int> loads{0};
    onThreads(kThreads, [&](int index) {
      if (take(key, 0, static_cast<std::uint64_t>(index)).status == Status::kTaken) ++loads;
    });
    ASSERT_EQ(loads, 1);
  }
}

// All ways in which a lease ends, at once; time goes on, so leases are taken over and swept.
TEST_F(LeaseTableTest, WhoeverWaitsIsToldOnceWhateverHappens) {
  std::atomic<std::uint64_t> tickets{0};
  std::atomic<Millis> clock{0};
  std::mutex waitedMutex;
  std::map<std::uint64_t, int> waited;
  onThreads(kThreads, [&](int index) {
    for (int i = 0; i < 3000; ++i) {
      const std::string key = std::to_string((i * 7 + index) % 20);
      const Millis now = clock.load();
      const std::uint64_t ticket = ++tickets;
      const LeaseAnswer answer = leases.take(key, now, 20, listener, ticket);
      if (answer.status == Status::kBusy) {
        const std::lock_guard lock(waitedMutex);
        waited[ticket] = 1;
      } else if (answer.status == Status::kTaken) {
        if (i % 5 == 0) leases.complete(key, answer.id, [] {});
        if (i % 5 == 1) leases.fail(key, answer.id, "error", now, now + 3);
        if (i % 5 == 2) leases.revoke(key);
        if (i % 100 == 3) leases.revokeAll();
      }
      if (i % 4 == 0) ++clock;
    }
  });
  leases.revokeAll();
  EXPECT_EQ(leases.size(), 0U);
  EXPECT_GT(waited.size(), 100U);
  EXPECT_EQ(listener->all(), waited);
}

}  // namespace
}  // namespace tiercel::test
