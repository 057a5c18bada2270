#include "node/redis_client.h"

#include <new>
#include <utility>

#include "node/bound_functions.h"
#include "redis/command_writer.h"

namespace tiercel::node {

namespace {

constexpr napi_type_tag kClientTag{0x7a1d3c5e9b204f68, 0x91c4e2a75d3f6b08};
// Bits of the mode that submit() is given; above them, the number of confirmations of a SUBSCRIBE, or a time.
constexpr std::uint32_t kBuffers = 1;
constexpr std::uint32_t kEndless = 2;
constexpr std::uint32_t kJoined = 4;
constexpr std::uint32_t kWaits = 8;  // it may wait, but no longer than the number above says, in ms; see kShift
constexpr std::uint32_t kShift = 8;
// What a command of ours is known by: its ticket, and above it the mode.
constexpr unsigned kTicketBits = 32;
constexpr std::size_t kFixedArguments = 2;  // command number, mode

napi_value refuse(napi_env env, int code) {
  napi_value value = nullptr;
  napi_create_int32(env, code, &value);
  return value;
}

redis::ConnectionOptions optionsFrom(const Napi::Object& object) {
  redis::ConnectionOptions options;
  options.endpoint.host = stringProperty(object, "host");
  options.endpoint.port = static_cast<std::uint16_t>(integerProperty(object, "port", 6379));
  options.endpoint.family = static_cast<int>(integerProperty(object, "family"));
  options.endpoint.path = stringProperty(object, "path");
  options.handshake.username = stringProperty(object, "username");
  options.handshake.password = stringProperty(object, "password");
  options.handshake.asksForCredentials = object.Get("credentials").IsFunction();
  options.handshake.clientName = stringProperty(object, "clientName");
  options.handshake.protocol = static_cast<int>(integerProperty(object, "protocol", 3));
  options.handshake.libraryVersion = TIERCEL_VERSION;
  options.handshake.database = static_cast<int>(integerProperty(object, "db"));
  options.commandTimeout = integerProperty(object, "commandTimeout", options.commandTimeout);
  options.connectTimeout = integerProperty(object, "connectTimeout", options.connectTimeout);
  options.backoffMin = integerProperty(object, "backoffMin", options.backoffMin);
  options.backoffMax = integerProperty(object, "backoffMax", options.backoffMax);
  options.heartbeat = integerProperty(object, "heartbeat", options.heartbeat);
  options.offlineQueue = object.Get("offlineQueue").ToBoolean();
  options.maxQueuedCommands = static_cast<std::size_t>(integerProperty(object, "maxQueuedCommands", 10000));
  options.maxQueuedBytes = static_cast<std::size_t>(integerProperty(object, "maxQueuedBytes", INT64_C(64) << 20));
  return options;
}

}  // namespace

RedisClient::Carrier RedisClient::carrierFrom(const Napi::Value& value) {
  if (!value.IsObject()) return {};
  const auto object = value.As<Napi::Object>();
  const auto function = [&](const char* name) { return functionProperty(object, name); };
  return {function("open"), function("send"), function("shut"), function("ref"), function("backlog")};
}

napi_value refusalOf(napi_env env, core::Admission admission) {
  switch (admission) {
    case core::Admission::kAdmitted:
      return nullptr;
    case core::Admission::kClosed:
      return refuse(env, refusal::kClosed);
    case core::Admission::kQueueFull:
      return refuse(env, refusal::kQueueFull);
    case core::Admission::kTooLarge:
      return refuse(env, refusal::kTooLarge);
    case core::Admission::kUnavailable:
      return refuse(env, refusal::kUnavailable);
  }
  return nullptr;
}

RedisClient::RedisClient(std::shared_ptr<Environment> environment, const redis::ConnectionOptions& options,
                         const Napi::Object& callbacks, const Napi::Value& carrier)
    : environment_(std::move(environment)),
      batch_(environment_->env(), callbacks, [this] { connection_.failSoon("an answer came out of place"); }),
      carrier_(carrierFrom(carrier)),
      connection_(environment_->handles(), options, *this,
                  carrier.IsObject() ? redis::TransportFactory([this, &options](redis::TransportListener& listener) {
                    redis::TransportHost& host = *this;
                    auto transport = std::make_unique<redis::ExternalTransport>(host, listener,
                                                                                "TLS to " + nameOf(options.endpoint));
                    external_ = transport.get();
                    return transport;
                  })
                                     : redis::TransportFactory()) {
  const Napi::Value names = callbacks.Get("commands");
  const std::uint32_t count = names.IsArray() ? names.As<Napi::Array>().Length() : 0;
  for (std::uint32_t i = 0; i < count; ++i) {
    const Napi::Value value = names.As<Napi::Array>().Get(i);
    const std::string name = value.IsString() ? value.As<Napi::String>().Utf8Value() : std::string();
    commands_.push_back("$" + std::to_string(name.size()) + "\r\n" + name + "\r\n");
  }
}

napi_value RedisClient::create(napi_env env, napi_callback_info info) {
  const Call<Environment, 3> call(env, info);
  const Napi::Object options(env, call.args[0]);
  const Napi::Object callbacks(env, call.args[1]);
  const auto client = std::make_shared<RedisClient>(call.self->shared_from_this(), optionsFrom(options), callbacks,
                                                    Napi::Value(env, call.args[2]));
  Napi::Object object = Napi::Object::New(env);
  bindFunctions(
      object, client.get(), client,
      {bound<submit>("submit"), bound<close>("close"), bound<destroy>("destroy"), bound<setRef>("setRef"),
       bound<track>("track"), bound<fail>("fail"), bound<reconnectAfter>("reconnectAfter"), bound<giveUp>("giveUp"),
       bound<authenticate>("authenticate"), bound<cannotAuthenticate>("cannotAuthenticate"), bound<state>("state"),
       bound<stats>("stats"), bound<carrierReached>("carrierReached"), bound<carrierOpened>("carrierOpened"),
       bound<carrierFed>("carrierFed"), bound<carrierDrained>("carrierDrained"),
       bound<carrierFailed>("carrierFailed")});
  auto held = std::make_unique<std::weak_ptr<RedisClient>>(client);
  const napi_status wrapped = napi_wrap(
      env, object, held.get(),
      [](napi_env /*env*/, void* data, void* /*hint*/) {
        const std::unique_ptr<std::weak_ptr<RedisClient>> adopted(static_cast<std::weak_ptr<RedisClient>*>(data));
      },
      nullptr, nullptr);
  if (wrapped == napi_ok) (void)held.release();  // until the finalizer adopts it
  napi_type_tag_object(env, object, &kClientTag);
  call.self->admit(client);
  client->connection_.start();
  return object;
}

std::shared_ptr<RedisClient> RedisClient::from(const Napi::Object& object) {
  bool tagged = false;
  if (napi_check_object_type_tag(object.Env(), object, &kClientTag, &tagged) != napi_ok || !tagged) return nullptr;
  void* data = nullptr;
  if (napi_unwrap(object.Env(), object, &data) != napi_ok) return nullptr;
  return static_cast<std::weak_ptr<RedisClient>*>(data)->lock();
}

// submit(command number or -1, mode, ...arguments): the hot path of every command.
napi_value RedisClient::submit(napi_env env, napi_callback_info info) {
  constexpr std::size_t kOnStack = 10;
  Call<RedisClient, kOnStack> call(env, info);
  RedisClient& self = *call.self;
  std::int32_t command = -1;
  std::uint32_t mode = 0;
  napi_get_value_int32(env, call.args[0], &command);
  napi_get_value_uint32(env, call.args[1], &mode);
  const auto admission = self.connection_.admit(false, (mode & kJoined) != 0);
  if (admission != core::Admission::kAdmitted) return refusalOf(env, admission);

  napi_value* args = call.args;
  std::vector<napi_value> many;
  if (call.count > kOnStack) {
    many.resize(call.count);
    std::size_t count = call.count;
    napi_get_cb_info(env, info, &count, many.data(), nullptr, nullptr);
    args = many.data();
  }

  try {
    redis::CommandWriter writer(self.connection_);
    redis::OutputBuffer& out = writer.output();
    const std::size_t given = call.count - kFixedArguments;
    if (command >= 0) {
      out.commandHeader(given + 1);
      out.append(self.commands_[static_cast<std::size_t>(command)]);
    } else {
      out.commandHeader(given);
    }
    for (std::size_t i = 0; i < given; ++i) {
      if (appendArgument(env, args[kFixedArguments + i], out)) continue;
      return refuse(env, refusal::kBadArgument + static_cast<int>(i));
    }
    const bool waits = (mode & kWaits) != 0;
    redis::ReplyHandler& handler = self;
    writer.end(handler, std::uint64_t{mode & kBuffers} << kTicketBits | self.batch_.nextTicket(),
               {.endless = waits || (mode & kEndless) != 0,
                .waitsFor = waits ? mode >> kShift : core::kForever,
                .confirmations = waits ? 0 : mode >> kShift,
                .joined = (mode & kJoined) != 0});
    writer.submit();
    self.batch_.submitted();
  } catch (const std::bad_alloc&) {
    return refuse(env, refusal::kTooLarge);
  }
  return nullptr;
}

napi_value RedisClient::close(napi_env env, napi_callback_info info) {
  Call<RedisClient, 1>(env, info).self->connection_.close();
  return nullptr;
}

napi_value RedisClient::destroy(napi_env env, napi_callback_info info) {
  Call<RedisClient, 1>(env, info).self->connection_.destroy();
  return nullptr;
}

napi_value RedisClient::setRef(napi_env env, napi_callback_info info) {
  const Call<RedisClient, 1> call(env, info);
  bool ref = true;
  napi_get_value_bool(env, call.args[0], &ref);
  call.self->connection_.setRef(ref);
  return nullptr;
}

// track(): from now on, client tracking, and the events 'invalidate' (a key, or '' for all of them) and 'untracked'.
napi_value RedisClient::track(napi_env env, napi_callback_info info) {
  RedisClient& self = *Call<RedisClient, 1>(env, info).self;
  if (self.tracked_ || self.ended_) return nullptr;
  self.tracked_ = true;
  self.connection_.addInvalidationListener(self);
  self.connection_.requestTracking();
  return nullptr;
}

// fail(): JavaScript has found that answers come out of place.
napi_value RedisClient::fail(napi_env env, napi_callback_info info) {
  Call<RedisClient, 1>(env, info).self->connection_.failSoon("an answer came out of place");
  return nullptr;
}

// reconnectAfter(milliseconds): an answer to the event 'reconnecting'.
napi_value RedisClient::reconnectAfter(napi_env env, napi_callback_info info) {
  const Call<RedisClient, 1> call(env, info);
  call.self->connection_.reconnectAfter(integerOf(env, call.args[0]));
  return nullptr;
}

// giveUp(): the other one.
napi_value RedisClient::giveUp(napi_env env, napi_callback_info info) {
  Call<RedisClient, 1>(env, info).self->connection_.giveUp();
  return nullptr;
}

// authenticate(connection, username, password): the answer to the event 'credentials'.
napi_value RedisClient::authenticate(napi_env env, napi_callback_info info) {
  const Call<RedisClient, 3> call(env, info);
  call.self->connection_.authenticate(static_cast<std::uint32_t>(integerOf(env, call.args[0])),
                                      Napi::Value(env, call.args[1]).As<Napi::String>().Utf8Value(),
                                      Napi::Value(env, call.args[2]).As<Napi::String>().Utf8Value());
  return nullptr;
}

// cannotAuthenticate(connection, reason)
napi_value RedisClient::cannotAuthenticate(napi_env env, napi_callback_info info) {
  const Call<RedisClient, 2> call(env, info);
  call.self->connection_.cannotAuthenticate(static_cast<std::uint32_t>(integerOf(env, call.args[0])),
                                            Napi::Value(env, call.args[1]).As<Napi::String>().Utf8Value());
  return nullptr;
}

// state() => { ready, unresponsive, tracking, protocol, reason }
napi_value RedisClient::state(napi_env env, napi_callback_info info) {
  const Call<RedisClient, 1> call(env, info);
  const redis::Connection& connection = call.self->connection_;
  Napi::Object object = Napi::Object::New(env);
  object.Set("ready", connection.isReady());
  object.Set("unresponsive", connection.isUnresponsive());
  object.Set("tracking", connection.isTracking());
  object.Set("protocol", connection.protocol());
  object.Set("reason", connection.reason());
  return object;
}

// stats() => the counters of the connection, by name.
napi_value RedisClient::stats(napi_env env, napi_callback_info info) {
  const Call<RedisClient, 1> call(env, info);
  const redis::Connection& connection = call.self->connection_;
  const redis::ConnectionStats& stats = connection.stats();
  Napi::Object object = Napi::Object::New(env);
  const auto put = [&](const char* name, std::uint64_t value) { object.Set(name, static_cast<double>(value)); };
  put("commands", stats.commands);
  put("replies", stats.replies);
  put("errors", stats.errors);
  put("timeouts", stats.timeouts);
  put("refused", stats.refused);
  put("bytesOut", stats.bytesOut);
  put("bytesIn", stats.bytesIn);
  put("connects", stats.connects);
  put("losses", stats.losses);
  put("pushes", stats.pushes);
  put("waiting", connection.waiting());
  return object;
}

napi_value RedisClient::carrierReached(napi_env env, napi_callback_info info) {
  const Call<RedisClient, 1> call(env, info);
  if (call.self->external_ != nullptr) call.self->external_->reached();
  return nullptr;
}

napi_value RedisClient::carrierOpened(napi_env env, napi_callback_info info) {
  const Call<RedisClient, 1> call(env, info);
  if (call.self->external_ != nullptr) call.self->external_->opened();
  return nullptr;
}

napi_value RedisClient::carrierFed(napi_env env, napi_callback_info info) {
  const Call<RedisClient, 1> call(env, info);
  void* data = nullptr;
  std::size_t size = 0;
  if (call.self->external_ == nullptr || napi_get_buffer_info(env, call.args[0], &data, &size) != napi_ok) {
    return nullptr;
  }
  call.self->external_->fed(static_cast<const char*>(data), size);
  return nullptr;
}

napi_value RedisClient::carrierDrained(napi_env env, napi_callback_info info) {
  const Call<RedisClient, 1> call(env, info);
  if (call.self->external_ != nullptr) call.self->external_->drained();
  return nullptr;
}

// carrierFailed(message, wasOpen)
napi_value RedisClient::carrierFailed(napi_env env, napi_callback_info info) {
  const Call<RedisClient, 2> call(env, info);
  if (call.self->external_ == nullptr) return nullptr;
  bool wasOpen = false;
  napi_get_value_bool(env, call.args[1], &wasOpen);
  call.self->external_->failed(wasOpen ? redis::ErrorCode::kConnectionLost : redis::ErrorCode::kConnectFailed,
                               Napi::Value(env, call.args[0]).As<Napi::String>().Utf8Value());
  return nullptr;
}

void RedisClient::Carrier::release() {
  for (Napi::FunctionReference* function : {&open, &send, &shut, &ref, &backlog}) function->Reset();
}

napi_value RedisClient::callCarrier(const Napi::FunctionReference& function, napi_value argument) {
  if (function.IsEmpty()) return nullptr;
  return batch_.invoke(function, argument);
}

void RedisClient::openTransport() {
  const Napi::HandleScope scope(batch_.env());
  callCarrier(carrier_.open, nullptr);
}

bool RedisClient::sendTransport(std::string_view bytes) {
  const Napi::HandleScope scope(batch_.env());
  napi_value more = callCarrier(carrier_.send, makeBuffer(batch_.env(), bytes));
  bool result = true;
  if (more != nullptr) napi_get_value_bool(batch_.env(), more, &result);
  return result;
}

void RedisClient::shutTransport() {
  if (carrier_.shut.IsEmpty()) return;
  const Napi::HandleScope scope(batch_.env());
  callCarrier(carrier_.shut, nullptr);
}

void RedisClient::refTransport(bool ref) {
  if (carrier_.ref.IsEmpty()) return;
  const Napi::HandleScope scope(batch_.env());
  callCarrier(carrier_.ref, Napi::Boolean::New(batch_.env(), ref));
}

std::size_t RedisClient::backlogTransport() {
  if (carrier_.backlog.IsEmpty()) return 0;
  const Napi::HandleScope scope(batch_.env());
  return static_cast<std::size_t>(integerOf(batch_.env(), callCarrier(carrier_.backlog, nullptr)));
}

void RedisClient::onReply(const redis::Pending& pending, const redis::Reply& reply) {
  const auto ticket = static_cast<std::uint32_t>(pending.data);
  if (reply.isError()) return batch_.fail(ticket, {redis::ErrorCode::kServer, std::string(reply.text)});
  const bool buffers = (pending.data >> kTicketBits & kBuffers) != 0;
  batch_.push(ticket, makeReply(batch_.env(), reply, buffers, batch_.factories()));
}

void RedisClient::onFailed(const redis::Pending& pending, const redis::Error& error) {
  batch_.fail(static_cast<std::uint32_t>(pending.data), error);
}
void RedisClient::onTimedOut(const redis::Pending& pending) { batch_.expire(static_cast<std::uint32_t>(pending.data)); }

void RedisClient::onConnect() { batch_.event("connect"); }
void RedisClient::onReady() { batch_.event("ready", "", connection_.protocol(), connection_.isTracking() ? 1 : 0); }
void RedisClient::onClose(const redis::Error& reason) { batch_.event("close", reason.message); }
void RedisClient::onError(const redis::Error& error) {
  batch_.event("error", std::string(redis::errorName(error.code)) + " " + error.message);
}
void RedisClient::onReconnecting(int attempt, core::Millis delay) {
  batch_.event("reconnecting", "", attempt, static_cast<double>(delay));
}
void RedisClient::onCredentialsNeeded(std::uint32_t connection) { batch_.event("credentials", "", connection); }
void RedisClient::onPush(const redis::ReplyTree& push) {
  const redis::Reply reply{.type = redis::ReplyType::kPush, .tree = &push};
  // Bytes as they are: what is a string is for the JavaScript half to say, per subscription.
  batch_.message(makeReply(batch_.env(), reply, true, batch_.factories()));
}
void RedisClient::onInvalidate(std::string_view key) { batch_.event("invalidate", std::string(key)); }
void RedisClient::onInvalidateAll() { batch_.event("invalidate"); }
void RedisClient::onTrackingLost() { batch_.event("untracked"); }
void RedisClient::onEnd() {
  ended_ = true;
  batch_.event("end");
}

void RedisClient::onBatchEnd() {
  const auto self = shared_from_this();
  // Before anybody is told that it is over; and kept until then, since the batch may call functions of theirs.
  const auto done = prune();
  batch_.end();
  prune();
  if (!ended_) return;
  // Only now may the JavaScript half be collected: our references are what keeps it.
  batch_.mute();
  carrier_.release();
  // Every operation has been settled by now. What is not closed yet lets go when it is.
  prune();
  attachments_.clear();
  environment_->discharge(self);
}

std::vector<std::shared_ptr<Attachment>> RedisClient::prune() {
  std::vector<std::shared_ptr<Attachment>> done;
  // Most of the time there is none, and there may be thousands that stay.
  if (leaving_ == 0) return done;
  std::erase_if(attachments_, [&](const auto& attachment) {
    if (!attachment->isDone()) return false;
    attachment->letGo();
    done.push_back(attachment);
    return true;
  });
  leaving_ -= done.size();
  return done;
}

void RedisClient::abandon() {
  batch_.mute();
  carrier_.release();
  connection_.abandon();
  attachments_.clear();
}

}  // namespace tiercel::node
