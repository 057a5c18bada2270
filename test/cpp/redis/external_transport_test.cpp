// Bytes that somebody else carries, between a connection and a host that does as it likes.
#include "redis/external_transport.h"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "test_support.h"

namespace tiercel::redis {
namespace {

using testing::Strings;

class Host final : public TransportHost {
 public:
  void openTransport() override { log.emplace_back("open"); }
  bool sendTransport(std::string_view bytes) override {
    sent += bytes;
    if (duringSend) duringSend();
    return !full;
  }
  void shutTransport() override { log.emplace_back("shut"); }
  void refTransport(bool ref) override { log.emplace_back(ref ? "ref" : "unref"); }

  Strings log;
  std::string sent;
  bool full = false;
  std::function<void()> duringSend;
};

class Listener final : public TransportListener {
 public:
  void onTransportConnected() override { log.emplace_back("connected"); }
  void onTransportData(const char* data, std::size_t size) override {
    log.push_back("data " + std::string(data, size));
  }
  void onTransportDrained() override { log.emplace_back("drained"); }
  void onTransportClosed(const Error& error) override { log.push_back("closed " + error.message); }
  Strings log;
};

class ExternalTransportTest : public ::testing::Test {
 protected:
  void openIt() {
    transport.connect();
    transport.opened();
    EXPECT_EQ(listener.log, Strings({"connected"}));
    host.log.clear();
    listener.log.clear();
  }
  void write(std::string_view bytes) {
    buffer.append(bytes);
    transport.write(buffer);
  }

  Host host;
  Listener listener;
  ExternalTransport transport{host, listener, "there"};
  OutputBuffer buffer;
};

TEST_F(ExternalTransportTest, PassesOnWhatTheHostSays) {
  openIt();
  write("PING");
  EXPECT_EQ(host.sent, "PING");
  EXPECT_TRUE(buffer.empty());
  EXPECT_FALSE(transport.isWriting());
  EXPECT_EQ(transport.backlog(), 0U);
  transport.fed("+PONG", 5);
  transport.fed("", 0);
  transport.setRef(false);
  transport.failed(ErrorCode::kConnectionLost, "gone");
  EXPECT_EQ(listener.log, Strings({"data +PONG", "closed there: gone"}));
  EXPECT_EQ(host.log, Strings({"unref", "shut"}));
}

TEST_F(ExternalTransportTest, WaitsUntilTheHostHasDrained) {
  openIt();
  transport.drained();
  EXPECT_EQ(listener.log, Strings()) << "nothing was written";
  host.full = true;
  write("a");
  EXPECT_TRUE(transport.isWriting());
  transport.drained();
  EXPECT_FALSE(transport.isWriting());
  transport.drained();
  EXPECT_EQ(listener.log, Strings({"drained"}));
}

TEST_F(ExternalTransportTest, SaysNothingBehindItsEnd) {
  openIt();
  host.full = true;
  write("a");
  transport.close();
  transport.close();
  EXPECT_FALSE(transport.isWriting());
  transport.opened();
  transport.fed("x", 1);
  transport.drained();
  transport.failed(ErrorCode::kConnectionLost, "gone");
  write("b");
  EXPECT_EQ(host.sent, "a");
  EXPECT_EQ(host.log, Strings({"shut"}));
  EXPECT_EQ(listener.log, Strings());
}

TEST_F(ExternalTransportTest, OpensAgain) {
  openIt();
  transport.failed(ErrorCode::kConnectionLost, "gone");
  transport.connect();
  transport.connect();
  EXPECT_EQ(host.log, Strings({"shut", "open", "shut", "open"})) << "never two at once";
  transport.opened();
  EXPECT_EQ(listener.log, Strings({"closed there: gone", "connected"}));
}

TEST_F(ExternalTransportTest, TakesNewBytesWhileItSends) {
  openIt();
  host.duringSend = [&] {
    host.duringSend = nullptr;
    buffer.append("second");
  };
  write("first");
  EXPECT_EQ(host.sent, "first");
  EXPECT_EQ(buffer.view(), "second");
  transport.write(buffer);
  EXPECT_EQ(host.sent, "firstsecond");
}

TEST_F(ExternalTransportTest, MayEndWhileItSends) {
  openIt();
  host.full = true;
  host.duringSend = [&] { transport.close(); };
  write("a");
  EXPECT_FALSE(transport.isWriting()) << "what is closed has no backlog";
  openIt();
  host.duringSend = [&] { transport.failed(ErrorCode::kConnectionLost, "gone"); };
  write("b");
  EXPECT_FALSE(transport.isWriting());
  EXPECT_EQ(listener.log, Strings({"closed there: gone"}));
}

// The same under a connection.
class OverAHost : public ::testing::Test {
 protected:
  void openReady() {
    connection = std::make_unique<Connection>(loop.handles(), options, events, [this](TransportListener& to) {
      auto made = std::make_unique<ExternalTransport>(host, to, "there");
      transport = made.get();
      return made;
    });
    connection->start();
    ASSERT_TRUE(loop.runUntil([&] { return !host.log.empty() && host.log.back() == "open"; }));
    transport->opened();
    feed("%0\r\n");
    feed("+OK\r\n");
    ASSERT_TRUE(connection->isReady());
    host.sent.clear();
  }
  void feed(std::string_view bytes) { transport->fed(bytes.data(), bytes.size()); }
  auto submit(std::uint64_t number, std::string_view command) {
    return testing::submit(*connection, recorder, number, command);
  }
  bool sent(std::string_view what) {
    return loop.runUntil([&] { return host.sent.find(what) != std::string::npos; });
  }

