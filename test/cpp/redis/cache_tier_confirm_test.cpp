// What a cache tier keeps of its own writes and fills: the server announces them to it like anybody's, so it looks
// once more what is there before it believes that this was all.
#include <gtest/gtest.h>

#include <string>
#include <thread>
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
using testing::hangUp;
using testing::invalidate;
using testing::kInvalidateAll;
using testing::run;
using testing::send;
using testing::stored;
using testing::Strings;
using Admission = Connection::Admission;

Entry entryWith(std::string_view payload, char id) {
  Entry entry = entryOf(payload);
  entry.fillId = testing::idOf(id);
  return entry;
}

class CacheTierConfirm : public testing::CacheTierFixture {
 protected:
  // Up to the answer to the write itself: what is told waits for the confirmation.
  void write(std::string_view payload, char id) {
    const std::size_t before = log.log.size();
    server->script({expect("SET …"), expectConfirm("a"), send(":80000\r\n")});
    ASSERT_EQ(tier->write("a", entryWith(payload, id), {}), Admission::kAdmitted);
    ASSERT_TRUE(loop.runUntil([&] { return connection->waiting() == 1; }));
    EXPECT_EQ(log.log.size(), before) << "it has yet to be confirmed";
    EXPECT_EQ(kept("a"), "(nothing)");
  }
  bool settled() {
    return loop.runUntil([&] { return tier->isIdle(); });
  }
  const std::string ownPush = invalidate("p:a");
};

TEST_F(CacheTierConfirm, ItsOwnAnnouncementIsNoNews) {
  open();
  const LeaseNumber lease = leased("a");
  server->script({expect(eval(Script::kFill) + "p:a …"), expectConfirm("a"),
                  send(":80000\r\n" + ownPush + confirmed(entryWith("filled", 'f')))});
  tier->fill(lease, entryWith("filled", 'f'));
  ASSERT_TRUE(logged(1));
  ASSERT_TRUE(settled());
  EXPECT_EQ(log.take(), Strings({"done 1"}));
  EXPECT_EQ(kept("a"), "filled");

  write("written", 'w');
  server->send(ownPush + confirmed(entryWith("", 'w')));
  ASSERT_TRUE(settled());
  EXPECT_EQ(log.take(), Strings({"done 1"}));
  EXPECT_EQ(kept("a"), "written");
}

// Older servers say it in front of the answer, and it may be said more than once.
TEST_F(CacheTierConfirm, WhereverItComesBeforeTheConfirmation) {
  open();
  server->script({expect("SET p:a …"), expectConfirm("a"),
                  send(ownPush + ":80000\r\n" + ownPush + confirmed(entryWith("", 'w')))});
  tier->write("a", entryWith("value", 'w'), {});
  ASSERT_TRUE(logged(1));
  ASSERT_TRUE(settled());
  EXPECT_EQ(kept("a"), "value");
}

TEST_F(CacheTierConfirm, WhatSomebodyElseHasPutThereIsNotKept) {
  open();
  const std::string theirs = confirmed(entryWith("", 't'));
  const std::string cases[] = {
      theirs,
      bulk(""),                    // removed
      bulk(std::string(16, 'w')),  // something shorter that begins like ours
      "_\r\n",
      "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
  };
  for (const std::string& answer : cases) {
    server->script({expect("SET …"), expectConfirm("a"), send(":80000\r\n" + ownPush + ownPush + answer)});
    tier->write("a", entryWith("ours", 'w'), {});
    ASSERT_TRUE(logged(1));
    ASSERT_TRUE(settled());
    EXPECT_EQ(log.take(), Strings({"done 1"})) << answer;
    EXPECT_EQ(kept("a"), "(nothing)") << answer;
    keep("a", "next");
  }
}

// It leaves the entry, and so its fill id, where they are.
TEST_F(CacheTierConfirm, WhatWasInvalidatedSoftlyMeanwhileIsNotKept) {
  open();
  write("value", 'w');
  Entry softened = entryWith("", 'w');
  softened.outdated = true;
  server->send(ownPush + ownPush + confirmed(softened));
  ASSERT_TRUE(settled());
  EXPECT_EQ(kept("a"), "(nothing)");
}

// A refresh that somebody has begun meanwhile leaves the value good.
TEST_F(CacheTierConfirm, WhatSomebodyHasTakenALeaseOnIsKept) {
  open();
  write("value", 'w');
  Entry leasedBySomebody = entryWith("", 'w');
  leasedBySomebody.leaseId = testing::idOf('l');
  leasedBySomebody.leaseUntil = core::kMaxEntryDuration;
  server->send(ownPush + ownPush + confirmed(leasedBySomebody));
  ASSERT_TRUE(settled());
  EXPECT_EQ(kept("a"), "value");
}

