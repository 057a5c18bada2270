#include "redis/connection.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "connection_fixture.h"

namespace tiercel::redis {
namespace {

using testing::expect;
using testing::FakeServer;
using testing::hangUp;
using testing::run;
using testing::send;
using testing::Strings;
using Admission = Connection::Admission;
using State = Connection::State;

using ConnectionTest = testing::ConnectionFixture;

TEST_F(ConnectionTest, SaysHelloAndIsReady) {
  options.handshake.clientName = "tests";
  options.handshake.database = 3;
  openReady();
  EXPECT_EQ(events.log, Strings({"connect", "ready"}));
  EXPECT_EQ(connection->protocol(), 3);
  EXPECT_FALSE(connection->isTracking());
  EXPECT_EQ(server->handshakes(),
            Strings({"HELLO 3", "SELECT 3", "CLIENT SETNAME tests", "CLIENT SETINFO LIB-NAME tiercel"}));
  EXPECT_EQ(server->connections(), 1U);
}

TEST_F(ConnectionTest, FallsBackToResp2) {
  server->hello = FakeServer::Hello::kResp2;
  options.handshake.password = "secret";
  options.handshake.tracking = true;
  openReady();
  EXPECT_EQ(connection->protocol(), 2);
  EXPECT_FALSE(connection->isTracking());
  EXPECT_EQ(server->handshakes(),
            Strings({"HELLO 3 AUTH default secret", "AUTH secret", "CLIENT SETINFO LIB-NAME tiercel"}));
}

TEST_F(ConnectionTest, MatchesRepliesInOrder) {
  openReady();
  server->script({expect("GET a"), expect("GET b"), expect("LRANGE c"), expect("NO"),
                  send("$1\r\nA\r\n_\r\n*2\r\n+x\r\n:1\r\n-ERR no\r\n")});
  submit(1, "GET a");
  submit(2, "GET b");
  submit(3, "LRANGE c");
  submit(4, "NO");
  ASSERT_TRUE(settled(4));
  EXPECT_EQ(recorder.log, Strings({"1 $A", "2 _", "3 *[+x :1]", "4 -ERR no"}));
  EXPECT_TRUE(server->scriptDone());
}

TEST_F(ConnectionTest, ReadsRepliesThatComeInPieces) {
  openReady();
  submit(1, "GET a");
  submit(2, "GET b");
  ASSERT_TRUE(received(2));
  for (const char byte : std::string_view("$3\r\nabc\r\n*1\r\n:7\r\n")) {
    server->send({&byte, 1});
    uv_run(loop.get(), UV_RUN_NOWAIT);
  }
  ASSERT_TRUE(settled(2));
  EXPECT_EQ(recorder.log, Strings({"1 $abc", "2 *[:7]"}));
}

TEST_F(ConnectionTest, WritesOncePerLoopTurn) {
  openReady();
  server->otherwise = [](const std::string&) { return "+OK\r\n"; };
  const std::size_t before = server->reads();
  for (std::uint64_t i = 0; i < 500; ++i) submit(i, "GET " + std::to_string(i));
  EXPECT_TRUE(server->received().empty());
  ASSERT_TRUE(settled(500));
  EXPECT_EQ(server->reads(), before + 1);
  EXPECT_EQ(recorder.log.back(), "499 +OK");
}

TEST_F(ConnectionTest, WritesEarlyInALongTurn) {
  openReady();
  server->otherwise = [](const std::string&) { return "+OK\r\n"; };
  const std::string value(1000, 'x');
  for (std::uint64_t i = 0; i < 70; ++i) submit(i, "SET " + value);
  EXPECT_LT(connection->unsent(), std::size_t{10} << 10) << "64 KB of it have left in the middle of the turn";
  ASSERT_TRUE(settled(70));
}

TEST_F(ConnectionTest, SendsAtTheEndOfABatchWhatItLedTo) {
  openReady();
  server->script({expect("GET a"), send("+1\r\n"), expect("GET b"), send("+2\r\n")});
  bool once = false;
  events.atBatchEnd = [&] {
    if (recorder.settled == 1 && !once) {
      once = true;
      submit(2, "GET b");
    }
  };
  submit(1, "GET a");
  ASSERT_TRUE(settled(2));
  EXPECT_EQ(recorder.log, Strings({"1 +1", "2 +2"}));
}

TEST_F(ConnectionTest, QueuesUntilItIsReady) {
  open();
  EXPECT_EQ(submit(1, "GET a"), Admission::kAdmitted);
  EXPECT_EQ(submit(2, "GET b", true), Admission::kAdmitted) << "the first attempt is not over";
  server->otherwise = [](const std::string& command) { return "+" + command + "\r\n"; };
  ASSERT_TRUE(settled(2));
  EXPECT_EQ(recorder.log, Strings({"1 +GET a", "2 +GET b"}));
}

TEST_F(ConnectionTest, ReconnectsAndNeverSendsTwice) {
  openReady();
  server->script({expect("INCR a"), expect("INCR b"), hangUp()});
  submit(1, "INCR a");
  submit(2, "INCR b");
  ASSERT_TRUE(loop.runUntil([&] { return connection->state() == State::kBackoff; }));
  EXPECT_EQ(recorder.log, Strings({"1 failed CONNECTION_LOST", "2 failed CONNECTION_LOST"}));
  EXPECT_NE(connection->reason().find("closed by the server"), std::string::npos) << connection->reason();
  submit(3, "INCR c");
  EXPECT_EQ(submit(4, "INCR d", true), Admission::kUnavailable);
  server->otherwise = [](const std::string& command) { return "+" + command + "\r\n"; };
  ASSERT_TRUE(settled(3));
  EXPECT_EQ(recorder.log.back(), "3 +INCR c");
  EXPECT_EQ(server->received(), Strings({"INCR a", "INCR b", "INCR c"}));
  EXPECT_EQ(server->connections(), 2U);
  EXPECT_EQ(events.log,
            Strings({"connect", "ready", "close", "error CONNECTION_LOST", "reconnecting 1", "connect", "ready"}));
}

TEST_F(ConnectionTest, ANewConnectionStartsWithACleanReader) {
  openReady();
  server->script({expect("GET a"), send("*3\r\n$100\r\nhalf a rep"), hangUp(), expect("GET b"), send("+B\r\n")});
  submit(1, "GET a");
  ASSERT_TRUE(settled(1));
  submit(2, "GET b");
  ASSERT_TRUE(settled(2));
  EXPECT_EQ(recorder.log, Strings({"1 failed CONNECTION_LOST", "2 +B"}));
}

// A write that the server does not take: what is behind it was not sent, and goes out on the next connection.
TEST_F(ConnectionTest, SendsWhatWaitedBehindALostWrite) {
  openReady();
  server->stall();
  submitHuge(1);
  submit(2, "GET b");
  loop.runFor(5);
  EXPECT_TRUE(recorder.log.empty());
  server->hangUp();
  server->script({expect("GET b"), send("+B\r\n")});
  ASSERT_TRUE(settled(2));
  EXPECT_EQ(recorder.log, Strings({"1 failed CONNECTION_LOST", "2 +B"}));
  EXPECT_EQ(server->received(), Strings({"GET b"}));
}

TEST_F(ConnectionTest, SendsALargeCommandWhole) {
  openReady();
  server->otherwise = [](const std::string& command) { return ":" + std::to_string(command.size()) + "\r\n"; };
  submitHuge(1);
  submit(2, "GET b");
  ASSERT_TRUE(settled(2));
  EXPECT_EQ(recorder.log, Strings({"1 :" + std::to_string((std::size_t{24} << 20) + 9), "2 :5"}));
}

TEST_F(ConnectionTest, TimesOutInFlightAndDropsTheLateReply) {
  options.commandTimeout = 20;
  options.heartbeat = 0;
  openReady();
  submit(1, "GET a");
  ASSERT_TRUE(loop.runUntil([&] { return !recorder.log.empty(); }));
  EXPECT_EQ(recorder.log, Strings({"1 timed out"}));
  EXPECT_TRUE(connection->isReady()) << "one slow answer is no lost connection";
  submit(2, "GET b");
  ASSERT_TRUE(received(2));
  server->send("+late\r\n+B\r\n");
  ASSERT_TRUE(settled(2));
  // What was told that it timed out hears of its answer, but only to be done with it.
  EXPECT_EQ(recorder.log, Strings({"1 timed out", "1 +late", "2 +B"}));
  submit(3, "GET c");
  ASSERT_TRUE(loop.runUntil([&] { return recorder.log.size() >= 4; }));
  EXPECT_EQ(recorder.log.back(), "3 timed out");
  EXPECT_EQ(server->connections(), 1U);
}

TEST_F(ConnectionTest, TimesOutOneAfterTheOther) {
  options.commandTimeout = 30;
  openReady();
  submit(1, "GET a");
  loop.runFor(15);
  submit(2, "GET b");
  ASSERT_TRUE(loop.runUntil([&] { return !recorder.log.empty(); }));
  EXPECT_EQ(recorder.log, Strings({"1 timed out"}));
  ASSERT_TRUE(loop.runUntil([&] { return recorder.log.size() == 2; }));
  EXPECT_EQ(recorder.log.back(), "2 timed out");
}

// The server is seen to work: the last of a large batch has waited for the others, not for the server.
TEST_F(ConnectionTest, ALargeBatchHasItsTimeWhileAnswersCome) {
  options.commandTimeout = 1000;
  options.heartbeat = 0;
  openReady();
  const std::size_t count = 4 * Connection::kCounted;
  submitBatch(count);
  const core::Millis began = connection->now();
  std::string some;
  for (std::size_t i = 0; i < Connection::kCounted / 4; ++i) some += "+A\r\n";
  for (std::size_t sent = 0; sent < count; sent += Connection::kCounted / 4) {
    server->send(some);
    ASSERT_TRUE(settled(sent + (Connection::kCounted / 4)));
    loop.runFor(140);
  }
  EXPECT_GT(connection->now() - began, 2 * options.commandTimeout) << "or it shows nothing";
  EXPECT_EQ(connection->stats().timeouts, 0U);
  EXPECT_EQ(recorder.log.back(), std::to_string(count) + " +A");
}

TEST_F(ConnectionTest, AllOfALargeBatchTimeOutWhenNoAnswersCome) {
  options.commandTimeout = 30;
  options.heartbeat = 0;
  openReady();
  const std::size_t count = 3 * Connection::kCounted;
  submitBatch(count);
  server->send("+A\r\n");
  ASSERT_TRUE(loop.runUntil([&] { return recorder.log.size() >= count; }));
  EXPECT_GE(connection->stats().timeouts, count - 1) << "the first may have been too late as well";
}

TEST_F(ConnectionTest, TimesOutInTheQueueAndNeverSendsIt) {
  options.heartbeat = 0;
  options.commandTimeout = 20;
  server->hello = FakeServer::Hello::kSilent;
  open();
  submit(1, "GET a");
  submit(2, "GET b");
  ASSERT_TRUE(settled(2));
  EXPECT_EQ(recorder.log, Strings({"1 failed COMMAND_TIMEOUT", "2 failed COMMAND_TIMEOUT"}));
  submit(3, "GET c");
  server->script(
      {send("%0\r\n"), expect("CLIENT SETINFO LIB-NAME tiercel"), send("+OK\r\n"), expect("GET c"), send("+C\r\n")});
  ASSERT_TRUE(settled(3));
  EXPECT_EQ(recorder.log.back(), "3 +C");
  EXPECT_EQ(server->received(), Strings({"HELLO 3", "CLIENT SETINFO LIB-NAME tiercel", "GET c"}));
}

TEST_F(ConnectionTest, KeepsAnswersThatWereThereWhileTheLoopWasBlocked) {
  options.commandTimeout = 20;
  openReady();
  server->script({expect("GET a"), send("+A\r\n"), run([] { uv_sleep(40); })});
  submit(1, "GET a");
  ASSERT_TRUE(settled(1));
  EXPECT_EQ(recorder.log, Strings({"1 +A"}));
}

TEST_F(ConnectionTest, GivesUpAServerThatStopsReading) {
  options.commandTimeout = 30;
  openReady();
  server->stall();
  server->stopListening();
  submitHuge(1);
  submit(2, "GET b");
  loop.runFor(20);
  submit(3, "GET c");
  ASSERT_TRUE(settled(3));
  // Who was told before that it took too long depends on when the server is given up.
  std::erase_if(recorder.log, [](const std::string& line) { return line.ends_with("timed out"); });
  EXPECT_EQ(recorder.log,
            Strings({"1 failed CONNECTION_LOST", "2 failed COMMAND_TIMEOUT", "3 failed COMMAND_TIMEOUT"}));
  EXPECT_EQ(events.errors[0].message, place() + ": the server stopped reading");
}

TEST_F(ConnectionTest, NeverTimesOutWhenToldSo) {
  options.commandTimeout = 0;
  openReady();
  submit(1, "GET a");
  ASSERT_TRUE(received(1));
  loop.runFor(20);
  EXPECT_TRUE(recorder.log.empty());
  server->send("+A\r\n");
  ASSERT_TRUE(settled(1));
}

TEST_F(ConnectionTest, WhatHasWaitedLongestMakesRoom) {
  options.maxQueuedCommands = 3;
  open();
  for (std::uint64_t i = 0; i < 5; ++i) EXPECT_EQ(submit(i, "GET " + std::to_string(i)), Admission::kAdmitted);
  EXPECT_EQ(recorder.log, Strings({"0 failed QUEUE_FULL", "1 failed QUEUE_FULL"}));
  EXPECT_EQ(connection->stats().refused, 2U);
  server->otherwise = [](const std::string& command) { return "+" + command + "\r\n"; };
  ASSERT_TRUE(settled(5));
  EXPECT_EQ(server->received(), Strings({"GET 2", "GET 3", "GET 4"})) << "what was refused is never sent";
  for (std::uint64_t i = 10; i < 20; ++i) EXPECT_EQ(submit(i, "GET a"), Admission::kAdmitted) << "it does not queue";
  ASSERT_TRUE(settled(15));
}

TEST_F(ConnectionTest, LimitsTheQueueByBytes) {
  options.maxQueuedBytes = 100;
  open();
  EXPECT_EQ(submit(1, "SET a " + std::string(200, 'x')), Admission::kAdmitted);
  EXPECT_EQ(submit(2, "GET a"), Admission::kAdmitted);
  EXPECT_EQ(recorder.log, Strings({"1 failed QUEUE_FULL"}));
}

TEST_F(ConnectionTest, LimitsWhatWaitsBehindAWriteFromOneTurnToTheNext) {
  options.maxQueuedCommands = 2;
  options.maxQueuedBytes = 100;
  openReady();
  server->stall();
  submitHuge(1);
  // A server that is connected may be given any number in one turn: it may be reading all the while.
  for (std::uint64_t i = 2; i < 20; ++i) EXPECT_EQ(submit(i, "GET a", true), Admission::kAdmitted);
  loop.runFor(1);
  EXPECT_EQ(submit(20, "GET a"), Admission::kQueueFull) << "it has not taken them since";
  server->resume();
  server->otherwise = [](const std::string&) { return "+A\r\n"; };
  ASSERT_TRUE(settled(19));
  EXPECT_EQ(submit(21, "GET a"), Admission::kAdmitted);
  ASSERT_TRUE(settled(20));
  EXPECT_EQ(recorder.log.back(), "21 +A");
}

TEST_F(ConnectionTest, AFewBytesMayWaitForManyTurns) {
  options.maxQueuedBytes = 1000;
  openReady();
  server->stall();
  submitHuge(1);
  for (std::uint64_t i = 2; i < 12; ++i) {
    EXPECT_EQ(submit(i, "GET a"), Admission::kAdmitted);
    loop.runFor(1);
  }
}

TEST_F(ConnectionTest, FailsFastAfterTheFirstAttempt) {
  server->stopListening();
  open();
  EXPECT_EQ(submit(1, "GET a", true), Admission::kAdmitted);
  ASSERT_TRUE(loop.runUntil([&] { return !events.errors.empty(); }));
  EXPECT_EQ(submit(2, "GET a", true), Admission::kUnavailable);
  EXPECT_EQ(submit(3, "GET a", false), Admission::kAdmitted);
  EXPECT_TRUE(recorder.log.empty());
}

TEST_F(ConnectionTest, TakesAnUnaskedAnswerForAProtocolError) {
  openReady();
  server->send("-ERR idle for too long\r\n");
  ASSERT_TRUE(loop.runUntil([&] { return !events.errors.empty(); }));
  EXPECT_EQ(events.errors[0].code, ErrorCode::kProtocol);
  EXPECT_NE(events.errors[0].message.find("nobody asked for: ERR idle for too long"), std::string::npos);
  ASSERT_TRUE(loop.runUntil([&] { return connection->isReady(); }));
  EXPECT_EQ(server->connections(), 2U);
}

TEST_F(ConnectionTest, NeverGivesAnUnaskedAnswerToSomebodyElse) {
  openReady();
  server->script({expect("GET a"), send("+A\r\n+one too many\r\n")});
  submit(1, "GET a");
  ASSERT_TRUE(loop.runUntil([&] { return !events.errors.empty(); }));
  submit(2, "GET b");
  server->otherwise = [](const std::string&) { return "+B\r\n"; };
  ASSERT_TRUE(settled(2));
  EXPECT_EQ(recorder.log, Strings({"1 +A", "2 +B"}));
}

TEST_F(ConnectionTest, TakesGarbageForAProtocolError) {
  openReady();
  server->script({expect("GET a"), expect("GET b"), send("+A\r\nHTTP/1.1 400 Bad Request\r\n\r\n")});
  submit(1, "GET a");
  submit(2, "GET b");
  ASSERT_TRUE(settled(2));
  EXPECT_EQ(recorder.log, Strings({"1 +A", "2 failed CONNECTION_LOST"}));
  EXPECT_EQ(events.errors[0].code, ErrorCode::kProtocol);
  ASSERT_TRUE(loop.runUntil([&] { return connection->isReady(); }));
}

TEST_F(ConnectionTest, CloseWaitsForTheAnswers) {
  openReady();
  submit(1, "GET a");
  submit(2, "GET b");
  connection->close();
  EXPECT_EQ(submit(3, "GET c"), Admission::kClosed);
  ASSERT_TRUE(received(2));
  server->send("+A\r\n");
  ASSERT_TRUE(settled(1));
  EXPECT_EQ(events.count("end"), 0U);
  server->send("+B\r\n");
  ASSERT_TRUE(loop.runUntil([&] { return events.count("end") == 1; }));
  EXPECT_EQ(recorder.log, Strings({"1 +A", "2 +B"}));
  EXPECT_EQ(events.log, Strings({"connect", "ready", "close", "end"}));
  EXPECT_EQ(connection->state(), State::kClosed);
  EXPECT_EQ(submit(4, "GET d"), Admission::kClosed);
  connection->close();
  connection->destroy();
  EXPECT_EQ(events.count("end"), 1U);
  EXPECT_TRUE(loop.runUntil([&] { return loop.handles()->open() == 0; })) << "it holds nothing any more";
}

TEST_F(ConnectionTest, CloseIsOverAtOnceWhenNothingIsDue) {
  openReady();
  connection->close();
  EXPECT_EQ(events.log.back(), "end");
}

TEST_F(ConnectionTest, CloseWaitsForTheFirstConnection) {
  server->otherwise = [](const std::string&) { return "+A\r\n"; };
  open();
  submit(1, "GET a");
  connection->close();
  EXPECT_EQ(submit(2, "GET b"), Admission::kClosed);
  ASSERT_TRUE(loop.runUntil([&] { return events.count("end") == 1; }));
  EXPECT_EQ(recorder.log, Strings({"1 +A"}));
}

TEST_F(ConnectionTest, CloseFailsWhatWaitsForAConnectionThatWasLost) {
  openReady();
  server->stopListening();
  server->hangUp();
  ASSERT_TRUE(loop.runUntil([&] { return connection->state() == State::kBackoff; }));
  submit(1, "GET a");
  connection->close();
  EXPECT_EQ(recorder.log, Strings({"1 failed CLIENT_CLOSED"}));
  EXPECT_EQ(events.log.back(), "end");
}

TEST_F(ConnectionTest, CloseDoesNotReconnect) {
  openReady();
  server->script({expect("GET a"), hangUp()});
  submit(1, "GET a");
  connection->close();
  ASSERT_TRUE(loop.runUntil([&] { return events.count("end") == 1; }));
  EXPECT_EQ(recorder.log, Strings({"1 failed CONNECTION_LOST"}));
  EXPECT_EQ(events.count("reconnecting 1"), 0U);
}

TEST_F(ConnectionTest, CloseBehindALargeWriteSendsEverything) {
  openReady();
  server->otherwise = [](const std::string&) { return "+OK\r\n"; };
  submitHuge(1);
  submit(2, "GET b");
  connection->close();
  ASSERT_TRUE(loop.runUntil([&] { return events.count("end") == 1; }));
  EXPECT_EQ(recorder.log, Strings({"1 +OK", "2 +OK"}));
}

TEST_F(ConnectionTest, DestroyIsOverAtOnce) {
  openReady();
  submit(1, "GET a");
  connection->flush();
  submit(2, "GET b");
  connection->destroy();
  EXPECT_EQ(recorder.log, Strings({"1 failed CLIENT_CLOSED", "2 failed CLIENT_CLOSED"}));
  EXPECT_EQ(events.log, Strings({"connect", "ready", "close", "end"}));
  EXPECT_EQ(submit(3, "GET c"), Admission::kClosed);
}

TEST_F(ConnectionTest, DestroyEndsEveryState) {
  open().destroy();
  EXPECT_EQ(events.log, Strings({"end"}));
  events.log.clear();
  connection = std::make_unique<Connection>(loop.handles(), options, events);
  EXPECT_EQ(submit(1, "GET a"), Admission::kClosed) << "not started";
  connection->destroy();
  EXPECT_EQ(events.log, Strings({"end"}));
  server->stopListening();
  events.log.clear();
  open();
  ASSERT_TRUE(loop.runUntil([&] { return connection->state() == State::kBackoff && !events.errors.empty(); }));
  connection->destroy();
  EXPECT_EQ(events.log.back(), "end");
}

TEST_F(ConnectionTest, CanBeClosedAtTheEndOfABatch) {
  openReady();
  server->script({expect("GET a"), send("+A\r\n")});
  events.atBatchEnd = [&] {
    if (recorder.settled == 1) connection->close();
  };
  submit(1, "GET a");
  ASSERT_TRUE(loop.runUntil([&] { return connection->state() == State::kClosed; }));
}

TEST_F(ConnectionTest, AbandonTellsNobody) {
  openReady();
  submit(1, "GET a");
  const std::size_t before = events.log.size();
  connection->abandon();
  EXPECT_TRUE(loop.runUntil([&] { return loop.handles()->open() == 0; }));
  EXPECT_TRUE(recorder.log.empty());
  EXPECT_EQ(events.log.size(), before);
}

TEST_F(ConnectionTest, CanBeDeletedWithCommandsInFlight) {
  openReady();
  submit(1, "GET a");
  ASSERT_TRUE(received(1));
  server->send("+A\r\n");
  connection.reset();
  loop.runFor(2);
  EXPECT_TRUE(recorder.log.empty());
}

TEST_F(ConnectionTest, KeepsTheLoopAliveOnlyWhenToldSo) {
  openReady();
  server.reset();
  ASSERT_TRUE(loop.runUntil([&] { return events.count("close") == 1; }));
  EXPECT_NE(uv_loop_alive(loop.get()), 0);
  connection->setRef(false);
  uv_run(loop.get(), UV_RUN_NOWAIT);
  EXPECT_EQ(uv_loop_alive(loop.get()), 0);
  connection->setRef(true);
  EXPECT_NE(uv_loop_alive(loop.get()), 0);
}

}  // namespace
}  // namespace tiercel::redis
