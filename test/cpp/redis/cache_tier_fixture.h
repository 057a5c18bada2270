// A cache tier over a connection to a scripted server, for interleavings that a real one cannot be made to show. Its
// keys have the prefix "p:" in Redis.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "fake_server.h"
#include "tier_log.h"

namespace tiercel::redis::testing {

inline std::string bulk(std::string_view bytes) {
  return "$" + std::to_string(bytes.size()) + "\r\n" + std::string(bytes) + "\r\n";
}
// The beginning of a script of one key, as it is sent.
inline std::string eval(Script which) {
  return "EVAL " + std::string(kScriptSources[static_cast<std::size_t>(which)]) + " 1 ";
}

inline std::string stored(const core::Entry& entry) { return bulk(core::encodeEntry(entry)); }
inline std::string stored(std::string_view payload) { return stored(entryOf(payload)); }
// What is asked behind a write or a fill, and the answer when its entry is there.
inline Step expectConfirm(const std::string& key) { return expect("GETRANGE p:" + key + " 8 86"); }
inline std::string confirmed(const core::Entry& entry) {
  return bulk(std::string_view(core::encodeEntry(entry)).substr(core::kFillIdOffset, 79));
}
inline std::string confirmed() { return confirmed(entryOf("")); }
inline std::string invalidate(std::string_view key) { return ">2\r\n$10\r\ninvalidate\r\n*1\r\n" + bulk(key); }
inline const std::string kInvalidateAll = ">2\r\n$10\r\ninvalidate\r\n_\r\n";

inline std::string stampText(char byte) { return std::string(core::kStampSize, byte); }
inline core::Stamp stampOf(char byte) { return idOf(byte); }

class CacheTierFixture : public ::testing::Test {
 protected:
  CacheTierFixture() {
    options.endpoint.port = server->port();
    options.backoffMin = 4;
    options.backoffMax = 20;
    tierOptions.prefix = "p:";
    tierOptions.maxStaleness = 300;
  }
  ~CacheTierFixture() override { end(); }

  void open() {
    connection = std::make_unique<Connection>(loop.handles(), options, events);
    tier = std::make_unique<CacheTier>(*connection, shared, tierOptions, log);
    connection->start();
    ASSERT_TRUE(loop.runUntil([&] { return connection->isReady(); })) << events.lastError();
  }
  void end() {
    if (connection) connection->destroy();
    if (tier) {
      EXPECT_TRUE(tier->isIdle()) << "an operation was not settled";
    }
    tier.reset();
    connection.reset();
  }
  bool logged(std::size_t count) {
    return loop.runUntil([&] { return log.log.size() >= count; });
  }
  bool received(std::size_t count) {
    return loop.runUntil([&] { return server->received().size() >= count; });
  }
  bool lost() {
    return loop.runUntil([&] { return !connection->isReady(); });
  }
  bool readyAgain() {
    return loop.runUntil([&] { return connection->isReady(); });
  }

  // What memory holds under the key, or "(nothing)".
  std::string kept(std::string_view key) { return keptAt(key, connection->now()); }
  std::string keptAt(std::string_view key, core::Millis when) {
    const auto hit = shared.memory.peek(key, when);
    return hit ? std::string(hit->entry.payload) : "(nothing)";
  }
  // The script of one read, with all of its answers at the end.
  void expectRead(const std::string& key, const std::string& answers) {
    server->script({expect("PTTL p:" + key), expect("GET p:" + key), send(answers)});
  }
  // A read through the whole way, which memory keeps.
  void keep(const std::string& key, std::string_view payload) {
    expectRead(key, ":50000\r\n" + stored(payload));
    ASSERT_EQ(tier->read(key, 0, false), Connection::Admission::kAdmitted);
    ASSERT_TRUE(logged(log.log.size() + 1));
    ASSERT_EQ(log.log.back(), "hit " + std::string(payload));
    log.log.pop_back();
    ASSERT_EQ(kept(key), payload);
  }

  // What was sent last that begins so.
  std::string lastSent(std::string_view beginning) {
    for (auto at = server->received().rbegin(); at != server->received().rend(); ++at) {
      if (at->starts_with(beginning)) return *at;
    }
    ADD_FAILURE() << "nothing was sent that begins with " << beginning;
    return {};
  }
  // The marker that the newest acquire() put under the key.
  std::string marker(const std::string& key) {
    const std::string beginning = "SET p:" + key + " ";
    const std::string sent = lastSent(beginning);
    return sent.size() < beginning.size() + core::kEntryHeaderSize
               ? std::string()
               : sent.substr(beginning.size(), core::kEntryHeaderSize);
  }
  std::vector<Step> acquireSteps(const std::string& key) {
    return {expect("SET p:" + key + " …"), expect("PTTL p:" + key), expect("GET p:" + key)};
  }
  // The script of an acquire() that succeeds.
  void expectLease(const std::string& key) {
    server->script(acquireSteps(key));
    server->script({run([this, key] { server->send("+OK\r\n:5000\r\n" + bulk(marker(key))); })});
  }
  // The script of a stamp that is asked for: it was created long ago.
  void expectStamp(const std::string& name, char stamp) {
    server->script({expect("SET p:" + name + " …"), expect("PTTL p:" + name), expect("GET p:" + name),
                    send("_\r\n:2592000000\r\n" + bulk(stampText(stamp)))});
  }
  LeaseNumber leased(const std::string& key, const std::vector<std::string>& tags = {}) {
    expectLease(key);
    EXPECT_EQ(tier->acquire(key, {5000, tags, 0}), Connection::Admission::kAdmitted);
    EXPECT_TRUE(logged(log.log.size() + 1));
    EXPECT_EQ(log.log.back(), "leased");
    log.log.clear();
    return log.lease;
  }

  TestLoop loop;
  std::unique_ptr<FakeServer> server = std::make_unique<FakeServer>(loop.get());
  ConnectionOptions options;
  CacheTierOptions tierOptions;
  Events events;
  TierLog log;
  core::ProcessTier shared{core::TierOptions{}};
  std::unique_ptr<Connection> connection;
  std::unique_ptr<CacheTier> tier;
};

}  // namespace tiercel::redis::testing
