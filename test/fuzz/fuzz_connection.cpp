// The connection between callers and a server that both do as they like: every command is settled exactly once, is
// never sent twice, and gets the answer that was meant for it. Time is the input's, too.
#include <uv.h>

#include <array>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "fuzz_clock.h"
#include "fuzz_input.h"
#include "fuzz_wire.h"
#include "redis/command_writer.h"
#include "redis/connection.h"

namespace tiercel::fuzz {
namespace {

using redis::Connection;
using redis::OutputBuffer;
using redis::Pending;
using redis::Reply;

constexpr std::size_t kMostCommands = 400;

// One command of a caller, and what became of it.
struct Command {
  std::size_t group;  // the first command of its group
  std::uint32_t confirmations;
  std::uint64_t sentOn = 0;  // the connection, 0: none
  bool timedOut = false;
  bool settled = false;
};

class Run final : public redis::ConnectionObserver, public redis::ReplyHandler, public redis::InvalidationListener {
 public:
  explicit Run(uv_loop_t* loop) : loop_(std::make_shared<redis::LoopHandles>(loop)) {}

  void play(Input input);

 private:
  // The server, and the wire to it.
  class Wire final : public redis::Transport {
   public:
    Wire(Run& run, redis::TransportListener& listener) : listener(listener), run_(run) {}
    void connect() override {
      require(state == State::kClosed, "one connection at a time");
      state = State::kConnecting;
    }
    void write(OutputBuffer& buffer) override {
      require(!writing, "one write at a time");
      if (state != State::kOpen || buffer.empty()) return;
      run_.takeCommands(buffer.view());
      buffer.clear();
      writing = slow;
    }
    [[nodiscard]] bool isWriting() const override { return writing; }
    [[nodiscard]] std::size_t backlog() const override { return left; }
    void close() override {
      state = State::kClosed;
      writing = false;
    }
    [[nodiscard]] std::string name() const override { return "wire"; }
    void setRef(bool /*ref*/) override {}

    enum class State : std::uint8_t { kClosed, kConnecting, kOpen };
    State state = State::kClosed;
    bool writing = false;
    bool slow = false;
    std::size_t left = 0;
    redis::TransportListener& listener;

   private:
    Run& run_;
  };

  void onConnect() override { event(); }
  void onReady() override { event(); }
  void onClose(const redis::Error& /*reason*/) override { event(); }
  void onError(const redis::Error& /*error*/) override { event(); }
  void onReconnecting(int /*attempt*/, core::Millis /*delay*/) override { event(); }
  void onPush(const redis::ReplyTree& /*push*/) override { event(); }
  void onEnd() override {
    event();
    ended_ = true;
  }
  void onInvalidate(std::string_view /*key*/) override { require(inBatch_, "announcements come in batches"); }
  void onInvalidateAll() override { require(inBatch_, "announcements come in batches"); }
  void onTrackingLost() override { require(!connection_->isTracking(), "what is lost is not tracked"); }
  void onHeard(core::Millis trustedUntil) override {
    require((trustedUntil == 0) == connection_->isUnresponsive(), "only an unanswered question casts doubt");
    if (submitsWhenHeard_) submit(1, true, 0);
  }
  void onBatchBegin() override {
    require(!inBatch_, "batches do not nest");
    inBatch_ = true;
  }
  void onBatchEnd() override {
    require(inBatch_, "a batch that ends has begun");
    const std::uint8_t how = std::exchange(atBatchEnd_, 0);
    if (how == 1) submit(1, false, 0);
    if (how == 2) submit(3, true, 0);
    if (how == 3) connection_->close();
    if (how == 4) connection_->destroy();
    inBatch_ = false;
  }
  void event() const {
    require(inBatch_, "events come in batches");
    require(!ended_, "nothing comes behind the end");
  }

  void onReply(const Pending& pending, const Reply& reply) override {
    Command& command = settle(pending);
    require(command.sentOn == connections_, "an answer is for what was asked on this connection");
    checkAnswer(pending, reply, command);
    // As the cache tier does: a stamp that turns out to be unknown is asked for at once.
    if (submitsInReplies_) submit(1, true, 0);
  }
  void checkAnswer(const Pending& pending, const Reply& reply, const Command& command) const {
    if (!honest_) return;
    if (command.confirmations > 0) {
      require(reply.text == "OK", "a subscription is confirmed");
    } else {
      require(reply.type == redis::ReplyType::kInteger && reply.integer == static_cast<std::int64_t>(pending.data),
              "an answer is for the command that it was meant for");
    }
  }
  void onFailed(const Pending& pending, const redis::Error& error) override {
    require(!error.message.empty(), "a failure has a reason");
    settle(pending);
  }
  void onTimedOut(const Pending& pending) override {
    require(pending.data < commands_.size(), "a command of ours");
    Command& command = commands_[pending.data];
    require(!command.timedOut && !command.settled, "a timeout is told of once");
    command.timedOut = true;
  }
  Command& settle(const Pending& pending) {
    require(inBatch_, "answers come in batches");
    require(pending.data < commands_.size(), "a command of ours");
    Command& command = commands_[pending.data];
    require(!command.settled, "a command is settled once");
    command.settled = true;
    return command;
  }

