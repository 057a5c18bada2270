#include "redis/node_session.h"

#include <algorithm>
#include <cstring>
#include <iterator>

namespace tiercel::redis {

std::shared_ptr<NodeSession> NodeSession::of(Connection& connection, core::ProcessTier& shared,
                                             core::MemoryTier* memory, const std::string& prefix) {
  // A connection has few listeners, and its sessions are among them.
  for (InvalidationListener* listener : connection.invalidationListeners()) {
    auto* session = dynamic_cast<NodeSession*>(listener);
    if (session == nullptr || &session->shared_ != &shared || session->memory_ != memory) continue;
    if (session->prefix_ == prefix) return session->shared_from_this();
  }
  return std::shared_ptr<NodeSession>(new NodeSession(connection, shared, memory, prefix));
}

NodeSession::NodeSession(Connection& connection, core::ProcessTier& shared, core::MemoryTier* memory,
                         std::string prefix)
    : connection_(connection), shared_(shared), memory_(memory), prefix_(std::move(prefix)) {
  connection.addInvalidationListener(*this);
}

NodeSession::~NodeSession() {
  connection_.removeInvalidationListener(*this);
  if (source_ != core::kOwnSource) shared_.sources.lost(source_);
}

void NodeSession::join(SessionMember& member) { members_.push_back(&member); }

void NodeSession::leave(SessionMember& member) {
  std::erase(members_, &member);
  const auto isIts = [&](const auto& one) { return one.second.member == &member; };
  std::erase_if(watched_, isIts);
  std::erase_if(confirming_, isIts);
  if (halfRead_.first == &member) halfRead_.first = nullptr;
}

NodeSession::Interests::iterator NodeSession::find(Interests& interests, std::string_view key,
                                                   const SessionMember& member) {
  if (interests.empty()) return interests.end();
  const auto [begin, end] = interests.equal_range(key);
  const auto at = std::find_if(begin, end, [&](const auto& one) { return one.second.member == &member; });
  return at == end ? interests.end() : at;
}

void NodeSession::watch(std::string_view key, SessionMember& member) {
  if (!watches(key, member)) watched_.emplace(key, Interest{&member});
}

void NodeSession::unwatch(std::string_view key, SessionMember& member) {
  const auto at = find(watched_, key, member);
  if (at != watched_.end()) watched_.erase(at);
}

bool NodeSession::watches(std::string_view key, SessionMember& member) {
  return find(watched_, key, member) != watched_.end();
}

void NodeSession::endConfirming(const std::string& key, SessionMember& member) {
  const auto at = find(confirming_, key, member);
  if (at != confirming_.end()) confirming_.erase(at);
}

std::uint32_t* NodeSession::confirming(const std::string& key, SessionMember& member) {
  const auto at = find(confirming_, key, member);
  return at == confirming_.end() ? nullptr : &at->second.write;
}

void NodeSession::forget(std::string_view key) {
  if (memory_ != nullptr) memory_->erase(key);
}

void NodeSession::forgetHalfRead() {
  if (halfRead_.first != nullptr) halfRead_.first->forgetLifetime(halfRead_.second);
}

// A reply that comes after an invalidation is newer than it, but for the one read whose lifetime belongs to what was
// there before, and whose value may not. forget() voids the tickets of all that is on its way, this thread's too: that
// costs a read now and then, and is what stops other threads.
void NodeSession::onInvalidate(std::string_view full) {
  if (!full.starts_with(prefix_)) return;
  const std::string_view key = full.substr(prefix_.size());
  if (key.starts_with("t:") || key == core::kAnyTag || key.starts_with("n")) shared_.tags.doubt(key);
  // Two that write the same key do not know whose announcement this is.
  const auto [own, behind] = confirming_.equal_range(key);
  if (own != behind && std::next(own) == behind) {
    own->second.member->onOwnAnnouncement(key, own->second.write);
  } else {
    forget(key);
  }
  if (halfRead_.first != nullptr && halfRead_.first->keyOf(halfRead_.second) == key) forgetHalfRead();
  if (watched_.empty()) return;
  const auto [begin, end] = watched_.equal_range(key);
  std::vector<SessionMember*> told;
  for (auto at = begin; at != end; ++at) told.push_back(at->second.member);
  watched_.erase(begin, end);
  for (SessionMember* member : told) member->onKeyChanged(key);
}

void NodeSession::onInvalidateAll() {
  if (memory_ != nullptr) memory_->clear();
  shared_.tags.doubtAll();
  forgetHalfRead();
  tellAll();
}

void NodeSession::onTrackingLost() {
  if (source_ != core::kOwnSource) shared_.sources.lost(source_);
  source_ = core::kOwnSource;
  trustedUntil_ = 0;
  // Its GET may still follow, on another connection: the lifetime says nothing about what that finds.
  forgetHalfRead();
  readWhole();
  tellAll();
}

void NodeSession::tellAll() {
  for (const auto& [key, interest] : std::exchange(watched_, {})) interest.member->onKeyChanged(key);
}

void NodeSession::onHeard(core::Millis trustedUntil) {
  trustedUntil_ = trustedUntil;
  if (!orphans_.empty() && !members_.empty() && connection_.isReady() && !connection_.isUnresponsive()) {
    for (const auto& [key, lease] : std::exchange(orphans_, {})) members_.front()->release(key, lease);
  }
  if (source_ != core::kOwnSource && sourceAnnounces_) shared_.sources.heard(source_, trustedUntil);
}

// Without announcements: for a moment.
core::SourceId NodeSession::source(core::Millis maxStaleness) {
  const core::Millis now = connection_.now();
  const bool announces = connection_.isTracking();
  const bool usable = source_ != core::kOwnSource && sourceAnnounces_ == announces;
  if (usable && (announces || shared_.sources.trusted(source_, now))) return source_;
  const core::Millis until = announces ? std::max(trustedUntil_, now + maxStaleness) : now + maxStaleness;
  // Its number may be used again.
  if (source_ != core::kOwnSource) shared_.sources.lost(source_);
  // None when 65,535 connections are open: then nothing that is read is kept.
  source_ = shared_.openSource(until).value_or(core::kOwnSource);
  sourceAnnounces_ = announces;
  return source_;
}

bool NodeSession::isTended(const core::Stamp& stamp, core::Millis now) {
  if (stamp == core::Stamp{}) return false;
  std::size_t place = 0;
  std::memcpy(&place, stamp.data(), sizeof(place));
  Tended& known = tended_[place % tended_.size()];
  if (known.stamp == stamp && now >= known.at && now - known.at < kTendedFor) return true;
  known = {.stamp = stamp, .at = now};
  return false;
}

void NodeSession::releaseLater(std::string_view key, const core::FillId& lease) {
  if (lease != core::FillId{} && orphans_.size() < kMostOrphans) orphans_.emplace_back(key, lease);
}

}  // namespace tiercel::redis
