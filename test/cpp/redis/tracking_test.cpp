// What a connection tells of client-side caching: changes, losses, and for how long silence means nothing.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "connection_fixture.h"

namespace tiercel::redis {
namespace {

using testing::expect;
using testing::send;
using testing::Strings;
using TrackingTest = testing::ConnectionFixture;

class Invalidations final : public InvalidationListener {
 public:
  void onInvalidate(std::string_view key) override { log.emplace_back(key); }
  void onInvalidateAll() override { log.emplace_back("(all)"); }
  void onTrackingLost() override { log.emplace_back("(lost)"); }
  void onHeard(core::Millis until) override { trusted.push_back(until); }
  Strings log;
  std::vector<core::Millis> trusted;
};

TEST_F(TrackingTest, HandsInvalidationsOn) {
  Invalidations invalidations;
  options.handshake.tracking = true;
  openReady();
  EXPECT_TRUE(connection->isTracking());
  connection->addInvalidationListener(invalidations);
  server->send(">2\r\n$10\r\ninvalidate\r\n*2\r\n$1\r\na\r\n$0\r\n\r\n>2\r\n+invalidate\r\n_\r\n");
  ASSERT_TRUE(loop.runUntil([&] { return invalidations.log.size() >= 3; }));
  EXPECT_EQ(invalidations.log, Strings({"a", "", "(all)"}));
  server->hangUp();
  ASSERT_TRUE(loop.runUntil([&] { return invalidations.log.size() >= 4; }));
  EXPECT_EQ(invalidations.log.back(), "(lost)");
  EXPECT_FALSE(connection->isTracking());
  ASSERT_TRUE(loop.runUntil([&] { return connection->isReady(); }));
  EXPECT_TRUE(connection->isTracking());
  connection->removeInvalidationListener(invalidations);
  server->send(">2\r\n+invalidate\r\n_\r\n");
  loop.runFor(5);
  EXPECT_EQ(invalidations.log.size(), 4U);
}

// Silence means nothing until a heartbeat would have noticed: two beats, and the time that an answer has.
TEST_F(TrackingTest, SaysHowLongSilenceMeansNothing) {
  Invalidations invalidations;
  options.heartbeat = 1000;
  options.commandTimeout = 30;
  open();
  connection->addInvalidationListener(invalidations);
  ASSERT_TRUE(loop.runUntil([&] { return connection->isReady(); }));
  ASSERT_EQ(invalidations.trusted.size(), 1U) << "with the handshake";
  const auto now = static_cast<core::Millis>(uv_now(loop.get()));
  EXPECT_LE(invalidations.trusted.back(), now + 2500);
  EXPECT_GE(invalidations.trusted.back(), now + 2000);

  server->script({expect("GET a"), send("+A\r\n"), expect("GET b"), expect("PING …")});
  submit(1, "GET a");
  ASSERT_TRUE(settled(1));
  EXPECT_EQ(invalidations.trusted.size(), 2U);
  EXPECT_GE(invalidations.trusted.back(), invalidations.trusted.front());
  submit(2, "GET b");
  ASSERT_TRUE(loop.runUntil([&] { return recorder.log.size() == 2; }));
  EXPECT_EQ(recorder.log.back(), "2 timed out");
  ASSERT_EQ(invalidations.trusted.size(), 3U);
  EXPECT_EQ(invalidations.trusted.back(), 0);
  // Anything at all will do.
  server->send(">1\r\n+whatever\r\n");
  ASSERT_TRUE(loop.runUntil([&] { return invalidations.trusted.size() == 4; }));
  EXPECT_GT(invalidations.trusted.back(), now);
  EXPECT_TRUE(connection->isUnresponsive()) << "it lives, but has not answered in time";
}

TEST_F(TrackingTest, ATimeoutBehindWhichTheServerSpokeIsNoDoubt) {
  Invalidations invalidations;
  options.commandTimeout = 40;
  openReady();
  connection->addInvalidationListener(invalidations);
  submit(1, "GET a");
  ASSERT_TRUE(received(1));
  loop.runFor(10);
  server->send(">1\r\n+whatever\r\n");
  ASSERT_TRUE(loop.runUntil([&] { return recorder.log.size() == 1; }));
  EXPECT_EQ(recorder.log.back(), "1 timed out");
  for (const core::Millis until : invalidations.trusted) EXPECT_GT(until, 0);
}

TEST_F(TrackingTest, TrustsForEverWithoutAHeartbeat) {
  Invalidations invalidations;
  options.heartbeat = 0;
  open();
  connection->addInvalidationListener(invalidations);
  ASSERT_TRUE(loop.runUntil([&] { return connection->isReady(); }));
  ASSERT_EQ(invalidations.trusted.size(), 1U);
  EXPECT_EQ(invalidations.trusted.back(), core::kForever);
}

// A push is whatever the server likes: none of these may hurt, or be taken for a reply.
TEST_F(TrackingTest, IgnoresPushesThatItDoesNotKnow) {
  Invalidations invalidations;
  openReady();
  connection->addInvalidationListener(invalidations);
  server->script(
      {expect("GET a"),
       send(">0\r\n>1\r\n:1\r\n>2\r\n:1000\r\n:2000\r\n>3\r\n,1.5\r\n*1\r\n:9999\r\n#t\r\n"
            ">3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$4\r\ntext\r\n>2\r\n+invalidate\r\n*2\r\n:123456\r\n$1\r\nk\r\n"
            ">2\r\n+invalidate\r\n:123456\r\n+A\r\n")});
  submit(1, "GET a");
  ASSERT_TRUE(settled(1));
  EXPECT_EQ(recorder.log, Strings({"1 +A"}));
  EXPECT_EQ(invalidations.log, Strings({"k"}));
}

TEST_F(TrackingTest, TurnsTrackingOnLater) {
  openReady();
  EXPECT_FALSE(connection->isTracking());
  connection->requestTracking();
  connection->requestTracking();
  ASSERT_TRUE(loop.runUntil([&] { return connection->isTracking(); }));
  EXPECT_EQ(server->handshakes().back(), "CLIENT TRACKING ON");
  EXPECT_EQ(server->handshakes().size(), 3U) << "HELLO, SETINFO, TRACKING";
}

TEST_F(TrackingTest, TracksAgainAfterALoss) {
  openReady();
  connection->requestTracking();
  ASSERT_TRUE(loop.runUntil([&] { return connection->isTracking(); }));
  server->hangUp();
  ASSERT_TRUE(loop.runUntil([&] { return !connection->isReady(); }));
  EXPECT_FALSE(connection->isTracking());
  ASSERT_TRUE(loop.runUntil([&] { return connection->isReady(); }));
  EXPECT_TRUE(connection->isTracking()) << "with the handshake";
  EXPECT_EQ(server->handshakes().back(), "CLIENT TRACKING ON");
}

TEST_F(TrackingTest, LivesWithoutTracking) {
  server->refuseTracking = true;
  options.handshake.tracking = true;
  openReady();
  EXPECT_FALSE(connection->isTracking());
}

}  // namespace
}  // namespace tiercel::redis
