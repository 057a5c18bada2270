#include "redis/reply_reader.h"

#include <algorithm>
#include <charconv>
#include <new>
#include <string_view>
#include <utility>

namespace tiercel::redis {

namespace {

// hiredis moves what is left of its buffer to the front after every kilobyte that it consumed. Feeding it in small
// steps keeps that cheap; a bulk string that is known to be longer is fed in one step.
constexpr std::size_t kStep = std::size_t{4} << 10;

// hiredis only asks whether a reply object is there; ours has been handed on by then.
void* const kDone = reinterpret_cast<void*>(1);

ReplyType typeOf(int type) {
  switch (type) {
    case REDIS_REPLY_STRING:
      return ReplyType::kString;
    case REDIS_REPLY_STATUS:
      return ReplyType::kStatus;
    case REDIS_REPLY_ERROR:
      return ReplyType::kError;
    case REDIS_REPLY_BIGNUM:
      return ReplyType::kBigNumber;
    case REDIS_REPLY_VERB:
      return ReplyType::kVerbatim;
    case REDIS_REPLY_MAP:
      return ReplyType::kMap;
    case REDIS_REPLY_SET:
      return ReplyType::kSet;
    case REDIS_REPLY_PUSH:
      return ReplyType::kPush;
    default:
      return ReplyType::kArray;
  }
}

}  // namespace

// The reply functions. They are called from C, so nothing may be thrown through them: no memory means a null object,
// which the reader reports as an error.
struct ReplyReader::Functions {
  static ReplyReader& self(const redisReadTask* task) { return *static_cast<ReplyReader*>(task->privdata); }

  static void* give(const redisReadTask* task, const Reply& reply) {
    try {
      return self(task).emit(task, reply) ? kDone : nullptr;
    } catch (const std::bad_alloc&) {
      return nullptr;
    }
  }

  static void* createString(const redisReadTask* task, char* text, std::size_t length) {
    Reply reply{.type = typeOf(task->type), .text = {text, length}};
    if (reply.type == ReplyType::kVerbatim) reply.text.remove_prefix(4);
    return give(task, reply);
  }
  static void* createArray(const redisReadTask* task, std::size_t elements) {
    try {
      return self(task).openAggregate(typeOf(task->type), elements) ? kDone : nullptr;
    } catch (const std::bad_alloc&) {
      return nullptr;
    }
  }
  static void* createInteger(const redisReadTask* task, long long value) {
    return give(task, {.type = ReplyType::kInteger, .integer = value});
  }
  static void* createDouble(const redisReadTask* task, double value, char* /*text*/, std::size_t /*length*/) {
    return give(task, {.type = ReplyType::kDouble, .number = value});
  }
  static void* createNil(const redisReadTask* task) {
    // A length of -1: there are null arrays, but there is no push and no attribute of nothing.
    const bool nothing = task->parent == nullptr && (task->type == REDIS_REPLY_PUSH || self(task).skipping_);
    if (!nothing) return give(task, {.type = ReplyType::kNil});
    try {
      self(task).fail("Protocol error, a push or an attribute without a length");
    } catch (const std::bad_alloc&) {  // then the reader says that there is no memory
    }
    return nullptr;
  }
  static void* createBool(const redisReadTask* task, int value) {
    return give(task, {.type = ReplyType::kBool, .integer = value});
  }
  static void freeObject(void* /*object*/) {}

