#include "redis/cache_tier.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "fake_server.h"
#include "test_support.h"

namespace tiercel::redis {
namespace {

using core::Entry;
using core::Millis;
using testing::Events;
using testing::expect;
using testing::FakeServer;
using testing::hangUp;
using testing::run;
using testing::send;
using testing::Strings;
using testing::TestLoop;
using Admission = Connection::Admission;

Entry entryOf(std::string_view payload) {
  Entry entry;
  entry.freshFor = 60000;
  entry.staleFor = 70000;
  entry.keepFor = 80000;
  entry.payload = payload;
  return entry;
}

std::string bulk(std::string_view bytes) {
  return "$" + std::to_string(bytes.size()) + "\r\n" + std::string(bytes) + "\r\n";
}
std::string stored(std::string_view payload) { return bulk(core::encodeEntry(entryOf(payload))); }
std::string invalidate(std::string_view key) { return ">2\r\n$10\r\ninvalidate\r\n*1\r\n" + bulk(key); }
const std::string kInvalidateAll = ">2\r\n$10\r\ninvalidate\r\n_\r\n";

class TierLog final : public CacheTierObserver {
 public:
  void onRead(const ReadResult& result, std::uint32_t tag) override {
    const char* status = result.status == ReadResult::Status::kHit       ? "hit "
                         : result.status == ReadResult::Status::kCorrupt ? "corrupt"
                                                                         : "miss";
    log.push_back(std::to_string(tag) + " " + status + std::string(result.entry.payload));
    last = result.deadlines;
  }
  void onWritten() override { log.emplace_back("written"); }
  void onRemoved(std::int64_t count) override { log.push_back("removed " + std::to_string(count)); }
  void onOperationFailed(const Error& error) override {
    log.push_back(std::string("failed ") + errorName(error.code) +
                  (error.code == ErrorCode::kServer ? " " + error.message : ""));
  }
  void onOperationTimedOut() override { log.emplace_back("timed out"); }
  Strings log;
  core::Deadlines last;
};

class CacheTierTest : public ::testing::Test {
 protected:
  CacheTierTest() {
    options.endpoint.port = server->port();
    options.backoffMin = 4;
    options.backoffMax = 20;
  }
  ~CacheTierTest() override { end(); }

  void open(bool withMemory = true) {
    connection = std::make_unique<Connection>(loop.handles(), options, events);
    tier = std::make_unique<CacheTier>(*connection, withMemory ? &memory : nullptr,
                                       CacheTier::Options{.maxStaleness = 300}, log);
    connection->start();
    ASSERT_TRUE(loop.runUntil([&] { return connection->isReady(); }));
  }
  void end() {
    if (connection) connection->destroy();
    if (tier) {
      EXPECT_TRUE(tier->isIdle());
      tier->detach();
    }
    tier.reset();
    connection.reset();
  }
  bool logged(std::size_t count) {
    return loop.runUntil([&] { return log.log.size() >= count; });
  }
  // What the memory tier holds under the key, or "(nothing)".
  std::string kept(std::string_view key) {
    const auto hit = memory.peek(key, connection->now());
    return hit ? std::string(hit->entry.payload) : "(nothing)";
  }
  // A read of `key` through the whole way: what is asked, and what the server says.
  void fill(std::string_view key, std::string_view payload) {
    server->script(
        {expect("PTTL " + std::string(key)), expect("GET " + std::string(key)), send(":50000\r\n" + stored(payload))});
    ASSERT_EQ(tier->read(key, 7), Admission::kAdmitted);
    ASSERT_TRUE(logged(log.log.size() + 1));
    ASSERT_EQ(kept(key), payload);
  }

