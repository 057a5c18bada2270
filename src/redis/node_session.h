// What the cache tiers of one connection and one process tier have in common: the source through which they read, and
// what the server announces. A key that changes costs the same for one namespace and for thousands.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/entry/entry.h"
#include "core/shared_tiers.h"
#include "redis/connection.h"

namespace tiercel::redis {

// A cache tier, as its session sees it. Keys are without the prefix.
class SessionMember {
 public:
  virtual ~SessionMember() = default;
  // A key that it watches has changed; it does not watch it any more.
  virtual void onKeyChanged(std::string_view key) = 0;
  // Most likely its own write of this key was announced. What the write reads behind itself will tell.
  virtual void onOwnAnnouncement(std::string_view key, std::uint32_t write) = 0;
  // The key of one of its reads.
  [[nodiscard]] virtual std::string_view keyOf(std::uint32_t read) const = 0;
  // The lifetime that was read for it belongs to what was there before.
  virtual void forgetLifetime(std::uint32_t read) = 0;
  // Ends a lease that may be held, and that nobody will end.
  virtual void release(const std::string& key, const core::FillId& lease) = 0;
};

class NodeSession final : public InvalidationListener, public std::enable_shared_from_this<NodeSession> {
 public:
  // That of these, which is open already or opened now. memory: nullptr for tiers without one.
  static std::shared_ptr<NodeSession> of(Connection& connection, core::ProcessTier& shared, core::MemoryTier* memory,
                                         const std::string& prefix);
  ~NodeSession() override;
  NodeSession(const NodeSession&) = delete;
  NodeSession& operator=(const NodeSession&) = delete;

  void join(SessionMember& member);
  // What it watches and confirms is forgotten.
  void leave(SessionMember& member);

  // What is read now is good for as long as this is trusted. kOwnSource: nothing that is read may be kept.
  core::SourceId source(core::Millis maxStaleness);

  // From now on the member hears of a change of the key, once.
  void watch(std::string_view key, SessionMember& member);
  void unwatch(std::string_view key, SessionMember& member);
  [[nodiscard]] bool watches(std::string_view key, SessionMember& member);
  // Between these the announcement of a write of the member is no news.
  void beginConfirming(const std::string& key, SessionMember& member, std::uint32_t write) {
    confirming_.emplace(key, Interest{&member, write});
  }
  void endConfirming(const std::string& key, SessionMember& member);
  // The write of this key that is confirmed, to be replaced by a newer one; nullptr: none is.
  [[nodiscard]] std::uint32_t* confirming(const std::string& key, SessionMember& member);

  // Whether the index of the tag with this stamp was trimmed, and its end put off, a moment ago; if not, it is now. A
  // tag whose stamp is not known yet (all zeros) never was.
  [[nodiscard]] bool isTended(const core::Stamp& stamp, core::Millis now);

  // Of the read whose lifetime was answered, and whose value comes next.
  void readHalf(SessionMember& member, std::uint32_t read) { halfRead_ = {&member, read}; }
  void readWhole() { halfRead_.first = nullptr; }

  // A lease that may be held, and that nobody will end: given back as soon as the server can be reached.
  void releaseLater(std::string_view key, const core::FillId& lease);

 private:
  struct Interest {
    SessionMember* member;
    std::uint32_t write = 0;
  };
  // Found by a view: no string is made to look.
  struct HashOf {
    using is_transparent = void;
    std::size_t operator()(std::string_view key) const noexcept { return std::hash<std::string_view>{}(key); }
  };
  using Interests = std::unordered_multimap<std::string, Interest, HashOf, std::equal_to<>>;

  NodeSession(Connection& connection, core::ProcessTier& shared, core::MemoryTier* memory, std::string prefix);

  void onInvalidate(std::string_view full) override;
  void onInvalidateAll() override;
  void onTrackingLost() override;
  void onHeard(core::Millis trustedUntil) override;

  static Interests::iterator find(Interests& interests, std::string_view key, const SessionMember& member);
  void forget(std::string_view key);
  void forgetHalfRead();
  void tellAll();

  struct Tended {
    core::Stamp stamp{};
    core::Millis at = 0;
  };
  static constexpr core::Millis kTendedFor = 60'000;

  Connection& connection_;
  core::ProcessTier& shared_;
  core::MemoryTier* memory_;
  const std::string prefix_;
  std::vector<SessionMember*> members_;
  std::array<Tended, 256> tended_{};  // by stamps, which are random
  core::SourceId source_ = core::kOwnSource;
  bool sourceAnnounces_ = false;
  core::Millis trustedUntil_ = 0;
  Interests watched_;
  Interests confirming_;
  std::pair<SessionMember*, std::uint32_t> halfRead_{nullptr, 0};
  std::vector<std::pair<std::string, core::FillId>> orphans_;
  static constexpr std::size_t kMostOrphans = 10000;
};

}  // namespace tiercel::redis
