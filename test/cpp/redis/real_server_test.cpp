// Against the real thing. main.cpp leaves these out when TIERCEL_TEST_REDIS_URL is not set.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>

#include "redis/cache_tier.h"
#include "test_support.h"

namespace tiercel::redis {
namespace {

using testing::Events;
using testing::Recorder;
using testing::Strings;
using testing::submit;
using testing::TestLoop;

class RealServer : public ::testing::Test {
 protected:
  RealServer() {
    const char* url = std::getenv("TIERCEL_TEST_REDIS_URL");
    const std::string_view text = url == nullptr ? "" : url;
    const std::size_t colon = text.rfind(':');
    const int port = colon == std::string_view::npos ? 0 : std::atoi(text.data() + colon + 1);
    EXPECT_GT(port, 0) << "TIERCEL_TEST_REDIS_URL must be redis://127.0.0.1:PORT";
    options.endpoint.port = static_cast<std::uint16_t>(port);
    options.handshake.clientName = "tiercel-tests";
    options.handshake.libraryVersion = "0.0.0";
  }
  std::unique_ptr<Connection> open() {
    auto connection = std::make_unique<Connection>(loop.handles(), options, events);
    connection->start();
    EXPECT_TRUE(loop.runUntil([&] { return connection->isReady(); })) << events.lastError();
    return connection;
  }

  TestLoop loop;
  ConnectionOptions options;
  Events events;
  const std::string key = "tiercel-test:" + std::to_string(getpid());
};

TEST_F(RealServer, AnswersCommands) {
  Recorder recorder;
  const auto connection = open();
  EXPECT_EQ(connection->protocol(), 3);
  std::string value(std::size_t{3} << 20, 'v');
  submit(*connection, recorder, 1, "SET " + key + " " + value + " PX 10000");
  submit(*connection, recorder, 2, "GET " + key);
  submit(*connection, recorder, 3, "LPUSH " + key + " x");
  submit(*connection, recorder, 4, "UNLINK " + key);
  submit(*connection, recorder, 5, "GET " + key);
  submit(*connection, recorder, 6, "HSET " + key + " a 1 b 2");
  submit(*connection, recorder, 7, "HGETALL " + key);
  submit(*connection, recorder, 8, "UNLINK " + key);
  submit(*connection, recorder, 9, "CLIENT GETNAME");
  ASSERT_TRUE(loop.runUntil([&] { return recorder.settled == 9; }));
  EXPECT_EQ(recorder.log[0], "1 +OK");
  EXPECT_TRUE(recorder.log[1] == "2 $" + value);
  EXPECT_TRUE(recorder.log[2].starts_with("3 -WRONGTYPE"));
  EXPECT_EQ(Strings(recorder.log.begin() + 3, recorder.log.end()),
            Strings({"4 :1", "5 _", "6 :2", "7 %[$a $1 $b $2]", "8 :1", "9 $tiercel-tests"}));
}

class TierLog final : public CacheTierObserver {
 public:
  void onRead(const ReadResult& result, std::uint32_t) override {
    log.push_back(result.status == ReadResult::Status::kHit    ? "hit " + std::string(result.entry.payload)
                  : result.status == ReadResult::Status::kMiss ? "miss"
                                                               : "corrupt");
  }
  void onWritten() override { log.emplace_back("written"); }
  void onRemoved(std::int64_t count) override { log.push_back("removed " + std::to_string(count)); }
  void onOperationFailed(const Error& error) override { log.push_back("failed " + error.message); }
  void onOperationTimedOut() override { log.emplace_back("timed out"); }
  Strings log;
};

TEST_F(RealServer, KeepsTheMemoryTierInStep) {
  TierLog log;
  core::MemoryTier memory{core::MemoryOptions{}};
  const auto connection = open();
  CacheTier tier(*connection, &memory, {}, log);
  ASSERT_TRUE(loop.runUntil([&] { return connection->isTracking(); }));
  core::Entry entry;
  entry.freshFor = entry.staleFor = entry.keepFor = 10000;
  entry.payload = "one";
  tier.write(key, entry);
  tier.read(key, 0);
  ASSERT_TRUE(loop.runUntil([&] { return log.log.size() == 2; }));
  EXPECT_EQ(log.log, Strings({"written", "hit one"}));
  tier.read(key, 0);
  ASSERT_TRUE(loop.runUntil([&] { return log.log.size() == 3; }));
  ASSERT_TRUE(memory.peek(key, connection->now()));

  // Somebody else changes it: the server says so.
  Recorder recorder;
  Events otherEvents;
  Connection other(loop.handles(), options, otherEvents);
  other.start();
  submit(other, recorder, 1, "SET " + key + " foreign PX 10000");
  ASSERT_TRUE(loop.runUntil([&] { return !memory.peek(key, connection->now()); }));
  tier.read(key, 0);
  tier.remove(key);
  tier.read(key, 0);
  ASSERT_TRUE(loop.runUntil([&] { return log.log.size() == 6; }));
  EXPECT_EQ(Strings(log.log.begin() + 3, log.log.end()), Strings({"corrupt", "removed 1", "miss"}));

  entry.payload = "two";
  tier.write(key, entry);
  tier.read(key, 0);
  tier.read(key, 0);
  ASSERT_TRUE(loop.runUntil([&] { return log.log.size() == 9; }));
  ASSERT_TRUE(loop.runUntil([&] { return memory.peek(key, connection->now()).has_value(); }));
  submit(other, recorder, 2, "UNLINK " + key);
  ASSERT_TRUE(loop.runUntil([&] { return !memory.peek(key, connection->now()); }));
  connection->destroy();
  tier.detach();
}

}  // namespace
}  // namespace tiercel::redis