  TestLoop loop;
  std::unique_ptr<FakeServer> server = std::make_unique<FakeServer>(loop.get());
  ConnectionOptions options;
  Events events;
  TierLog log;
  core::MemoryTier memory{core::MemoryOptions{}};
  std::unique_ptr<Connection> connection;
  std::unique_ptr<CacheTier> tier;
};

TEST_F(CacheTierTest, FillsTheMemoryWhenItTracks) {
  open();
  EXPECT_TRUE(connection->isTracking());
  server->script({expect("PTTL a"), expect("GET a"), send(":50000\r\n" + stored("value"))});
  const Millis before = connection->now();
  tier->read("a", 3);
  EXPECT_FALSE(tier->isIdle());
  ASSERT_TRUE(logged(1));
  const Millis after = connection->now();
  EXPECT_TRUE(tier->isIdle());
  EXPECT_EQ(log.log, Strings({"3 hit value"}));
  const auto hit = memory.peek("a", after);
  ASSERT_TRUE(hit);
  EXPECT_EQ(hit->entry.payload, "value");
  // 80 s were given and 50 s are left, so it is 30 s old.
  EXPECT_GE(hit->deadlines.freshUntil, before + 30000);
  EXPECT_LE(hit->deadlines.freshUntil, after + 30000);
  EXPECT_EQ(hit->deadlines.staleUntil - hit->deadlines.freshUntil, 10000);
  EXPECT_EQ(hit->deadlines.goneAt - hit->deadlines.freshUntil, 20000);
  EXPECT_EQ(log.last.goneAt, hit->deadlines.goneAt);
}

TEST_F(CacheTierTest, AsksForTheLifetimeFirstAndInOneWrite) {
  open();
  const std::size_t reads = server->reads();
  tier->read("a", 1);
  tier->read("b", 2);
  ASSERT_TRUE(loop.runUntil([&] { return server->received().size() >= 4; }));
  EXPECT_EQ(server->received(), Strings({"PTTL a", "GET a", "PTTL b", "GET b"}));
  EXPECT_EQ(server->reads(), reads + 1);
}

TEST_F(CacheTierTest, ServesWithoutAMemoryTier) {
  open(false);
  EXPECT_FALSE(connection->isTracking());
  server->script({expect("PTTL a"), expect("GET a"), send(":50000\r\n" + stored("value"))});
  tier->read("a", 3);
  ASSERT_TRUE(logged(1));
  EXPECT_EQ(log.log, Strings({"3 hit value"}));
  server->send(invalidate("a") + kInvalidateAll);
  loop.runFor(2);
}

TEST_F(CacheTierTest, DoesNotKeepWhatHasNoLifetime) {
  open();
  for (const std::string lifetime : {":-1\r\n", ":0\r\n", "-ERR no\r\n", "+what\r\n"}) {
    server->script({expect("PTTL a"), expect("GET a"), send(lifetime + stored("value"))});
    tier->read("a", 1);
    ASSERT_TRUE(logged(1));
    EXPECT_EQ(log.log, Strings({"1 hit value"})) << lifetime;
    EXPECT_EQ(kept("a"), "(nothing)") << lifetime;
    log.log.clear();
  }
}

// The expiry that Redis counts down is never outlived, whatever the envelope says.
TEST_F(CacheTierTest, IsBoundByTheLifetimeThatIsLeft) {
  open();
  server->script({expect("PTTL a"), expect("GET a"), send(":40\r\n" + stored("value"))});
  tier->read("a", 1);
  ASSERT_TRUE(logged(1));
  const Millis now = connection->now();
  const auto hit = memory.peek("a", now);
  ASSERT_TRUE(hit);
  EXPECT_LE(hit->deadlines.goneAt, now + 40);
  EXPECT_FALSE(memory.peek("a", now + 41));
  server->script({expect("PTTL b"), expect("GET b"), send(":90000\r\n" + stored("value"))});  // more than was given
  tier->read("b", 1);
  ASSERT_TRUE(logged(2));
  EXPECT_LE(log.last.goneAt, connection->now() + 90000);
}

TEST_F(CacheTierTest, AnInvalidationBetweenTheTwoAnswersPreventsKeeping) {
  open();
  server->script({expect("PTTL a"), expect("GET a"), send(":50000\r\n" + invalidate("a") + stored("value"))});
  tier->read("a", 1);
  ASSERT_TRUE(logged(1));
  EXPECT_EQ(log.log, Strings({"1 hit value"}));
  EXPECT_EQ(kept("a"), "(nothing)");
  server->script({expect("PTTL a"), expect("GET a"), send(":50000\r\n" + kInvalidateAll + stored("value"))});
  tier->read("a", 1);
  ASSERT_TRUE(logged(2));
  EXPECT_EQ(kept("a"), "(nothing)");
  fill("a", "next");  // the fence is for one read
}

TEST_F(CacheTierTest, AnInvalidationOfAnotherKeyDoesNotPreventKeeping) {
  open();
  server->script({expect("PTTL a"), expect("GET a"), send(":50000\r\n" + invalidate("b") + stored("value"))});
  tier->read("a", 1);
  ASSERT_TRUE(logged(1));
  EXPECT_EQ(kept("a"), "value");
}

TEST_F(CacheTierTest, AnInvalidationBeforeTheAnswersDoesNotPreventKeeping) {
  open();
  server->script({expect("PTTL a"), expect("GET a"), send(invalidate("a") + ":50000\r\n" + stored("value"))});
  tier->read("a", 1);
  ASSERT_TRUE(logged(1));
  EXPECT_EQ(kept("a"), "value");
}

TEST_F(CacheTierTest, AnInvalidationBehindTheAnswersErases) {
  open();
  fill("b", "other");
  server->script({expect("PTTL a"), expect("GET a"), send(":50000\r\n" + stored("value") + invalidate("a"))});
  tier->read("a", 1);
  ASSERT_TRUE(logged(2));
  ASSERT_TRUE(loop.runUntil([&] { return kept("a") == "(nothing)"; }));
  EXPECT_EQ(kept("b"), "other");
  fill("a", "value");
  server->send(invalidate("a"));
  EXPECT_TRUE(loop.runUntil([&] { return kept("a") == "(nothing)"; }));
}

TEST_F(CacheTierTest, ANullPushClears) {
  open();
  fill("a", "1");
  fill("b", "2");
  server->send(kInvalidateAll);
  EXPECT_TRUE(loop.runUntil([&] { return memory.stats().entries == 0; }));
}

TEST_F(CacheTierTest, AWriteErasesWhenItIsSubmittedAndWhenItIsAnswered) {
  open();
  fill("a", "old");
  log.log.clear();
  // The read was sent first, so its answer is older than the write.
  server->script({expect("PTTL a"), expect("GET a"), expect("SET a …"), send(":50000\r\n" + stored("old")),
                  run([&] { server->send("+OK\r\n"); })});
  tier->read("a", 1);
  EXPECT_EQ(tier->write("a", entryOf("new")), Admission::kAdmitted);
  EXPECT_EQ(kept("a"), "(nothing)") << "at submit";
  ASSERT_TRUE(logged(2));
  EXPECT_EQ(log.log, Strings({"1 hit old", "written"}));
  EXPECT_EQ(kept("a"), "(nothing)") << "at the answer";
  const std::string expected = "SET a " + core::encodeEntry(entryOf("new")) + " PX 80000";
  EXPECT_TRUE(server->received().back() == expected);
}

TEST_F(CacheTierTest, ARemovalErasesWhenItIsSubmittedAndWhenItIsAnswered) {
  open();
  fill("a", "old");
  log.log.clear();
  server->script(
      {expect("PTTL a"), expect("GET a"), expect("UNLINK a"), send(":50000\r\n" + stored("old") + ":1\r\n")});
  tier->read("a", 1);
  tier->remove("a");
  EXPECT_EQ(kept("a"), "(nothing)");
  ASSERT_TRUE(logged(2));
  EXPECT_EQ(log.log, Strings({"1 hit old", "removed 1"}));
  EXPECT_EQ(kept("a"), "(nothing)");
}

TEST_F(CacheTierTest, AReadBehindAWriteMayBeKept) {
  open();
  server->script({expect("SET a …"), expect("PTTL a"), expect("GET a"),
                  send("+OK\r\n" + invalidate("a") + ":80000\r\n" + stored("new"))});
  tier->write("a", entryOf("new"));
  tier->read("a", 1);
  ASSERT_TRUE(logged(2));
  EXPECT_EQ(kept("a"), "new");
}

TEST_F(CacheTierTest, AFailedWriteErasesToo) {
  open();
  fill("a", "old");
  log.log.clear();
  server->script({expect("PTTL a"), expect("GET a"), expect("SET a …"), expect("UNLINK b"),
                  send(":50000\r\n" + stored("old") + "-OOM command not allowed\r\n-READONLY no\r\n")});
  tier->read("a", 1);
  tier->write("a", entryOf("new"));
  tier->remove("b");
  ASSERT_TRUE(logged(3));
  EXPECT_EQ(log.log,
            Strings({"1 hit old", "failed SERVER_ERROR OOM command not allowed", "failed SERVER_ERROR READONLY no"}));
  EXPECT_EQ(kept("a"), "(nothing)");
}

TEST_F(CacheTierTest, GivesAnEntryAtLeastAMillisecond) {
  open();
  Entry entry = entryOf("x");
  entry.freshFor = entry.staleFor = entry.keepFor = 0;
  tier->write("a", entry);
  ASSERT_TRUE(loop.runUntil([&] { return server->received().size() == 1; }));
  EXPECT_TRUE(server->received()[0].ends_with(" PX 1"));
}

TEST_F(CacheTierTest, ALostConnectionClearsTheMemory) {
  open();
  fill("a", "1");
  fill("b", "2");
  server->hangUp();
  ASSERT_TRUE(loop.runUntil([&] { return !connection->isReady(); }));
  EXPECT_EQ(memory.stats().entries, 0U);
  EXPECT_EQ(tier->read("a", 1), Admission::kUnavailable);
  ASSERT_TRUE(loop.runUntil([&] { return connection->isReady(); }));
  EXPECT_TRUE(connection->isTracking());
  fill("a", "3");
}

TEST_F(CacheTierTest, FailsEachOperationOnceWhenTheConnectionIsLost) {
  open();
  server->script(
      {expect("PTTL a"), expect("GET a"), expect("SET b …"), expect("UNLINK c"), send(":50000\r\n"), hangUp()});
  tier->read("a", 1);
  tier->write("b", entryOf("x"));
  tier->remove("c");
  ASSERT_TRUE(logged(3));
  EXPECT_EQ(log.log, Strings(3, "failed CONNECTION_LOST"));
  EXPECT_TRUE(tier->isIdle());
  ASSERT_TRUE(loop.runUntil([&] { return connection->isReady(); }));
  fill("a", "again");  // the half that was read is forgotten
}

TEST_F(CacheTierTest, TellsOfATimeoutOncePerOperation) {
  options.commandTimeout = 20;
  open();
  tier->read("a", 1);
  tier->write("b", entryOf("x"));
  ASSERT_TRUE(logged(2));
  EXPECT_EQ(log.log, Strings({"timed out", "timed out"}));
  EXPECT_FALSE(tier->isIdle());
  server->send(":50000\r\n" + stored("value") + "+OK\r\n");
  ASSERT_TRUE(logged(4));
  EXPECT_EQ(log.log, Strings({"timed out", "timed out", "1 hit value", "written"}));
}

TEST_F(CacheTierTest, TrustsMemoryForAShortTimeWithoutTracking) {
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
    server->script({expect("PTTL a"), expect("GET a"), send(":50000\r\n" + stored("value"))});
    const Millis before = connection->now();
    tier->read("a", 1);
    ASSERT_TRUE(logged(1));
    const auto hit = memory.peek("a", connection->now());
    ASSERT_TRUE(hit);
    EXPECT_GE(hit->deadlines.goneAt, before + 300);
    EXPECT_LE(hit->deadlines.goneAt, connection->now() + 300);
    EXPECT_EQ(hit->deadlines.freshUntil, hit->deadlines.goneAt);
    EXPECT_EQ(hit->deadlines.staleUntil, hit->deadlines.goneAt);
    EXPECT_GT(log.last.goneAt, before + 40000) << "what is served knows its true lifetime";
    // A shorter life than that is not made longer.
    server->script({expect("PTTL a"), expect("GET a"), send(":20\r\n" + stored("value"))});
    tier->read("a", 1);
    ASSERT_TRUE(logged(2));
    EXPECT_FALSE(memory.peek("a", connection->now() + 21));
    end();
    log.log.clear();
  }
}

TEST_F(CacheTierTest, TellsMissesMarkersAndCorruptBytesApart) {
  open();
  Entry marker = entryOf("");
  marker.flags = core::entry_flags::kMarker;
  std::string flipped = core::encodeEntry(entryOf("value"));
  flipped[30] = static_cast<char>(flipped[30] ^ 1);
  const std::string whole = core::encodeEntry(entryOf("value"));
  const struct {
    std::string answer;
    std::string expected;
  } cases[] = {{"_\r\n", "1 miss"},
               {"$-1\r\n", "1 miss"},
               {bulk(core::encodeEntry(marker)), "1 miss"},
               {bulk(flipped), "1 corrupt"},
               {bulk(whole.substr(0, whole.size() - 1)), "1 corrupt"},
               {bulk(""), "1 corrupt"},
               {bulk("{\"json\":true}"), "1 corrupt"},
               {"-WRONGTYPE Operation against a key holding the wrong kind of value\r\n", "1 corrupt"},
               {":1\r\n", "1 corrupt"},
               {"*0\r\n", "1 corrupt"},
               {"-ERR something else\r\n", "failed SERVER_ERROR ERR something else"}};
  for (const auto& [answer, expected] : cases) {
    server->script({expect("PTTL a"), expect("GET a"), send(":50000\r\n" + answer)});
    tier->read("a", 1);
    ASSERT_TRUE(logged(1)) << answer;
    EXPECT_EQ(log.log, Strings({expected})) << answer;
    EXPECT_EQ(kept("a"), "(nothing)") << answer;
    log.log.clear();
  }
}

TEST_F(CacheTierTest, KeepsNothingWhenTheLifetimeIsNoNumber) {
  open();
  for (const std::string_view lifetime :
       {"+OK\r\n", "_\r\n", "$5\r\n50000\r\n", "*1\r\n:50000\r\n", ",50000\r\n", "#t\r\n", "%0\r\n", "-ERR no\r\n",
        "|1\r\n+a\r\n:50000\r\n_\r\n", ":-3\r\n"}) {
    server->script({expect("PTTL a"), expect("GET a"), send(std::string(lifetime) + stored("value"))});
    tier->read("a", 1);
    ASSERT_TRUE(logged(1)) << lifetime;
    EXPECT_EQ(log.log, Strings({"1 hit value"})) << lifetime;
    EXPECT_EQ(kept("a"), "(nothing)") << lifetime;
    log.log.clear();
  }
}

// PTTL left with the first connection, GET waited behind a write and left with the second: nothing is kept of a pair
// that does not belong together, and the read still ends once.
TEST_F(CacheTierTest, AReadThatIsTornApartIsNotKept) {
  open();
  // The write fills the buffer until PTTL makes it leave, and GET stays behind.
  const std::string key(std::size_t{40} << 10, 'k');
  server->stall();
  tier->write("huge", entryOf(std::string(std::size_t{24} << 20, 'x')));
  tier->read("a", 1);
  server->hangUp();
  server->script({expect("PTTL a"), expect("GET a"), send(":50000\r\n" + stored("value"))});
  ASSERT_TRUE(logged(2));
  EXPECT_EQ(log.log, Strings({"failed CONNECTION_LOST", "1 hit value"}));
  EXPECT_EQ(kept("a"), "value");
  log.log.clear();
  server->stall();
  // 40 KB of PTTL and the write before it leave in the middle of the read; its GET does not fit any more.
  Entry large = entryOf(std::string_view());
  const std::string payload(std::size_t{63} << 10, 'y');
  large.payload = payload;
  server->hangUp();
  ASSERT_TRUE(loop.runUntil([&] { return !connection->isReady(); }));
  ASSERT_TRUE(loop.runUntil([&] { return connection->isReady(); }));
  server->script({expect("SET b …"), expect("PTTL " + key), send("+OK\r\n:50000\r\n"), expect("GET " + key),
                  send(stored("value"))});
  tier->write("b", large);
  tier->read(key, 2);
  ASSERT_TRUE(logged(2));
  EXPECT_EQ(log.log, Strings({"written", "2 hit value"}));
  EXPECT_EQ(kept(key), "value");
}

TEST_F(CacheTierTest, ReusesOperations) {
  open();
  server->otherwise = [](const std::string& command) {
    return command.starts_with("PTTL") ? ":50000\r\n" : stored(command.substr(4));
  };
  for (int round = 0; round < 3; ++round) {
    log.log.clear();
    for (std::uint32_t i = 0; i < 50; ++i) tier->read("key" + std::to_string(i), i);
    ASSERT_TRUE(logged(50));
    for (std::uint32_t i = 0; i < 50; ++i) {
      EXPECT_EQ(log.log[i], std::to_string(i) + " hit key" + std::to_string(i));
    }
  }
  EXPECT_EQ(memory.stats().entries, 50U);
}

TEST_F(CacheTierTest, BeginsNothingWhenTheConnectionIsClosed) {
  open();
  connection->close();
  EXPECT_EQ(tier->read("a", 1), Admission::kClosed);
  EXPECT_EQ(tier->write("a", entryOf("x")), Admission::kClosed);
  EXPECT_EQ(tier->remove("a"), Admission::kClosed);
  EXPECT_TRUE(tier->isIdle());
  EXPECT_TRUE(log.log.empty());
}

}  // namespace
}  // namespace tiercel::redis
