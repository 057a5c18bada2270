// Hands what one socket read brought to JavaScript in one call: values for the promises that wait, in their order, and
// between them failures and events where they belong.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "node/napi_setup.h"
#include "node/values.h"
#include "redis/error.h"

namespace tiercel::node {

class ReplyBatch {
 public:
  // callbacks: deliver(...values) settles the oldest promises; fail(code, message) rejects the oldest one;
  // expire(count) rejects the oldest ones that are not settled, which keep their places; event(name, ...details);
  // message(value) is something that nobody waits for.
  ReplyBatch(Napi::Env env, const Napi::Object& callbacks);

  void begin();
  void end();
  // JavaScript can not, or need not, be called any more; lets go of its functions.
  void mute();

  // Only between begin() and end().
  void push(napi_value value) { values_.push_back(value); }
  void fail(const redis::Error& error);
  void expire();
  void message(napi_value value);
  // Calls a function, which must live until then, in its turn.
  void later(const Napi::FunctionReference& function, napi_value argument);
  void event(const char* name, const std::string& text = std::string(), double first = 0, double second = 0);

  // Calls a function now, as from the loop; nullptr when JavaScript can not be called.
  napi_value invoke(const Napi::FunctionReference& function, napi_value argument);

  [[nodiscard]] napi_env env() const { return env_; }
  [[nodiscard]] Factories& factories() { return factories_; }

 private:
  enum class Kind : std::uint8_t { kFail, kExpire, kMessage, kEvent, kCall };
  struct Step {
    std::size_t valuesBefore;
    Kind kind;
    std::string name;  // or code
    std::string text;
    double first;
    double second;
    napi_value value = nullptr;  // of a message or a call; lives in the scope of the batch
    const Napi::FunctionReference* function = nullptr;
  };

  void drain();
  void deliver(const std::vector<napi_value>& values, std::size_t from, std::size_t to);
  void perform(const Step& step);
  napi_value call(const Napi::FunctionReference& function, std::size_t count, const napi_value* args);

  Napi::Env env_;
  Napi::FunctionReference deliver_;
  Napi::FunctionReference fail_;
  Napi::FunctionReference expire_;
  Napi::FunctionReference event_;
  Napi::FunctionReference message_;
  Factories factories_;
  Napi::AsyncContext context_;
  napi_handle_scope scope_ = nullptr;
  std::vector<napi_value> values_;
  std::vector<Step> steps_;
  bool muted_ = false;
};

}  // namespace tiercel::node
