// What the tests of the redis layer share: a loop that is checked at its end, and recorders of what was told.
#pragma once

#include <gtest/gtest.h>
#include <uv.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "redis/command_writer.h"
#include "redis/connection.h"
#include "redis/pending_queue.h"
#include "redis/reply.h"
#include "redis/uv_handle.h"

namespace tiercel::redis::testing {

using Strings = std::vector<std::string>;

inline std::string describeNumber(double number) {
  if (std::isnan(number)) return "nan";
  char text[32];
  std::snprintf(text, sizeof(text), "%.17g", number);
  return text;
}

// A reply in one line that tells every type apart: $text +text -text :1 ,1.5 #1 _ (123 =text *[..] %[..] ~[..] >[..]
inline std::string describe(const ReplyTree& tree, std::size_t& at) {
  const ReplyNode& node = tree.nodes.at(at++);
  const auto aggregate = [&](char sign) {
    std::string text(1, sign);
    text += '[';
    for (std::uint32_t i = 0; i < node.length; ++i) text += (i == 0 ? "" : " ") + describe(tree, at);
    return text + ']';
  };
  const auto text = [&] { return std::string(tree.textOf(node)); };
  switch (node.type) {
    case ReplyType::kString:
      return "$" + text();
    case ReplyType::kStatus:
      return "+" + text();
    case ReplyType::kError:
      return "-" + text();
    case ReplyType::kInteger:
      return ":" + std::to_string(node.value.integer);
    case ReplyType::kDouble:
      return "," + describeNumber(node.value.number);
    case ReplyType::kBool:
      return "#" + std::to_string(node.value.integer);
    case ReplyType::kNil:
      return "_";
    case ReplyType::kBigNumber:
      return "(" + text();
    case ReplyType::kVerbatim:
      return "=" + text();
    case ReplyType::kArray:
      return aggregate('*');
    case ReplyType::kMap:
      return aggregate('%');
    case ReplyType::kSet:
      return aggregate('~');
    case ReplyType::kPush:
      return aggregate('>');
  }
  return "?";
}

inline std::string describe(const ReplyTree& tree) {
  std::size_t at = 0;
  std::string text = describe(tree, at);
  if (at != tree.nodes.size()) text += " and nodes that belong to nothing";
  return text;
}

inline std::string describe(const Reply& reply) {
  if (reply.tree != nullptr) {
    EXPECT_EQ(reply.type, reply.tree->nodes.at(0).type);
    return describe(*reply.tree);
  }
  // As a tree of one node, so that there is only one way to write it.
  ReplyTree tree;
  ReplyNode node{.type = reply.type};
  if (reply.type == ReplyType::kDouble) {
    node.value.number = reply.number;
  } else if (reply.type == ReplyType::kInteger || reply.type == ReplyType::kBool) {
    node.value.integer = reply.integer;
  } else {
    tree.text = reply.text;
    node.length = static_cast<std::uint32_t>(reply.text.size());
  }
  tree.nodes.push_back(node);
  return describe(tree);
}

// A loop whose end is checked: nothing may be left open.
class TestLoop {
 public:
  TestLoop() {
    EXPECT_EQ(uv_loop_init(&loop_), 0);
    handles_ = std::make_shared<LoopHandles>(&loop_);
    EXPECT_EQ(uv_timer_init(&loop_, &clock_), 0);
  }
  ~TestLoop() {
    bool idle = false;
    EXPECT_TRUE(turn(
        kLimit, [&] { return idle; }, &idle))
        << "something keeps the loop alive";
    uv_close(reinterpret_cast<uv_handle_t*>(&clock_), nullptr);
    uv_run(&loop_, UV_RUN_NOWAIT);
    EXPECT_EQ(handles_->open(), 0U);
    const int status = uv_loop_close(&loop_);
    EXPECT_EQ(status, 0) << "handles are open";
    if (status != 0) std::abort();  // their memory is the loop's: what follows would only confuse
  }
  TestLoop(const TestLoop&) = delete;
  TestLoop& operator=(const TestLoop&) = delete;

  uv_loop_t* get() { return &loop_; }
  const LoopHandlesPtr& handles() { return handles_; }

