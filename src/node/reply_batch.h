// Hands what one socket read brought to JavaScript in one call: values for the promises that wait, in their order, and
// between them failures and events where they belong.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "node/napi_setup.h"
#include "node/values.h"
#include "redis/error.h"

namespace tiercel::node {

class ReplyBatch {
 public:
  // callbacks: deliver(ticket, ...values) settles the oldest promises, of which the first has this ticket;
  // fail(ticket, code, message) rejects the oldest one; expire(ticket) rejects the one with this ticket, which keeps
  // its place; broken(message) rejects all that wait; event(name, ...details); message(value) is something that nobody
  // waits for. onMismatch: answers do not come in the order of the tickets. What came since is told to nobody.
  ReplyBatch(Napi::Env env, const Napi::Object& callbacks, std::function<void()> onMismatch);

  // The ticket of what was just submitted: JavaScript makes a promise for it.
  std::uint32_t submitted() noexcept {
    const std::uint32_t ticket = next_++;
    if (counter_ != nullptr) *counter_ = next_;
    return ticket;
  }
  [[nodiscard]] std::uint32_t nextTicket() const noexcept { return next_; }

  void begin();
  void end();
  // JavaScript can not, or need not, be called any more; lets go of its functions.
  void mute();

  // Only between begin() and end().
  // value: nullptr when it could not be made: then the command is rejected.
  void push(std::uint32_t ticket, napi_value value);
  void fail(std::uint32_t ticket, const redis::Error& error);
  void expire(std::uint32_t ticket);
  void message(napi_value value);
  // Calls a function, which must live until then, in its turn, with a string. Bytes are kept, and no value: what is
  // called in the middle of a batch has a scope of its own, which is gone by then.
  void later(const Napi::FunctionReference& function, std::string_view argument);
  void event(const char* name, const std::string& text = std::string(), double first = 0, double second = 0);

  // Calls a function now, as from the loop; nullptr when JavaScript can not be called.
  napi_value invoke(const Napi::FunctionReference& function, napi_value argument);

  [[nodiscard]] napi_env env() const { return env_; }
  [[nodiscard]] Factories& factories() { return factories_; }

 private:
  enum class Kind : std::uint8_t { kFail, kExpire, kBroken, kMessage, kEvent, kCall };
  struct Step {
    std::size_t valuesBefore;
    Kind kind;
    std::string name;  // or code
    std::string text;
    double first;
    double second;
    napi_value value = nullptr;  // of a message; lives in the scope of the batch
    const Napi::FunctionReference* function = nullptr;
  };

  bool isNext(std::uint32_t ticket);
  void drain();
  void deliver(std::vector<napi_value>& values, std::size_t from, std::size_t to);
  void perform(const Step& step);
  napi_value call(const Napi::FunctionReference& function, std::size_t count, const napi_value* args);

  Napi::Env env_;
  Napi::FunctionReference deliver_;
  Napi::FunctionReference fail_;
  Napi::FunctionReference expire_;
  Napi::FunctionReference broken_;
  Napi::FunctionReference event_;
  Napi::FunctionReference message_;
  Factories factories_;
  std::function<void()> onMismatch_;
  std::optional<Napi::AsyncContext> context_;  // until mute(): what is closed leaves no async resource
  napi_handle_scope scope_ = nullptr;
  std::uint32_t next_ = 0;      // ticket of what is submitted next
  std::uint32_t expected_ = 0;  // of what is to be answered next
  std::uint32_t toTell_ = 0;    // of what JavaScript is to be told of next
  bool mismatched_ = false;
  Napi::ObjectReference counterArray_;
  std::uint32_t* counter_ = nullptr;  // in it
  // In front of the values is one place more: for the ticket of a call.
  std::vector<napi_value> values_ = std::vector<napi_value>(1);
  std::vector<napi_value> spare_ = std::vector<napi_value>(1);  // takes its place while it is told
  std::vector<Step> steps_;
  bool muted_ = false;
};

}  // namespace tiercel::node