  testing::TestLoop loop;
  Host host;
  ConnectionOptions options;
  testing::Events events;
  testing::Recorder recorder;
  ExternalTransport* transport = nullptr;
  std::unique_ptr<Connection> connection;
};

TEST_F(OverAHost, SendsInOrderWhatIsSubmittedWhileItSends) {
  openReady();
  host.duringSend = [&] {
    host.duringSend = nullptr;
    submit(2, "GET b");
  };
  submit(1, "GET a");
  ASSERT_TRUE(sent("b\r\n"));
  EXPECT_EQ(host.sent, "*2\r\n$3\r\nGET\r\n$1\r\na\r\n*2\r\n$3\r\nGET\r\n$1\r\nb\r\n");
  feed("+A\r\n+B\r\n");
  EXPECT_EQ(recorder.log, Strings({"1 +A", "2 +B"}));
}

TEST_F(OverAHost, HoldsBackUntilTheHostHasDrained) {
  openReady();
  host.full = true;
  submit(1, "GET a");
  ASSERT_TRUE(sent("a\r\n"));
  submit(2, "GET b");
  loop.runFor(5);
  EXPECT_EQ(host.sent.find("b\r\n"), std::string::npos);
  host.full = false;
  transport->drained();
  EXPECT_NE(host.sent.find("b\r\n"), std::string::npos);
  feed("+A\r\n+B\r\n");
  EXPECT_EQ(recorder.log, Strings({"1 +A", "2 +B"}));
}

TEST_F(OverAHost, FailsWhatWasSentWhenTheHostFails) {
  openReady();
  submit(1, "GET a");
  ASSERT_TRUE(sent("a\r\n"));
  transport->failed(ErrorCode::kConnectionLost, "the socket broke");
  EXPECT_EQ(recorder.log, Strings({"1 failed CONNECTION_LOST"}));
  EXPECT_EQ(events.lastError(), "there: the socket broke");
  EXPECT_EQ(host.log.back(), "shut");
}

TEST_F(OverAHost, MayFailOrBeDestroyedWhileItSends) {
  openReady();
  host.duringSend = [&] {
    host.duringSend = nullptr;
    transport->failed(ErrorCode::kConnectionLost, "the socket broke");
  };
  submit(1, "GET a");
  ASSERT_TRUE(loop.runUntil([&] { return recorder.settled == 1; }));
  EXPECT_EQ(recorder.log, Strings({"1 failed CONNECTION_LOST"}));
  host.log.clear();
  openReady();
  host.duringSend = [&] { connection->destroy(); };
  submit(2, "GET b");
  ASSERT_TRUE(loop.runUntil([&] { return recorder.settled == 2; }));
  EXPECT_EQ(recorder.log.back(), "2 failed CLIENT_CLOSED");
  EXPECT_EQ(host.log.back(), "shut");
}

}  // namespace
}  // namespace tiercel::redis
