// Connections to the redis-server that TIERCEL_TEST_REDIS_URL names; main.cpp leaves out the tests whose names begin
// with RealServer when it is not set.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "test_support.h"
#include "tier_log.h"

namespace tiercel::redis::testing {

class RealServerFixture : public ::testing::Test {
 protected:
  RealServerFixture() {
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
  // What the server says to one command, as describe() writes it.
  std::string ask(Connection& connection, const std::vector<std::string>& words) {
    Recorder answer;
    EXPECT_EQ(connection.admit(false), Connection::Admission::kAdmitted);
    CommandWriter writer(connection);
    writer.output().commandHeader(words.size());
    for (const std::string& word : words) writer.output().argument(word);
    writer.end(answer, 0);
    writer.submit();
    EXPECT_TRUE(loop.runUntil([&] { return answer.settled == 1; }));
    return answer.log.empty() ? std::string() : answer.log.back().substr(2);
  }

  TestLoop loop;
  ConnectionOptions options;
  Events events;
  // A name for each test, so that what one leaves behind is not in the way of another.
  const std::string prefix = "tiercel-test:" + std::to_string(getpid()) + ":" + std::to_string(count_++) + ":";

 private:
  inline static int count_ = 0;
};

// A process of its own, as far as the cache is concerned: memory, connection and tier.
struct Side {
  Side(TestLoop& turned, const ConnectionOptions& options, CacheTierOptions tierOptions)
      : loop(turned),
        connection(turned.handles(), options, events),
        tier(connection, shared, std::move(tierOptions), log) {
    connection.start();
    EXPECT_TRUE(loop.runUntil([&] { return connection.isTracking(); })) << events.lastError();
  }
  ~Side() {
    connection.destroy();
    EXPECT_TRUE(tier.isIdle());
  }
  Side(const Side&) = delete;
  Side& operator=(const Side&) = delete;

  // What came of the next operation to end.
  std::string next() {
    EXPECT_TRUE(loop.runUntil([&] { return !log.log.empty(); })) << "nothing happened";
    if (log.log.empty()) return {};
    std::string first = log.log.front();
    log.log.erase(log.log.begin());
    return first;
  }
  bool keeps(std::string_view key) { return shared.memory.peek(key, connection.now()).has_value(); }
  bool comesToKeep(std::string_view key) {
    return loop.runUntil([&] { return keeps(key); });
  }
  bool forgets(std::string_view key) {
    return loop.runUntil([&] { return !keeps(key); });
  }
  bool isTold(std::string_view key) {
    return loop.runUntil([&] { return std::find(log.watched.begin(), log.watched.end(), key) != log.watched.end(); });
  }

  TestLoop& loop;
  Events events;
  TierLog log;
  core::ProcessTier shared{core::TierOptions{}};
  Connection connection;
  CacheTier tier;
};

}  // namespace tiercel::redis::testing
