// What a read of the second tier finds, and what of it memory keeps.
#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "cache_tier_fixture.h"

namespace tiercel::redis {
namespace {

using core::Entry;
using core::Millis;
using testing::bulk;
using testing::entryOf;
using testing::expect;
using testing::FakeServer;
using testing::send;
using testing::stored;
using testing::Strings;
using Admission = Connection::Admission;
using CacheTierRead = testing::CacheTierFixture;

TEST_F(CacheTierRead, FillsTheMemoryWhenItTracks) {
  open();
  EXPECT_TRUE(connection->isTracking());
  expectRead("a", ":50000\r\n" + stored("value"));
  const Millis before = connection->now();
  tier->read("a", 3, false);
  EXPECT_FALSE(tier->isIdle());
  ASSERT_TRUE(logged(1));
  const Millis after = connection->now();
  EXPECT_TRUE(tier->isIdle());
  EXPECT_EQ(log.log, Strings({"3 hit value"}));
  const auto hit = shared.memory.peek("a", after);
  ASSERT_TRUE(hit);
  EXPECT_EQ(hit->entry.payload, "value");
  // 80 s were given and 50 s are left, so it is 30 s old.
  EXPECT_GE(hit->deadlines.freshUntil, before + 30000);
  EXPECT_LE(hit->deadlines.freshUntil, after + 30000);
  EXPECT_EQ(hit->deadlines.staleUntil - hit->deadlines.freshUntil, 10000);
  EXPECT_EQ(hit->deadlines.goneAt - hit->deadlines.freshUntil, 20000);
  EXPECT_EQ(log.deadlines.goneAt, hit->deadlines.goneAt);
  EXPECT_EQ(log.left, 50000);
}

TEST_F(CacheTierRead, AsksForTheLifetimeFirstAndInOneWrite) {
  open();
  const std::size_t reads = server->reads();
  tier->read("a", 1, false);
  tier->read("b", 2, false);
  ASSERT_TRUE(received(4));
  EXPECT_EQ(server->received(), Strings({"PTTL p:a", "GET p:a", "PTTL p:b", "GET p:b"}));
  EXPECT_EQ(server->reads(), reads + 1);
}

TEST_F(CacheTierRead, KeepsNothingWithoutMemory) {
  tierOptions.memory = false;
  open();
  EXPECT_TRUE(connection->isTracking()) << "those who wait for somebody else's load live by it";
  expectRead("a", ":50000\r\n" + stored("value"));
  tier->read("a", 3, false);
  ASSERT_TRUE(logged(1));
  EXPECT_EQ(log.log, Strings({"3 hit value"}));
  EXPECT_EQ(kept("a"), "(nothing)");
  server->send(testing::invalidate("p:a") + testing::kInvalidateAll);
  loop.runFor(2);
}

TEST_F(CacheTierRead, KeepsNothingWhoseLifetimeIsUnknown) {
  open();
  for (const std::string_view lifetime :
       {":-1\r\n", ":-2\r\n", ":-3\r\n", ":0\r\n", "+OK\r\n", "_\r\n", "$5\r\n50000\r\n", "*1\r\n:50000\r\n",
        ",50000\r\n", "#t\r\n", "%0\r\n", "-ERR no\r\n", "|1\r\n+a\r\n:50000\r\n_\r\n"}) {
    expectRead("a", std::string(lifetime) + stored("value"));
    tier->read("a", 1, false);
    ASSERT_TRUE(logged(1)) << lifetime;
    EXPECT_EQ(log.take(), Strings({"1 hit value"})) << lifetime;
    EXPECT_EQ(kept("a"), "(nothing)") << lifetime;
  }
}

// The expiry that Redis counts down is never outlived, whatever the envelope says.
TEST_F(CacheTierRead, IsBoundByTheLifetimeThatIsLeft) {
  open();
  expectRead("a", ":40\r\n" + stored("value"));
  tier->read("a", 1, false);
  ASSERT_TRUE(logged(1));
  const Millis now = connection->now();
  const auto hit = shared.memory.peek("a", now);
  ASSERT_TRUE(hit);
  EXPECT_LE(hit->deadlines.goneAt, now + 40);
  EXPECT_EQ(keptAt("a", now + 41), "(nothing)");
  expectRead("b", ":90000\r\n" + stored("value"));  // more than was given
  tier->read("b", 1, false);
  ASSERT_TRUE(logged(2));
  EXPECT_LE(log.deadlines.goneAt, connection->now() + 80000);
}

// What was invalidated softly is good for staleIfError alone.
TEST_F(CacheTierRead, FindsAnOutdatedCopyNeitherFreshNorStale) {
  open();
  Entry entry = entryOf("value");
  entry.outdated = true;
  expectRead("a", ":50000\r\n" + stored(entry));
  tier->read("a", 0, false);
  ASSERT_TRUE(logged(1));
  EXPECT_EQ(log.log, Strings({"hit value"}));
  const Millis now = connection->now();
  EXPECT_EQ(core::freshnessAt(log.deadlines, now), core::Freshness::kStaleError);
  EXPECT_GT(log.deadlines.goneAt, now + 40000);
  const auto hit = shared.memory.peek("a", now);
  ASSERT_TRUE(hit);
  EXPECT_EQ(hit->freshness, core::Freshness::kStaleError);
}

TEST_F(CacheTierRead, TellsMissesMarkersAndCorruptBytesApart) {
  open();
  const auto flagged = [](std::uint16_t flags) {
    Entry entry = entryOf("payload");
    entry.flags = flags;
    return stored(entry);
  };
  std::string flipped = core::encodeEntry(entryOf("value"));
  flipped[30] = static_cast<char>(flipped[30] ^ 1);
  const std::string whole = core::encodeEntry(entryOf("value"));
  const struct {
    std::string answer;
    std::string expected;
  } cases[] = {{"_\r\n", "miss"},
               {"$-1\r\n", "miss"},
               {flagged(core::entry_flags::kMarker), "miss"},
               {flagged(core::entry_flags::kFailure), "miss"},
               {flagged(core::entry_flags::kUncacheable), "miss"},
               {bulk(flipped), "corrupt"},
               {bulk(whole.substr(0, whole.size() - 1)), "corrupt"},
               {bulk(""), "corrupt"},
               {bulk("{\"json\":true}"), "corrupt"},
               {"-WRONGTYPE Operation against a key holding the wrong kind of value\r\n", "corrupt"},
               {":1\r\n", "corrupt"},
               {"*0\r\n", "corrupt"},
               {"-ERR something else\r\n", "failure SERVER_ERROR ERR something else"}};
  for (const auto& [answer, expected] : cases) {
    expectRead("a", ":50000\r\n" + answer);
    tier->read("a", 0, false);
    ASSERT_TRUE(logged(1)) << answer;
    EXPECT_EQ(log.take(), Strings({expected})) << answer;
    EXPECT_EQ(kept("a"), "(nothing)") << answer;
  }
}

TEST_F(CacheTierRead, TrustsMemoryForAShortTimeWithoutTracking) {
  for (const bool resp2 : {true, false}) {
    server = std::make_unique<FakeServer>(loop.get());
    options.endpoint.port = server->port();
    if (resp2) {
      server->hello = FakeServer::Hello::kResp2;
    } else {
      server->refuseTracking = true;
    }
    open();
    EXPECT_FALSE(connection->isTracking());
    expectRead("a", ":50000\r\n" + stored("value"));
    const Millis before = connection->now();
    tier->read("a", 1, false);
    ASSERT_TRUE(logged(1));
    const auto hit = shared.memory.peek("a", connection->now());
    ASSERT_TRUE(hit);
    EXPECT_GE(hit->deadlines.goneAt, before + 300);
    EXPECT_LE(hit->deadlines.goneAt, connection->now() + 300);
    EXPECT_EQ(hit->deadlines.freshUntil, log.deadlines.freshUntil) << "it is as fresh as it is";
    EXPECT_EQ(hit->deadlines.staleUntil, log.deadlines.staleUntil);
    EXPECT_EQ(hit->filledAt, log.deadlines.goneAt - 80000) << "and as old";
    EXPECT_GT(log.deadlines.goneAt, before + 40000) << "what is served knows its true lifetime";
    // A shorter life than that is not made longer.
    expectRead("a", ":20\r\n" + stored("value"));
    tier->read("a", 1, false);
    ASSERT_TRUE(logged(2));
    EXPECT_EQ(keptAt("a", connection->now() + 21), "(nothing)");
    end();
    log.log.clear();
  }
}

TEST_F(CacheTierRead, ReusesOperations) {
  open();
  server->otherwise = [](const std::string& command) {
    return command.starts_with("PTTL") ? ":50000\r\n" : stored(command.substr(6));
  };
  for (int round = 0; round < 3; ++round) {
    for (std::uint32_t i = 1; i <= 50; ++i) tier->read("key" + std::to_string(i), i, false);
    ASSERT_TRUE(logged(50));
    const Strings lines = log.take();
    for (std::uint32_t i = 1; i <= 50; ++i) {
      EXPECT_EQ(lines[i - 1], std::to_string(i) + " hit key" + std::to_string(i));
    }
  }
  // The ticket of one may have been voided by another: rare, and harmless.
  EXPECT_GE(shared.memory.stats().entries, 40U);
}

TEST_F(CacheTierRead, TellsOfATimeoutOnce) {
  options.commandTimeout = 20;
  open();
  tier->read("a", 1, false);
  ASSERT_TRUE(logged(1));
  EXPECT_EQ(log.log, Strings({"timed out"}));
  EXPECT_FALSE(tier->isIdle());
  server->send(":50000\r\n" + stored("value"));
  ASSERT_TRUE(logged(2));
  EXPECT_EQ(log.log, Strings({"timed out", "1 hit value"}));
  EXPECT_EQ(kept("a"), "value") << "late, and as true as ever";
}

TEST_F(CacheTierRead, FailsOnceWhenTheConnectionIsLost) {
  open();
  server->script({expect("PTTL p:a"), expect("GET p:a"), send(":50000\r\n"), testing::hangUp()});
  tier->read("a", 1, false);
  ASSERT_TRUE(logged(1));
  EXPECT_EQ(log.take(), Strings({"failure CONNECTION_LOST"}));
  EXPECT_TRUE(tier->isIdle());
  ASSERT_TRUE(readyAgain());
  keep("a", "again");  // the half that was read is forgotten
}

// PTTL was answered, and the connection is lost before GET is: GET does not follow on the next one, where the lifetime
// would say nothing about what it finds.
TEST_F(CacheTierRead, ReadsNothingOnTwoConnections) {
  open();
  const std::string key(std::size_t{16} << 20, 'k');
  server->stall();
  tier->read(key, 1, false);
  EXPECT_EQ(connection->waiting(), 2U);
  server->send(":50000\r\n");
  ASSERT_TRUE(loop.runUntil([&] { return connection->waiting() == 1; }));
  server->hangUp();
  ASSERT_TRUE(lost());
  ASSERT_TRUE(logged(1));
  EXPECT_EQ(log.log, Strings({"failure CONNECTION_LOST"}));
  EXPECT_EQ(kept(key), "(nothing)");
}

TEST_F(CacheTierRead, BeginsNothingWhenTheConnectionIsClosed) {
  open();
  connection->close();
  const std::vector<std::string> tags{"t:x"};
  EXPECT_EQ(tier->read("a", 1, false), Admission::kClosed);
  EXPECT_EQ(tier->acquire("a", {1000, {}, 1}), Admission::kClosed);
  EXPECT_EQ(tier->refresh("a", {1000, {}, 1}), Admission::kClosed);
  EXPECT_EQ(tier->takeOver("a", "head", {1000, {}, 1}), Admission::kClosed);
  EXPECT_EQ(tier->prepare(tags), Admission::kClosed);
  EXPECT_EQ(tier->write("a", entryOf("x"), {}), Admission::kClosed);
  EXPECT_EQ(tier->remove("a"), Admission::kClosed);
  EXPECT_EQ(tier->soften("a"), Admission::kClosed);
  EXPECT_EQ(tier->invalidateTags(tags), Admission::kClosed);
  EXPECT_EQ(tier->sweep("a", "t:x", "stamp"), Admission::kClosed);
  EXPECT_TRUE(tier->isIdle());
  EXPECT_TRUE(log.log.empty());
}

}  // namespace
}  // namespace tiercel::redis
