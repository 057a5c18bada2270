// Leases in the second tier: who gets one, what becomes of it, and who is told when a key has changed.
#include <gtest/gtest.h>

#include <algorithm>
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
using testing::idOf;
using testing::invalidate;
using testing::run;
using testing::send;
using testing::stored;
using testing::Strings;
using Admission = Connection::Admission;
using CacheTierLease = testing::CacheTierFixture;

Entry flagged(std::uint16_t flags, std::string_view payload) {
  Entry entry = entryOf(payload);
  entry.flags = flags;
  return entry;
}

// What is asked behind a refresh or a takeover: who has the lease by then.
testing::Step expectLook(const std::string& key) { return expect("GETRANGE p:" + key + " 64 79"); }
std::string leaseOf(const core::FillId& id) { return bulk(core::textOf(id)); }

// The lease that the newest command asks for that begins so.
std::string askedFor(const std::string& sent, std::string_view beginning) {
  return bulk(std::string_view(sent).substr(beginning.size(), core::kFillIdSize));
}

TEST_F(CacheTierLease, TakesTheLeaseOfWhatIsNotThere) {
  open();
  expectLease("a");
  EXPECT_EQ(tier->acquire("a", {5000, {}, 7}), Admission::kAdmitted);
  ASSERT_TRUE(logged(1));
  EXPECT_EQ(log.log, Strings({"7 leased"}));
  EXPECT_NE(log.lease, 0U);
  EXPECT_EQ(log.left, 5000);
  EXPECT_TRUE(lastSent("SET p:a ").ends_with(" NX PX 5000"));
  const std::string bytes = marker("a");
  const auto parsed = core::parseEntry(bytes);
  ASSERT_TRUE(parsed);
  EXPECT_TRUE(parsed->isMarker());
  EXPECT_EQ(parsed->leaseId, parsed->fillId);
  EXPECT_NE(parsed->leaseId, core::FillId{});
  EXPECT_EQ(parsed->keepFor, 5000);
  EXPECT_EQ(kept("a"), "(nothing)") << "a marker is no entry";
}

TEST_F(CacheTierLease, FindsWhatIsThere) {
  open();
  const struct {
    Entry entry;
    std::string expected;
  } cases[] = {{entryOf("value"), "hit value"},
               {flagged(core::entry_flags::kMarker, ""), "busy"},
               {flagged(core::entry_flags::kFailure, "why"), "failed why"},
               {flagged(core::entry_flags::kUncacheable, ""), "uncacheable"}};
  for (const auto& [entry, expected] : cases) {
    server->script(acquireSteps("a"));
    server->script({send("_\r\n:50000\r\n" + stored(entry))});
    tier->acquire("a", {5000, {}, 0});
    ASSERT_TRUE(logged(1));
    EXPECT_EQ(log.take(), Strings({expected}));
    EXPECT_EQ(log.left, 50000);
    EXPECT_EQ(log.lease, 0U);
    EXPECT_EQ(kept("a"), expected == "hit value" ? "value" : "(nothing)") << expected;
    EXPECT_EQ(log.head, core::encodeEntry(entry).substr(0, 24));
    tier->forget("a");
  }
}

TEST_F(CacheTierLease, TwoMarkersAreTwoLeases) {
  open();
  leased("a");
  const std::string first = marker("a");
  leased("b");
  EXPECT_NE(first, marker("b"));
}

// Set, and removed by somebody else before GET.
TEST_F(CacheTierLease, AsksAgainWhenTheLeaseIsGoneAtOnce) {
  open();
  server->script(acquireSteps("a"));
  server->script({send("+OK\r\n:5000\r\n" + invalidate("p:a") + "_\r\n")});
  tier->acquire("a", {5000, {}, 0});
  ASSERT_TRUE(logged(1));
  EXPECT_EQ(log.log, Strings({"again"}));
}

