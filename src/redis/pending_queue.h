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

// Whoever sent a command hears of it exactly once through onReply or onFailed; before that perhaps through onTimedOut,
// after which its answer, should it still come, is of no interest to anybody. They are called in the middle of reading:
// onReply may submit commands, none of them may close the connection.
class ReplyHandler {
 public:
  virtual ~ReplyHandler() = default;
  virtual void onReply(const Pending& pending, const Reply& reply) = 0;
  virtual void onFailed(const Pending& pending, const Error& error) = 0;
  virtual void onTimedOut(const Pending& pending) = 0;
};

struct Pending {
  ReplyHandler* handler = nullptr;
  std::uint64_t data = 0;     // the handler's own
  core::Millis deadline = 0;  // kForever: none
  std::uint32_t bytes = 0;    // of the encoded command
  // SUBSCRIBE and its kin have no reply, but one push for each channel: how many are still to come.
  std::uint32_t confirmations = 0;
  // Sent only together with the one before it, or not at all: the commands of a transaction.
  bool joined = false;
  bool endless = false;  // silence is what it promises
};

class PendingQueue {
 public:
  [[nodiscard]] std::size_t size() const { return tail_ - head_; }
  [[nodiscard]] bool empty() const { return head_ == tail_; }
  [[nodiscard]] const Pending& front() const { return ring_[head_ & mask()]; }
  [[nodiscard]] Pending& front() { return ring_[head_ & mask()]; }
  [[nodiscard]] Pending& at(std::size_t index) { return ring_[(head_ + index) & mask()]; }
  [[nodiscard]] const Pending& at(std::size_t index) const { return ring_[(head_ + index) & mask()]; }
  void pop() { ++head_; }
  void push(const Pending& pending) {
    if (size() == ring_.size()) grow();
    ring_[tail_++ & mask()] = pending;
  }

 private:
  [[nodiscard]] std::size_t mask() const { return ring_.size() - 1; }
  void grow();

  std::vector<Pending> ring_ = std::vector<Pending>(64);  // a power of two
  std::size_t head_ = 0;
  std::size_t tail_ = 0;
};

}  // namespace tiercel::redis
