// Tags and namespaces in the second tier: stamps are asked for once, travel with what is stored, and decide what a read
// may use.
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "cache_tier_fixture.h"

namespace tiercel::redis {
namespace {

using core::Entry;
using testing::bulk;
using testing::confirmed;
using testing::entryOf;
using testing::eval;
using testing::expect;
using testing::expectConfirm;
using testing::invalidate;
using testing::run;
using testing::send;
using testing::stampOf;
using testing::stampText;
using testing::stored;
using testing::Strings;
using Admission = Connection::Admission;
using Tags = std::vector<std::string>;
using Tagging = CacheTier::Tagging;

std::string storedWith(std::initializer_list<core::TagStamp> tags) {
  const std::string encoded = core::encodeTags(std::vector<core::TagStamp>(tags));
  Entry entry = entryOf("value");
  entry.tags = encoded;
  return stored(entry);
}

using CacheTierTags = testing::CacheTierFixture;

class CacheTierNamespace : public testing::CacheTierFixture {
 protected:
  CacheTierNamespace() { tierOptions.namespaces = {"n"}; }
};

TEST_F(CacheTierNamespace, AsksForItsStampOnceAndInTheSameWrite) {
  open();
  const std::size_t reads = server->reads();
  tier->read("k:a", 0, false);
  ASSERT_TRUE(received(5));
  EXPECT_EQ(server->reads(), reads + 1);
  const Strings& sent = server->received();
  EXPECT_TRUE(sent[0].starts_with("SET p:n ")) << sent[0];
  EXPECT_TRUE(sent[0].ends_with(" NX PX 2592000000")) << sent[0];
  EXPECT_EQ(Strings(sent.begin() + 1, sent.end()), Strings({"PTTL p:n", "GET p:n", "PTTL p:k:a", "GET p:k:a"}));
  tier->read("k:b", 0, false);  // while the stamp is on its way
  ASSERT_TRUE(received(7));
  EXPECT_EQ(sent[5], "PTTL p:k:b");
  server->send("_\r\n:2592000000\r\n" + bulk(stampText('1')) + ":50000\r\n" + storedWith({{"n", stampOf('1')}}) +
               ":50000\r\n" + storedWith({{"n", stampOf('2')}}));
  ASSERT_TRUE(logged(2));
  EXPECT_EQ(log.log, Strings({"hit value", "miss"}));
  EXPECT_EQ(kept("k:a"), "value");
  EXPECT_EQ(kept("k:b"), "(nothing)");
  EXPECT_EQ(tier->stampOf("n"), stampOf('1'));
  tier->read("k:c", 0, false);
  ASSERT_TRUE(received(9));
  EXPECT_EQ(sent[7], "PTTL p:k:c") << "it is known by now";
  server->send(":-2\r\n_\r\n");
  ASSERT_TRUE(logged(3));
}

TEST_F(CacheTierNamespace, AsksAnewOnANewConnection) {
  open();
  expectStamp("n", '1');
  expectRead("k:a", ":50000\r\n" + storedWith({{"n", stampOf('1')}}));
  tier->read("k:a", 0, false);
  ASSERT_TRUE(logged(1));
  server->hangUp();
  ASSERT_TRUE(lost());
  EXPECT_FALSE(tier->stampOf("n"));
  EXPECT_EQ(kept("k:a"), "(nothing)");
  ASSERT_TRUE(readyAgain());
  expectStamp("n", '2');
  expectRead("k:a", ":50000\r\n" + storedWith({{"n", stampOf('1')}}));
  tier->read("k:a", 0, false);
  ASSERT_TRUE(logged(2));
  EXPECT_EQ(log.log, Strings({"hit value", "miss"}));
}

// What carries a stamp should not go at once because the stamp has.
TEST_F(CacheTierNamespace, RenewsAStampThatHasLivedForHalfItsTime) {
  open();
  for (const auto& [left, renewed] : {std::pair{":1295999999\r\n", true}, std::pair{":1296000000\r\n", false},
                                      std::pair{":-1\r\n", false}, std::pair{"-ERR no\r\n", false}}) {
    server->script({expect("SET p:n …"), expect("PTTL p:n"), expect("GET p:n")});
    expectRead("k:a", std::string("_\r\n") + left + bulk(stampText('1')) + ":-2\r\n_\r\n");
    tier->read("k:a", 0, false);
    if (renewed) server->script({expect("PEXPIRE p:n 2592000000"), send(":1\r\n")});
    ASSERT_TRUE(logged(1));
    ASSERT_TRUE(loop.runUntil([&] { return server->scriptDone(); })) << left;
    EXPECT_EQ(tier->stampOf("n"), stampOf('1'));
    log.take();
    server->send(invalidate("p:n"));  // for the next round
    ASSERT_TRUE(loop.runUntil([&] { return !tier->stampOf("n"); }));
  }
  loop.runFor(5);
}

// Changed between the two questions about it: the answer may be the older one.
TEST_F(CacheTierNamespace, DoesNotBelieveAStampThatWasInvalidatedOnItsWay) {
  open();
  server->script({expect("SET p:n …"), expect("PTTL p:n"), expect("GET p:n"), expect("PTTL p:k:a"), expect("GET p:k:a"),
                  send("_\r\n:2592000000\r\n" + invalidate("p:n") + bulk(stampText('1')) + ":50000\r\n" +
                       storedWith({{"n", stampOf('1')}}))});
  expectStamp("n", '2');
  tier->read("k:a", 0, false);
  ASSERT_TRUE(logged(1));
  EXPECT_EQ(log.log, Strings({"again"}));
  EXPECT_EQ(kept("k:a"), "(nothing)");
  ASSERT_TRUE(loop.runUntil([&] { return tier->stampOf("n") == stampOf('2'); }));
}

// What is loaded without could not be stored: rather ask for both again.
TEST_F(CacheTierNamespace, ALeaseWithoutItsStampIsGivenBack) {
  open();
  server->script({expect("SET p:n …"), expect("PTTL p:n"), expect("GET p:n")});
  server->script(acquireSteps("k:a"));
  server->script({run([this] { server->send("-OOM no\r\n:-2\r\n_\r\n+OK\r\n:5000\r\n" + bulk(marker("k:a"))); })});
  tier->acquire("k:a", {5000, {}, 0});
  server->script({expect(eval(Script::kFail) + "p:k:a …"), send(":1\r\n")});
  ASSERT_TRUE(logged(1));
  EXPECT_EQ(log.take(), Strings({"again"}));
  ASSERT_TRUE(loop.runUntil([&] { return server->scriptDone() && tier->isIdle(); }));
}

TEST_F(CacheTierNamespace, AFillCarriesTheStampsOfBeforeTheLoad) {
  open();
  expectStamp("n", '1');
  expectStamp("t:x", '2');
  const LeaseNumber lease = leased("k:a", {"t:x"});
  // The tag changes while the loader runs.
  server->send(invalidate("p:t:x"));
  ASSERT_TRUE(loop.runUntil([&] { return !tier->stampOf("t:x"); }));
  EXPECT_FALSE(tier->current(lease));
  Entry entry = entryOf("value");
  const std::string tags = core::encodeTags(std::vector<core::TagStamp>{{"n", stampOf('1')}, {"t:x", stampOf('2')}});
  entry.tags = tags;
  server->script({expect(eval(Script::kFill) + "p:k:a …"), expectConfirm("k:a"), expect("ZADD p:i:x …"),
                  expect("ZREMRANGEBYSCORE p:i:x …"), expect("PEXPIRE p:i:x 2592000000"),
                  send(":80000\r\n" + confirmed() + ":1\r\n:0\r\n:1\r\n")});
  tier->fill(lease, entryOf("value"));
  ASSERT_TRUE(logged(1));
  EXPECT_EQ(log.log, Strings({"done 1"}));
  EXPECT_TRUE(lastSent("EVAL ").ends_with(" " + core::encodeEntry(entry) + " 80000"));
  EXPECT_TRUE(lastSent("ZADD p:i:x ").ends_with(" k:a"));
  EXPECT_EQ(kept("k:a"), "(nothing)") << "its tag is in doubt";
  ASSERT_TRUE(loop.runUntil([&] { return tier->isIdle(); }));
}

TEST_F(CacheTierTags, AnUnknownTagIsAskedForAndThenJudged) {
  open();
  expectRead("k:a", ":50000\r\n" + storedWith({{"t:x", stampOf('1')}, {"t:y", stampOf('2')}}));
  expectStamp("t:x", '1');
  expectStamp("t:y", '2');
  tier->read("k:a", 0, false);
  ASSERT_TRUE(logged(1));
  EXPECT_EQ(log.take(), Strings({"again"}));
  expectRead("k:a", ":50000\r\n" + storedWith({{"t:x", stampOf('1')}, {"t:y", stampOf('2')}}));
  tier->read("k:a", 0, false);  // at once: its answer comes behind the stamps
  ASSERT_TRUE(logged(1));
  EXPECT_EQ(log.take(), Strings({"hit value"}));
  EXPECT_EQ(kept("k:a"), "value");
  // One of two has another stamp.
  expectRead("k:b", ":50000\r\n" + storedWith({{"t:x", stampOf('1')}, {"t:y", stampOf('3')}}));
  tier->read("k:b", 0, false);
  ASSERT_TRUE(logged(1));
  EXPECT_EQ(log.take(), Strings({"miss"}));
  server->script(acquireSteps("k:b"));
  server->script({send("_\r\n:50000\r\n" + storedWith({{"t:y", stampOf('3')}, {"t:x", stampOf('1')}}))});
  tier->acquire("k:b", {5000, {}, 0});
  ASSERT_TRUE(logged(1));
  EXPECT_EQ(log.take(), Strings({"outdated"}));
  EXPECT_EQ(kept("k:b"), "(nothing)");
}

TEST_F(CacheTierTags, AnInvalidationChangesAnyFirstAndIsSeenAtOnce) {
  open();
  const Tags both{"t:x", "t:y"};
  expectStamp("t:x", '1');
  server->script({expect("PING"), send("+PONG\r\n")});
  tier->prepare(Tags{"t:x"});
  expectRead("k:a", ":50000\r\n" + storedWith({{"t:x", stampOf('1')}}));
  tier->read("k:a", 0, false);
  ASSERT_TRUE(logged(2));
  EXPECT_EQ(log.take(), Strings({"done 1", "hit value"}));
  ASSERT_EQ(kept("k:a"), "value");

  server->script({expect("SET p:a …"), expect("SET p:t:x …"), expect("SET p:t:y …"), send("+OK\r\n+OK\r\n+OK\r\n")});
  tier->invalidateTags(both);
  EXPECT_EQ(kept("k:a"), "(nothing)") << "at submit";
  EXPECT_FALSE(tier->stampOf("t:x"));
  ASSERT_TRUE(logged(1));
  EXPECT_EQ(log.log, Strings({"done 1"}));
  EXPECT_FALSE(tier->stampOf("t:x"));
  EXPECT_TRUE(lastSent("SET p:t:x ").ends_with(" PX 2592000000"));
}

TEST_F(CacheTierTags, ANamespaceIsInvalidatedAlone) {
  open();
  server->script({expect("SET p:n …"), send("+OK\r\n")});
  tier->invalidateTags(Tags{"n"});
  ASSERT_TRUE(logged(1));
  EXPECT_EQ(server->received().size(), 1U);
}

// A stamp that was asked for before the invalidation was sent, and is answered behind it.
TEST_F(CacheTierTags, AnInvalidationVoidsAStampOnItsWay) {
  open();
  server->script({expect("SET p:t:x …"), expect("PTTL p:t:x"), expect("GET p:t:x"), expect("PING"), expect("SET p:a …"),
                  expect("SET p:t:x …"),
                  send("_\r\n:2592000000\r\n" + bulk(stampText('1')) + "+PONG\r\n+OK\r\n+OK\r\n")});
  tier->prepare(Tags{"t:x"});
  tier->invalidateTags(Tags{"t:x"});
  ASSERT_TRUE(logged(2));
  EXPECT_EQ(log.log, Strings({"done 1", "done 1"}));
  EXPECT_FALSE(tier->stampOf("t:x"));
}

TEST_F(CacheTierTags, AFailedInvalidationIsToldAndHasItsEffectHere) {
  open();
  for (const char* answers : {"-READONLY no\r\n+OK\r\n", "+OK\r\n-READONLY no\r\n"}) {
    server->script({expect("SET p:a …"), expect("SET p:t:x …"), send(answers)});
    tier->invalidateTags(Tags{"t:x"});
    ASSERT_TRUE(logged(1)) << answers;
    EXPECT_EQ(log.take(), Strings({"failure SERVER_ERROR READONLY no"})) << answers;
  }
  expectStamp("t:x", '1');
  server->script({expect("PING"), send("+PONG\r\n")});
  tier->prepare(Tags{"t:x"});
  ASSERT_TRUE(logged(1));
  log.take();
  ASSERT_TRUE(tier->stampOf("t:x"));
  server->script({expect("SET p:a …"), expect("SET p:t:x …"), testing::hangUp()});
  tier->invalidateTags(Tags{"t:x"});
  ASSERT_TRUE(logged(1));
  EXPECT_EQ(log.log, Strings({"failure CONNECTION_LOST"}));
  EXPECT_FALSE(tier->stampOf("t:x"));
}

// In doubt is not invalid: the same stamp makes what memory has good again.
TEST_F(CacheTierTags, AnAnnouncedTagIsInDoubtUntilItIsLearnedAgain) {
  open();
  const auto learn = [&](char stamp) {
    expectStamp("t:x", stamp);
    server->script({expect("PING"), send("+PONG\r\n")});
    tier->prepare(Tags{"t:x"});
    ASSERT_TRUE(logged(1));
    log.take();
  };
  learn('1');
  expectRead("k:a", ":50000\r\n" + storedWith({{"t:x", stampOf('1')}}));
  tier->read("k:a", 0, false);
  ASSERT_TRUE(logged(1));
  log.take();
  ASSERT_EQ(kept("k:a"), "value");
  for (const std::string& push : {invalidate("p:t:x"), testing::kInvalidateAll}) {
    server->send(push);
    ASSERT_TRUE(loop.runUntil([&] { return !tier->stampOf("t:x"); }));
    EXPECT_EQ(kept("k:a"), "(nothing)");
    if (push == testing::kInvalidateAll) break;
    learn('1');
    EXPECT_EQ(kept("k:a"), "value");
  }
  learn('1');
  EXPECT_EQ(kept("k:a"), "(nothing)") << "everything was cleared";
}

TEST_F(CacheTierTags, AddsTagsThatWereComputedFromTheValue) {
  open();
  expectStamp("a", '7');
  const LeaseNumber lease = leased("k:a", {"a"});
  EXPECT_FALSE(tier->anyTagChanged(lease));
  EXPECT_EQ(tier->addTags(lease, Tags{"t:x"}), Tagging::kUnknown);
  expectStamp("t:x", '1');
  server->script({expect("PING"), send("+PONG\r\n")});
  tier->prepare(Tags{"t:x"});
  ASSERT_TRUE(logged(1));
  log.take();
  EXPECT_EQ(tier->addTags(lease, Tags{"t:x"}), Tagging::kAdded);
  Entry entry = entryOf("value");
  const std::string tags = core::encodeTags(std::vector<core::TagStamp>{{"t:x", stampOf('1')}});
  entry.tags = tags;
  server->script({expect(eval(Script::kFill) + "p:k:a …"), expectConfirm("k:a"), expect("ZADD p:i:x …"),
                  expect("ZREMRANGEBYSCORE p:i:x …"), expect("PEXPIRE p:i:x …"),
                  send(":80000\r\n" + confirmed() + ":1\r\n:0\r\n:1\r\n")});
  tier->fill(lease, entryOf("value"));
  ASSERT_TRUE(logged(1));
  EXPECT_TRUE(lastSent("EVAL ").ends_with(" " + core::encodeEntry(entry) + " 80000"))
      << "the tag that stands for any is not carried";
  EXPECT_EQ(kept("k:a"), "value");
  ASSERT_TRUE(loop.runUntil([&] { return tier->isIdle(); }));
}

// The stamps that are known now are not those of before the load, and nobody can say which those were.
TEST_F(CacheTierTags, AddsNoTagsWhenAnyHasChangedSinceTheLoadBegan) {
  open();
  expectStamp("a", '7');
  const LeaseNumber lease = leased("k:a", {"a"});
  server->send(invalidate("p:a"));
  ASSERT_TRUE(loop.runUntil([&] { return !tier->stampOf("a"); }));
  expectStamp("t:x", '1');
  server->script({expect("PING"), send("+PONG\r\n")});
  tier->prepare(Tags{"t:x"});
  ASSERT_TRUE(logged(1));
  EXPECT_EQ(tier->addTags(lease, Tags{"t:x"}), Tagging::kUnknown) << "any has to be asked for as well";
  expectStamp("a", '8');
  server->script({expect("PING"), send("+PONG\r\n")});
  tier->prepare(Tags{"t:x", "a"});
  ASSERT_TRUE(logged(2));
  EXPECT_EQ(tier->addTags(lease, Tags{"t:x"}), Tagging::kChanged);
  EXPECT_TRUE(tier->anyTagChanged(lease));
  // One that was taken while it was known can tell, though it has not asked for it.
  const LeaseNumber other = leased("k:b");
  EXPECT_EQ(tier->addTags(other, Tags{"t:x"}), Tagging::kAdded);
  server->send(invalidate("p:a"));
  ASSERT_TRUE(loop.runUntil([&] { return !tier->stampOf("a"); }));
  // One that was taken while it was not cannot tell at all.
  const LeaseNumber third = leased("k:c");
  EXPECT_EQ(tier->addTags(third, Tags{"t:x"}), Tagging::kChanged);
  EXPECT_EQ(tier->addTags(99, Tags{"t:x"}), Tagging::kChanged);
}

TEST_F(CacheTierNamespace, AWriteCarriesTheStampsOfNow) {
  open();
  EXPECT_FALSE(tier->knowsTags(Tags{"t:x"}));
  expectStamp("n", '1');
  expectStamp("t:x", '2');
  server->script({expect("PING"), send("+PONG\r\n")});
  tier->prepare(Tags{"t:x"});
  ASSERT_TRUE(logged(1));
  EXPECT_TRUE(tier->knowsTags(Tags{"t:x"}));
  EXPECT_FALSE(tier->knowsTags(Tags{"t:x", "t:y"}));
  server->script({expect("SET p:k:a …"), expectConfirm("k:a"), expect("ZADD p:i:x …"),
                  expect("ZREMRANGEBYSCORE p:i:x …"), expect("PEXPIRE p:i:x …"),
                  send(":80000\r\n" + confirmed() + ":1\r\n:0\r\n:1\r\n")});
  tier->write("k:a", entryOf("value"), Tags{"t:x"});
  ASSERT_TRUE(logged(2));
  Entry entry = entryOf("value");
  const std::string tags = core::encodeTags(std::vector<core::TagStamp>{{"n", stampOf('1')}, {"t:x", stampOf('2')}});
  entry.tags = tags;
  EXPECT_TRUE(lastSent("SET p:k:a ").ends_with(" " + core::encodeEntry(entry) + " PX 80000"));
  EXPECT_EQ(kept("k:a"), "value");
  server->send(invalidate("p:n"));
  ASSERT_TRUE(loop.runUntil([&] { return kept("k:a") == "(nothing)"; }));
  ASSERT_TRUE(loop.runUntil([&] { return tier->isIdle(); }));
}

// The index of a tag is trimmed, and its end put off, once in a while: every write would be three commands for each
// tag.
TEST_F(CacheTierNamespace, TendsTheIndexOfATagOnceForAWhile) {
  open();
  expectStamp("n", '1');
  expectStamp("t:x", '1');
  server->script({expect("PING"), send("+PONG\r\n")});
  tier->prepare(Tags{"t:x"});
  ASSERT_TRUE(logged(1));
  const auto write = [&](bool tends) {
    std::vector<testing::Step> steps{expect("SET p:k:a …"), expectConfirm("k:a"), expect("ZADD p:i:x …")};
    if (tends) steps.insert(steps.end(), {expect("ZREMRANGEBYSCORE p:i:x …"), expect("PEXPIRE p:i:x 2592000000")});
    steps.push_back(send("+OK\r\n" + confirmed() + (tends ? ":1\r\n:0\r\n:1\r\n" : ":1\r\n")));
    server->script(steps);
    tier->write("k:a", entryOf("value"), Tags{"t:x"});
    ASSERT_TRUE(loop.runUntil([&] { return tier->isIdle(); }));
  };
  write(true);
  write(false);
  write(false);
  // Another stamp, another index.
  server->send(invalidate("p:t:x"));
  ASSERT_TRUE(loop.runUntil([&] { return !tier->stampOf("t:x"); }));
  expectStamp("t:x", '2');
  server->script({expect("PING"), send("+PONG\r\n")});
  tier->prepare(Tags{"t:x"});
  ASSERT_TRUE(loop.runUntil([&] { return tier->isIdle(); }));
  write(true);
}

// With tags that are not known: the server puts their stamps in, and says which.
class CacheTierNewTag : public testing::CacheTierFixture {
 protected:
  // Writes "k:a" with t:x, whose stamp is '1' when it is asked for; `answer` is that to the write.
  void write(const std::string& answer, const std::string& behind = confirmed()) {
    const std::string source(kScriptSources[static_cast<std::size_t>(Script::kStoreTagged)]);
    server->script({expect("SET p:t:x …"), expect("PTTL p:t:x"), expect("GET p:t:x"),
                    expect("EVAL " + source + " 2 p:k:a p:t:x …"), expectConfirm("k:a"), expect("ZADD p:i:x …"),
                    expect("ZREMRANGEBYSCORE p:i:x …"), expect("PEXPIRE p:i:x …"),
                    send("_\r\n:2592000000\r\n" + bulk(stampText('1')) + answer + behind + ":1\r\n:0\r\n:1\r\n")});
    tier->write("k:a", entryOf("value"), Tags{"t:x"});
    ASSERT_TRUE(logged(1));
    ASSERT_TRUE(loop.runUntil([&] { return tier->isIdle(); }));
  }
};

TEST_F(CacheTierNewTag, KnowsTheStampsThatItWasStoredWith) {
  open();
  write("*2\r\n:80000\r\n" + bulk(stampText('1')));
  EXPECT_EQ(log.log, Strings({"done 1"}));
  EXPECT_EQ(kept("k:a"), "value");
  // The place of the stamp is behind the length of the tag's name.
  const std::string place = " " + std::to_string(core::kEntryHeaderSize + core::kTagStampOffset);
  EXPECT_TRUE(lastSent("EVAL ").ends_with(" 80000" + place));
  server->send(invalidate("p:t:x"));
  ASSERT_TRUE(loop.runUntil([&] { return kept("k:a") == "(nothing)"; }));
}

// Another connection of the process has changed the tag since, and knows its new stamp.
TEST_F(CacheTierNewTag, IsOutdatedWhenItsTagHasAnotherStampByNow) {
  open();
  write("*2\r\n:80000\r\n" + bulk(stampText('0')));
  EXPECT_EQ(log.log, Strings({"done 2"}));
  EXPECT_EQ(kept("k:a"), "(nothing)");
}

TEST_F(CacheTierNewTag, StoresNothingUnderATagWithoutAStamp) {
  open();
  write(":-4\r\n", bulk(""));
  EXPECT_EQ(log.log, Strings({"done 2"}));
  EXPECT_EQ(kept("k:a"), "(nothing)");
}

TEST_F(CacheTierNewTag, BelievesNoAnswerOfAnotherShape) {
  open();
  write("*3\r\n:80000\r\n" + bulk(stampText('1')) + bulk(stampText('1')));
  EXPECT_EQ(log.log, Strings({"done 0"}));
  EXPECT_EQ(kept("k:a"), "(nothing)");
}

// The news of a change comes in front of the confirmation.
TEST_F(CacheTierNamespace, AWriteIsOutdatedWhenItsNamespaceChangedMeanwhile) {
  open();
  expectStamp("n", '1');
  server->script({expect("PING"), send("+PONG\r\n")});
  tier->prepare(Tags{});
  ASSERT_TRUE(logged(1));
  server->script({expect("SET p:k:a …"), expectConfirm("k:a"), send(":80000\r\n" + invalidate("p:n") + confirmed())});
  tier->write("k:a", entryOf("value"), {});
  ASSERT_TRUE(logged(2));
  EXPECT_EQ(log.log.back(), "done 2");
  EXPECT_EQ(kept("k:a"), "(nothing)");
}

}  // namespace
}  // namespace tiercel::redis
