#include "node/reply_batch.h"

#include <algorithm>
#include <utility>

namespace tiercel::node {

namespace {

// Arguments of one deliver() call; what a call can take is a multiple of this.
constexpr std::size_t kPerCall = 4096;
constexpr std::size_t kFirst = 1;  // in front of it is room for a ticket
constexpr std::size_t kKeptValues = 65536;

}  // namespace

ReplyBatch::ReplyBatch(Napi::Env env, const Napi::Object& callbacks, std::function<void()> onMismatch)
    : env_(env),
      deliver_(functionProperty(callbacks, "deliver")),
      fail_(functionProperty(callbacks, "fail")),
      expire_(functionProperty(callbacks, "expire")),
      broken_(functionProperty(callbacks, "broken")),
      event_(functionProperty(callbacks, "event")),
      message_(functionProperty(callbacks, "message")),
      factories_(Factories::from(callbacks)),
      onMismatch_(std::move(onMismatch)),
      context_(std::in_place, env, "tiercel:connection") {
  const Napi::Value given = callbacks.Get("submitted");
  if (!given.IsTypedArray()) return;
  void* data = nullptr;
  napi_typedarray_type type{};
  std::size_t length = 0;
  if (napi_get_typedarray_info(env, given, &type, &length, &data, nullptr, nullptr) != napi_ok) return;
  if (type != napi_uint32_array || length == 0) return;
  counterArray_ = Napi::Persistent(given.As<Napi::Object>());
  counter_ = static_cast<std::uint32_t*>(data);
}

void ReplyBatch::mute() {
  muted_ = true;
  values_.assign(kFirst, nullptr);
  steps_.clear();
  for (Napi::FunctionReference* function : {&deliver_, &fail_, &expire_, &broken_, &event_, &message_}) {
    function->Reset();
  }
  factories_.release();
  context_.reset();
  counter_ = nullptr;
  counterArray_.Reset();
}

void ReplyBatch::begin() {
  if (!muted_) napi_open_handle_scope(env_, &scope_);
}

void ReplyBatch::end() {
  if (scope_ == nullptr) return;
  // One scope, and so one run of the microtasks, for everything that the read brought. What they do may reach us
  // again (a client closed in a continuation): that is appended, and drained by the same loop.
  while (!muted_ && (values_.size() > kFirst || !steps_.empty())) {
    const Napi::CallbackScope scope(env_, *context_);
    drain();
  }
  napi_close_handle_scope(env_, std::exchange(scope_, nullptr));
}

napi_value ReplyBatch::invoke(const Napi::FunctionReference& function, napi_value argument) {
  if (muted_) return nullptr;
  const Napi::CallbackScope scope(env_, *context_);
  return call(function, argument == nullptr ? 0 : 1, &argument);
}

void ReplyBatch::drain() {
  // Both have room from before: nothing is allocated here.
  std::vector<napi_value> values = std::exchange(values_, std::move(spare_));
  const auto steps = std::exchange(steps_, {});
  std::size_t done = kFirst;
  for (const Step& step : steps) {
    deliver(values, done, step.valuesBefore);
    done = step.valuesBefore;
    if (muted_) return;
    perform(step);
  }
  deliver(values, done, values.size());
  // Kept for the next one, but not the room of an uncommonly large read.
  if (values.capacity() > kKeptValues) values = std::vector<napi_value>(kFirst);
  values.resize(kFirst);
  if (values_.empty()) {
    values_ = std::move(values);
  } else {
    spare_ = std::move(values);
  }
}

void ReplyBatch::deliver(std::vector<napi_value>& values, std::size_t from, std::size_t to) {
  while (from < to && !muted_) {
    const std::size_t count = std::min(kPerCall, to - from);
    // What was there has been told already.
    napi_create_uint32(env_, toTell_, &values[from - 1]);
    toTell_ += static_cast<std::uint32_t>(count);
    call(deliver_, count + 1, values.data() + from - 1);
    from += count;
  }
}

// Whether it is the one that is due; the caller then tells it, and counts it. Once it was not, nobody knows which
// answer is whose: JavaScript rejects all that wait then, and what was submitted before that is not told any more.
bool ReplyBatch::isNext(std::uint32_t ticket) {
  if (mismatched_) return false;
  if (ticket == expected_) return true;
  if (static_cast<std::int32_t>(ticket - expected_) < 0) return false;  // rejected with all others
  mismatched_ = true;
  steps_.push_back({values_.size(), Kind::kBroken, "", "an answer came out of place", 0, 0});
  onMismatch_();
  return false;
}

void ReplyBatch::push(std::uint32_t ticket, napi_value value) {
  if (value == nullptr) {
    return fail(ticket, {redis::ErrorCode::kTooLarge,
                         "the reply is larger than a value of JavaScript can be; read it in pieces (GETRANGE, SSCAN, "
                         "HSCAN), or with the client's buffers"});
  }
  if (!isNext(ticket)) return;
  values_.push_back(value);
  ++expected_;  // behind what may fail: who has not been told is told of that
}

void ReplyBatch::fail(std::uint32_t ticket, const redis::Error& error) {
  if (!isNext(ticket)) return;
  const bool fromServer = error.code == redis::ErrorCode::kServer;
  steps_.push_back({values_.size(), Kind::kFail, fromServer ? "" : redis::errorName(error.code), error.message, 0, 0});
  ++expected_;
}

void ReplyBatch::expire(std::uint32_t ticket) {
  steps_.push_back({values_.size(), Kind::kExpire, "", "", static_cast<double>(ticket), 0});
}

void ReplyBatch::message(napi_value value) {
  if (value != nullptr) steps_.push_back({values_.size(), Kind::kMessage, "", "", 0, 0, value});
}

void ReplyBatch::later(const Napi::FunctionReference& function, std::string_view argument) {
  steps_.push_back({values_.size(), Kind::kCall, "", std::string(argument), 0, 0, nullptr, &function});
}

void ReplyBatch::event(const char* name, const std::string& text, double first, double second) {
  steps_.push_back({values_.size(), Kind::kEvent, name, text, first, second});
}

void ReplyBatch::perform(const Step& step) {
  napi_value args[4] = {};
  switch (step.kind) {
    case Kind::kFail:
      napi_create_uint32(env_, toTell_++, &args[0]);
      args[1] = makeString(env_, step.name);
      args[2] = makeString(env_, step.text);
      call(fail_, 3, args);
      return;
    case Kind::kExpire:
      napi_create_double(env_, step.first, &args[0]);
      call(expire_, 1, args);
      return;
    case Kind::kBroken:
      args[0] = makeString(env_, step.text);
      call(broken_, 1, args);
      mismatched_ = false;
      expected_ = toTell_ = next_;
      return;
    case Kind::kMessage:
      call(message_, 1, &step.value);
      return;
    case Kind::kCall:
      args[0] = makeString(env_, step.text);
      call(*step.function, 1, args);
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
  if (function.IsEmpty() || std::any_of(args, args + count, [](napi_value value) { return value == nullptr; })) {
    return nullptr;
  }
  napi_value undefined = nullptr;
  napi_value result = nullptr;
  napi_get_undefined(env_, &undefined);
  const napi_status status = napi_call_function(env_, undefined, function.Value(), count, args, &result);
  if (status != napi_pending_exception) return result;
  // Our own functions catch what they can expect; whatever comes from a listener of the user is the process' to catch.
  napi_value exception = nullptr;
  if (napi_get_and_clear_last_exception(env_, &exception) == napi_ok) napi_fatal_exception(env_, exception);
  return nullptr;
}

}  // namespace tiercel::node
