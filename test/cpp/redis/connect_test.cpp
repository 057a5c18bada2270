// How a connection comes about: names, addresses and sockets, what is said first, and what is tried next.
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>

#include "connection_fixture.h"
#include "redis/connection.h"

namespace tiercel::redis {
namespace {

using testing::expect;
using testing::FakeServer;
using testing::hangUp;
using testing::send;
using testing::Strings;
using State = Connection::State;

using ConnectTest = testing::ConnectionFixture;

TEST_F(ConnectTest, BacksOffLongerAndLongerAndStartsOver) {
  options.backoffMin = 2;
  options.backoffMax = 12;
  server->hello = FakeServer::Hello::kSilent;
  for (int i = 0; i < 5; ++i) server->script({expect("HELLO 3"), send("-LOADING not yet\r\n"), hangUp()});
  open();
  ASSERT_TRUE(loop.runUntil([&] { return events.delays.size() >= 5; }));
  const double limits[] = {2, 4, 8, 12, 12};
  for (std::size_t i = 0; i < 5; ++i) {
    EXPECT_LE(events.delays[i], limits[i]) << i;
    EXPECT_GE(static_cast<double>(events.delays[i]) + 1, limits[i] / 2) << i;
  }
  EXPECT_EQ(events.count("reconnecting 5"), 1U);
  EXPECT_EQ(events.count("close"), 0U) << "it was never ready";
  server->hello = FakeServer::Hello::kResp3;
  ASSERT_TRUE(loop.runUntil([&] { return connection->isReady(); }));
  server->hangUp();
  ASSERT_TRUE(loop.runUntil([&] { return events.count("close") == 1; }));
  EXPECT_EQ(events.log.back(), "reconnecting 1");
  EXPECT_LE(events.delays.back(), 2);
}

TEST_F(ConnectTest, ReportsARefusedPassword) {
  options.handshake.password = "secret";
  server->hello = FakeServer::Hello::kSilent;
  server->script({expect("HELLO 3 AUTH default secret"), send("-WRONGPASS invalid username-password pair\r\n")});
  open();
  ASSERT_TRUE(loop.runUntil([&] { return !events.errors.empty(); }));
  EXPECT_EQ(events.errors[0].code, ErrorCode::kConnectFailed);
  EXPECT_EQ(events.errors[0].message, place() + ": HELLO was refused: WRONGPASS invalid username-password pair");
  EXPECT_EQ(events.log, Strings({"connect", "error CONNECT_FAILED", "reconnecting 1"}));
}

TEST_F(ConnectTest, DoesWithoutHelloWhereItEndsTheConnection) {
  options.backoffMin = 1;
  options.backoffMax = 2;
  server->hello = FakeServer::Hello::kSilent;
  options.heartbeat = 5;
  server->script({expect("HELLO 3"), hangUp(), expect("PING"), send("+PONG\r\n"), expect("HELLO 3"), hangUp(),
                  expect("HELLO 3"), hangUp(), expect("PING"), send("+PONG\r\n")});
  open();
  submit(1, "GET a");
  server->otherwise = [](const std::string& command) { return command == "PING" ? "+PONG\r\n" : "+A\r\n"; };
  ASSERT_TRUE(settled(1));
  const std::size_t soFar = server->received().size();
  ASSERT_TRUE(received(soFar + 2));
  EXPECT_EQ(server->received().back(), "PING") << "the heartbeat too: without an argument";
  EXPECT_TRUE(connection->isReady());
  EXPECT_EQ(recorder.log, Strings({"1 +A"}));
  EXPECT_EQ(connection->protocol(), 2);
}

TEST_F(ConnectTest, SendsWhatWaitsThereAlsoWhenItIsClosedAtOnce) {
  options.backoffMin = 1;
  options.backoffMax = 2;
  server->hello = FakeServer::Hello::kSilent;
  server->script({expect("HELLO 3"), hangUp(), expect("PING"), send("+PONG\r\n"), expect("HELLO 3"), hangUp(),
                  expect("HELLO 3"), hangUp(), expect("PING"), send("+PONG\r\n"), expect("GET a"), send("+A\r\n")});
  open();
  submit(1, "GET a");
  connection->close();
  ASSERT_TRUE(loop.runUntil([&] { return events.count("end") == 1; }));
  EXPECT_EQ(recorder.log, Strings({"1 +A"}));
}

TEST_F(ConnectTest, ClosesWhenTheServerEndsWhateverItIsTold) {
  options.backoffMin = 1;
  options.backoffMax = 2;
  options.commandTimeout = 0;
  server->hello = FakeServer::Hello::kSilent;
  server->script({expect("HELLO 3"), hangUp(), expect("PING"), hangUp()});
  open();
  submit(1, "GET a");
  connection->close();
  ASSERT_TRUE(loop.runUntil([&] { return events.count("end") == 1; }));
  EXPECT_EQ(recorder.log, Strings({"1 failed CLIENT_CLOSED"}));
  EXPECT_EQ(server->connections(), 2U);
}

TEST_F(ConnectTest, AServerThatWasAwayIsAskedForResp3) {
  options.backoffMin = 1;
  options.backoffMax = 2;
  server->hello = FakeServer::Hello::kSilent;
  server->script({expect("HELLO 3"), hangUp(), expect("PING"), hangUp(), expect("HELLO 3"), hangUp(), expect("PING"),
                  send("+PONG\r\n"), expect("HELLO 3"), send("%0\r\n")});
  open();
  server->otherwise = [](const std::string&) { return "+OK\r\n"; };
  ASSERT_TRUE(loop.runUntil([&] { return connection->isReady(); }));
  EXPECT_EQ(connection->protocol(), 3);
  // HELLO is tried once more at once: PING has just been answered.
  ASSERT_EQ(events.delays.size(), 4u);
  EXPECT_EQ(events.delays.back(), 0);
  EXPECT_EQ(std::ranges::count(events.delays, 0), 1);
}

TEST_F(ConnectTest, ReportsARefusedConnection) {
  server->stopListening();
  open();
  ASSERT_TRUE(loop.runUntil([&] { return events.errors.size() >= 2; }));
  EXPECT_EQ(events.errors[0].code, ErrorCode::kConnectFailed);
  EXPECT_EQ(events.errors[0].message, "cannot connect to " + place() + ": connection refused");
  EXPECT_EQ(events.log[0], "error CONNECT_FAILED");
  EXPECT_EQ(events.log[1], "reconnecting 1");
  EXPECT_EQ(events.count("connect"), 0U);
}

TEST_F(ConnectTest, ReportsANameThatCannotBeResolved) {
  for (const std::string& name : {std::string("no-such-host.invalid"), std::string(300, 'a')}) {
    options.endpoint.host = name;
    events.errors.clear();
    open();
    ASSERT_TRUE(loop.runUntil([&] { return !events.errors.empty(); }));
    EXPECT_EQ(events.errors[0].code, ErrorCode::kConnectFailed);
    EXPECT_TRUE(events.errors[0].message.starts_with("cannot resolve " + name)) << events.errors[0].message;
  }
}

TEST_F(ConnectTest, ResolvesNames) {
  options.endpoint.host = "localhost";  // perhaps ::1 first, where nobody listens
  openReady();
  EXPECT_EQ(events.log, Strings({"connect", "ready"}));
}

// Takes no more connections, and does not refuse them either: what it may hold is full.
class SilentListener {
 public:
  SilentListener(const char* address, std::uint16_t port) : listener_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in where{};
    uv_ip4_addr(address, port, &where);
    EXPECT_EQ(bind(listener_, reinterpret_cast<const sockaddr*>(&where), sizeof(where)), 0);
    EXPECT_EQ(listen(listener_, 0), 0);
    for (int& held : held_) {
      held = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
      (void)::connect(held, reinterpret_cast<const sockaddr*>(&where), sizeof(where));
    }
  }
  ~SilentListener() {
    for (const int held : held_) ::close(held);
    ::close(listener_);
  }
  SilentListener(const SilentListener&) = delete;
  SilentListener& operator=(const SilentListener&) = delete;

