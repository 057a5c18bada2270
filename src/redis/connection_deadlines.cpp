// The half of a connection that watches the clock: command timeouts, and the heartbeat.
#include <algorithm>
#include <utility>

#include "redis/connection.h"
#include "redis/connection_batch.h"

namespace tiercel::redis {

void Connection::armDeadline() {
  if (pending_.size() <= expired_ || !deadlineTimer_.isOpen()) return;
  const core::Millis deadline = pending_.at(expired_).deadline;
  if (deadline >= core::kForever) return;
  const core::Millis left = deadline - static_cast<core::Millis>(uv_now(loop_->loop()));
  startDeadlineTimer(std::max<core::Millis>(0, left));
}

void Connection::startDeadlineTimer(core::Millis delay) {
  uv_timer_start(
      deadlineTimer_.get(), [](uv_timer_t* timer) { static_cast<Connection*>(timer->data)->expire(); },
      static_cast<std::uint64_t>(delay), 0);
}

// All commands of a connection have the same timeout, so the oldest is due first.
void Connection::expire() {
  const auto now = static_cast<core::Millis>(uv_now(loop_->loop()));
  const bool due = pending_.size() > expired_ && pending_.at(expired_).deadline <= now;
  // When the loop was blocked, timers run before the answers that have long been here are read: give them one turn.
  // A millisecond, because libuv 1.44 runs a timer of 0 ms that a timer starts in the same turn.
  if (due && !graceGiven_) {
    graceGiven_ = true;
    uv_timer_start(
        deadlineTimer_.get(), [](uv_timer_t* timer) { static_cast<Connection*>(timer->data)->expire(); }, 1, 0);
    return;
  }
  graceGiven_ = false;
  const Batch batch(*this);
  while (expired_ < inFlight_ && pending_.at(expired_).deadline <= now) {
    const Pending& pending = pending_.at(expired_++);
    ++stats_.timeouts;
    // Nothing at all since it was sent: whoever can do without the server should not wait for it, until it speaks
    // again.
    if (lastData_ <= pending.deadline - options_.commandTimeout && !std::exchange(unresponsive_, true)) {
      for (InvalidationListener* listener : invalidationListeners_) listener->onHeard(0);
    }
    pending.handler->onTimedOut(pending);
  }
  if (inFlight_ == 0) {
    while (!pending_.empty() && pending_.front().deadline <= now) {
      ++stats_.timeouts;
      failFirstQueued({ErrorCode::kTimeout, "no connection within the command timeout"});
    }
  }
  if (closing_) finishClosing();
  if (state_ == State::kClosed) return;
  if (expired_ > 0 && transport_->isWriting()) {
    // A server that does not even take what we send is as good as gone; one that takes a large value slowly is not.
    const std::size_t backlog = transport_->backlog();
    if (backlog == std::exchange(stuckBacklog_, backlog)) {
      lose({ErrorCode::kConnectionLost, "the server stopped reading"});
      return armDeadline();  // for what still waits
    }
    return startDeadlineTimer(options_.commandTimeout);
  }
  stuckBacklog_ = 0;
  armDeadline();
}

// Asks after a silence, and gives up when there is no answer either. The first to find out about a half-open
// connection.
void Connection::beat() {
  const auto now = static_cast<core::Millis>(uv_now(loop_->loop()));
  if (state_ != State::kReady || now - lastData_ < options_.heartbeat) return;
  // A command that may take for ever is being waited for: silence is what it promises.
  if (inFlight_ > 0 && pending_.front().endless) return;
  if (pingSent_ == 0) {
    pingSent_ = now;
    const std::size_t mark = out_.size();
    out_.commandHeader(1);
    out_.argument("PING");
    commit(mark, *heartbeatReply_, 0);
    return;
  }
  if (now - pingSent_ < std::max(options_.heartbeat, options_.commandTimeout)) return;
  const Batch batch(*this);
  lose({ErrorCode::kConnectionLost, "the server does not answer (heartbeat)"});
}

}  // namespace tiercel::redis