// A server without room for a marker is a miss like any other: the caller loads, unprotected.
TEST_F(CacheTierLease, IsAMissWhenThereIsNoRoomForAMarker) {
  open();
  server->script(acquireSteps("a"));
  server->script({send("-OOM command not allowed when used memory > 'maxmemory'.\r\n:-2\r\n_\r\n")});
  tier->acquire("a", {5000, {}, 0});
  ASSERT_TRUE(logged(1));
  EXPECT_EQ(log.log, Strings({"miss"}));
  // What is there is served all the same.
  server->script(acquireSteps("b"));
  server->script({send("-OOM no\r\n:50000\r\n" + stored("value"))});
  tier->acquire("b", {5000, {}, 0});
  ASSERT_TRUE(logged(2));
  EXPECT_EQ(log.log.back(), "hit value");
  // And the next one begins anew.
  leased("a");
}

// Nobody would end it: everybody else would wait for nothing.
TEST_F(CacheTierLease, GivesALateLeaseBack) {
  options.commandTimeout = 20;
  options.heartbeat = 0;
  open();
  server->script(acquireSteps("a"));
  tier->acquire("a", {5000, {}, 0});
  ASSERT_TRUE(logged(1));
  EXPECT_EQ(log.take(), Strings({"timed out"}));
  const std::string id = marker("a").substr(core::kLeaseOffset, core::kFillIdSize);
  server->script({expect(eval(Script::kFail) + "p:a " + id + "  0"), send(":1\r\n")});
  server->send("+OK\r\n:5000\r\n" + bulk(marker("a")));
  ASSERT_TRUE(logged(1));
  EXPECT_EQ(log.take(), Strings({"miss"}));
  ASSERT_TRUE(loop.runUntil([&] { return server->scriptDone() && tier->isIdle(); }));
  EXPECT_TRUE(log.log.empty());
}

TEST_F(CacheTierLease, GivesALateRefreshAndALateTakeoverBack) {
  options.commandTimeout = 20;
  options.heartbeat = 0;
  open();
  const std::string refresh = eval(Script::kRefresh) + "p:a ";
  const std::string takeOver = eval(Script::kTakeOver) + "p:b head ";
  server->script({expect(refresh + "…"), expectLook("a"), expect(takeOver + "…"), expectLook("b")});
  tier->refresh("a", {5000, {}, 0});
  tier->takeOver("b", "head", {5000, {}, 0});
  ASSERT_TRUE(logged(2));
  EXPECT_EQ(log.take(), Strings({"timed out", "timed out"}));
  const std::string first = askedFor(lastSent(refresh), refresh);
  const std::string second = bulk(lastSent(takeOver).substr(takeOver.size() + core::kLeaseOffset, core::kFillIdSize));
  server->script({expect(eval(Script::kFail) + "p:a …"), expect("EVAL …"), send(":1\r\n:1\r\n")});
  server->send(":1\r\n" + first + ":1\r\n" + second);
  ASSERT_TRUE(logged(2));
  EXPECT_EQ(log.take(), Strings({"miss", "miss"}));
  ASSERT_TRUE(loop.runUntil([&] { return server->scriptDone() && tier->isIdle(); }));
}

TEST_F(CacheTierLease, AFillIsComparedAndKept) {
  open();
  const LeaseNumber lease = leased("a");
  const std::string id = marker("a").substr(core::kLeaseOffset, core::kFillIdSize);
  server->script({expect(eval(Script::kFill) + "p:a " + id + " " + core::encodeEntry(entryOf("value")) + " 80000"),
                  expectConfirm("a"), send(":80000\r\n" + confirmed())});
  EXPECT_EQ(tier->fill(lease, entryOf("value")), Admission::kAdmitted);
  ASSERT_TRUE(logged(1));
  EXPECT_EQ(log.log, Strings({"done 1"}));
  EXPECT_EQ(kept("a"), "value");
  EXPECT_EQ(tier->fill(lease, entryOf("again")), Admission::kClosed) << "a lease ends once";
}

TEST_F(CacheTierLease, AFillThatWasOvertakenIsNotKept) {
  open();
  const LeaseNumber lease = leased("a");
  server->script({expect(eval(Script::kFill) + "p:a …"), expectConfirm("a"), send(":-3\r\n" + confirmed())});
  tier->fill(lease, entryOf("value"));
  ASSERT_TRUE(logged(1));
  EXPECT_EQ(log.log, Strings({"done 0"}));
  EXPECT_EQ(kept("a"), "(nothing)");
}