  static redisReplyObjectFunctions* table() {
    static redisReplyObjectFunctions functions{createString, createArray, createInteger, createDouble,
                                               createNil,    createBool,  freeObject};
    return &functions;
  }
};

ReplyReader::ReplyReader(ReplySink& sink, const Limits& limits)
    : sink_(sink), limits_(limits), reader_(redisReaderCreateWithFunctions(Functions::table())) {
  if (!reader_) throw std::bad_alloc();
  reader_->privdata = this;
}

ReplyReader::~ReplyReader() = default;

bool ReplyReader::feed(const char* data, std::size_t size) {
  if (!error_.empty()) return false;
  while (size > 0) {
    const auto missing = missingBytes();
    if (!missing) return false;
    const std::size_t step = std::min(size, std::max(*missing, kStep));
    if (redisReaderFeed(reader_.get(), data, step) != REDIS_OK) return fail(reader_->errstr);
    data += step;
    size -= step;
    if (!drain()) return false;
  }
  return missingBytes().has_value();
}

bool ReplyReader::drain() {
  for (;;) {
    skipAttribute();
    void* done = nullptr;
    if (redisReaderGetReply(reader_.get(), &done) != REDIS_OK) {
      return fail(error_.empty() ? reader_->errstr : error_);
    }
    if (done == nullptr) return true;
    if (tree_.nodes.empty()) continue;  // a scalar: it went out when it was parsed
    const ReplyType type = tree_.nodes.front().type;
    if (std::exchange(skipping_, false)) {
      // It says something about the reply behind it that nobody asked for.
    } else if (type == ReplyType::kPush) {
      sink_.onPush(tree_);
    } else {
      sink_.onReply({.type = type, .tree = &tree_});
    }
    tree_.clear();
  }
}

// An attribute in front of a reply looks like a map with a type byte of its own, which hiredis refuses: let it read a
// map.
void ReplyReader::skipAttribute() {
  redisReader& reader = *reader_;
  const bool between = reader.ridx == -1 || (reader.ridx == 0 && reader.task[0]->type < 0);
  if (!between || reader.pos >= reader.len || reader.buf[reader.pos] != '|') return;
  reader.buf[reader.pos] = '%';
  skipping_ = true;
}

// How many more bytes the string that is being read needs, 0 when that is not known yet; nothing when it is too long.
std::optional<std::size_t> ReplyReader::missingBytes() {
  const redisReader& reader = *reader_;
  const std::size_t held = reader.len - reader.pos;
  if (reader.ridx < 0 || held == 0) return 0;
  const int type = reader.task[reader.ridx]->type;
  const char* from = reader.buf + reader.pos;
  // A '\r' alone ends no line: it must not end the counting either.
  const std::size_t line = std::string_view(from, held).find("\r\n");
  if (line == std::string_view::npos) {
    if (held <= limits_.maxLine) return 0;
    fail("Protocol error, line is longer than " + std::to_string(limits_.maxLine) + " bytes");
    return std::nullopt;
  }
  if (type != REDIS_REPLY_STRING && type != REDIS_REPLY_VERB) return 0;
  std::size_t length = 0;
  const auto parsed = std::from_chars(from, from + line, length);
  if (parsed.ec == std::errc::result_out_of_range || length > limits_.maxBulk) {
    fail("Protocol error, bulk string is longer than " + std::to_string(limits_.maxBulk) + " bytes");
    return std::nullopt;
  }
  const std::size_t whole = line + 2 + length + 2;
  return whole > held ? whole - held : 0;
}

bool ReplyReader::fail(std::string message) {
  error_ = std::move(message);
  if (error_.empty()) error_ = "Protocol error";
  return false;
}

bool ReplyReader::emit(const redisReadTask* task, const Reply& reply) {
  if (task->parent != nullptr) return appendScalar(reply);
  sink_.onReply(reply);
  return true;
}

bool ReplyReader::appendScalar(const Reply& reply) {
  ReplyNode node{.type = reply.type};
  switch (reply.type) {
    case ReplyType::kInteger:
    case ReplyType::kBool:
      node.value.integer = reply.integer;
      break;
    case ReplyType::kDouble:
      node.value.number = reply.number;
      break;
    case ReplyType::kNil:
      break;
    default:
      node.length = static_cast<std::uint32_t>(reply.text.size());
      node.value.offset = tree_.text.size();
      tree_.text.append(reply.text);
  }
  return append(node);
}

bool ReplyReader::append(const ReplyNode& node) {
  tree_.nodes.push_back(node);
  if (tree_.nodes.size() * sizeof(ReplyNode) + tree_.text.size() <= limits_.maxReply) return true;
  return fail("Protocol error, reply is larger than " + std::to_string(limits_.maxReply) + " bytes");
}

bool ReplyReader::openAggregate(ReplyType type, std::size_t elements) {
  // The index of the task that is being read: how many are open above it.
  if (static_cast<std::size_t>(reader_->ridx) >= limits_.maxDepth) {
    return fail("Protocol error, reply is nested deeper than " + std::to_string(limits_.maxDepth) + " levels");
  }
  if (elements > UINT32_MAX) return fail("Protocol error, too many elements");
  return append({.type = type, .length = static_cast<std::uint32_t>(elements)});
}

}  // namespace tiercel::redis
