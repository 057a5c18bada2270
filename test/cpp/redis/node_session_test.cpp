// What the cache tiers of one connection share: one listener, one source, and news for whom they concern.
#include "redis/node_session.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "cache_tier_fixture.h"

namespace tiercel::redis {
namespace {

using testing::bulk;
using testing::entryOf;
using testing::invalidate;
using testing::kInvalidateAll;
using testing::run;
using testing::send;
using testing::stored;
using testing::Strings;

struct NodeSessionTest : testing::CacheTierFixture {
  struct Another {
    Another(Connection& connection, core::ProcessTier& shared, const CacheTierOptions& options)
        : tier(connection, shared, options, log) {}
    testing::TierLog log;
    CacheTier tier;
  };

  Another& another() {
    others.push_back(std::make_unique<Another>(*connection, shared, tierOptions));
    return *others.back();
  }
  // A key that somebody else loads, from then on watched by the tier.
  void waitFor(const std::string& key, CacheTier& waiting, testing::TierLog& of) {
    core::Entry marker = entryOf("");
    marker.flags = core::entry_flags::kMarker;
    marker.leaseId = testing::idOf('m');
    server->script(acquireSteps(key));
    server->script({send("_\r\n:5000\r\n" + stored(marker))});
    ASSERT_EQ(waiting.acquire(key, {5000, {}, 0}), Connection::Admission::kAdmitted);
    ASSERT_TRUE(loop.runUntil([&] { return !of.log.empty(); }));
    ASSERT_EQ(of.take(), Strings({"busy"}));
  }

  ~NodeSessionTest() override {
    connection->destroy();
    others.clear();
  }

  std::vector<std::unique_ptr<Another>> others;
};

TEST_F(NodeSessionTest, AThousandTiersAreOneListener) {
  open();
  for (int i = 0; i < 1000; ++i) another();
  EXPECT_EQ(connection->invalidationListeners().size(), 1U);
  others.clear();
  EXPECT_EQ(connection->invalidationListeners().size(), 1U);
}

TEST_F(NodeSessionTest, OthersHaveSessionsOfTheirOwn) {
  open();
  core::ProcessTier elsewhere{core::TierOptions{}};
  {
    CacheTierOptions prefixed = tierOptions;
    prefixed.prefix = "q:";
    CacheTierOptions without = tierOptions;
    without.memory = false;
    testing::TierLog unused;
    const CacheTier one(*connection, shared, prefixed, unused);
    const CacheTier two(*connection, shared, without, unused);
    const CacheTier three(*connection, elsewhere, tierOptions, unused);
    EXPECT_EQ(connection->invalidationListeners().size(), 4U);
  }
  EXPECT_EQ(connection->invalidationListeners().size(), 1U);
}

TEST_F(NodeSessionTest, AChangeIsToldToThoseWhoWatchTheKeyOnceEach) {
  open();
  Another& second = another();
  Another& third = another();
  waitFor("a", *tier, log);
  waitFor("a", second.tier, second.log);
  waitFor("b", third.tier, third.log);
  server->send(invalidate("p:a") + invalidate("p:a"));
  ASSERT_TRUE(loop.runUntil([&] { return !second.log.watched.empty(); }));
  EXPECT_EQ(log.watched, Strings({"a"}));
  EXPECT_EQ(second.log.watched, Strings({"a"}));
  server->send(kInvalidateAll);
  ASSERT_TRUE(loop.runUntil([&] { return !third.log.watched.empty(); }));
  EXPECT_EQ(third.log.watched, Strings({"b"}));
  EXPECT_EQ(log.watched.size() + second.log.watched.size(), 2U);
}

TEST_F(NodeSessionTest, WhoStopsToWatchOrEndsHearsNothing) {
  open();
  Another& second = another();
  Another& third = another();
  waitFor("a", *tier, log);
  waitFor("a", second.tier, second.log);
  waitFor("a", third.tier, third.log);
  second.tier.unwatch("a");
  others.pop_back();  // the third
  server->send(invalidate("p:a"));
  ASSERT_TRUE(loop.runUntil([&] { return !log.watched.empty(); }));
  EXPECT_EQ(second.log.watched, Strings());
}

TEST_F(NodeSessionTest, WhatOneHasReadStaysWhenAnotherEnds) {
  open();
  another();
  keep("a", "value");
  others.clear();
  EXPECT_EQ(kept("a"), "value");
  server->send(invalidate("p:a"));
  EXPECT_TRUE(loop.runUntil([&] { return kept("a") == "(nothing)"; }));
}

TEST_F(NodeSessionTest, AnInvalidationBetweenTheAnswersOfOneIsNotThatOfAnother) {
  open();
  Another& second = another();
  expectRead("a", ":50000\r\n" + invalidate("p:a") + stored("one"));
  expectRead("b", ":50000\r\n" + stored("two"));
  tier->read("a", 0, false);
  second.tier.read("b", 0, false);
  ASSERT_TRUE(loop.runUntil([&] { return !second.log.log.empty(); }));
  EXPECT_EQ(kept("a"), "(nothing)");
  EXPECT_EQ(kept("b"), "two");
}

}  // namespace
}  // namespace tiercel::redis
