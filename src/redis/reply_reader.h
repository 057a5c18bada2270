// Turns bytes into replies: the reader of hiredis with our own reply functions, so that a reply is handed on straight
// from the read buffer. Does no I/O. Bounded: nesting, line length and bulk length have limits.
#pragma once

#include <hiredis/read.h>

#include <cstddef>
#include <memory>
#include <optional>
#include <string>

#include "redis/reply.h"

namespace tiercel::redis {

class ReplySink {
 public:
  virtual ~ReplySink() = default;
  // Called from inside the parser, in stream order. Must not destroy or feed the reader.
  virtual void onReply(const Reply& reply) = 0;
  virtual void onPush(const ReplyTree& push) = 0;
};

class ReplyReader {
 public:
  struct Limits {
    std::size_t maxDepth = 1024;
    std::size_t maxLine =
        std::size_t{1} << 20;  // of one that has not ended yet; whole ones are read, whatever their length
    std::size_t maxBulk = std::size_t{512} << 20;  // Redis' own proto-max-bulk-len
    std::size_t maxReply = std::size_t{2} << 30;   // of an aggregate, with everything in it
  };

  explicit ReplyReader(ReplySink& sink) : ReplyReader(sink, Limits()) {}
  ReplyReader(ReplySink& sink, const Limits& limits);
  ~ReplyReader();
  ReplyReader(const ReplyReader&) = delete;
  ReplyReader& operator=(const ReplyReader&) = delete;

  // Hands on every reply that is complete. false: what came is no RESP, and nothing more can be read; see error().
  bool feed(const char* data, std::size_t size);

  [[nodiscard]] const std::string& error() const { return error_; }

 private:
  struct Functions;
  friend struct Functions;

  bool drain();
  void skipAttribute();
  std::optional<std::size_t> missingBytes();
  bool fail(std::string message);
  bool appendScalar(const Reply& reply);
  bool append(const ReplyNode& node);
  bool emit(const redisReadTask* task, const Reply& reply);
  bool openAggregate(ReplyType type, std::size_t elements);

  struct Free {
    void operator()(redisReader* reader) const { redisReaderFree(reader); }
  };

  ReplySink& sink_;
  Limits limits_;
  std::unique_ptr<redisReader, Free> reader_;
  ReplyTree tree_;
  bool skipping_ = false;  // the map that is being read is an attribute
  std::string error_;
};

}  // namespace tiercel::redis