TEST_F(CacheTierConfirm, AnAnnouncementBehindTheConfirmationIsNews) {
  open();
  write("value", 'w');
  server->send(ownPush + confirmed(entryWith("", 'w')));
  ASSERT_TRUE(settled());
  EXPECT_EQ(kept("a"), "value");
  server->send(ownPush);
  EXPECT_TRUE(loop.runUntil([&] { return kept("a") == "(nothing)"; }));
  // In one piece, too.
  write("value", 'w');
  server->send(ownPush + confirmed(entryWith("", 'w')) + ownPush);
  ASSERT_TRUE(settled());
  EXPECT_EQ(kept("a"), "(nothing)");
}

// What another thread of the process does is known here before the server says so.
TEST_F(CacheTierConfirm, WhatAnotherThreadDoesMeanwhileIsNews) {
  open();
  const auto elsewhere = [](const auto& what) { std::thread(what).join(); };
  write("value", 'w');
  elsewhere([&] { shared.memory.erase("a"); });
  server->send(ownPush + confirmed(entryWith("", 'w')));
  ASSERT_TRUE(settled());
  EXPECT_EQ(kept("a"), "(nothing)") << "in front of the announcement";

  write("value", 'w');
  server->send(ownPush);
  loop.runFor(5);
  elsewhere([&] { shared.memory.erase("a"); });
  server->send(ownPush + confirmed(entryWith("", 'w')));
  ASSERT_TRUE(settled());
  EXPECT_EQ(kept("a"), "(nothing)") << "between two announcements";

  write("value", 'w');
  elsewhere([&] { shared.memory.clear(); });
  server->send(ownPush + confirmed(entryWith("", 'w')));
  ASSERT_TRUE(settled());
  EXPECT_EQ(kept("a"), "(nothing)") << "everything cleared";
}

TEST_F(CacheTierConfirm, WhatThisThreadDoesMeanwhileIsNews) {
  open();
  write("value", 'w');
  server->script({expect("UNLINK p:a"), send(ownPush + confirmed(entryWith("", 'w')) + ":1\r\n" + ownPush)});
  tier->remove("a");
  ASSERT_TRUE(logged(2));
  EXPECT_EQ(kept("a"), "(nothing)");
  EXPECT_EQ(log.take(), Strings({"done 1", "done 1"}));

  write("value", 'w');
  tier->forget("a");
  server->send(ownPush + confirmed(entryWith("", 'w')));
  ASSERT_TRUE(settled());
  EXPECT_EQ(kept("a"), "(nothing)") << "forgotten";
}

TEST_F(CacheTierConfirm, AServerThatClearsEverythingIsBelieved) {
  open();
  write("value", 'w');
  server->send(ownPush + kInvalidateAll + confirmed(entryWith("", 'w')));
  ASSERT_TRUE(settled());
  EXPECT_EQ(kept("a"), "(nothing)");
}

TEST_F(CacheTierConfirm, AnnouncementsOfOtherKeysAreNotMistaken) {
  open();
  write("value", 'w');
  server->send(ownPush + invalidate("p:b") + invalidate("q:a") + invalidate("a") + confirmed(entryWith("", 'w')));
  ASSERT_TRUE(settled());
  EXPECT_EQ(kept("a"), "value");
}

// Both are under way at once: only the newer one may stay, whatever the older one's confirmation reads.
TEST_F(CacheTierConfirm, ANewerWriteOvertakesAnOlderOne) {
  open();
  write("one", '1');
  server->script({expect("SET …"), expectConfirm("a")});
  ASSERT_EQ(tier->write("a", entryWith("two", '2'), {}), Admission::kAdmitted);
  ASSERT_TRUE(received(4));
  server->send(ownPush + confirmed(entryWith("", '1')));
  server->send(":80000\r\n");
  ASSERT_TRUE(loop.runUntil([&] { return connection->waiting() == 1; }));
  EXPECT_EQ(log.take(), Strings({"done 1"}));
  EXPECT_EQ(kept("a"), "(nothing)") << "the older one's confirmation tells nothing of the newer one";
  server->send(ownPush + confirmed(entryWith("", '2')));
  ASSERT_TRUE(settled());
  EXPECT_EQ(log.take(), Strings({"done 1"}));
  EXPECT_EQ(kept("a"), "two");
}

