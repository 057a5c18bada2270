// A server that answers what it likes: an error each time, a new connection, never a crash, never memory without bound.
#include <gtest/gtest.h>

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "connection_fixture.h"
#include "heap.h"

namespace tiercel::redis {
namespace {

using testing::expect;
using testing::FakeServer;
using testing::heapInUse;
using testing::send;
using testing::Strings;
using GarbageTest = testing::ConnectionFixture;
using State = Connection::State;

std::string repeated(const std::string& what, int times) {
  std::string text;
  for (int i = 0; i < times; ++i) text += what;
  return text;
}

TEST_F(GarbageTest, EndsInAnErrorAndANewConnection) {
  const std::pair<std::string, std::string> cases[] = {
      {"HTTP/1.1 400 Bad Request\r\n\r\n", "got \"H\""},
      {std::string("\0\x16\x03\x01", 4), "Protocol error"},
      {"$9999999999\r\n", "bulk string is longer"},
      {"$99999999999999999999999999\r\n", "length"},
      {"$-2\r\n", "length"},
      {"$x\r\n", "length"},
      {"*9999999999\r\n", "out of range"},
      {"*-2\r\n", "out of range"},
      {"%4294967295\r\n", "too many elements"},
      {repeated("*1\r\n", 1100), "nested deeper"},
      {repeated("%1\r\n+k\r\n", 1100), "nested deeper"},
      {"|1\r\n" + repeated("~1\r\n", 1100), "nested deeper"},
      {"+" + std::string(5000000, 'x'), "line is longer"},
      {":12345678901234567890\r\n", "integer"},
      {"#x\r\n", "bool"},
      {",1.2.3\r\n", "double"},
      {"=3\r\nabc\r\n", "erbatim"},
      {">-1\r\n", "without a length"},
      {"|-1\r\n*1\r\n:1\r\n", "without a length"},
      {"+A\r\n+B\r\n", "nobody asked for"},
      {"+A\r\n*2\r\n:1\r\n:2\r\n", "nobody asked for"},
  };
  openReady();
  std::uint64_t number = 0;
  for (const auto& [answer, reason] : cases) {
    ASSERT_TRUE(loop.runUntil([&] { return connection->isReady(); })) << answer;
    const std::size_t errors = events.errors.size();
    server->script({expect("GET a"), send(answer)});
    submit(++number, "GET a");
    ASSERT_TRUE(loop.runUntil([&] { return events.errors.size() > errors; })) << answer.substr(0, 60);
    EXPECT_EQ(events.errors.back().code, ErrorCode::kProtocol) << answer.substr(0, 60);
    EXPECT_NE(events.lastError().find(reason), std::string::npos) << answer.substr(0, 60) << ": " << events.lastError();
    EXPECT_EQ(recorder.settled, number);
    const std::string outcome = answer.starts_with("+A\r\n") ? " +A" : " failed CONNECTION_LOST";
    EXPECT_EQ(recorder.log.back(), std::to_string(number) + outcome);
  }
  ASSERT_TRUE(loop.runUntil([&] { return connection->isReady(); }));
  EXPECT_EQ(connection->stats().losses, std::size(cases));
}

TEST_F(GarbageTest, RefusesAHelloThatIsNone) {
  const std::string cases[] = {":1\r\n",
                               "+OK\r\n",
                               "$5\r\nhello\r\n",
                               "_\r\n",
                               "#t\r\n",
                               "~0\r\n",
                               "HELLO\r\n",
                               "%1\r\n"
                               "*x\r\n",
                               ">-1\r\n",
                               "$9999999999\r\n",
                               repeated("*1\r\n", 1100)};
  server->hello = FakeServer::Hello::kSilent;
  std::size_t errors = 0;
  open();
  for (const std::string& answer : cases) {
    server->script({expect("HELLO 3"), send(answer)});
    ASSERT_TRUE(loop.runUntil([&] { return events.errors.size() > errors; })) << answer;
    errors = events.errors.size();
    EXPECT_EQ(events.count("ready"), 0U) << answer;
    EXPECT_NE(connection->state(), State::kReady) << answer;
  }
  server->hello = FakeServer::Hello::kResp3;
  ASSERT_TRUE(loop.runUntil([&] { return connection->isReady(); }));
}

TEST_F(GarbageTest, RefusesAnswersToWhatWasNotAskedInTheHandshake) {
  server->hello = FakeServer::Hello::kSilent;
  server->script({expect("HELLO 3"), send("%0\r\n+OK\r\n+OK\r\n+OK\r\n")});
  open();
  ASSERT_TRUE(loop.runUntil([&] { return !events.errors.empty(); }));
  EXPECT_EQ(events.errors[0].code, ErrorCode::kConnectFailed);
  EXPECT_EQ(events.count("ready"), 0U);
}

// Announced is not there: what counts is what has come.
TEST_F(GarbageTest, TakesNoMemoryForWhatIsOnlyAnnounced) {
  options.commandTimeout = 0;
  openReady();
  const std::size_t before = heapInUse();
  server->script({expect("GET a"), send("*4294967295\r\n$500000000\r\n"), expect("GET b")});
  submit(1, "GET a");
  loop.runFor(10);
  submit(2, "GET b");
  ASSERT_TRUE(received(2));
  loop.runFor(5);
  EXPECT_LT(heapInUse(), before + (std::size_t{1} << 20));
  EXPECT_EQ(recorder.settled, 0U);
}

// Megabytes of noise, none of which is kept.
TEST_F(GarbageTest, KeepsNothingOfAFlood) {
  openReady();
  const std::string noise(std::size_t{5} << 20, 'x');
  for (std::uint64_t i = 1; i <= 5; ++i) {
    ASSERT_TRUE(loop.runUntil([&] { return connection->isReady(); }));
    server->script({expect("GET a"), send("+" + noise)});
    submit(i, "GET a");
    ASSERT_TRUE(settled(i));
  }
  ASSERT_TRUE(loop.runUntil([&] { return connection->isReady(); }));
  loop.runFor(5);
  EXPECT_LT(heapInUse(), std::size_t{64} << 20);
  EXPECT_EQ(events.errors.size(), 5U);
}

TEST_F(GarbageTest, ManyPushesAreNoProblem) {
  openReady();
  server->script({expect("GET a"), send(repeated(">2\r\n+x\r\n:1\r\n", 5000) + repeated(">0\r\n", 5000) +
                                        repeated("|1\r\n+a\r\n*0\r\n", 5000) + "+A\r\n")});
  submit(1, "GET a");
  ASSERT_TRUE(settled(1));
  EXPECT_EQ(recorder.log, Strings({"1 +A"}));
  EXPECT_EQ(connection->stats().pushes, 10000U);
}

}  // namespace
}  // namespace tiercel::redis
