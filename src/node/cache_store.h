// The native half of a Cache: the memory tier, and the Redis tier over a client. Converts; decides nothing.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "core/memory_tier.h"
#include "node/napi_setup.h"
#include "node/redis_client.h"
#include "node/values.h"
#include "redis/cache_tier.h"

namespace tiercel::node {

class CacheStore final : public Attachment, private redis::CacheTierObserver {
 public:
  // createStore(options, callbacks, client object or undefined) => { peek, read, … }; see lib/cache/native-store.js.
  static napi_value create(napi_env env, napi_callback_info info);

  CacheStore(Napi::Env env, const Napi::Object& options, const Napi::Object& callbacks,
             std::shared_ptr<RedisClient> client);
  ~CacheStore() override;

  [[nodiscard]] bool isDone() const override { return closed_ && tier_->isIdle(); }

 private:
  static napi_value peek(napi_env env, napi_callback_info info);
  static napi_value read(napi_env env, napi_callback_info info);
  static napi_value write(napi_env env, napi_callback_info info);
  static napi_value remove(napi_env env, napi_callback_info info);
  static napi_value memoryStats(napi_env env, napi_callback_info info);
  static napi_value resetStats(napi_env env, napi_callback_info info);
  static napi_value close(napi_env env, napi_callback_info info);

  void onRead(const redis::ReadResult& result, std::uint32_t tag) override;
  void onWritten() override;
  void onRemoved(std::int64_t count) override;
  void onOperationFailed(const redis::Error& error) override;
  void onOperationTimedOut() override;

  std::string_view fullKey(napi_env env, napi_value key);
  napi_value valueOf(napi_env env, const core::Entry& entry, const core::Deadlines& deadlines,
                     core::Freshness freshness, core::Millis now, bool whole);

  std::string prefix_;
  std::string key_;  // prefix and key of the current call
  Scratch payload_;
  Scratch metadata_;
  std::unique_ptr<core::MemoryTier> memory_;
  std::shared_ptr<RedisClient> client_;
  std::unique_ptr<redis::CacheTier> tier_;
  bool closed_ = false;
  Napi::FunctionReference hit_;  // (payload, codec, freshness, age, left, created, metadata) => what a read gives
};

}  // namespace tiercel::node