// It may have landed all the same: what memory has under that key is not known to be right.
TEST_F(CacheTierLease, AFillWhoseFateIsUnknownIsNotKept) {
  open();
  const LeaseNumber lease = leased("a");
  server->script({expect(eval(Script::kFill) + "p:a …"), hangUp()});
  tier->fill(lease, entryOf("value"));
  ASSERT_TRUE(logged(1));
  EXPECT_EQ(log.log, Strings({"failure CONNECTION_LOST"}));
  EXPECT_EQ(kept("a"), "(nothing)");
}

TEST_F(CacheTierLease, AnotherThreadsEraseStopsTheCopyOfAFill) {
  open();
  const LeaseNumber lease = leased("a");
  server->script({expect(eval(Script::kFill) + "p:a …"), expectConfirm("a"), run([&] {
                    shared.memory.erase("a");
                    server->send(":80000\r\n" + confirmed());
                  })});
  tier->fill(lease, entryOf("value"));
  ASSERT_TRUE(logged(1));
  EXPECT_EQ(log.log, Strings({"done 1"}));
  EXPECT_EQ(kept("a"), "(nothing)");
}

TEST_F(CacheTierLease, RefreshesOnlyOnce) {
  open();
  const std::string refresh = eval(Script::kRefresh) + "p:a ";
  server->script({expect(refresh + "…"), expectLook("a"),
                  run([&, refresh] { server->send(":1\r\n" + askedFor(lastSent(refresh), refresh)); })});
  tier->refresh("a", {5000, {}, 0});
  ASSERT_TRUE(logged(1));
  EXPECT_EQ(log.take(), Strings({"leased"}));
  EXPECT_EQ(log.left, 5000);
  EXPECT_TRUE(tier->current(log.lease));
  const std::string theirs = leaseOf(idOf('t'));
  const std::string nobodys = leaseOf(core::FillId{});
  const std::pair<std::string, std::string> cases[] = {
      {":0\r\n" + theirs, "busy"},
      {":0\r\n" + nobodys, "again"},  // whoever had it has ended it meanwhile, and nobody would be told
      {":0\r\n" + bulk(""), "again"},
      {":2\r\n" + nobodys, "failed "},
      {":-1\r\n" + bulk(""), "again"},
      {":1\r\n" + invalidate("p:a") + theirs, "again"},  // taken, and lost again
      {"-READONLY no\r\n" + theirs, "failure SERVER_ERROR READONLY no"},
      {"-WRONGTYPE no\r\n-WRONGTYPE no\r\n", "failure SERVER_ERROR WRONGTYPE no"},
  };
  for (const auto& [answer, expected] : cases) {
    server->script({expect("EVAL …"), expectLook("a"), send(answer)});
    tier->refresh("a", {5000, {}, 0});
    ASSERT_TRUE(logged(1));
    EXPECT_EQ(log.take(), Strings({expected})) << answer;
  }
}

TEST_F(CacheTierLease, TakesOverOrAsksAgain) {
  open();
  const std::string takeOver = eval(Script::kTakeOver) + "p:a head ";
  server->script({expect(takeOver + "…"), expectLook("a"), run([&, takeOver] {
                    server->send(":1\r\n" + bulk(lastSent(takeOver).substr(takeOver.size() + core::kLeaseOffset,
                                                                           core::kFillIdSize)));
                  })});
  tier->takeOver("a", "head", {5000, {}, 0});
  ASSERT_TRUE(logged(1));
  EXPECT_EQ(log.take(), Strings({"leased"}));
  for (const std::string& there : {leaseOf(idOf('t')), leaseOf(core::FillId{}), bulk("")}) {
    server->script({expect("EVAL …"), expectLook("a"), send(":0\r\n" + there)});
    tier->takeOver("a", "head", {5000, {}, 0});
    ASSERT_TRUE(logged(1));
    EXPECT_EQ(log.take(), Strings({"again"}));
  }
}