// The newer one reads what the older one wrote, because it was refused itself.
TEST_F(CacheTierConfirm, ANewerWriteThatFailsLeavesNothing) {
  open();
  write("one", '1');
  server->script({expect("SET …"), expectConfirm("a")});
  tier->write("a", entryWith("two", '2'), {});
  server->send(ownPush + confirmed(entryWith("", '1')) + "-OOM no\r\n" + confirmed(entryWith("", '1')));
  ASSERT_TRUE(settled());
  EXPECT_EQ(log.take(), Strings({"done 1", "failure SERVER_ERROR OOM no"}));
  EXPECT_EQ(kept("a"), "(nothing)");
  write("three", '3');
  server->send(confirmed(entryWith("", '3')));
  ASSERT_TRUE(settled());
  EXPECT_EQ(kept("a"), "three") << "and is not in the way of the next";
}

TEST_F(CacheTierConfirm, ALossBeforeTheConfirmationLeavesNothing) {
  open();
  for (int round = 0; round < 2; ++round) {
    write("value", 'w');
    if (round == 1) server->send(ownPush);
    server->hangUp();
    ASSERT_TRUE(lost());
    EXPECT_TRUE(tier->isIdle());
    EXPECT_EQ(log.take(), Strings({"done 1"})) << "in Redis it is";
    EXPECT_EQ(kept("a"), "(nothing)");
    ASSERT_TRUE(readyAgain());
    EXPECT_EQ(kept("a"), "(nothing)");
  }
  // Nothing is left over that would take the next one's place.
  write("value", 'w');
  server->send(ownPush + confirmed(entryWith("", 'w')));
  ASSERT_TRUE(settled());
  EXPECT_EQ(kept("a"), "value");
}

TEST_F(CacheTierConfirm, ALossBeforeTheAnswerIsToldOnce) {
  open();
  const LeaseNumber lease = leased("a");
  server->script({expect(eval(Script::kFill) + "p:a …"), expectConfirm("a"), hangUp()});
  tier->fill(lease, entryWith("value", 'w'));
  ASSERT_TRUE(logged(1));
  server->script({expect(eval(Script::kFail) + "p:a …"), send(":0\r\n")});  // the lease may be ours
  ASSERT_TRUE(readyAgain());
  ASSERT_TRUE(loop.runUntil([&] { return server->scriptDone() && tier->isIdle(); }));
  EXPECT_EQ(log.log, Strings({"failure CONNECTION_LOST"}));
  EXPECT_EQ(kept("a"), "(nothing)");
}

// A write and its confirmation leave together, however large the value is: neither finds another connection.
TEST_F(CacheTierConfirm, ALargeWriteAndItsConfirmationAreLostTogether) {
  open();
  server->stall();
  const std::string large(16 << 20, 'x');
  ASSERT_EQ(tier->write("a", entryWith(large, 'w'), {}), Admission::kAdmitted);
  loop.runFor(5);
  EXPECT_EQ(connection->waiting(), 2U);
  server->hangUp();
  ASSERT_TRUE(lost());
  EXPECT_TRUE(tier->isIdle());
  ASSERT_TRUE(readyAgain());
  EXPECT_EQ(kept("a"), "(nothing)");
  EXPECT_EQ(log.log, Strings({"failure CONNECTION_LOST"}));
}

TEST_F(CacheTierConfirm, ItsTimeoutIsTheOneOfTheWrite) {
  options.commandTimeout = 20;
  open();
  write("value", 'w');
  ASSERT_TRUE(logged(1));
  loop.runFor(30);
  EXPECT_EQ(log.take(), Strings({"timed out"}));
  EXPECT_FALSE(tier->isIdle());
  server->send(ownPush + confirmed(entryWith("", 'w')));
  ASSERT_TRUE(settled());
  EXPECT_EQ(log.take(), Strings({"done 1"}));
  EXPECT_EQ(kept("a"), "value") << "late, and right all the same";
}

TEST_F(CacheTierConfirm, AClosedTierWaitsForNoConfirmation) {
  open();
  write("value", 'w');
  connection->destroy();
  EXPECT_TRUE(tier->isIdle());
  EXPECT_EQ(log.log, Strings({"done 1"}));
  EXPECT_EQ(shared.memory.stats().entries, 0U);
}

TEST_F(CacheTierConfirm, WithoutMemoryNothingIsAsked) {
  tierOptions.memory = false;
  open();
  server->script({expect("SET p:a …"), send(":80000\r\n" + ownPush)});
  tier->write("a", entryWith("value", 'w'), {});
  ASSERT_TRUE(logged(1));
  EXPECT_TRUE(tier->isIdle());
  loop.runFor(5);
  EXPECT_EQ(server->received().size(), 1U);
  server->script({expect("SET …"), hangUp()});
  tier->write("a", entryWith("value", 'w'), {});
  ASSERT_TRUE(logged(2));
  EXPECT_TRUE(tier->isIdle());
  EXPECT_EQ(log.log, Strings({"done 1", "failure CONNECTION_LOST"}));
}

}  // namespace
}  // namespace tiercel::redis
