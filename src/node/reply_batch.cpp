#include "node/reply_batch.h"

#include <algorithm>
#include <utility>

namespace tiercel::node {

namespace {

// Arguments of one deliver() call; what a call can take is a multiple of this.
constexpr std::size_t kPerCall = 4096;

}  // namespace

ReplyBatch::ReplyBatch(Napi::Env env, const Napi::Object& callbacks)
    : env_(env),
      deliver_(functionProperty(callbacks, "deliver")),
      fail_(functionProperty(callbacks, "fail")),
      expire_(functionProperty(callbacks, "expire")),
      event_(functionProperty(callbacks, "event")),
      message_(functionProperty(callbacks, "message")),
      factories_(Factories::from(callbacks)),
      context_(env, "tiercel:connection") {}

void ReplyBatch::mute() {
  muted_ = true;
  values_.clear();
  steps_.clear();
  for (Napi::FunctionReference* function : {&deliver_, &fail_, &expire_, &event_, &message_}) function->Reset();
  factories_.release();
}

void ReplyBatch::begin() {
  if (!muted_) napi_open_handle_scope(env_, &scope_);
}

void ReplyBatch::end() {
  if (scope_ == nullptr) return;
  // One scope, and so one run of the microtasks, for everything that the read brought. What they do may reach us
  // again (a client closed in a continuation): that is appended, and drained by the same loop.
  while (!muted_ && (!values_.empty() || !steps_.empty())) {
    const Napi::CallbackScope scope(env_, context_);
    drain();
  }
  napi_close_handle_scope(env_, std::exchange(scope_, nullptr));
}

napi_value ReplyBatch::invoke(const Napi::FunctionReference& function, napi_value argument) {
  if (muted_) return nullptr;
  const Napi::CallbackScope scope(env_, context_);
  return call(function, argument == nullptr ? 0 : 1, &argument);
}

void ReplyBatch::drain() {
  auto values = std::exchange(values_, {});
  const auto steps = std::exchange(steps_, {});
  std::size_t done = 0;
  for (const Step& step : steps) {
    deliver(values, done, step.valuesBefore);
    done = step.valuesBefore;
    if (muted_) return;
    perform(step);
  }
  deliver(values, done, values.size());
  if (values_.empty()) {
    // Keep the room for the next read.
    values.clear();
    values_ = std::move(values);
  }
}

void ReplyBatch::deliver(const std::vector<napi_value>& values, std::size_t from, std::size_t to) {
  for (; from < to && !muted_; from += kPerCall) call(deliver_, std::min(kPerCall, to - from), values.data() + from);
}

void ReplyBatch::fail(const redis::Error& error) {
  const bool fromServer = error.code == redis::ErrorCode::kServer;
  steps_.push_back({values_.size(), Kind::kFail, fromServer ? "" : redis::errorName(error.code), error.message, 0, 0});
}

void ReplyBatch::expire() {
  if (!steps_.empty() && steps_.back().kind == Kind::kExpire && steps_.back().valuesBefore == values_.size()) {
    steps_.back().first += 1;
  } else {
    steps_.push_back({values_.size(), Kind::kExpire, "", "", 1, 0});
  }
}

void ReplyBatch::message(napi_value value) { steps_.push_back({values_.size(), Kind::kMessage, "", "", 0, 0, value}); }

void ReplyBatch::later(const Napi::FunctionReference& function, napi_value argument) {
  steps_.push_back({values_.size(), Kind::kCall, "", "", 0, 0, argument, &function});
}

void ReplyBatch::event(const char* name, const std::string& text, double first, double second) {
  steps_.push_back({values_.size(), Kind::kEvent, name, text, first, second});
}

void ReplyBatch::perform(const Step& step) {
  napi_value args[4] = {};
  switch (step.kind) {
    case Kind::kFail:
      args[0] = makeString(env_, step.name);
      args[1] = makeString(env_, step.text);
      call(fail_, 2, args);
      return;
    case Kind::kExpire:
      napi_create_double(env_, step.first, &args[0]);
      call(expire_, 1, args);
      return;
    case Kind::kMessage:
      call(message_, 1, &step.value);
      return;
    case Kind::kCall:
      call(*step.function, 1, &step.value);
      return;
    case Kind::kEvent:
      args[0] = makeString(env_, step.name);
      args[1] = makeString(env_, step.text);
      napi_create_double(env_, step.first, &args[2]);
      napi_create_double(env_, step.second, &args[3]);
      call(event_, 4, args);
      return;
  }
}

napi_value ReplyBatch::call(const Napi::FunctionReference& function, std::size_t count, const napi_value* args) {
  napi_value undefined = nullptr;
  napi_value result = nullptr;
  napi_get_undefined(env_, &undefined);
  const napi_status status = napi_call_function(env_, undefined, function.Value(), count, args, &result);
  if (status != napi_pending_exception) return result;
  // Our own functions do not throw; whatever did is nobody's to catch but the process'.
  napi_value exception = nullptr;
  if (napi_get_and_clear_last_exception(env_, &exception) == napi_ok) napi_fatal_exception(env_, exception);
  return nullptr;
}

}  // namespace tiercel::node