  void submit(std::size_t count, bool failFast, std::uint32_t confirmations) {
    const std::size_t group = commands_.size();
    if (group + count > kMostCommands) return;
    for (std::size_t i = 0; i < count; ++i) {
      const bool joined = i > 0;
      if (connection_->admit(failFast, joined) != Connection::Admission::kAdmitted) return;
      // admit() may have made others submit.
      const std::size_t number = commands_.size();
      commands_.push_back({.group = joined ? group_ : number, .confirmations = confirmations});
      group_ = commands_.back().group;
      redis::CommandWriter writer(*connection_);
      writer.output().commandHeader(2);
      writer.output().argument(confirmations > 0 ? "SUBSCRIBE" : "GET");
      writer.output().argument(std::to_string(number));
      writer.end(*this, number, {.endless = confirmations > 1, .confirmations = confirmations, .joined = joined});
      writer.submit();
    }
  }

  // What the connection sends is always whole commands.
  void takeCommands(std::string_view bytes) {
    forEachCommand(bytes, [&](Words words) {
      if (words[0] == "GET" || words[0] == "SUBSCRIBE") markSent(static_cast<std::size_t>(std::stoul(words[1])));
      unanswered_.push_back(std::move(words));
    });
  }
  void markSent(std::size_t number) {
    require(number < commands_.size(), "a command of ours is sent");
    Command& command = commands_[number];
    require(command.sentOn == 0, "a command is never sent twice");
    require(!command.settled, "what was settled is not sent");
    command.sentOn = connections_;
    require(commands_[command.group].sentOn == connections_, "a group is sent on one connection");
  }

  // The right answer to the oldest command.
  std::string answer() {
    if (unanswered_.empty()) return "";
    const std::vector<std::string> words = std::move(unanswered_.front());
    unanswered_.pop_front();
    if (words[0] == "GET") return ":" + words[1] + "\r\n";
    if (words[0] == "HELLO") return resp2_ ? "-ERR unknown command 'HELLO'\r\n" : "%1\r\n+proto\r\n:3\r\n";
    if (words[0] != "SUBSCRIBE") return "+OK\r\n";
    std::string pushes;
    const Command& command = commands_[static_cast<std::size_t>(std::stoul(words[1]))];
    for (std::uint32_t i = 0; i < command.confirmations; ++i) {
      pushes += resp2_ ? "*3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n" : ">3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n";
    }
    return pushes;
  }
  void feed(std::string_view bytes, std::size_t piece) {
    while (!bytes.empty() && wire_->state == Wire::State::kOpen) {
      const std::vector<char> block(bytes.begin(),
                                    bytes.begin() + static_cast<std::ptrdiff_t>(std::min(piece, bytes.size())));
      bytes.remove_prefix(block.size());
      wire_->listener.onTransportData(block.data(), block.size());
    }
  }
  void opened() {
    wire_->state = Wire::State::kOpen;
    ++connections_;
    honest_ = true;
    unanswered_.clear();
    wire_->listener.onTransportConnected();
  }
  void turn(std::int64_t milliseconds) {
    passTime(milliseconds);
    uv_run(loop_->loop(), UV_RUN_NOWAIT);
  }
  void step(Input& input);

