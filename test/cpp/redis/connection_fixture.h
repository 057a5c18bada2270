// A connection to a scripted server, for the tests of what it does. Members go in the right order: the connection
// first, then the server, and the loop is checked last.
#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "fake_server.h"
#include "test_support.h"

namespace tiercel::redis::testing {

class ConnectionFixture : public ::testing::Test {
 protected:
  ConnectionFixture() {
    options.endpoint.port = server->port();
    options.backoffMin = 4;
    options.backoffMax = 20;
  }

  Connection& open() {
    connection = std::make_unique<Connection>(loop.handles(), options, events);
    connection->start();
    return *connection;
  }
  Connection& openReady() {
    open();
    EXPECT_TRUE(loop.runUntil([&] { return connection->isReady(); })) << events.lastError();
    return *connection;
  }
  Connection::Admission submit(std::uint64_t number, std::string_view command, bool failFast = false) {
    return testing::submit(*connection, recorder, number, command, failFast);
  }
  // The same with more to say about it.
  Connection::Admission submit(std::uint64_t number, std::string_view command, const CommitOptions& how) {
    return testing::submit(*connection, recorder, number, command, false, how);
  }
  // More than the sockets take while nobody reads.
  void submitHuge(std::uint64_t number) {
    ASSERT_EQ(submit(number, "SET huge " + std::string(std::size_t{24} << 20, 'x')), Connection::Admission::kAdmitted);
    connection->flush();
  }
  // Where it leads, as errors say it.
  [[nodiscard]] std::string place() const { return "127.0.0.1:" + std::to_string(server->port()); }
  // Numbers 1 to count; they have arrived.
  void submitBatch(std::size_t count) {
    for (std::uint64_t i = 1; i <= count; ++i) submit(i, "GET a");
    ASSERT_TRUE(received(count));
  }
  bool settled(std::size_t count) {
    return loop.runUntil([&] { return recorder.settled >= count; });
  }
  bool received(std::size_t count) {
    return loop.runUntil([&] { return server->received().size() >= count; });
  }

  TestLoop loop;
  std::unique_ptr<FakeServer> server = std::make_unique<FakeServer>(loop.get());
  ConnectionOptions options;
  Events events;
  Recorder recorder;
  std::unique_ptr<Connection> connection;
};

}  // namespace tiercel::redis::testing
