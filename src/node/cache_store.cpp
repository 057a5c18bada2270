#include "node/cache_store.h"

#include <uv.h>

#include <algorithm>
#include <chrono>
#include <new>
#include <utility>

#include "core/random.h"
#include "node/bound_functions.h"

namespace tiercel::node {

namespace {

// Bits of the flags that JavaScript gives to peek() and read().
constexpr std::uint32_t kWhole = 1;   // always the whole hit, never the bare payload
constexpr std::uint32_t kSilent = 2;  // peek only: no statistics, no effect on eviction

core::Millis monotonicNow() { return static_cast<core::Millis>(uv_hrtime() / 1000000); }

core::Millis wallNow() {
  using namespace std::chrono;
  return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
}

napi_value boolean(napi_env env, bool value) {
  napi_value result = nullptr;
  napi_get_boolean(env, value, &result);
  return result;
}

}  // namespace

CacheStore::CacheStore(Napi::Env /*env*/, const Napi::Object& options, const Napi::Object& callbacks,
                       std::shared_ptr<RedisClient> client)
    : prefix_(stringProperty(options, "prefix")),
      key_(prefix_),
      client_(std::move(client)),
      hit_(functionProperty(callbacks, "hit")) {
  if (booleanProperty(options, "memory")) {
    memory_ = std::make_unique<core::MemoryTier>(
        core::MemoryOptions{.maxBytes = static_cast<std::size_t>(integerProperty(options, "maxBytes")),
                            .maxEntryBytes = static_cast<std::size_t>(integerProperty(options, "maxEntryBytes"))});
  }
  if (client_) {
    const redis::CacheTier::Options tierOptions{.maxStaleness = integerProperty(options, "maxStaleness", 1000)};
    tier_ = std::make_unique<redis::CacheTier>(client_->connection(), memory_.get(), tierOptions,
                                               static_cast<redis::CacheTierObserver&>(*this));
  }
}

CacheStore::~CacheStore() = default;

napi_value CacheStore::create(napi_env rawEnv, napi_callback_info info) {
  const Call<Environment, 3> call(rawEnv, info);
  const Napi::Env env(rawEnv);
  std::shared_ptr<RedisClient> client;
  if (Napi::Value(env, call.args[2]).IsObject()) {
    client = RedisClient::from(Napi::Object(env, call.args[2]));
    if (!client) {
      Napi::TypeError::New(env, "not a native client").ThrowAsJavaScriptException();
      return nullptr;
    }
  }
  const auto store = std::make_shared<CacheStore>(env, Napi::Object(env, call.args[0]), Napi::Object(env, call.args[1]),
                                                  std::move(client));
  if (store->client_) store->client_->attach(store);
  return bindFunctions(env, store.get(), store,
                       {{"peek", peek},
                        {"read", read},
                        {"write", write},
                        {"remove", remove},
                        {"memoryStats", memoryStats},
                        {"resetStats", resetStats},
                        {"close", close}});
}

std::string_view CacheStore::fullKey(napi_env env, napi_value key) {
  key_.resize(prefix_.size());  // it begins with the prefix, always
  Scratch scratch;
  const auto bytes = bytesOf(env, key, scratch);
  if (bytes) key_.append(*bytes);
  return key_;
}

// peek(key, flags): what the memory tier holds, undefined when it holds nothing.
napi_value CacheStore::peek(napi_env env, napi_callback_info info) {
  const Call<CacheStore, 2> call(env, info);
  CacheStore& self = *call.self;
  if (!self.memory_) return nullptr;
  const auto flags = static_cast<std::uint32_t>(integerOf(env, call.args[1]));
  const core::Millis now = monotonicNow();
  const std::string_view key = self.fullKey(env, call.args[0]);
  const auto hit = (flags & kSilent) != 0 ? std::as_const(*self.memory_).peek(key, now) : self.memory_->find(key, now);
  if (!hit) return nullptr;
  return self.valueOf(env, hit->entry, hit->deadlines, hit->freshness, now, (flags & kWhole) != 0);
}

// read(key, flags): asks Redis; the answer settles the next promise of the client. Returns a refusal or undefined.
napi_value CacheStore::read(napi_env env, napi_callback_info info) {
  const Call<CacheStore, 2> call(env, info);
  if (!call.self->tier_) return nullptr;
  const auto flags = static_cast<std::uint32_t>(integerOf(env, call.args[1]));
  return refusalOf(env, call.self->tier_->read(call.self->fullKey(env, call.args[0]), flags));
}

// write(key, codec, payload, metadata, freshFor, staleFor, keepFor, loadTime): with Redis, sends it and returns a
// refusal or undefined; without, returns whether the memory tier kept it.
napi_value CacheStore::write(napi_env env, napi_callback_info info) {
  const Call<CacheStore, 8> call(env, info);
  CacheStore& self = *call.self;
  core::Entry entry;
  entry.codec = static_cast<core::Codec>(integerOf(env, call.args[1]));
  entry.fillId = core::randomFillId();
  entry.created = wallNow();
  entry.payload = bytesOf(env, call.args[2], self.payload_).value_or(std::string_view());
  entry.metadata = bytesOf(env, call.args[3], self.metadata_).value_or(std::string_view());
  entry.freshFor = integerOf(env, call.args[4]);
  entry.staleFor = integerOf(env, call.args[5]);
  entry.keepFor = integerOf(env, call.args[6]);
  entry.loadTime = static_cast<std::uint32_t>(std::clamp<std::int64_t>(integerOf(env, call.args[7]), 0, UINT32_MAX));
  const std::string_view key = self.fullKey(env, call.args[0]);
  if (self.tier_) {
    try {
      return refusalOf(env, self.tier_->write(key, entry));
    } catch (const std::bad_alloc&) {
      napi_value code = nullptr;
      napi_create_int32(env, refusal::kTooLarge, &code);
      return code;
    }
  }
  if (!self.memory_) return boolean(env, false);
  const core::Millis now = monotonicNow();
  return boolean(env, self.memory_->put(key, entry, core::deadlinesFrom(entry, now), now));
}

// remove(key): with Redis, as read(); without, returns whether there was an entry.
napi_value CacheStore::remove(napi_env env, napi_callback_info info) {
  const Call<CacheStore, 1> call(env, info);
  CacheStore& self = *call.self;
  const std::string_view key = self.fullKey(env, call.args[0]);
  if (self.tier_) return refusalOf(env, self.tier_->remove(key));
  return boolean(env, self.memory_ && self.memory_->erase(key));
}

napi_value CacheStore::memoryStats(napi_env rawEnv, napi_callback_info info) {
  const Call<CacheStore, 1> call(rawEnv, info);
  const Napi::Env env(rawEnv);
  if (!call.self->memory_) return env.Null();
  const core::MemoryStats stats = call.self->memory_->stats();
  Napi::Object object = Napi::Object::New(env);
  const auto put = [&](const char* name, std::uint64_t value) { object.Set(name, static_cast<double>(value)); };
  put("entries", stats.entries);
  put("bytes", stats.bytes);
  put("maxBytes", stats.maxBytes);
  put("hits", stats.hits);
  put("misses", stats.misses);
  put("sets", stats.sets);
  put("deletes", stats.deletes);
  put("evictions", stats.evictions);
  put("expirations", stats.expirations);
  put("rejects", stats.rejects);
  return object;
}

napi_value CacheStore::resetStats(napi_env env, napi_callback_info info) {
  const Call<CacheStore, 1> call(env, info);
  if (call.self->memory_) call.self->memory_->resetStats();
  return nullptr;
}

// Gives the memory back. Operations on their way to Redis still settle.
napi_value CacheStore::close(napi_env env, napi_callback_info info) {
  const Call<CacheStore, 1> call(env, info);
  CacheStore& self = *call.self;
  self.closed_ = true;
  if (self.memory_) self.memory_->clear();
  if (self.client_) self.client_->prune();
  return nullptr;
}

// The usual hit is a fresh JSON value without metadata: its bare text. Everything else goes through the factory.
napi_value CacheStore::valueOf(napi_env env, const core::Entry& entry, const core::Deadlines& deadlines,
                               core::Freshness freshness, core::Millis now, bool whole) {
  const bool text = entry.codec == core::Codec::kJson;
  napi_value payload = text ? makeString(env, entry.payload) : makeBuffer(env, entry.payload);
  if (text && !whole && freshness == core::Freshness::kFresh && entry.metadata.empty()) return payload;

  const core::Millis left = std::max<core::Millis>(0, deadlines.goneAt - now);
  napi_value args[7] = {payload};
  napi_create_int32(env, static_cast<std::int32_t>(entry.codec), &args[1]);
  napi_create_int32(env, static_cast<std::int32_t>(freshness), &args[2]);
  napi_create_double(env, static_cast<double>(std::max<core::Millis>(0, entry.keepFor - left)), &args[3]);
  napi_create_double(env, static_cast<double>(std::max<core::Millis>(0, deadlines.freshUntil - now)), &args[4]);
  napi_create_double(env, static_cast<double>(entry.created), &args[5]);
  args[6] = makeString(env, entry.metadata);
  napi_value undefined = nullptr;
  napi_value result = nullptr;
  napi_get_undefined(env, &undefined);
  napi_call_function(env, undefined, hit_.Value(), std::size(args), args, &result);
  return result;
}

void CacheStore::onRead(const redis::ReadResult& result, std::uint32_t tag) {
  ReplyBatch& batch = client_->batch();
  napi_value value = nullptr;
  if (result.status == redis::ReadResult::Status::kHit) {
    const core::Millis now = monotonicNow();
    value = valueOf(batch.env(), result.entry, result.deadlines, core::freshnessAt(result.deadlines, now), now,
                    (tag & kWhole) != 0);
  }
  if (value == nullptr) napi_get_undefined(batch.env(), &value);
  // null: there was something, and it was none of ours.
  if (result.status == redis::ReadResult::Status::kCorrupt) napi_get_null(batch.env(), &value);
  batch.push(value);
}

void CacheStore::onWritten() { client_->batch().push(boolean(client_->batch().env(), true)); }

void CacheStore::onRemoved(std::int64_t count) { client_->batch().push(boolean(client_->batch().env(), count > 0)); }

void CacheStore::onOperationFailed(const redis::Error& error) { client_->batch().fail(error); }

void CacheStore::onOperationTimedOut() { client_->batch().expire(); }

}  // namespace tiercel::node
