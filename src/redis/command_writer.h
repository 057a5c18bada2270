// Writes the commands of one operation into the output of a connection: all of them are submitted, or none. What was
// written is taken back when the writer ends without submit(), an exception included, so that half a command never
// stays in front of those of others. The caller has been admitted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <new>
#include <utility>

#include "redis/connection.h"

namespace tiercel::redis {

class CommandWriter {
 public:
  explicit CommandWriter(Connection& connection)
      : connection_(connection), begin_(connection.out_.size()), mark_(begin_), first_(connection.staged_.size()) {}
  ~CommandWriter() {
    if (done_) return;
    connection_.out_.truncate(begin_);
    connection_.staged_.resize(first_);
  }
  CommandWriter(const CommandWriter&) = delete;
  CommandWriter& operator=(const CommandWriter&) = delete;

  OutputBuffer& output() { return connection_.out_; }

  // What was written since the last end() is one command; its answer is for `handler`.
  // std::bad_alloc: it is larger than any server takes.
  void end(ReplyHandler& handler, std::uint64_t data, const CommitOptions& how = {}) {
    if (connection_.out_.size() - mark_ > UINT32_MAX) throw std::bad_alloc();
    connection_.staged_.push_back(connection_.pendingOf(mark_, handler, data, how));
    mark_ = connection_.out_.size();
  }

  // Makes room, so that submit() cannot fail any more.
  void reserve() { connection_.pending_.reserve(connection_.staged_.size() - first_); }

  // From here on every command gets its answer, or its failure, through the handler.
  void submit() {
    reserve();
    for (std::size_t i = first_; i < connection_.staged_.size(); ++i) connection_.enqueue(connection_.staged_[i]);
    connection_.staged_.resize(first_);
    done_ = true;
    connection_.submitted();
  }

 private:
  Connection& connection_;
  std::size_t begin_;
  std::size_t mark_;
  std::size_t first_;
  bool done_ = false;
};

}  // namespace tiercel::redis