  redis::LoopHandlesPtr loop_;
  Wire* wire_ = nullptr;
  std::unique_ptr<Connection> connection_;
  std::vector<Command> commands_;
  std::deque<std::vector<std::string>> unanswered_;
  std::size_t group_ = 0;
  std::uint64_t connections_ = 0;
  bool honest_ = true;  // the server has sent nothing but right answers
  bool resp2_ = false;
  bool inBatch_ = false;
  bool ended_ = false;
  bool submitsInReplies_ = false;
  bool submitsWhenHeard_ = false;
  std::uint8_t atBatchEnd_ = 0;
};

void Run::step(Input& input) {
  constexpr std::array<std::string_view, 4> kUnasked{
      ">3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$1\r\nm\r\n", "|1\r\n+k\r\n:1\r\n",
      ">2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\nk\r\n", ">2\r\n$10\r\ninvalidate\r\n_\r\n"};
  constexpr std::string_view kReadOnly = "-READONLY You can't write against a read only replica.\r\n";
  const std::uint8_t what = input.byte();
  const std::uint8_t how = what >> 4;
  switch (what & 15) {
    case 0:
      if (wire_->state == Wire::State::kConnecting) opened();
      break;
    case 1:
      submit(1, (how & 1) != 0, 0);
      break;
    case 2:
      submit(2 + how % 4, false, 0);
      break;
    case 3:
      submit(1, false, 1 + how % 3);
      break;
    case 4:
      for (int i = 0; i <= how; ++i) feed(answer(), 1 + how);
      break;
    case 5:
      turn(how * 7);
      break;
    case 6:
      turn(how * 200);
      break;
    case 7:  // anything at all
      honest_ = false;
      feed(input.bytes(1 + input.byte() % 64), 1 + how * 4U);
      break;
    case 8:
      if (wire_->state == Wire::State::kClosed) break;
      wire_->close();
      wire_->listener.onTransportClosed({redis::ErrorCode::kConnectionLost, "lost"});
      break;
    case 9:
      wire_->slow = (how & 1) != 0;
      break;
    case 10:
      wire_->left = how;
      if (!wire_->writing) break;
      wire_->writing = false;
      wire_->listener.onTransportDrained();
      break;
    case 11:  // a message, an attribute and an invalidation change nothing
      if (connection_->isReady() && !resp2_) feed(kUnasked[how % kUnasked.size()], 1 + how);
      break;
    case 12:
      atBatchEnd_ = how % 5;
      break;
    case 13:
      if (unanswered_.empty() || !connection_->isReady()) break;
      unanswered_.pop_front();
      honest_ = false;
      feed(kReadOnly, 1 + how);
      break;
    case 14:
      if (how == 15) connection_->close();
      if (how == 14) connection_->destroy();
      if (how < 4) connection_->setRef(how % 2 == 0);
      if (how == 5) connection_->requestTracking();
      if (how == 6) connection_->flush();
      if (how == 7) submitsInReplies_ = !submitsInReplies_;
      if (how == 8) submitsWhenHeard_ = !submitsWhenHeard_;
      break;
    default:  // the handshake at once
      turn(100);
      if (wire_->state == Wire::State::kConnecting) opened();
      while (connection_->state() == Connection::State::kHandshake && !unanswered_.empty() && honest_) {
        if (wire_->writing) {
          wire_->writing = false;
          wire_->listener.onTransportDrained();
        }
        const std::size_t before = unanswered_.size();
        feed(answer(), 64);
        if (unanswered_.size() >= before + 8) break;
      }
  }
}

void Run::play(Input input) {
  const std::uint8_t setup = input.byte();
  redis::ConnectionOptions options;
  options.commandTimeout = (setup & 1) != 0 ? 0 : 500;
  options.heartbeat = (setup & 2) != 0 ? 0 : 700;
  options.backoffMax = 100;
  options.maxQueuedCommands = 6;
  options.maxQueuedBytes = 400;
  options.handshake.tracking = (setup & 4) != 0;
  options.handshake.password = (setup & 8) != 0 ? "secret" : "";
  resp2_ = (setup & 16) != 0;
  connection_ = std::make_unique<Connection>(loop_, options, *this, [this](redis::TransportListener& listener) {
    auto wire = std::make_unique<Wire>(*this, listener);
    wire_ = wire.get();
    return wire;
  });
  connection_->addInvalidationListener(*this);
  connection_->start();
  while (!input.empty()) step(input);
  require(connection_->unsent() < kMostCommands * 64, "what waits is bounded");
  if ((setup & 32) != 0) {
    // Away without a word.
    connection_.reset();
  } else {
    connection_->destroy();
    require(ended_, "destroy() ends it");
    for (const Command& command : commands_) require(command.settled, "every command is settled");
    require(connection_->waiting() == 0, "nothing waits behind the end");
    connection_.reset();
  }
  uv_run(loop_->loop(), UV_RUN_NOWAIT);
  uv_run(loop_->loop(), UV_RUN_NOWAIT);
  require(loop_->open() == 0, "every handle is closed");
}

}  // namespace
}  // namespace tiercel::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  tiercel::fuzz::Run(tiercel::fuzz::updatedLoop()).play({data, size});
  return 0;
}
