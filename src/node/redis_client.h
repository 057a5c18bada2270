// The native half of a RedisClient: commands in, replies out.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/admission.h"
#include "node/environment.h"
#include "node/napi_setup.h"
#include "node/reply_batch.h"
#include "redis/connection.h"
#include "redis/external_transport.h"

namespace tiercel::node {

// Something that has operations under way on a client, and must outlive them.
class Attachment {
 public:
  virtual ~Attachment() = default;
  // Closed, and nothing is under way any more: the client may let go of it.
  [[nodiscard]] virtual bool isDone() const = 0;
  // It is done: nothing that it shares with others need be kept any longer.
  virtual void letGo() = 0;
};

class RedisClient final : public Resident,
                          private redis::ReplyHandler,
                          private redis::ConnectionObserver,
                          private redis::TransportHost,
                          private redis::InvalidationListener,
                          public std::enable_shared_from_this<RedisClient> {
 public:
  // createClient(options, callbacks) => { submit, close, … }; see lib/redis/native-client.js for both.
  static napi_value create(napi_env env, napi_callback_info info);

  // The client behind an object that create() returned, or nullptr.
  static std::shared_ptr<RedisClient> from(const Napi::Object& object);

  // carrier: the JavaScript functions that carry the bytes (see lib/redis/tls-transport.js), or empty for a socket of
  // the loop.
  RedisClient(std::shared_ptr<Environment> environment, const redis::ConnectionOptions& options,
              const Napi::Object& callbacks, const Napi::Value& carrier);

  void abandon() override;

  // Keeps an attachment alive until it is done, or the client has ended.
  void attach(std::shared_ptr<Attachment> attachment) { attachments_.push_back(std::move(attachment)); }
  // One of them is closed: it is let go of when it is done.
  void leaves() { ++leaving_; }
  // Lets go of those that are done, and hands them over.
  std::vector<std::shared_ptr<Attachment>> prune();

  [[nodiscard]] redis::Connection& connection() { return connection_; }
  [[nodiscard]] ReplyBatch& batch() { return batch_; }

 private:
  static napi_value submit(napi_env env, napi_callback_info info);
  static napi_value close(napi_env env, napi_callback_info info);
  static napi_value destroy(napi_env env, napi_callback_info info);
  static napi_value setRef(napi_env env, napi_callback_info info);
  static napi_value fail(napi_env env, napi_callback_info info);
  static napi_value reconnectAfter(napi_env env, napi_callback_info info);
  static napi_value giveUp(napi_env env, napi_callback_info info);
  static napi_value authenticate(napi_env env, napi_callback_info info);
  static napi_value cannotAuthenticate(napi_env env, napi_callback_info info);
  static napi_value track(napi_env env, napi_callback_info info);
  static napi_value state(napi_env env, napi_callback_info info);
  static napi_value stats(napi_env env, napi_callback_info info);
  static napi_value carrierReached(napi_env env, napi_callback_info info);
  static napi_value carrierOpened(napi_env env, napi_callback_info info);
  static napi_value carrierFed(napi_env env, napi_callback_info info);
  static napi_value carrierDrained(napi_env env, napi_callback_info info);
  static napi_value carrierFailed(napi_env env, napi_callback_info info);

  void onReply(const redis::Pending& pending, const redis::Reply& reply) override;
  void onFailed(const redis::Pending& pending, const redis::Error& error) override;
  void onTimedOut(const redis::Pending& pending) override;

  void onConnect() override;
  void onReady() override;
  void onClose(const redis::Error& reason) override;
  void onError(const redis::Error& error) override;
  void onReconnecting(int attempt, core::Millis delay) override;
  void onCredentialsNeeded(std::uint32_t connection) override;
  void onPush(const redis::ReplyTree& push) override;
  void onEnd() override;
  void onBatchBegin() override { batch_.begin(); }
  void onBatchEnd() override;

  void onInvalidate(std::string_view key) override;
  void onInvalidateAll() override;
  void onTrackingLost() override;
  void onHeard(core::Millis /*trustedUntil*/) override {}

  void openTransport() override;
  bool sendTransport(std::string_view bytes) override;
  void shutTransport() override;
  void refTransport(bool ref) override;
  std::size_t backlogTransport() override;
  napi_value callCarrier(const Napi::FunctionReference& function, napi_value argument);

  // The functions of a carrier.
  struct Carrier {
    Napi::FunctionReference open;
    Napi::FunctionReference send;  // (Buffer) => boolean
    Napi::FunctionReference shut;
    Napi::FunctionReference ref;      // (boolean)
    Napi::FunctionReference backlog;  // () => number of bytes
    void release();
  };
  static Carrier carrierFrom(const Napi::Value& value);

  std::shared_ptr<Environment> environment_;
  ReplyBatch batch_;
  Carrier carrier_;
  redis::ExternalTransport* external_ = nullptr;  // the connection's
  std::vector<std::string> commands_;             // "$3\r\nGET\r\n", by the number that submit() is given
  redis::Connection connection_;
  // Behind the connection, so that they go first: each takes itself off it.
  std::vector<std::shared_ptr<Attachment>> attachments_;
  std::size_t leaving_ = 0;  // how many are closed
  bool tracked_ = false;
  bool ended_ = false;
};

// What submit() and its like return: undefined when the command was taken, else one of these.
namespace refusal {
inline constexpr int kClosed = 1;
inline constexpr int kQueueFull = 2;
inline constexpr int kUnavailable = 3;
inline constexpr int kTooLarge = 4;
inline constexpr int kBadArgument = 100;  // + its index
}  // namespace refusal

// The value to return for an admission; nullptr (undefined) when it was one.
napi_value refusalOf(napi_env env, core::Admission admission);

}  // namespace tiercel::node
