// Two cache tiers, as in two processes, on a real server: leases, fills, tags, and memory that follows.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include "real_server_fixture.h"

namespace tiercel::redis {
namespace {

using testing::entryOf;
using testing::Side;
using testing::Strings;
using Tags = std::vector<std::string>;

class RealServerTier : public testing::RealServerFixture {
 protected:
  std::unique_ptr<Side> side(Tags namespaces = {}, core::Millis stampFor = 100'000'000) {
    CacheTierOptions tierOptions;
    tierOptions.prefix = prefix + "s:";
    tierOptions.namespaces = std::move(namespaces);
    tierOptions.stampFor = stampFor;
    return std::make_unique<Side>(loop, options, tierOptions);
  }
  std::string full(const std::string& key) const { return prefix + "s:" + key; }
  // Tags that are new to a side, or have changed, have to be asked for first.
  static std::string read(Side& side) {
    std::string found = "again";
    for (int tries = 0; tries < 3 && found == "again"; ++tries) {
      side.tier.read("k:1", 0, false);
      found = side.next();
    }
    return found;
  }
};

TEST_F(RealServerTier, OneLoadsAndTheOtherIsTold) {
  const auto a = side();
  const auto b = side();
  a->tier.acquire("k:1", {5000, {}, 0});
  EXPECT_EQ(a->next(), "leased");
  const LeaseNumber lease = a->log.lease;
  b->tier.acquire("k:1", {5000, {}, 0});
  EXPECT_EQ(b->next(), "busy");
  EXPECT_GT(b->log.left, 4000);
  EXPECT_TRUE(b->log.watched.empty());
  a->tier.fill(lease, entryOf("value"));
  EXPECT_EQ(a->next(), "done 1");
  ASSERT_TRUE(b->isTold("k:1"));
  b->tier.acquire("k:1", {5000, {}, 0});
  EXPECT_EQ(b->next(), "hit value");
  EXPECT_TRUE(b->keeps("k:1"));
  EXPECT_TRUE(a->comesToKeep("k:1")) << "its own change is announced to it, and is no news";
  // The copy of whoever filled it follows what the others do, too.
  b->tier.remove("k:1");
  EXPECT_EQ(b->next(), "done 1");
  EXPECT_FALSE(b->keeps("k:1"));
  EXPECT_TRUE(a->forgets("k:1"));
}

TEST_F(RealServerTier, ALoadThatWasOvertakenCannotFill) {
  const auto a = side();
  const auto b = side();
  const std::pair<const char*, std::function<void()>> cases[] = {
      {"remove", [&] { b->tier.remove("k:1"); }},
      {"soften", [&] { b->tier.soften("k:1"); }},
      {"write", [&] { b->tier.write("k:1", entryOf("theirs"), {}); }},
  };
  for (const auto& [name, overtake] : cases) {
    a->tier.remove("k:1");
    a->next();
    a->tier.acquire("k:1", {5000, {}, 0});
    ASSERT_EQ(a->next(), "leased") << name;
    const LeaseNumber lease = a->log.lease;
    a->tier.held(lease);
    EXPECT_EQ(a->next(), "done 1") << name;
    overtake();
    b->next();
    ASSERT_TRUE(a->isTold("k:1")) << name << ": who loads is told that it is for nothing";
    a->tier.held(lease);
    EXPECT_EQ(a->next(), "done 0") << name;
    a->tier.fill(lease, entryOf("old"));
    EXPECT_EQ(a->next(), "done 0") << name;
    EXPECT_FALSE(a->keeps("k:1")) << name;
    a->log.watched.clear();
    b->tier.read("k:1", 0, false);
    EXPECT_EQ(b->next(), std::string(name) == "write" ? "hit theirs" : "miss") << name;
  }
}

TEST_F(RealServerTier, AFailureIsToldToWhoeverWaits) {
  const auto a = side();
  const auto b = side();
  a->tier.acquire("k:1", {5000, {}, 0});
  ASSERT_EQ(a->next(), "leased");
  b->tier.acquire("k:1", {5000, {}, 0});
  ASSERT_EQ(b->next(), "busy");
  core::Entry told = entryOf("why");
  told.flags = core::entry_flags::kFailure;
  a->tier.giveUp(a->log.lease, &told, 60);
  EXPECT_EQ(a->next(), "done 1");
  ASSERT_TRUE(b->isTold("k:1"));
  b->tier.acquire("k:1", {5000, {}, 0});
  EXPECT_EQ(b->next(), "failed why");
  EXPECT_LE(b->log.left, 60);
  loop.runFor(80);
  b->tier.acquire("k:1", {5000, {}, 0});
  EXPECT_EQ(b->next(), "leased") << "its time is over";
}

TEST_F(RealServerTier, ARefreshHasOneHolderAndLeavesTheValue) {
  const auto a = side();
  const auto b = side();
  a->tier.write("k:1", entryOf("old"), {});
  ASSERT_EQ(a->next(), "done 1");
  a->tier.refresh("k:1", {5000, {}, 0});
  EXPECT_EQ(a->next(), "leased");
  b->tier.refresh("k:1", {5000, {}, 0});
  EXPECT_EQ(b->next(), "busy");
  b->tier.read("k:1", 0, false);
  EXPECT_EQ(b->next(), "hit old");
  a->tier.fill(a->log.lease, entryOf("new"));
  EXPECT_EQ(a->next(), "done 1");
  ASSERT_TRUE(b->isTold("k:1"));
  EXPECT_TRUE(b->forgets("k:1"));
  b->tier.read("k:1", 0, false);
  EXPECT_EQ(b->next(), "hit new");
}

// What it has read is announced to it when it changes it itself.
TEST_F(RealServerTier, ALeaseOnWhatItHasReadIsNotInDoubt) {
  const auto a = side({"n"});
  a->tier.prepare({});
  a->next();
  a->tier.write("k:1", entryOf("old"), {});
  ASSERT_EQ(a->next(), "done 1");
  ASSERT_TRUE(a->comesToKeep("k:1"));
  a->tier.refresh("k:1", {5000, {}, 0});
  EXPECT_EQ(a->next(), "leased");
  const LeaseNumber refreshed = a->log.lease;
  ask(a->connection, {"PING"});  // behind all that it led to
  EXPECT_TRUE(a->tier.current(refreshed));
  EXPECT_EQ(a->log.watched, Strings());
  a->tier.fill(refreshed, entryOf("new"));
  EXPECT_EQ(a->next(), "done 1");
  EXPECT_TRUE(a->comesToKeep("k:1"));

  a->tier.invalidateTags(Tags{"n"});
  EXPECT_EQ(a->next(), "done 1");
  a->tier.prepare({});
  a->next();
  a->tier.acquire("k:1", {5000, {}, 0});
  ASSERT_EQ(a->next(), "outdated");
  a->tier.takeOver("k:1", a->log.head, {5000, {}, 0});
  EXPECT_EQ(a->next(), "leased");
  ask(a->connection, {"PING"});
  EXPECT_TRUE(a->tier.current(a->log.lease));
  EXPECT_EQ(a->log.watched, Strings());
}

// Both ask at once for a stamp that does not exist.
TEST_F(RealServerTier, TwoThatCreateAStampGetTheSame) {
  const auto a = side({"n"});
  const auto b = side({"n"});
  a->tier.read("k:1", 0, false);
  b->tier.read("k:1", 0, false);
  EXPECT_EQ(a->next(), "miss");
  EXPECT_EQ(b->next(), "miss");
  ASSERT_TRUE(a->tier.stampOf("n"));
  EXPECT_EQ(a->tier.stampOf("n"), b->tier.stampOf("n"));
}

TEST_F(RealServerTier, ANamespaceIsInvalidForAllAtOnce) {
  const auto a = side({"n"});
  const auto b = side({"n"});
  a->tier.prepare({});
  a->next();
  for (const char* key : {"k:1", "k:2"}) {
    a->tier.write(key, entryOf("value"), {});
    EXPECT_EQ(a->next(), "done 1");
    b->tier.read(key, 0, false);
    EXPECT_EQ(b->next(), "hit value");
  }
  ASSERT_TRUE(b->keeps("k:1") && b->keeps("k:2"));
  a->tier.invalidateTags(Tags{"n"});
  EXPECT_FALSE(a->keeps("k:1"));
  EXPECT_EQ(a->next(), "done 1");
  EXPECT_TRUE(b->forgets("k:1"));
  EXPECT_TRUE(b->forgets("k:2"));
  for (Side* one : {a.get(), b.get()}) {
    one->tier.read("k:1", 0, false);
    EXPECT_EQ(one->next(), "miss");
  }
  b->tier.acquire("k:1", {5000, {}, 0});
  EXPECT_EQ(b->next(), "outdated");
  const std::string head = b->log.head;
  b->tier.takeOver("k:1", head, {5000, {}, 0});
  a->tier.takeOver("k:1", head, {5000, {}, 0});
  Strings taken{a->next(), b->next()};
  std::sort(taken.begin(), taken.end());
  EXPECT_EQ(taken, Strings({"again", "leased"})) << "one loads";
}

// The stamps are those of before the load, so what it brings is invalid from the first moment on.
TEST_F(RealServerTier, ATagThatChangesDuringALoadFencesIt) {
  const auto a = side();
  const auto b = side();
  const Tags tags{"t:x"};
  a->tier.acquire("k:1", {5000, tags, 0});
  ASSERT_EQ(a->next(), "leased");
  const LeaseNumber lease = a->log.lease;
  EXPECT_TRUE(a->tier.current(lease));
  b->tier.invalidateTags(tags);
  EXPECT_EQ(b->next(), "done 1");
  ASSERT_TRUE(loop.runUntil([&] { return !a->tier.current(lease); }));
  a->tier.fill(lease, entryOf("old"));
  EXPECT_EQ(a->next(), "done 1") << "Redis has it, and nobody may use it";
  EXPECT_FALSE(a->keeps("k:1"));
  for (Side* one : {a.get(), b.get()}) {
    std::string found;
    do {
      one->tier.read("k:1", 0, false);
      found = one->next();
    } while (found == "again");
    EXPECT_EQ(found, "miss");
  }
}

TEST_F(RealServerTier, ATagIsInvalidForAllAtOnceAndItsMemoryIsGivenBack) {
  const auto a = side();
  const auto b = side();
  const Tags tags{"t:x"};
  a->tier.acquire("k:1", {5000, tags, 0});
  ASSERT_EQ(a->next(), "leased");
  a->tier.fill(a->log.lease, entryOf("value"));
  EXPECT_EQ(a->next(), "done 1");
  b->tier.read("k:1", 0, false);
  EXPECT_EQ(b->next(), "again");
  b->tier.read("k:1", 0, false);
  EXPECT_EQ(b->next(), "hit value");
  ASSERT_TRUE(b->keeps("k:1"));
  EXPECT_EQ(ask(a->connection, {"ZRANGE", full("i:x"), "0", "-1"}), "*[$k:1]");
  a->tier.invalidateTags(tags);
  EXPECT_EQ(a->next(), "done 1");
  EXPECT_TRUE(b->forgets("k:1"));
  const std::string stamp = ask(a->connection, {"GET", full("t:x")}).substr(1);
  ASSERT_EQ(stamp.size(), core::kStampSize);
  b->tier.sweep("k:1", "t:x", stamp);
  EXPECT_EQ(b->next(), "done 1");
  EXPECT_EQ(ask(a->connection, {"EXISTS", full("k:1")}), ":0");
}

TEST_F(RealServerTier, RenewsAStampThatIsPastItsHalf) {
  const auto a = side({"n"}, 1'000'000);
  a->tier.read("k:1", 0, false);
  EXPECT_EQ(a->next(), "miss");
  const std::string stamp = ask(a->connection, {"GET", full("n")});
  ask(a->connection, {"PEXPIRE", full("n"), "400000"});
  const auto b = side({"n"}, 1'000'000);
  b->tier.read("k:1", 0, false);
  EXPECT_EQ(b->next(), "miss");
  const auto lives = [&] { return std::stoll(ask(a->connection, {"PTTL", full("n")}).substr(1)); };
  EXPECT_TRUE(loop.runUntil([&] { return lives() > 900'000; }));
  EXPECT_EQ(ask(a->connection, {"GET", full("n")}), stamp) << "the same stamp for longer";
}

TEST_F(RealServerTier, SurvivesAServerThatForgetsItsScripts) {
  const auto a = side();
  a->tier.write("k:1", entryOf("one"), {});
  EXPECT_EQ(a->next(), "done 1");
  ask(a->connection, {"SCRIPT", "FLUSH"});
  a->tier.write("k:1", entryOf("two"), {});
  EXPECT_EQ(a->next(), "done 1");
  a->tier.read("k:1", 0, false);
  EXPECT_EQ(a->next(), "hit two");
}

TEST_F(RealServerTier, AWriteWithNewTagsIsSentAtOnce) {
  const auto a = side({"n"});
  const auto b = side({"n"});
  EXPECT_FALSE(a->tier.knowsTags(std::vector<std::string>{"t:new"}));
  a->tier.write("k:1", entryOf("old"), std::vector<std::string>{"t:new"});
  a->tier.remove("k:1");
  EXPECT_EQ(a->next(), "done 1");
  EXPECT_EQ(a->next(), "done 1") << "it was there to be removed";
  a->tier.read("k:1", 0, false);
  EXPECT_EQ(a->next(), "miss");
  // With one tag that is known and one that is not: each has its own stamp.
  a->tier.write("k:1", entryOf("value"), std::vector<std::string>{"t:new", "t:newer"});
  EXPECT_EQ(a->next(), "done 1");
  EXPECT_TRUE(a->keeps("k:1")) << "the stamps came in front of the answer";
  EXPECT_EQ(read(*b), "hit value");
  for (const char* tag : {"t:newer", "t:new"}) {
    b->tier.invalidateTags(std::vector<std::string>{tag});
    EXPECT_EQ(b->next(), "done 1");
    EXPECT_EQ(read(*b), "miss") << tag;
    a->tier.write("k:1", entryOf("value"), std::vector<std::string>{"t:new", "t:newer"});
    EXPECT_EQ(a->next(), "done 1");
  }
}

TEST_F(RealServerTier, AWriteBehindAFlushIsSaidToBeOutdated) {
  const auto a = side({"n"});
  a->tier.write("k:1", entryOf("one"), {});
  EXPECT_EQ(a->next(), "done 1");
  const auto other = open();
  ask(*other, {"FLUSHDB"});
  a->tier.write("k:1", entryOf("two"), {});
  const std::string first = a->next();
  EXPECT_TRUE(first == "done 2" || first == "done 1") << first;
  if (first == "done 2") a->tier.write("k:1", entryOf("two"), {});
  if (first == "done 2") {
    EXPECT_EQ(a->next(), "done 1");
  }
  a->tier.read("k:1", 0, false);
  EXPECT_EQ(a->next(), "hit two");
}

TEST_F(RealServerTier, AWriteUnderATagThatHoldsNoStampIsWrittenOnceMore) {
  const auto a = side({"n"});
  const auto other = open();
  ask(*other, {"SET", full("t:bad"), "foreign"});
  const Tags tags{"t:bad"};
  a->tier.write("k:1", entryOf("value"), tags);
  EXPECT_EQ(a->next(), "done 2") << "it was put right meanwhile";
  a->tier.write("k:1", entryOf("value"), tags);
  EXPECT_EQ(a->next(), "done 1");
  EXPECT_EQ(read(*a), "hit value");
}

TEST_F(RealServerTier, TellsForeignBytesFromEntries) {
  const auto a = side();
  const auto other = open();
  ask(*other, {"SET", full("k:1"), "foreign", "PX", "10000"});
  a->tier.read("k:1", 0, false);
  EXPECT_EQ(a->next(), "corrupt");
  ask(*other, {"UNLINK", full("k:1")});
  ask(*other, {"LPUSH", full("k:1"), "x"});
  a->tier.acquire("k:1", {5000, {}, 0});
  EXPECT_EQ(a->next(), "corrupt");
  ask(*other, {"UNLINK", full("k:1")});
}

}  // namespace
}  // namespace tiercel::redis