 private:
  int listener_;
  std::array<int, 4> held_{};
};

TEST_F(ConnectTest, TriesTheNextAddressWhenOneIsSilent) {
  const SilentListener silent("127.0.0.2", server->port());
  options.endpoint.addresses = {"127.0.0.2", "127.0.0.1"};
  options.connectTimeout = 4000;
  openReady();
  EXPECT_EQ(events.log, Strings({"connect", "ready"}));
  submit(1, "GET a");
  server->otherwise = [](const std::string&) { return "+A\r\n"; };
  ASSERT_TRUE(settled(1));
}

TEST_F(ConnectTest, TriesTheNextAddressAtOnceWhenOneRefuses) {
  const SilentListener silent("127.0.0.4", server->port());
  options.endpoint.addresses = {"127.0.0.2", "127.0.0.3", "127.0.0.1", "127.0.0.4"};
  openReady();
  EXPECT_EQ(events.log, Strings({"connect", "ready"}));
}

TEST_F(ConnectTest, GivesUpWhenNoAddressAnswers) {
  const SilentListener silent("127.0.0.2", server->port());
  server->stopListening();
  options.endpoint.addresses = {"127.0.0.2", "127.0.0.1"};
  options.connectTimeout = 600;
  open();
  ASSERT_TRUE(loop.runUntil([&] { return !events.errors.empty(); }));
  EXPECT_EQ(events.errors[0].message, place() + ": no connection within the connect timeout");
  connection.reset();  // with both attempts, or neither, under way
}

TEST_F(ConnectTest, TellsWhyTheLastAddressFailed) {
  server->stopListening();
  options.endpoint.addresses = {"127.0.0.2", "127.0.0.1"};
  open();
  ASSERT_TRUE(loop.runUntil([&] { return !events.errors.empty(); }));
  EXPECT_NE(events.errors[0].message.find("connection refused"), std::string::npos) << events.errors[0].message;
}

TEST_F(ConnectTest, CanBeDestroyedWhileResolving) {
  options.endpoint.host = "localhost";
  open();
  ASSERT_TRUE(loop.runUntil([&] { return connection->state() == State::kConnecting; }));
  connection.reset();
}

TEST_F(ConnectTest, GivesUpAHandshakeThatTakesTooLong) {
  options.connectTimeout = 20;
  server->hello = FakeServer::Hello::kSilent;
  open();
  ASSERT_TRUE(loop.runUntil([&] { return !events.errors.empty(); }));
  EXPECT_EQ(events.errors[0].code, ErrorCode::kConnectFailed);
  EXPECT_NE(events.errors[0].message.find("timeout"), std::string::npos);
  server->hello = FakeServer::Hello::kResp3;
  ASSERT_TRUE(loop.runUntil([&] { return connection->isReady(); }));
  loop.runFor(30);
  EXPECT_TRUE(connection->isReady()) << "the connect timeout is over";
}

TEST_F(ConnectTest, TalksOverAUnixSocket) {
  const std::string path = "/tmp/tiercel-test-" + std::to_string(getpid()) + ".sock";
  unlink(path.c_str());
  server = std::make_unique<FakeServer>(loop.get(), path);
  options.endpoint.path = path;
  openReady();
  server->script({expect("GET a"), send("+A\r\n"), expect("GET b"), hangUp()});
  submit(1, "GET a");
  ASSERT_TRUE(settled(1));
  submit(2, "GET b");
  ASSERT_TRUE(settled(2));
  ASSERT_TRUE(loop.runUntil([&] { return connection->isReady(); }));
  EXPECT_EQ(recorder.log, Strings({"1 +A", "2 failed CONNECTION_LOST"}));
  unlink(path.c_str());
}

TEST_F(ConnectTest, ReportsAUnixSocketThatIsNotThere) {
  options.endpoint.path = "/tmp/tiercel-no-such.sock";
  open();
  ASSERT_TRUE(loop.runUntil([&] { return !events.errors.empty(); }));
  EXPECT_EQ(events.errors[0].code, ErrorCode::kConnectFailed);
  EXPECT_TRUE(events.errors[0].message.starts_with("cannot connect to /tmp/tiercel-no-such.sock"));
}

}  // namespace
}  // namespace tiercel::redis
