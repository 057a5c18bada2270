#include "redis/pending_queue.h"

#include <utility>

namespace tiercel::redis {

ReplyHandler::~ReplyHandler() {
  if (outstanding_ > 0) queue_->forget(*this);
}

PendingQueue::~PendingQueue() {
  // Handlers may live longer than the connection.
  while (!empty()) pop();
}

void PendingQueue::forget(const ReplyHandler& handler) noexcept {
  for (std::size_t i = 0; i < size(); ++i) {
    if (at(i).handler == &handler) at(i).handler = nullptr;
  }
}

void PendingQueue::grow() {
  std::vector<Pending> larger(ring_.size() * 2);
  const std::size_t count = size();
  for (std::size_t i = 0; i < count; ++i) larger[i] = at(i);
  ring_ = std::move(larger);
  head_ = 0;
  tail_ = count;
}

}  // namespace tiercel::redis
