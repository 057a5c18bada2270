// Servers that fall silent, slow down, turn into replicas or go away, and what becomes of commands and groups of them.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

#include "connection_fixture.h"

namespace tiercel::redis {
namespace {

using testing::expect;
using testing::send;
using testing::Strings;
using Admission = Connection::Admission;
using FailureTest = testing::ConnectionFixture;

// Heartbeat

TEST_F(FailureTest, AsksAnIdleServerWhetherItIsThere) {
  options.heartbeat = 15;
  server->otherwise = [](const std::string&) { return "+PONG\r\n"; };
  openReady();
  ASSERT_TRUE(received(3));
  EXPECT_TRUE(server->received()[2].starts_with("PING tiercel:")) << server->received()[2];
  EXPECT_TRUE(connection->isReady());
  EXPECT_EQ(events.errors.size(), 0U);
}

namespace {

// What a server says to "PING text" that answers each command in its place.
std::string answerTo(const std::string& command) {
  if (!command.starts_with("PING ")) return "+A\r\n";
  const std::string text = command.substr(5);
  return "$" + std::to_string(text.size()) + "\r\n" + text + "\r\n";
}

}  // namespace

// Under traffic, too: that is how a lost reply is found.
TEST_F(FailureTest, AsksOnceAnIntervalWhileThereAreAnswers) {
  options.heartbeat = 30;
  server->otherwise = answerTo;
  openReady();
  const auto pings = [&] {
    return std::ranges::count_if(server->received(), [](const std::string& text) { return text.starts_with("PING"); });
  };
  std::uint64_t number = 0;
  ASSERT_TRUE(loop.runUntil([&] {
    submit(number++, "GET a");
    return pings() >= 3;
  }));
  EXPECT_EQ(events.errors.size(), 0U);
}

// One reply is missing, and every later one goes to the command in front of its own: the heartbeat's own answer shows
// it.
TEST_F(FailureTest, AnAnswerOutOfPlaceEndsTheConnection) {
  for (const char* wrong : {"", "+one\r\n+too many\r\n"}) {
    options.heartbeat = 20;
    server->otherwise = [&](const std::string& command) {
      return command == "GET lost" ? std::string(wrong) : answerTo(command);
    };
    openReady();
    recorder.clear();
    submit(1, "GET lost");
    submit(2, "GET next");
    std::uint64_t number = 2;
    ASSERT_TRUE(loop.runUntil([&] {
      submit(++number, "GET more");
      return !events.errors.empty();
    }));
    EXPECT_EQ(events.errors[0].code, ErrorCode::kProtocol);
    events.errors.clear();
  }
}

// A server that answers, but always too late, costs nobody anything who can do without it.
TEST_F(FailureTest, ALateAnswerDoesNotMakeTheServerWorthWaitingFor) {
  options.commandTimeout = 25;
  options.heartbeat = 1000;
  openReady();
  submit(1, "GET a");
  ASSERT_TRUE(loop.runUntil([&] { return connection->isUnresponsive(); }));
  ASSERT_TRUE(received(2));  // the probe
  loop.runFor(40);           // it is late, too
  server->send("+A\r\n" + answerTo(server->received()[1]));
  ASSERT_TRUE(settled(1));
  ASSERT_TRUE(received(3)) << "it is asked again at once";
  EXPECT_TRUE(connection->isUnresponsive());
  EXPECT_EQ(submit(2, "GET b", true), Admission::kUnavailable);
  server->send(answerTo(server->received()[2]));
  ASSERT_TRUE(loop.runUntil([&] { return !connection->isUnresponsive(); }));
  EXPECT_EQ(submit(3, "GET c", true), Admission::kAdmitted);
}

// What stands behind a command that may wait has its own time.
TEST_F(FailureTest, ACommandBehindAnEndlessOneTimesOut) {
  options.commandTimeout = 30;
  openReady();
  submit(1, "BLPOP l 0", {.endless = true});
  submit(2, "BLPOP m 1", {.endless = true, .waitsFor = 20});
  submit(3, "GET a");
  ASSERT_TRUE(loop.runUntil([&] { return recorder.log.size() == 2; }));
  EXPECT_EQ(recorder.log, Strings({"3 timed out", "2 timed out"}));
  EXPECT_EQ(submit(4, "GET b", true), Admission::kUnavailable);
  server->send("*0\r\n*0\r\n+A\r\n");
  ASSERT_TRUE(settled(3));
  EXPECT_TRUE(connection->isReady());
}

TEST_F(FailureTest, CloseDoesNotWaitForAnEndlessCommand) {
  openReady();
  submit(1, "BLPOP l 0", {.endless = true});
  submit(2, "GET a");
  ASSERT_TRUE(received(2));
  connection->close();
  EXPECT_EQ(recorder.settled, 0U);
  server->send("*0\r\n+A\r\n");
  ASSERT_TRUE(settled(2));
  EXPECT_EQ(recorder.log, Strings({"1 *[]", "2 +A"}));
  openReady();
  recorder.clear();
  submit(3, "BLPOP l 0", {.endless = true});
  ASSERT_TRUE(received(3));
  connection->close();
  EXPECT_EQ(recorder.log, Strings({"3 failed CLIENT_CLOSED"}));
}

// Whoever waited for the first connection in vain was the last to do so.
TEST_F(FailureTest, OnlyTheFirstWaitsForAServerThatDoesNotSpeak) {
  options.commandTimeout = 25;
  options.connectTimeout = 60000;
  server->hello = testing::FakeServer::Hello::kSilent;
  open();
  EXPECT_EQ(submit(1, "GET a", true), Admission::kAdmitted);
  ASSERT_TRUE(settled(1));
  EXPECT_EQ(recorder.log, Strings({"1 failed COMMAND_TIMEOUT"}));
  EXPECT_EQ(submit(2, "GET b", true), Admission::kUnavailable);
}

TEST_F(FailureTest, GivesUpAServerThatDoesNotAnswerTheHeartbeat) {
  options.heartbeat = 15;
  options.commandTimeout = 40;
  server->script({expect("PING …")});
  openReady();
  ASSERT_TRUE(loop.runUntil([&] { return !events.errors.empty(); }));
  EXPECT_EQ(events.errors[0].code, ErrorCode::kConnectionLost);
  EXPECT_EQ(events.errors[0].message, place() + ": the server does not answer (heartbeat)");
  server->otherwise = [](const std::string&) { return "+PONG\r\n"; };
  ASSERT_TRUE(loop.runUntil([&] { return connection->isReady(); }));
  loop.runFor(100);
  EXPECT_EQ(events.errors.size(), 1U);
}

TEST_F(FailureTest, DoesNotAskWhileAnEndlessCommandWaits) {
  for (const core::Millis timeout : {core::Millis{40}, core::Millis{0}}) {
    options.heartbeat = 15;
    options.commandTimeout = timeout;
    openReady();
    recorder.clear();
    submit(1, "BLPOP l 0", {.endless = true});
    loop.runFor(120);
    EXPECT_EQ(server->received().back(), "BLPOP l 0") << timeout;
    EXPECT_TRUE(connection->isReady()) << timeout;
    server->send("*2\r\n+l\r\n+v\r\n");
    ASSERT_TRUE(settled(1));
    EXPECT_EQ(recorder.log, Strings({"1 *[+l +v]"}));
  }
}

TEST_F(FailureTest, HasNoHeartbeatWhenToldSo) {
  options.heartbeat = 0;
  openReady();
  loop.runFor(40);
  EXPECT_EQ(server->received(), Strings());
}

// Servers that do not answer

TEST_F(FailureTest, DoesNotLetAnybodyWaitForAServerThatDoesNotAnswer) {
  options.commandTimeout = 20;
  options.heartbeat = 0;
  openReady();
  submit(1, "GET a");
  EXPECT_FALSE(connection->isUnresponsive());
  ASSERT_TRUE(loop.runUntil([&] { return !recorder.log.empty(); }));
  EXPECT_TRUE(connection->isUnresponsive());
  EXPECT_EQ(submit(2, "GET b", true), Admission::kUnavailable);
  EXPECT_EQ(submit(3, "GET c"), Admission::kAdmitted) << "who wants to wait may";
  ASSERT_TRUE(received(2));
  server->send("+A\r\n");
  ASSERT_TRUE(settled(1));
  EXPECT_FALSE(connection->isUnresponsive()) << "it speaks again";
  EXPECT_EQ(submit(4, "GET d", true), Admission::kAdmitted);
}

TEST_F(FailureTest, OneSlowCommandIsNoSilence) {
  options.commandTimeout = 40;
  openReady();
  submit(1, "GET a");
  ASSERT_TRUE(received(1));
  loop.runFor(10);
  server->send(">1\r\n+x\r\n");
  ASSERT_TRUE(loop.runUntil([&] { return !recorder.log.empty(); }));
  EXPECT_EQ(recorder.log, Strings({"1 timed out"}));
  EXPECT_FALSE(connection->isUnresponsive());
}

TEST_F(FailureTest, ANewConnectionIsTrustedAgain) {
  options.commandTimeout = 20;
  openReady();
  submit(1, "GET a");
  ASSERT_TRUE(loop.runUntil([&] { return connection->isUnresponsive(); }));
  server->hangUp();
  ASSERT_TRUE(settled(1));
  ASSERT_TRUE(loop.runUntil([&] { return connection->isReady(); }));
  EXPECT_FALSE(connection->isUnresponsive());
}

// A server that takes a large value slowly is no server that stopped reading.
TEST_F(FailureTest, DoesNotGiveUpAWriteThatGoesOn) {
  options.commandTimeout = 120;
  options.heartbeat = 0;
  server->otherwise = [](const std::string&) { return "+OK\r\n"; };
  openReady();
  server->stall();
  submitHuge(1);
  for (int round = 0; round < 500 && recorder.settled == 0; ++round) {
    server->resume();
    uv_run(loop.get(), UV_RUN_NOWAIT);
    server->stall();
    loop.runFor(10);
  }
  EXPECT_EQ(recorder.log, Strings({"1 timed out", "1 +OK"}));
  EXPECT_EQ(events.errors.size(), 0U);
}

// Replicas

TEST_F(FailureTest, LeavesAServerThatHasBecomeAReplica) {
  openReady();
  loop.runFor(1050);
  server->script(
      {expect("SET a"), expect("GET b"), send("-READONLY You can't write against a read only replica.\r\n")});
  submit(1, "SET a");
  submit(2, "GET b");
  ASSERT_TRUE(settled(1));
  EXPECT_TRUE(connection->isReady()) << "an answer is still due";
  EXPECT_EQ(submit(3, "GET c", true), Admission::kUnavailable);
  EXPECT_EQ(submit(4, "GET d"), Admission::kAdmitted);
  loop.runFor(5);
  EXPECT_EQ(server->received().size(), 2U) << "nothing new is sent";
  server->script({send("+B\r\n"), expect("GET d"), send("+D\r\n")});
  ASSERT_TRUE(settled(3));
  EXPECT_EQ(recorder.log, Strings({"1 -READONLY You can't write against a read only replica.", "2 +B", "4 +D"}));
  EXPECT_EQ(server->connections(), 2U);
  EXPECT_EQ(events.errors[0].message, place() + ": the server has become a replica");
}

TEST_F(FailureTest, StaysForAWhileThoughItIsAReplica) {
  openReady();
  server->script({expect("SET a"), send("-READONLY no\r\n"), expect("SET b"), send("-READONLY no\r\n")});
  submit(1, "SET a");
  ASSERT_TRUE(settled(1));
  submit(2, "SET b");
  ASSERT_TRUE(settled(2));
  EXPECT_TRUE(connection->isReady());
  EXPECT_EQ(server->connections(), 1U);
}

// Groups

TEST_F(FailureTest, AGroupThatWasCutDoesNotGoOnElsewhere) {
  openReady();
  server->stall();
  submitHuge(1);
  submit(2, "SET a", {.joined = true});
  submit(3, "EXEC", {.joined = true});
  submit(4, "GET d");
  server->hangUp();
  server->script({expect("GET d"), send("+D\r\n")});
  ASSERT_TRUE(settled(4));
  EXPECT_EQ(recorder.log,
            Strings({"1 failed CONNECTION_LOST", "2 failed CONNECTION_LOST", "3 failed CONNECTION_LOST", "4 +D"}));
}

TEST_F(FailureTest, NorDoesOneWhoseBeginningWasAnswered) {
  openReady();
  server->stall();
  submitHuge(1);
  submit(2, "SET a", {.joined = true});
  submit(3, "EXEC", {.joined = true});
  submit(4, "MULTI");
  submit(5, "EXEC", {.joined = true});
  server->send("+QUEUED\r\n");
  ASSERT_TRUE(settled(1));
  server->hangUp();
  server->script({expect("MULTI"), expect("EXEC"), send("+OK\r\n*0\r\n")});
  ASSERT_TRUE(settled(5));
  EXPECT_EQ(recorder.log,
            Strings({"1 +QUEUED", "2 failed CONNECTION_LOST", "3 failed CONNECTION_LOST", "4 +OK", "5 *[]"}));
}

TEST_F(FailureTest, WholeGroupsMakeRoom) {
  options.maxQueuedCommands = 3;
  open();
  submit(1, "MULTI");
  submit(2, "SET a", {.joined = true});
  submit(3, "EXEC", {.joined = true});
  EXPECT_EQ(submit(4, "GET d"), Admission::kAdmitted);
  EXPECT_EQ(recorder.log, Strings({"1 failed QUEUE_FULL", "2 failed QUEUE_FULL", "3 failed QUEUE_FULL"}));
  server->script({expect("GET d"), send("+D\r\n")});
  ASSERT_TRUE(settled(4));
  EXPECT_EQ(recorder.log.back(), "4 +D");
}

TEST_F(FailureTest, AGroupIsAdmittedWithItsFirstCommand) {
  options.maxQueuedCommands = 2;
  open();
  for (std::uint64_t i = 1; i <= 5; ++i) {
    EXPECT_EQ(submit(i, "GET a", {.joined = i > 1}), Admission::kAdmitted) << "half a group is none";
  }
  server->otherwise = [](const std::string&) { return "+A\r\n"; };
  ASSERT_TRUE(settled(5));
  EXPECT_EQ(server->received().size(), 5U);
}

TEST_F(FailureTest, WholeGroupsTimeOut) {
  options.commandTimeout = 25;
  server->hello = testing::FakeServer::Hello::kSilent;
  open();
  submit(1, "MULTI");
  submit(2, "BLPOP l 0", {.endless = true, .joined = true});
  submit(3, "EXEC", {.joined = true});
  loop.runFor(12);
  submit(4, "GET d");
  ASSERT_TRUE(settled(3));
  EXPECT_EQ(recorder.log,
            Strings({"1 failed COMMAND_TIMEOUT", "2 failed COMMAND_TIMEOUT", "3 failed COMMAND_TIMEOUT"}));
  ASSERT_TRUE(settled(4));
}

TEST_F(FailureTest, MakingRoomMayCloseIt) {
  options.maxQueuedCommands = 1;
  open();
  submit(1, "GET a");
  events.atBatchEnd = [&] {
    if (recorder.settled == 1) connection->destroy();
  };
  EXPECT_EQ(submit(2, "GET b"), Admission::kClosed);
  EXPECT_EQ(recorder.log, Strings({"1 failed QUEUE_FULL"}));
  EXPECT_EQ(connection->waiting(), 0U);
}

// Counters

TEST_F(FailureTest, CountsWhatHappens) {
  options.heartbeat = 0;
  openReady();
  EXPECT_EQ(connection->stats().connects, 1U);
  const std::uint64_t greeting = connection->stats().bytesIn;
  EXPECT_GT(greeting, 0U);
  server->script({expect("GET a"), expect("GET b"), send("+A\r\n>1\r\n+x\r\n-ERR no\r\n")});
  submit(1, "GET a");
  submit(2, "GET b");
  EXPECT_EQ(connection->waiting(), 2U);
  ASSERT_TRUE(settled(2));
  const ConnectionStats& stats = connection->stats();
  EXPECT_EQ(stats.commands, 2U);
  EXPECT_EQ(stats.replies, 2U);
  EXPECT_EQ(stats.errors, 1U);
  EXPECT_EQ(stats.pushes, 1U);
  EXPECT_EQ(stats.bytesOut, 2 * std::string("*2\r\n$3\r\nGET\r\n$1\r\na\r\n").size());
  EXPECT_EQ(stats.bytesIn - greeting, std::string("+A\r\n>1\r\n+x\r\n-ERR no\r\n").size());
  EXPECT_EQ(stats.losses + stats.timeouts + stats.refused, 0U);
  EXPECT_EQ(connection->waiting(), 0U);
  server->hangUp();
  ASSERT_TRUE(loop.runUntil([&] { return stats.connects == 2; }));
  EXPECT_EQ(stats.losses, 1U);
}

TEST_F(FailureTest, CountsTimeouts) {
  options.commandTimeout = 15;
  openReady();
  submit(1, "GET a");
  submit(2, "GET b");
  ASSERT_TRUE(loop.runUntil([&] { return recorder.log.size() == 2; }));
  EXPECT_EQ(connection->stats().timeouts, 2U);
  EXPECT_EQ(connection->stats().replies, 0U);
}

}  // namespace
}  // namespace tiercel::redis
