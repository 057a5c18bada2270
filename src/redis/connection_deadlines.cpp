// The half of a connection that watches the clock: command timeouts, and the heartbeat.
#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "redis/command_writer.h"
#include "redis/connection.h"
#include "redis/connection_batch.h"

namespace tiercel::redis {

// When the first command is due that somebody waits for. Commands may have longer times than others, so it is looked
// for.
void Connection::armDeadline() {
  armedFor_ = core::kForever;
  if (!deadlineTimer_.isOpen()) return;
  for (std::size_t i = 0; i < pending_.size(); ++i) {
    if (!pending_.at(i).timedOut) armedFor_ = std::min(armedFor_, deadlineOf(i));
  }
  if (armedFor_ >= core::kForever) return;
  startDeadlineTimer(std::max<core::Millis>(0, armedFor_ - static_cast<core::Millis>(uv_now(loop_->loop()))));
}

// Behind so many others a command waits for their answers too: it has its time as long as those come.
core::Millis Connection::deadlineOf(std::size_t index) const {
  const Pending& pending = pending_.at(index);
  if (index < kCounted || index >= inFlight_ || pending.deadline >= core::kForever) return pending.deadline;
  return std::max(pending.deadline, lastData_ + pending.allowed);
}

void Connection::startDeadlineTimer(core::Millis delay) {
  uv_timer_start(
      deadlineTimer_.get(), [](uv_timer_t* timer) { static_cast<Connection*>(timer->data)->expire(); },
      static_cast<std::uint64_t>(delay), 0);
}

void Connection::expire() {
  const auto now = static_cast<core::Millis>(uv_now(loop_->loop()));
  armedFor_ = core::kForever;
  bool due = false;
  for (std::size_t i = 0; i < pending_.size() && !due; ++i) {
    due = !pending_.at(i).timedOut && deadlineOf(i) <= now;
  }
  // When the loop was blocked, timers run before the answers that have long been here are read: give them one turn.
  // A millisecond, because libuv 1.44 runs a timer of 0 ms that a timer starts in the same turn.
  if (due && !graceGiven_) {
    graceGiven_ = true;
    armedFor_ = now + 1;
    return startDeadlineTimer(1);
  }
  graceGiven_ = false;
  const Batch batch(*this);
  if (inFlight_ == 0) expireQueued(now);
  // The others keep their places, because what is behind them is matched by its place.
  for (std::size_t i = 0; i < pending_.size(); ++i) {
    Pending& pending = pending_.at(i);
    if (pending.timedOut || deadlineOf(i) > now) continue;
    pending.timedOut = true;
    ++timedOut_;
    if (pending.handler != heartbeatReply_.get()) ++stats_.timeouts;
    // Nothing at all since it was sent: whoever can do without the server should not wait for it, until it answers in
    // time again.
    if (i < inFlight_ && lastData_ <= pending.deadline - pending.allowed && !std::exchange(unresponsive_, true)) {
      for (InvalidationListener* listener : invalidationListeners_) listener->onHeard(0);
    }
    pending.timeOut();
  }
  // Asked at once, at nobody's expense: its answer says when the server is worth waiting for again.
  if (unresponsive_ && pingSent_ == 0 && options_.heartbeat > 0) ping();
  if (closing_) finishClosing();
  if (state_ == State::kClosed) return;
  if (inFlight_ > 0 && pending_.front().timedOut && transport_->isWriting()) {
    // A server that does not even take what we send is as good as gone; one that takes a large value slowly is not.
    const std::size_t backlog = transport_->backlog();
    if (backlog == std::exchange(stuckBacklog_, backlog)) {
      fail(ErrorCode::kConnectionLost, "the server stopped reading");
      return armDeadline();  // for what still waits
    }
    armedFor_ = now + options_.commandTimeout;
    return startDeadlineTimer(options_.commandTimeout);
  }
  stuckBacklog_ = 0;
  armDeadline();
}

// With nothing in flight. From now on, whoever can do without the server does not wait for a connection.
void Connection::expireQueued(core::Millis now) {
  if (pending_.empty() || pending_.front().deadline > now) return;
  const std::string reason = this->reason();
  const std::string because = reason.empty() ? "" : ": " + reason;
  const Error error{ErrorCode::kTimeout, "no connection within the command timeout" + because};
  while (!pending_.empty() && pending_.front().deadline <= now) {
    ++stats_.timeouts;
    if (state_ != State::kReady) attempted_ = doubted_ = true;
    failFirstQueued(error);
  }
}

void Connection::ping() {
  // A string of our own: no other answer looks like it. A proxy may end the connection that sends it.
  const std::string nonce = "tiercel:" + std::to_string(++nonce_);
  const bool bare = handshake_.isPlain();
  CommandWriter writer(*this);
  writer.output().commandHeader(bare ? 1 : 2);
  writer.output().argument("PING");
  if (!bare) writer.output().argument(nonce);
  writer.end(*heartbeatReply_, nonce_);
  writer.submit();
  pingSent_ = static_cast<core::Millis>(uv_now(loop_->loop()));
}

void Connection::onHeartbeat(const Pending& pending, const Reply& reply) {
  pingSent_ = 0;
  probeAgain_ = unresponsive_;
  if (reply.isError()) return;
  // With RESP2 and subscriptions: "pong" and the nonce.
  const bool pair = reply.tree != nullptr && reply.tree->nodes.size() == 3;
  const std::string_view echo = pair ? reply.tree->textOf(reply.tree->nodes[2]) : reply.text;
  // Some proxies know PING without an argument alone; with subscriptions, its answer is "pong" and nothing.
  const bool bare = handshake_.isPlain() && pair && echo.empty();
  if (echo == "tiercel:" + std::to_string(pending.data) || reply.text == "PONG" || bare) return;
  // A reply is missing, or there is one too many: whoever was answered since then may have had somebody else's answer.
  deferredFailure_ = "an answer came out of place: a reply was lost, or nobody had asked for it";
}

// Asks, and gives up when nothing at all has come since. The first to find out about a half-open connection. It asks
// also while there are answers: that is how it is found out when they are not those of their commands.
void Connection::beat() {
  const auto now = static_cast<core::Millis>(uv_now(loop_->loop()));
  if (state_ != State::kReady) return;
  // A command that may wait is being waited for: silence is what it promises.
  if (inFlight_ > 0 && pending_.front().endless && !pending_.front().timedOut) return;
  if (pingSent_ == 0) return ping();
  if (now - std::max(pingSent_, lastData_) < std::max(options_.heartbeat, options_.commandTimeout)) return;
  const Batch batch(*this);
  fail(ErrorCode::kConnectionLost, "the server does not answer (heartbeat)");
}

}  // namespace tiercel::redis