  // Turns the loop until `done`; false when that does not happen in good time.
  bool runUntil(const std::function<bool()>& done) { return turn(kLimit, done, nullptr); }
  // For what must not happen: long enough that it would have.
  void runFor(std::uint64_t milliseconds) {
    turn(
        milliseconds, [] { return false; }, nullptr);
  }

 private:
  static constexpr std::uint64_t kLimit = 5000;

  // `idle` (when it is given) is set when nothing but our own clock is left.
  bool turn(std::uint64_t milliseconds, const std::function<bool()>& done, bool* idle) {
    bool over = false;
    clock_.data = &over;
    uv_update_time(&loop_);
    uv_timer_start(
        &clock_, [](uv_timer_t* timer) { *static_cast<bool*>(timer->data) = true; }, milliseconds, 0);
    if (idle != nullptr) uv_unref(reinterpret_cast<uv_handle_t*>(&clock_));
    while (!done() && !over) {
      const int alive = uv_run(&loop_, UV_RUN_ONCE);
      if (idle != nullptr) *idle = alive == 0;
    }
    uv_timer_stop(&clock_);
    return done();
  }

  uv_loop_t loop_{};
  uv_timer_t clock_{};
  LoopHandlesPtr handles_;
};

// Writes down every event, and checks that all of them come inside of a batch.
class Events final : public ConnectionObserver {
 public:
  void onConnect() override { note("connect"); }
  void onReady() override { note("ready"); }
  void onClose(const Error& reason) override {
    note("close");
    reasons.push_back(reason);
  }
  void onError(const Error& error) override {
    note(std::string("error ") + errorName(error.code));
    errors.push_back(error);
  }
  void onReconnecting(int attempt, core::Millis delay) override {
    note("reconnecting " + std::to_string(attempt));
    delays.push_back(delay);
  }
  void onPush(const ReplyTree& push) override { pushes.push_back(describe(push)); }
  void onEnd() override { note("end"); }
  void onBatchBegin() override {
    EXPECT_FALSE(inBatch);
    inBatch = true;
  }
  void onBatchEnd() override {
    EXPECT_TRUE(inBatch);
    // What happens in here belongs to the same batch.
    if (atBatchEnd) atBatchEnd();
    inBatch = false;
  }
  [[nodiscard]] std::size_t count(std::string_view event) const {
    std::size_t found = 0;
    for (const std::string& entry : log) found += entry == event ? 1 : 0;
    return found;
  }
  [[nodiscard]] std::string lastError() const { return errors.empty() ? "" : errors.back().message; }

  Strings log;
  Strings pushes;
  std::vector<Error> errors;
  std::vector<Error> reasons;
  std::vector<core::Millis> delays;
  bool inBatch = false;
  std::function<void()> atBatchEnd;

 private:
  void note(std::string event) {
    EXPECT_TRUE(inBatch) << event;
    log.push_back(std::move(event));
  }
};

// Writes down what became of every command, by the number that it was given.
class Recorder final : public ReplyHandler {
 public:
  void onReply(const Pending& pending, const Reply& reply) override {
    log.push_back(std::to_string(pending.data) + " " + describe(reply));
    ++settled;
  }
  void onFailed(const Pending& pending, const Error& error) override {
    log.push_back(std::to_string(pending.data) + " failed " + errorName(error.code));
    failures.push_back(error);
    ++settled;
  }
  void onTimedOut(const Pending& pending) override { log.push_back(std::to_string(pending.data) + " timed out"); }
  void clear() {
    log.clear();
    failures.clear();
    settled = 0;
  }

  Strings log;
  std::vector<Error> failures;
  std::size_t settled = 0;
};

// "GET a" as one would type it.
inline Connection::Admission submit(Connection& connection, Recorder& recorder, std::uint64_t number,
                                    std::string_view command, bool failFast = false, const CommitOptions& how = {}) {
  const auto admission = connection.admit(failFast, how.joined);
  if (admission != Connection::Admission::kAdmitted) return admission;
  std::vector<std::string_view> words;
  while (!command.empty()) {
    const std::size_t end = command.find(' ');
    words.push_back(command.substr(0, end));
    command.remove_prefix(end == std::string_view::npos ? command.size() : end + 1);
  }
  CommandWriter writer(connection);
  writer.output().commandHeader(words.size());
  for (const std::string_view word : words) writer.output().argument(word);
  writer.end(recorder, number, how);
  writer.submit();
  return admission;
}

}  // namespace tiercel::redis::testing