// The server announces our own change of the entry, too: behind the answer to the script, before that to the look.
TEST_F(CacheTierLease, ItsOwnAnnouncementIsNoDoubt) {
  open();
  const std::string refresh = eval(Script::kRefresh) + "p:a ";
  server->script({expect(refresh + "…"), expectLook("a"), run([&, refresh] {
                    server->send(":1\r\n" + invalidate("p:a") + askedFor(lastSent(refresh), refresh));
                  })});
  tier->refresh("a", {5000, {}, 0});
  ASSERT_TRUE(logged(1));
  EXPECT_EQ(log.take(), Strings({"leased"}));
  EXPECT_TRUE(log.watched.empty());
  EXPECT_TRUE(tier->current(log.lease));
  // And what comes behind it is news.
  server->send(invalidate("p:a"));
  ASSERT_TRUE(loop.runUntil([&] { return !log.watched.empty(); }));
  EXPECT_FALSE(tier->current(log.lease));
}

TEST_F(CacheTierLease, ALossInTheMiddleOfARefreshIsToldOnce) {
  open();
  for (const char* answer : {":1\r\n", ""}) {
    server->script({expect(eval(Script::kRefresh) + "p:a …"), expectLook("a"), send(answer), hangUp()});
    tier->refresh("a", {5000, {}, 0});
    ASSERT_TRUE(logged(1));
    EXPECT_TRUE(tier->isIdle());
    server->script({expect(eval(Script::kFail) + "p:a …"), send(":1\r\n")});  // it may be ours
    ASSERT_TRUE(loop.runUntil([&] { return server->scriptDone() && tier->isIdle(); }));
    EXPECT_EQ(log.take(), Strings({"failure CONNECTION_LOST"}));
  }
}

TEST_F(CacheTierLease, GivesUpWithAndWithoutAWord) {
  open();
  const LeaseNumber silent = leased("a");
  const std::string first = marker("a").substr(core::kLeaseOffset, core::kFillIdSize);
  const LeaseNumber loud = leased("b");
  const std::string second = marker("b").substr(core::kLeaseOffset, core::kFillIdSize);
  const Entry told = flagged(core::entry_flags::kFailure, "why");
  server->script({expect(eval(Script::kFail) + "p:a " + first + "  0"),
                  expect(eval(Script::kFail) + "p:b " + second + " " + core::encodeEntry(told) + " 750"),
                  send(":1\r\n:0\r\n")});
  EXPECT_EQ(tier->giveUp(silent, nullptr, 0), Admission::kAdmitted);
  EXPECT_EQ(tier->giveUp(loud, &told, 750), Admission::kAdmitted);
  ASSERT_TRUE(logged(2));
  EXPECT_EQ(log.log, Strings({"done 1", "done 0"}));
  EXPECT_EQ(tier->giveUp(silent, nullptr, 0), Admission::kClosed);
}

TEST_F(CacheTierLease, AsksWhetherItIsHeld) {
  open();
  const LeaseNumber lease = leased("a");
  server->script({expect(eval(Script::kHeld) + "p:a …"), expect("EVAL …"), send(":1\r\n:0\r\n")});
  tier->held(lease);
  tier->held(lease);
  ASSERT_TRUE(logged(2));
  EXPECT_EQ(log.log, Strings({"done 1", "done 0"}));
  EXPECT_TRUE(tier->current(lease)) << "nothing is known to have changed";
  tier->drop(lease);
  EXPECT_EQ(tier->held(lease), Admission::kClosed);
  EXPECT_FALSE(tier->current(lease));
}

TEST_F(CacheTierLease, TheNumberOfOneThatHasEndedIsNobodys) {
  open();
  const LeaseNumber first = leased("a");
  server->script({expect(eval(Script::kFail) + "p:a …"), send(":1\r\n")});
  tier->giveUp(first, nullptr, 0);
  ASSERT_TRUE(logged(1));
  log.take();
  const LeaseNumber second = leased("b");
  EXPECT_NE(first, second);
  EXPECT_TRUE(tier->current(second));
  for (const LeaseNumber none : {first, LeaseNumber{0}, LeaseNumber{99}}) {
    EXPECT_FALSE(tier->current(none));
    EXPECT_EQ(tier->held(none), Admission::kClosed);
    EXPECT_EQ(tier->fill(none, entryOf("x")), Admission::kClosed);
    tier->drop(none);
  }
  EXPECT_TRUE(tier->current(second));
}

