// The memory tier in step with the server: nothing older than an invalidation gets in, wherever on its way it was.
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <thread>

#include "cache_tier_fixture.h"

namespace tiercel::redis {
namespace {

using testing::entryOf;
using testing::expect;
using testing::invalidate;
using testing::kInvalidateAll;
using testing::run;
using testing::send;
using testing::stored;
using testing::Strings;
using CacheTierCoherence = testing::CacheTierFixture;

// The lifetime belongs to what was there before, and the value may not.
TEST_F(CacheTierCoherence, AnInvalidationBetweenTheTwoAnswersPreventsKeeping) {
  open();
  for (const std::string& push : {invalidate("p:a"), kInvalidateAll}) {
    expectRead("a", ":50000\r\n" + push + stored("value"));
    tier->read("a", 1, false);
    ASSERT_TRUE(logged(1));
    EXPECT_EQ(log.take(), Strings({"1 hit value"})) << "the answer itself is as new as can be";
    EXPECT_EQ(kept("a"), "(nothing)");
    EXPECT_EQ(log.left, 0);
    keep("a", "next");  // the fence is for one read
  }
}

TEST_F(CacheTierCoherence, AnInvalidationOfAnotherKeyDoesNotPreventKeeping) {
  open();
  expectRead("a", ":50000\r\n" + invalidate("p:b") + invalidate("a") + invalidate("q:a") + stored("value"));
  tier->read("a", 1, false);
  ASSERT_TRUE(logged(1));
  EXPECT_EQ(kept("a"), "value");
  EXPECT_EQ(log.left, 50000);
}

TEST_F(CacheTierCoherence, AnInvalidationBehindTheAnswersErases) {
  open();
  keep("b", "other");
  // In one piece: value and invalidation are in the same read.
  expectRead("a", ":50000\r\n" + stored("value") + invalidate("p:a"));
  tier->read("a", 1, false);
  ASSERT_TRUE(logged(1));
  ASSERT_TRUE(loop.runUntil([&] { return kept("a") == "(nothing)"; }));
  EXPECT_EQ(kept("b"), "other");
  keep("a", "value");
  server->send(invalidate("p:a"));
  EXPECT_TRUE(loop.runUntil([&] { return kept("a") == "(nothing)"; }));
}

TEST_F(CacheTierCoherence, ANullPushClears) {
  open();
  keep("a", "1");
  keep("b", "2");
  server->send(kInvalidateAll);
  EXPECT_TRUE(loop.runUntil([&] { return shared.memory.stats().entries == 0; }));
}

// Memory is everybody's: what another thread did between the question and the answer is newer than the answer.
TEST_F(CacheTierCoherence, AnotherThreadBetweenQuestionAndAnswerPreventsKeeping) {
  open();
  const std::pair<const char*, std::function<void()>> cases[] = {
      {"erase", [&] { shared.memory.erase("a"); }},
      {"clear", [&] { shared.memory.clear(); }},
      {"eraseIf", [&] { shared.memory.eraseIf([](std::string_view key) { return key == "a"; }); }},
  };
  for (const auto& [name, change] : cases) {
    keep("a", "old");
    server->script({expect("PTTL p:a"), expect("GET p:a"), run([&] {
                      std::thread(change).join();
                      server->send(":50000\r\n" + stored("value"));
                    })});
    tier->read("a", 1, false);
    ASSERT_TRUE(logged(1));
    EXPECT_EQ(log.take(), Strings({"1 hit value"})) << name;
    EXPECT_EQ(kept("a"), "(nothing)") << name;
  }
  server->script({expect("PTTL p:a"), expect("GET p:a"), run([&] {
                    std::thread([&] {
                      const auto entry = entryOf("theirs");
                      const core::Millis now = connection->now();
                      shared.memory.put("a", entry, core::deadlinesFrom(entry, now), now);
                    }).join();
                    server->send(":50000\r\n" + stored("value"));
                  })});
  tier->read("a", 1, false);
  ASSERT_TRUE(logged(1));
  EXPECT_EQ(kept("a"), "theirs");
}

// Also between the two answers.
TEST_F(CacheTierCoherence, AnotherThreadBetweenTheTwoAnswersPreventsKeeping) {
  open();
  server->script({expect("PTTL p:a"), expect("GET p:a"), send(":50000\r\n")});
  tier->read("a", 1, false);
  ASSERT_TRUE(loop.runUntil([&] { return connection->waiting() == 1; }));
  std::thread([&] { shared.memory.erase("a"); }).join();
  server->send(stored("value"));
  ASSERT_TRUE(logged(1));
  EXPECT_EQ(log.log, Strings({"1 hit value"}));
  EXPECT_EQ(kept("a"), "(nothing)");
}

TEST_F(CacheTierCoherence, ALostConnectionMakesWhatItReadUnusable) {
  open();
  keep("a", "1");
  keep("b", "2");
  server->hangUp();
  ASSERT_TRUE(lost());
  EXPECT_EQ(kept("a"), "(nothing)");
  EXPECT_EQ(kept("b"), "(nothing)");
  EXPECT_EQ(tier->read("a", 1, false), Connection::Admission::kUnavailable);
  ASSERT_TRUE(readyAgain());
  EXPECT_TRUE(connection->isTracking());
  EXPECT_EQ(kept("a"), "(nothing)") << "nothing brings it back";
  keep("a", "3");
}

// The threads of a process have one memory, and a connection each.
TEST_F(CacheTierCoherence, ALostConnectionLeavesTheEntriesOfTheOthers) {
  open();
  keep("a", "mine");
  testing::FakeServer otherServer(loop.get());
  ConnectionOptions otherOptions = options;
  otherOptions.endpoint.port = otherServer.port();
  testing::Events otherEvents;
  testing::TierLog otherLog;
  Connection other(loop.handles(), otherOptions, otherEvents);
  CacheTier otherTier(other, shared, tierOptions, otherLog);
  other.start();
  ASSERT_TRUE(loop.runUntil([&] { return other.isReady(); }));
  otherServer.script({expect("PTTL p:b"), expect("GET p:b"), send(":50000\r\n" + stored("theirs"))});
  otherTier.read("b", 0, false);
  ASSERT_TRUE(loop.runUntil([&] { return !otherLog.log.empty(); }));
  ASSERT_EQ(kept("b"), "theirs");
  otherServer.hangUp();
  ASSERT_TRUE(loop.runUntil([&] { return !other.isReady(); }));
  EXPECT_EQ(kept("b"), "(nothing)");
  EXPECT_EQ(kept("a"), "mine");
  other.destroy();
}

TEST_F(CacheTierCoherence, ATierThatIsClosedLeavesNothingUsable) {
  open();
  keep("a", "value");
  const core::Millis now = connection->now();
  end();
  EXPECT_EQ(keptAt("a", now), "(nothing)");
}

// Whether a connection still hears of changes shows when the server is asked something: an unanswered question casts
// doubt on all that was read through it, and any word takes it back.
TEST_F(CacheTierCoherence, ASilentServerIsNotTrusted) {
  options.commandTimeout = 25;
  open();
  keep("a", "value");
  server->script({expect("PTTL p:b"), expect("GET p:b")});
  tier->read("b", 1, false);
  ASSERT_TRUE(logged(1));
  EXPECT_EQ(log.take(), Strings({"timed out"}));
  EXPECT_TRUE(connection->isUnresponsive());
  EXPECT_EQ(kept("a"), "(nothing)");
  EXPECT_EQ(tier->read("a", 1, false), Connection::Admission::kUnavailable);
  server->send(":50000\r\n" + stored("late"));
  ASSERT_TRUE(logged(1));
  EXPECT_EQ(kept("a"), "value");
  EXPECT_EQ(kept("b"), "late");
}

TEST_F(CacheTierCoherence, WithoutAHeartbeatMemoryIsTrustedUntilTheConnectionIsLost) {
  options.heartbeat = 0;
  open();
  keep("a", "value");
  EXPECT_EQ(keptAt("a", connection->now() + 25000), "value");
}

TEST_F(CacheTierCoherence, WithAHeartbeatMemoryIsTrustedForTwoAndAQuestion) {
  options.heartbeat = 1000;
  options.commandTimeout = 500;
  open();
  keep("a", "value");
  const core::Millis now = connection->now();
  EXPECT_EQ(keptAt("a", now + 2000), "value");
  EXPECT_EQ(keptAt("a", now + 2600), "(nothing)");
}

// Its own, too: see CacheTier::confirm().
TEST_F(CacheTierCoherence, AsksForAllChanges) {
  open();
  EXPECT_EQ(server->handshakes().back(), "CLIENT TRACKING ON");
}

}  // namespace
}  // namespace tiercel::redis
