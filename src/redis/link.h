// Where the commands of a cache tier go: which connection, with what is shared of it, has a key. One server has them
// all (SingleLink); in a cluster each server has the keys of its slots.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "core/clock.h"
#include "redis/connection.h"
#include "redis/node_session.h"

namespace tiercel::redis {

// Keys are as a tier is given them, without the prefix. A command without a key goes where "" would be.
class Link {
 public:
  Link() = default;
  virtual ~Link() = default;
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;

  // Both stay the same for a key while an operation on it is under way.
  [[nodiscard]] virtual Connection& connectionOf(std::string_view key) = 0;
  [[nodiscard]] virtual NodeSession& sessionOf(std::string_view key) = 0;

  // From now on the member hears of the changes of every session.
  virtual void join(SessionMember& member) = 0;
  virtual void leave(SessionMember& member) = 0;

  // The clock of its loop, in milliseconds.
  [[nodiscard]] virtual core::Millis now() const = 0;
};

class SingleLink final : public Link {
 public:
  // memory: nullptr for a tier without one.
  SingleLink(Connection& connection, core::ProcessTier& shared, core::MemoryTier* memory, const std::string& prefix)
      : connection_(connection), session_(NodeSession::of(connection, shared, memory, prefix)) {
    // Also without a memory tier: tags, and those who wait for somebody else's load, live by it.
    connection.requestTracking();
  }

  [[nodiscard]] Connection& connectionOf(std::string_view /*key*/) override { return connection_; }
  [[nodiscard]] NodeSession& sessionOf(std::string_view /*key*/) override { return *session_; }
  void join(SessionMember& member) override { session_->join(member); }
  void leave(SessionMember& member) override { session_->leave(member); }
  [[nodiscard]] core::Millis now() const override { return connection_.now(); }

 private:
  Connection& connection_;
  std::shared_ptr<NodeSession> session_;
};

}  // namespace tiercel::redis
