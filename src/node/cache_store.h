// The native half of a Cache: the memory tier, and leases, tags and the Redis tier over a client. Converts; decides
// nothing.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/shared_tiers.h"
#include "core/tier.h"
#include "node/bound_functions.h"
#include "node/lease_wakeups.h"
#include "node/napi_setup.h"
#include "node/redis_client.h"
#include "node/values.h"
#include "redis/cache_tier.h"

namespace tiercel::node {

class CacheStore final : public Attachment,
                         public Resident,
                         private redis::CacheTierObserver,
                         public std::enable_shared_from_this<CacheStore> {
 public:
  // createStore(options, callbacks, client object or undefined, target) => target, with functions of its own; its
  // prototype is to be storeMethods. See lib/store/tiered-store.js.
  static napi_value create(napi_env env, napi_callback_info info);
  // storeMethods: what all stores of an environment share.
  static Napi::Object methodsOf(Napi::Env env);

  CacheStore(std::shared_ptr<Environment> environment, const Napi::Object& options, const Napi::Object& callbacks,
             std::shared_ptr<RedisClient> client, std::shared_ptr<core::ProcessTier> shared);
  ~CacheStore() override;

  [[nodiscard]] bool isDone() const override { return closed_ && (isGone() || tier_->isIdle()); }
  void letGo() override;
  void abandon() override;

 private:
  template <std::size_t N>
  using CallOf = Call<CacheStore, N>;

  // Reading.
  static napi_value peek(napi_env env, napi_callback_info info);
  static napi_value still(napi_env env, napi_callback_info info);
  static napi_value read(napi_env env, napi_callback_info info);
  static napi_value readMany(napi_env env, napi_callback_info info);
  static napi_value acquire(napi_env env, napi_callback_info info);
  static napi_value refresh(napi_env env, napi_callback_info info);
  static napi_value takeOver(napi_env env, napi_callback_info info);
  // Ending a load.
  static napi_value addTags(napi_env env, napi_callback_info info);
  static napi_value prepare(napi_env env, napi_callback_info info);
  static napi_value fill(napi_env env, napi_callback_info info);
  static napi_value giveUp(napi_env env, napi_callback_info info);
  static napi_value held(napi_env env, napi_callback_info info);
  static napi_value renew(napi_env env, napi_callback_info info);
  static napi_value current(napi_env env, napi_callback_info info);
  static napi_value anyTagChanged(napi_env env, napi_callback_info info);
  static napi_value drop(napi_env env, napi_callback_info info);
  // Writing and removing.
  static napi_value write(napi_env env, napi_callback_info info);
  static napi_value remove(napi_env env, napi_callback_info info);
  static napi_value soften(napi_env env, napi_callback_info info);
  static napi_value invalidateTags(napi_env env, napi_callback_info info);
  static napi_value removeMatching(napi_env env, napi_callback_info info);
  static napi_value clearMemory(napi_env env, napi_callback_info info);
  static napi_value forget(napi_env env, napi_callback_info info);
  static napi_value unwatch(napi_env env, napi_callback_info info);
  static napi_value sweep(napi_env env, napi_callback_info info);
  static napi_value stampOf(napi_env env, napi_callback_info info);
  // The memory tier as a whole.
  static napi_value memoryStats(napi_env env, napi_callback_info info);
  static napi_value reserve(napi_env env, napi_callback_info info);
  static napi_value expire(napi_env env, napi_callback_info info);
  static napi_value resetStats(napi_env env, napi_callback_info info);
  static napi_value dump(napi_env env, napi_callback_info info);
  static napi_value load(napi_env env, napi_callback_info info);
  static napi_value close(napi_env env, napi_callback_info info);

  std::uint32_t onSubmitted() noexcept override;
  void onFound(std::uint32_t number, const core::Found& found, std::uint32_t flags) override;
  void onFoundMany(std::uint32_t number, std::span<const core::Found> found) override;
  void onDone(std::uint32_t number, std::int64_t result) override;
  void onOperationFailed(std::uint32_t number, const redis::Error& error) override;
  void onOperationTimedOut(std::uint32_t number) override;
  void onWatched(std::string_view key) override;

  void releaseFunctions();
  void leaveMemory();
  // Closed: there is nothing behind it any more.
  [[nodiscard]] bool isGone() const { return tier_ == nullptr; }
  [[nodiscard]] napi_value gone(napi_env env) const;
  std::string_view fullKey(napi_env env, napi_value key);
  std::span<const std::string> tagsOf(napi_env env, napi_value array);
  core::Entry entryFrom(napi_env env, const napi_value* args);
  napi_value valueOf(napi_env env, const core::Found& found, core::Freshness freshness, core::Millis now,
                     std::span<const core::TagMark> marks, std::uint64_t token = 0);
  napi_value outcomeOf(napi_env env, const core::Found& found, std::uint32_t flags);
  napi_value answered(napi_env env, const core::Answer& answer, std::uint32_t flags = 0);
  // What asks for a lease has the arguments (key, flags, leaseFor, tags, …).
  core::LeaseRequest leaseRequestFrom(napi_env env, const napi_value* args);
  napi_value tagNames(napi_env env, const core::Entry& entry, std::span<const core::TagMark> marks);

  std::shared_ptr<Environment> environment_;
  std::shared_ptr<core::ProcessTier> shared_;
  core::MemoryTier* memory_ = nullptr;  // nullptr: the cache has none
  std::size_t reserved_ = 0;            // of its budget, by decoded values of this cache
  std::string prefix_;                  // of the keys in Redis
  std::string space_;                   // of the keys in memory, and behind prefix_
  std::vector<std::string> keys_;       // of readMany(), with their space
  std::string key_;                     // space and key of the current call
  std::vector<std::string> tagNames_;   // of the current call
  Scratch payload_;
  Scratch metadata_;
  std::shared_ptr<RedisClient> client_;
  std::shared_ptr<LeaseWakeups> wakeups_;  // without Redis
  std::unique_ptr<core::Tier> tier_;
  bool closed_ = false;
  Napi::FunctionReference hit_;                // makes what a read gives, when it is more than a text
  Napi::FunctionReference outcome_;            // makes what asking for a lease gives
  Napi::FunctionReference watched_;            // (key): a watched key has changed
  Napi::FunctionReference released_;           // (...tickets): leases have ended
  std::optional<Napi::AsyncContext> context_;  // of what comes from other threads; without Redis, until close()
};

}  // namespace tiercel::node