// Given back as soon as the server is heard of: also one that may be ours, since its answer was lost.
TEST_F(CacheTierLease, GivesBackWhatWasDroppedOrLostOnTheWay) {
  open();
  const LeaseNumber lease = leased("a");
  const std::string dropped = marker("a").substr(core::kLeaseOffset, core::kFillIdSize);
  tier->drop(lease);
  EXPECT_FALSE(tier->current(lease));
  server->script({expect(eval(Script::kFail) + "p:a " + dropped + "  0"), send(":1\r\n")});
  server->send(invalidate("p:other"));
  ASSERT_TRUE(loop.runUntil([&] { return server->scriptDone() && tier->isIdle(); }));

  server->script(acquireSteps("b"));
  server->script({hangUp()});
  tier->acquire("b", {5000, {}, 0});
  ASSERT_TRUE(logged(1));
  EXPECT_EQ(log.take(), Strings({"failure CONNECTION_LOST"}));
  const std::string unknown = marker("b").substr(core::kLeaseOffset, core::kFillIdSize);
  server->script({expect(eval(Script::kFail) + "p:b " + unknown + "  0"), send(":0\r\n")});
  ASSERT_TRUE(loop.runUntil([&] { return server->scriptDone() && tier->isIdle(); }));
  EXPECT_TRUE(log.log.empty()) << "nobody asked for it";
}

TEST_F(CacheTierLease, TellsOfAWatchedKeyOnce) {
  open();
  server->script(acquireSteps("a"));
  server->script({send("_\r\n:5000\r\n" + stored(flagged(core::entry_flags::kMarker, "")))});
  tier->acquire("a", {5000, {}, 0});
  ASSERT_TRUE(logged(1));
  ASSERT_EQ(log.log, Strings({"busy"}));
  server->send(invalidate("p:other") + invalidate("q:a"));
  loop.runFor(5);
  EXPECT_TRUE(log.watched.empty());
  server->send(invalidate("p:a") + invalidate("p:a"));
  ASSERT_TRUE(loop.runUntil([&] { return !log.watched.empty(); }));
  loop.runFor(5);
  EXPECT_EQ(log.watched, Strings({"a"}));
}

TEST_F(CacheTierLease, TellsEverybodyWhenAnythingMayHaveChanged) {
  open();
  leased("a");
  leased("b");
  leased("c");
  tier->unwatch("b");
  server->send(testing::kInvalidateAll);
  ASSERT_TRUE(loop.runUntil([&] { return log.watched.size() >= 2; }));
  std::sort(log.watched.begin(), log.watched.end());
  EXPECT_EQ(log.watched, Strings({"a", "c"}));
  log.watched.clear();
  leased("d");
  server->hangUp();
  ASSERT_TRUE(lost());
  EXPECT_EQ(log.watched, Strings({"d"}));
}

// What comes of ending a lease is the holder's own doing.
TEST_F(CacheTierLease, TellsNothingOfWhatItDoesItself) {
  open();
  const LeaseNumber filled = leased("a");
  const LeaseNumber given = leased("b");
  const LeaseNumber dropped = leased("c");
  server->script(
      {expect(eval(Script::kFill) + "p:a …"), expectConfirm("a"), expect(eval(Script::kFail) + "p:b …"),
       send(":80000\r\n" + invalidate("p:a") + confirmed() + ":1\r\n" + invalidate("p:b") + invalidate("p:c"))});
  tier->fill(filled, entryOf("value"));
  tier->giveUp(given, nullptr, 0);
  tier->drop(dropped);
  ASSERT_TRUE(logged(2));
  loop.runFor(5);
  EXPECT_TRUE(log.watched.empty());
}

}  // namespace
}  // namespace tiercel::redis
