// Messages and the confirmations of subscriptions, in both protocols.
#include <gtest/gtest.h>

#include <string>

#include "connection_fixture.h"

namespace tiercel::redis {
namespace {

using testing::expect;
using testing::FakeServer;
using testing::send;
using testing::Strings;
using SubscriptionTest = testing::ConnectionFixture;

std::string three(char sign, const std::string& kind, const std::string& channel, const std::string& last) {
  const auto bulk = [](const std::string& text) { return "$" + std::to_string(text.size()) + "\r\n" + text + "\r\n"; };
  return std::string(1, sign) + "3\r\n" + bulk(kind) + bulk(channel) + last + "\r\n";
}

TEST_F(SubscriptionTest, HandsMessagesOn) {
  openReady();
  server->send(three('>', "message", "c", "$2\r\nhi") + ">1\r\n+whatever\r\n|1\r\n+a\r\n:1\r\n" +
               three('>', "pmessage", "c*", "$2\r\nho"));
  ASSERT_TRUE(loop.runUntil([&] { return events.pushes.size() >= 3; }));
  EXPECT_EQ(events.pushes, Strings({">[$message $c $hi]", ">[+whatever]", ">[$pmessage $c* $ho]"}));
  EXPECT_EQ(connection->stats().pushes, 3U);
  EXPECT_TRUE(connection->isReady());
}

TEST_F(SubscriptionTest, ResolvesWithTheLastConfirmation) {
  openReady();
  server->script({expect("SUBSCRIBE a b"), expect("GET k"), send(three('>', "subscribe", "a", ":1"))});
  submit(1, "SUBSCRIBE a b", {.confirmations = 2});
  submit(2, "GET k");
  ASSERT_TRUE(received(2));
  loop.runFor(5);
  EXPECT_EQ(recorder.log, Strings());
  server->send(three('>', "message", "a", "$1\r\nm") + three('>', "subscribe", "b", ":2") + "+K\r\n");
  ASSERT_TRUE(settled(2));
  EXPECT_EQ(recorder.log, Strings({"1 +OK", "2 +K"}));
  EXPECT_EQ(events.pushes, Strings({">[$message $a $m]"}));
}

TEST_F(SubscriptionTest, AnErrorSettlesItToo) {
  openReady();
  server->script({expect("SUBSCRIBE a"), send("-NOPERM not for you\r\n"), expect("GET k"), send("+K\r\n")});
  submit(1, "SUBSCRIBE a", {.confirmations = 1});
  submit(2, "GET k");
  ASSERT_TRUE(settled(2));
  EXPECT_EQ(recorder.log, Strings({"1 -NOPERM not for you", "2 +K"}));
}

// The server unsubscribes by itself when it takes a right away: nobody waits for that.
TEST_F(SubscriptionTest, AConfirmationThatNobodyAskedForIsAMessage) {
  openReady();
  submit(1, "GET k");
  ASSERT_TRUE(received(1));
  server->send(three('>', "unsubscribe", "a", ":0") + "+K\r\n");
  ASSERT_TRUE(settled(1));
  EXPECT_EQ(recorder.log, Strings({"1 +K"}));
  EXPECT_EQ(events.pushes, Strings({">[$unsubscribe $a :0]"}));
}

TEST_F(SubscriptionTest, UnderstandsTheArraysOfResp2) {
  server->hello = FakeServer::Hello::kResp2;
  openReady();
  server->script(
      {expect("SUBSCRIBE a b"), send(three('*', "subscribe", "a", ":1") + three('*', "subscribe", "b", ":2") +
                                     three('*', "message", "a", "$1\r\nm"))});
  submit(1, "SUBSCRIBE a b", {.confirmations = 2});
  ASSERT_TRUE(settled(1));
  ASSERT_TRUE(loop.runUntil([&] { return events.pushes.size() == 1; }));
  EXPECT_EQ(recorder.log, Strings({"1 +OK"}));
  EXPECT_EQ(events.pushes, Strings({"*[$message $a $m]"}));
  EXPECT_EQ(events.errors.size(), 0U);
}

TEST_F(SubscriptionTest, IsConfirmedInResp2ThoughItWaitedForTheConnection) {
  server->hello = FakeServer::Hello::kResp2;
  open();
  submit(1, "SUBSCRIBE a b", {.confirmations = 2});
  server->script(
      {expect("SUBSCRIBE a b"), send(three('*', "subscribe", "a", ":1") + three('*', "subscribe", "b", ":2"))});
  ASSERT_TRUE(settled(1));
  loop.runFor(5);
  EXPECT_EQ(recorder.log, Strings({"1 +OK"}));
  EXPECT_EQ(events.errors.size(), 0U);
}

// Whoever has not subscribed gets what looks like a message as an answer.
TEST_F(SubscriptionTest, AnArrayIsAnAnswerWithoutASubscription) {
  server->hello = FakeServer::Hello::kResp2;
  openReady();
  server->script({expect("LRANGE l"), send(three('*', "message", "a", "$1\r\nm"))});
  submit(1, "LRANGE l");
  ASSERT_TRUE(settled(1));
  EXPECT_EQ(recorder.log, Strings({"1 *[$message $a $m]"}));
  EXPECT_EQ(events.pushes, Strings());
}

}  // namespace
}  // namespace tiercel::redis
