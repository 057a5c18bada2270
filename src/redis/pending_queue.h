// The commands that wait for their replies, oldest first. A ring: no allocation per command.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/clock.h"
#include "redis/error.h"
#include "redis/reply.h"

namespace tiercel::redis {

struct Pending;
class PendingQueue;

// Whoever sent a command hears of it exactly once through onReply or onFailed; before that perhaps through onTimedOut,
// after which its answer, should it still come, is of no interest to anybody. They are called in the middle of reading:
// onReply may submit commands, none of them may close the connection.
// The queue counts the commands of each handler. An owner lets a handler go when outstanding() is 0; one that is
// destroyed earlier is taken out of the queue, and the answers to its commands are dropped.
class ReplyHandler {
 public:
  ReplyHandler() = default;
  ReplyHandler(const ReplyHandler&) = delete;
  ReplyHandler& operator=(const ReplyHandler&) = delete;
  virtual ~ReplyHandler();
  virtual void onReply(const Pending& pending, const Reply& reply) = 0;
  virtual void onFailed(const Pending& pending, const Error& error) = 0;
  virtual void onTimedOut(const Pending& pending) = 0;

  // Its commands that wait in the queue: sent or not, answered they are not.
  [[nodiscard]] std::size_t outstanding() const { return outstanding_; }

 private:
  friend class PendingQueue;
  PendingQueue* queue_ = nullptr;  // that of its connection; set while something is outstanding
  std::size_t outstanding_ = 0;
};

struct Pending {
  ReplyHandler* handler = nullptr;  // nullptr: it is gone, and the answer is dropped
  std::uint64_t data = 0;           // the handler's own
  core::Millis deadline = 0;        // kForever: none
  std::uint32_t bytes = 0;          // of the encoded command
  std::uint32_t allowed = 0;        // ms that its answer may take from when it is sent; 0: as long as it likes
  // SUBSCRIBE and its kin have no reply, but one push for each channel: how many are still to come.
  std::uint32_t confirmations = 0;
  // Sent only together with the one before it, or not at all: the commands of a transaction.
  bool joined = false;
  bool endless = false;   // silence is what it promises: BLPOP and its kin
  bool timedOut = false;  // its sender was told, and has gone on

  // Told to the handler, unless it is gone.
  void answer(const Reply& reply) const {
    if (handler != nullptr) handler->onReply(*this, reply);
  }
  void fail(const Error& error) const {
    if (handler != nullptr) handler->onFailed(*this, error);
  }
  void timeOut() const {
    if (handler != nullptr) handler->onTimedOut(*this);
  }
};

class PendingQueue {
 public:
  PendingQueue() = default;
  ~PendingQueue();
  PendingQueue(const PendingQueue&) = delete;
  PendingQueue& operator=(const PendingQueue&) = delete;

  [[nodiscard]] std::size_t size() const { return tail_ - head_; }
  [[nodiscard]] bool empty() const { return head_ == tail_; }
  [[nodiscard]] const Pending& front() const { return ring_[head_ & mask()]; }
  [[nodiscard]] Pending& front() { return ring_[head_ & mask()]; }
  [[nodiscard]] Pending& at(std::size_t index) { return ring_[(head_ + index) & mask()]; }
  [[nodiscard]] const Pending& at(std::size_t index) const { return ring_[(head_ + index) & mask()]; }
  // Takes the oldest off: its handler is not counted for it any more.
  Pending take() {
    const Pending taken = front();
    ++head_;
    if (taken.handler != nullptr) --taken.handler->outstanding_;
    return taken;
  }
  void pop() { (void)take(); }
  // Throws std::bad_alloc only when reserve() has not made room before.
  void push(const Pending& pending) {
    if (size() == ring_.size()) grow();
    if (pending.handler != nullptr) {
      pending.handler->queue_ = this;
      ++pending.handler->outstanding_;
    }
    ring_[tail_++ & mask()] = pending;
  }
  // Room for `more` pushes.
  void reserve(std::size_t more) {
    while (ring_.size() - size() < more) grow();
  }
  // The handler is going: the answers to its commands are nobody's.
  void forget(const ReplyHandler& handler) noexcept;

 private:
  [[nodiscard]] std::size_t mask() const { return ring_.size() - 1; }
  void grow();

  std::vector<Pending> ring_ = std::vector<Pending>(64);  // a power of two
  std::size_t head_ = 0;
  std::size_t tail_ = 0;
};

}  // namespace tiercel::redis
