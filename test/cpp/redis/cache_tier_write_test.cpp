// Writes, removals and soft invalidations: what is sent, and what memory holds before, meanwhile and afterwards.
#include <gtest/gtest.h>

#include <string>
#include <string_view>

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
using testing::hangUp;
using testing::invalidate;
using testing::run;
using testing::send;
using testing::stored;
using testing::Strings;
using Admission = Connection::Admission;
using CacheTierWrite = testing::CacheTierFixture;

TEST_F(CacheTierWrite, KeepsWhatItHasWritten) {
  open();
  keep("a", "old");
  server->script(
      {expect("SET p:a " + core::encodeEntry(entryOf("new")) + " PX 80000"), expectConfirm("a"), send("+OK\r\n")});
  EXPECT_EQ(tier->write("a", entryOf("new"), {}), Admission::kAdmitted);
  EXPECT_EQ(kept("a"), "(nothing)") << "at submit";
  ASSERT_TRUE(loop.runUntil([&] { return connection->waiting() == 1; }));
  EXPECT_EQ(kept("a"), "(nothing)") << "who knows what is there by now";
  EXPECT_TRUE(log.log.empty()) << "who is told finds it in memory";
  server->send(confirmed());
  ASSERT_TRUE(logged(1));
  EXPECT_EQ(log.log, Strings({"done 1"}));
  EXPECT_TRUE(tier->isIdle());
  EXPECT_EQ(kept("a"), "new");
  EXPECT_EQ(keptAt("a", connection->now() + 80000), "(nothing)") << "no longer than it was to be";
}

TEST_F(CacheTierWrite, SendsScriptsWhole) {
  open();
  tier->soften("a");
  tier->soften("b");
  tier->sweep("a", "t:x", "stamp");
  ASSERT_TRUE(received(3));
  EXPECT_EQ(server->received(), Strings({eval(Script::kSoften) + "p:a", eval(Script::kSoften) + "p:b",
                                         eval(Script::kSweep) + "p:a t:x stamp"}));
  server->send(":1\r\n:0\r\n:0\r\n");
  ASSERT_TRUE(logged(3));
  EXPECT_EQ(log.take(), Strings({"done 1", "done 0", "done 0"}));
}

TEST_F(CacheTierWrite, AWriteThatFailsSaysSoAndLeavesNothing) {
  open();
  server->script({expect("SET …"), expectConfirm("a"), send("+OK\r\n" + confirmed()), expect("SET …"),
                  expectConfirm("a"), send("-OOM command not allowed\r\n" + confirmed()), expect("SET …"),
                  expectConfirm("a"), send("+OK\r\n" + confirmed())});
  for (const char* expected : {"done 1", "failure SERVER_ERROR OOM command not allowed", "done 1"}) {
    tier->write("a", entryOf("x"), {});
    ASSERT_TRUE(logged(1));
    EXPECT_EQ(kept("a"), std::string_view(expected) == "done 1" ? "x" : "(nothing)");
    EXPECT_EQ(log.take(), Strings({expected}));
  }
  // The same for those that say a number.
  server->script(
      {expect(eval(Script::kSoften) + "…"), send("-ERR no\r\n"), expect(eval(Script::kSoften) + "…"), send(":1\r\n")});
  for (const char* expected : {"failure SERVER_ERROR ERR no", "done 1"}) {
    tier->soften("a");
    ASSERT_TRUE(logged(1));
    EXPECT_EQ(log.take(), Strings({expected}));
  }
}

TEST_F(CacheTierWrite, ErasesAtSubmitAndKeepsNoOlderRead) {
  open();
  keep("a", "old");
  // The read was sent first, so its answer is older than what is done behind it.
  server->script({expect("PTTL p:a"), expect("GET p:a"), expect("UNLINK p:a"), send(":50000\r\n" + stored("old")),
                  run([&] { server->send(":1\r\n"); })});
  tier->read("a", 1, false);
  EXPECT_EQ(tier->remove("a"), Admission::kAdmitted);
  EXPECT_EQ(kept("a"), "(nothing)") << "at submit";
  ASSERT_TRUE(logged(1));
  EXPECT_EQ(kept("a"), "(nothing)") << "behind the older answer";
  ASSERT_TRUE(logged(2));
  EXPECT_EQ(log.take(), Strings({"1 hit old", "done 1"}));
  EXPECT_EQ(kept("a"), "(nothing)");

  keep("a", "old");
  server->script({expect("PTTL p:a"), expect("GET p:a"), expect(eval(Script::kSoften) + "p:a"),
                  send(":50000\r\n" + stored("old") + ":1\r\n")});
  tier->read("a", 1, false);
  tier->soften("a");
  EXPECT_EQ(kept("a"), "(nothing)");
  ASSERT_TRUE(logged(2));
  EXPECT_EQ(log.take(), Strings({"1 hit old", "done 1"}));
  EXPECT_EQ(kept("a"), "(nothing)");
}

TEST_F(CacheTierWrite, AReadBehindAWriteMayBeKept) {
  open();
  server->script({expect("SET p:a …"), expectConfirm("a"), expect("PTTL p:a"), expect("GET p:a"),
                  send("+OK\r\n" + confirmed() + ":80000\r\n" + stored("new"))});
  tier->write("a", entryOf("new"), {});
  tier->read("a", 1, false);
  ASSERT_TRUE(logged(2));
  EXPECT_EQ(log.log, Strings({"done 1", "1 hit new"}));
  EXPECT_EQ(kept("a"), "new");
}

