// The bracket around every turn in which a connection calls its handlers or its observer. Private to the connection.
#pragma once

#include "redis/connection.h"

namespace tiercel::redis {

// Brackets a turn: see ConnectionObserver.
class Connection::Batch {
 public:
  explicit Batch(Connection& connection) : connection_(connection) {
    if (connection_.batchDepth_++ == 0) connection_.observer_.onBatchBegin();
  }
  ~Batch() {
    if (connection_.batchDepth_ == 1) {
      connection_.observer_.onBatchEnd();
      // What the replies led to need not wait for the end of the loop turn.
      if (!connection_.out_.empty()) connection_.flush();
    }
    --connection_.batchDepth_;
  }
  Batch(const Batch&) = delete;
  Batch& operator=(const Batch&) = delete;

 private:
  Connection& connection_;
};

}  // namespace tiercel::redis
