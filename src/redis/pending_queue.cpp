#include "redis/pending_queue.h"

namespace tiercel::redis {

void PendingQueue::grow() {
  std::vector<Pending> larger(ring_.size() * 2);
  const std::size_t count = size();
  for (std::size_t i = 0; i < count; ++i) larger[i] = at(i);
  ring_ = std::move(larger);
  head_ = 0;
  tail_ = count;
}

}  // namespace tiercel::redis