// The newer of two writes is what stays, although the answers come one after the other.
TEST_F(CacheTierWrite, TheOlderOfTwoWritesIsNotKept) {
  open();
  server->script({expect("SET p:a …"), expectConfirm("a"), expect("SET p:a …"), expectConfirm("a"),
                  send("+OK\r\n" + confirmed())});
  tier->write("a", entryOf("one"), {});
  tier->write("a", entryOf("two"), {});
  ASSERT_TRUE(logged(1));
  EXPECT_EQ(kept("a"), "(nothing)");
  server->send("+OK\r\n" + confirmed());
  ASSERT_TRUE(logged(2));
  EXPECT_EQ(kept("a"), "two");
}

TEST_F(CacheTierWrite, AnInvalidationBehindTheAnswerErases) {
  open();
  server->script({expect("SET p:a …"), expectConfirm("a"), send("+OK\r\n" + confirmed())});
  tier->write("a", entryOf("new"), {});
  ASSERT_TRUE(logged(1));
  EXPECT_EQ(kept("a"), "new");
  server->send(invalidate("p:a"));
  ASSERT_TRUE(loop.runUntil([&] { return kept("a") == "(nothing)"; }));
}

TEST_F(CacheTierWrite, KeepsNothingWhenItFails) {
  open();
  keep("a", "old");
  server->script(
      {expect("PTTL p:a"), expect("GET p:a"), expect("SET p:a …"), expectConfirm("a"), expect("UNLINK p:b"),
       send(":50000\r\n" + stored("old") + "-OOM command not allowed\r\n" + confirmed() + "-READONLY no\r\n")});
  tier->read("a", 1, false);
  tier->write("a", entryOf("new"), {});
  tier->remove("b");
  ASSERT_TRUE(logged(3));
  EXPECT_EQ(log.log,
            Strings({"1 hit old", "failure SERVER_ERROR OOM command not allowed", "failure SERVER_ERROR READONLY no"}));
  EXPECT_EQ(kept("a"), "(nothing)");
}

// A key that is gone by the time that it is looked at.
TEST_F(CacheTierWrite, KeepsNothingThatIsGone) {
  open();
  server->script({expect("SET p:a …"), expectConfirm("a"), send("+OK\r\n" + bulk(""))});
  tier->write("a", entryOf("new"), {});
  ASSERT_TRUE(logged(1));
  EXPECT_EQ(kept("a"), "(nothing)");
}

TEST_F(CacheTierWrite, KeepsNothingItWroteWithoutTracking) {
  server->refuseTracking = true;
  open();
  server->script({expect("SET p:a …"), expectConfirm("a"), send("+OK\r\n" + confirmed())});
  tier->write("a", entryOf("new"), {});
  ASSERT_TRUE(logged(1));
  EXPECT_EQ(log.log, Strings({"done 1"}));
  EXPECT_EQ(kept("a"), "(nothing)");
}

TEST_F(CacheTierWrite, GivesAnEntryAtLeastAMillisecond) {
  open();
  Entry entry = entryOf("x");
  entry.freshFor = entry.staleFor = entry.keepFor = 0;
  tier->write("a", entry, {});
  ASSERT_TRUE(received(2));
  EXPECT_TRUE(server->received()[0].ends_with(" 1"));
  server->send(":1\r\n" + confirmed());
  ASSERT_TRUE(logged(1));
}

TEST_F(CacheTierWrite, FailsEachOperationOnceWhenTheConnectionIsLost) {
  open();
  server->script({expect("PTTL p:a"), expect("GET p:a"), expect("SET p:b …"), expectConfirm("b"), expect("UNLINK p:c"),
                  expect(eval(Script::kSoften) + "p:d"), send(":50000\r\n"), hangUp()});
  tier->read("a", 1, false);
  tier->write("b", entryOf("x"), {});
  tier->remove("c");
  tier->soften("d");
  ASSERT_TRUE(logged(4));
  EXPECT_EQ(log.log, Strings(4, "failure CONNECTION_LOST"));
  EXPECT_TRUE(tier->isIdle());
}

TEST_F(CacheTierWrite, TellsOfATimeoutOncePerOperation) {
  options.commandTimeout = 20;
  open();
  tier->write("a", entryOf("x"), {});
  tier->remove("b");
  ASSERT_TRUE(logged(2));
  EXPECT_EQ(log.take(), Strings({"timed out", "timed out"}));
  EXPECT_FALSE(tier->isIdle());
  server->send(":80000\r\n" + confirmed() + ":1\r\n");
  ASSERT_TRUE(logged(2));
  EXPECT_EQ(log.log, Strings({"done 1", "done 1"}));
}

TEST_F(CacheTierWrite, ErasesEvenWhenNothingCanBeSent) {
  open();
  keep("a", "1");
  keep("b", "2");
  keep("c", "3");
  server->stopListening();
  // Not through the server: what memory has is lost with the connection anyway.
  connection->close();
  EXPECT_EQ(tier->write("a", entryOf("x"), {}), Admission::kClosed);
  EXPECT_EQ(tier->remove("b"), Admission::kClosed);
  EXPECT_EQ(tier->soften("c"), Admission::kClosed);
  EXPECT_EQ(shared.memory.stats().entries, 0U);
}

}  // namespace
}  // namespace tiercel::redis
