#include "node/cache_store.h"

#include <uv.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>
#include <utility>

#include "core/entry/json_array.h"
#include "core/local_tier.h"
#include "core/random.h"
#include "node/cache_store_flags.h"
#include "redis/cache_tier.h"

namespace tiercel::node {

namespace {

core::MemoryOptions memoryOptionsFrom(const Napi::Object& options) {
  return {.maxBytes = static_cast<std::size_t>(integerProperty(options, "maxBytes")),
          .maxEntryBytes = static_cast<std::size_t>(integerProperty(options, "maxEntryBytes")),
          .maxEntries = static_cast<std::size_t>(integerProperty(options, "maxEntries"))};
}

// refreshAhead, as JavaScript hands it over: ms before the end, or minus the share of the time to live after which it
// begins, or NaN for XFetch (Vattani et al., Optimal Probabilistic Cache Stampede Prevention).
bool isAhead(double ahead, const core::Standing& entry, core::Millis now) {
  if (ahead == 0) return false;
  const auto left = static_cast<double>(entry.freshUntil - now);
  if (std::isnan(ahead)) return left <= -static_cast<double>(entry.loadTime) * std::log(1 - core::randomUnit());
  if (ahead > 0) return left <= ahead;
  return left <= static_cast<double>(entry.freshUntil - entry.filledAt) * (1 + ahead);
}

}  // namespace

CacheStore::CacheStore(std::shared_ptr<Environment> environment, const Napi::Object& options,
                       const Napi::Object& callbacks, std::shared_ptr<RedisClient> client,
                       std::shared_ptr<core::ProcessTier> shared)
    : environment_(std::move(environment)),
      shared_(std::move(shared)),
      memory_(booleanProperty(options, "memory") ? &shared_->memory : nullptr),
      prefix_(stringProperty(options, "prefix")),
      space_(stringProperty(options, "space")),
      key_(space_),
      client_(std::move(client)),
      hit_(functionProperty(callbacks, "hit")),
      outcome_(functionProperty(callbacks, "outcome")),
      watched_(functionProperty(callbacks, "watched")),
      released_(functionProperty(callbacks, "released")) {
  const Napi::Env env = environment_->env();
  const auto names = tagsOf(env, options.Get("namespaces"));
  std::vector<std::string> namespaces(names.begin(), names.end());
  if (client_) {
    tier_ = std::make_unique<redis::CacheTier>(
        client_->connection(), *shared_,
        redis::CacheTierOptions{.prefix = prefix_,
                                .namespaces = std::move(namespaces),
                                .maxStaleness = integerProperty(options, "maxStaleness", 1000),
                                .stampFor = integerProperty(options, "stampFor"),
                                .memory = memory_ != nullptr,
                                .asksForAnyTag = true},
        static_cast<redis::CacheTierObserver&>(*this));
    return;
  }
  context_.emplace(env, "tiercel:cache");
  wakeups_ = std::make_shared<LeaseWakeups>(environment_->handles(), [this](const auto& tickets) {
    if (closed_) return;
    const Napi::Env own = environment_->env();
    const Napi::HandleScope scope(own);
    const Napi::CallbackScope callbackScope(own, *context_);
    for (const std::uint64_t ticket : tickets) {
      if (closed_) return;
      released_.Call({Napi::Number::New(own, static_cast<double>(ticket))});
    }
  });
  tier_ = std::make_unique<core::LocalTier>(shared_->memory, shared_->tags, shared_->leases, std::move(namespaces),
                                            wakeups_, monotonicNow);
}

CacheStore::~CacheStore() { leaveMemory(); }

void CacheStore::leaveMemory() {
  if (memory_ != nullptr && reserved_ != 0) memory_->release(std::exchange(reserved_, 0));
  memory_ = nullptr;
}

napi_value CacheStore::create(napi_env rawEnv, napi_callback_info info) {
  const Call<Environment, 4> call(rawEnv, info);
  const Napi::Env env(rawEnv);
  const Napi::Object options(env, call.args[0]);
  const Napi::Object target(env, call.args[3]);
  std::shared_ptr<RedisClient> client;
  if (Napi::Value(env, call.args[2]).IsObject()) {
    client = RedisClient::from(Napi::Object(env, call.args[2]));
    if (!client) {
      Napi::TypeError::New(env, "not a native client").ThrowAsJavaScriptException();
      return nullptr;
    }
  }
  std::optional<core::TierOptions> conflicting;
  const core::TierOptions wanted{.memory = memoryOptionsFrom(options), .standalone = client == nullptr};
  auto shared = core::openTier(stringProperty(options, "name"), wanted, conflicting);
  if (!shared) {
    const std::string open = conflicting
                                 ? std::to_string(conflicting->memory.maxBytes) + " bytes, at most " +
                                       std::to_string(conflicting->memory.maxEntryBytes) + " an entry" +
                                       (conflicting->memory.maxEntries == 0
                                            ? std::string()
                                            : ", " + std::to_string(conflicting->memory.maxEntries) + " entries")
                                 : std::string();
    Napi::TypeError::New(
        env,
        "memory: these caches share their memory, that of a namespace and version in a process, and it is "
        "open with other options (" +
            open + "): use the same ones, another namespace, or (without Redis) no memory.shared")
        .ThrowAsJavaScriptException();
    return nullptr;
  }
  const auto store = std::make_shared<CacheStore>(
      call.self->shared_from_this(), options, Napi::Object(env, call.args[1]), std::move(client), std::move(shared));
  if (store->client_) {
    store->client_->attach(store);
  } else {
    call.self->admit(store);
  }
  // Those of a memory hit, a miss and a set: unwrapping `this` would be a part of what they cost.
  bindFunctions(target, store.get(), store,
                {bound<peek>("peek"), bound<still>("still"), bound<acquire>("acquire"), bound<fill>("fill"),
                 bound<write>("write")});
  adopt(target, store);
  return target;
}

Napi::Object CacheStore::methodsOf(Napi::Env env) {
  return methods(env, {bound<reserve>("reserve"),
                       bound<expire>("expire"),
                       bound<read>("read"),
                       bound<readMany>("readMany"),
                       bound<refresh>("refresh"),
                       bound<takeOver>("takeOver"),
                       bound<addTags>("addTags"),
                       bound<prepare>("prepare"),
                       bound<giveUp>("giveUp"),
                       bound<held>("held"),
                       bound<renew>("renew"),
                       bound<current>("current"),
                       bound<anyTagChanged>("anyTagChanged"),
                       bound<drop>("drop"),
                       bound<remove>("remove"),
                       bound<soften>("soften"),
                       bound<invalidateTags>("invalidateTags"),
                       bound<removeMatching>("removeMatching"),
                       bound<clearMemory>("clearMemory"),
                       bound<forget>("forget"),
                       bound<unwatch>("unwatch"),
                       bound<sweep>("sweep"),
                       bound<stampOf>("stampOf"),
                       bound<memoryStats>("memoryStats"),
                       bound<resetStats>("resetStats"),
                       bound<dump>("dump"),
                       bound<load>("load"),
                       bound<close>("close")});
}

// JavaScript may hold its functions for long: the tier is not to wait for the garbage collector.
void CacheStore::letGo() {
  releaseFunctions();
  tier_.reset();
  leaveMemory();
  shared_.reset();
}

// They lead to the cache, and the cache leads here: as long as they are held, none of both can be collected.
void CacheStore::releaseFunctions() {
  for (Napi::FunctionReference* function : {&hit_, &outcome_, &watched_, &released_}) function->Reset();
  payload_ = {};
  metadata_ = {};
  context_.reset();
}

// What every function gives then: with a client, a refusal, since undefined would promise an answer.
napi_value CacheStore::gone(napi_env env) const {
  return client_ ? refusalOf(env, redis::Connection::Admission::kClosed) : nullptr;
}

void CacheStore::abandon() {
  closed_ = true;
  releaseFunctions();
  if (wakeups_) wakeups_->close();
}

// Gives up what this cache has of the shared tier. Operations on their way to Redis still settle.
napi_value CacheStore::close(napi_env env, napi_callback_info info) {
  const CallOf<1> call(env, info);
  CacheStore& self = *call.self;
  if (std::exchange(self.closed_, true)) return nullptr;
  const auto own = self.shared_from_this();
  if (self.client_) {
    self.client_->leaves();
    self.client_->prune();
    if (self.isDone()) self.letGo();
  } else {
    self.releaseFunctions();
    self.tier_.reset();
    self.wakeups_->close();
    self.leaveMemory();
    self.shared_.reset();
    self.environment_->discharge(own);
  }
  return nullptr;
}

std::string_view CacheStore::fullKey(napi_env env, napi_value key) {
  // Short keys are written in place, behind the space.
  constexpr std::size_t kShort = 1024;
  const std::size_t start = space_.size();
  key_.resize(start + kShort);
  std::size_t length = 0;
  if (napi_get_value_string_utf8(env, key, key_.data() + start, kShort, &length) == napi_ok && length + 4 < kShort) {
    return {key_.data(), start + length};
  }
  key_.resize(start);
  const auto bytes = bytesOf(env, key, payload_);
  if (bytes) key_.append(*bytes);
  return key_;
}

std::span<const std::string> CacheStore::tagsOf(napi_env env, napi_value array) {
  tagNames_.clear();
  const Napi::Value value(env, array);
  if (array == nullptr || !value.IsArray()) return {};
  const auto list = value.As<Napi::Array>();
  for (std::uint32_t i = 0; i < list.Length(); ++i) {
    const Napi::Value name = list.Get(i);
    if (name.IsString()) tagNames_.push_back(name.As<Napi::String>().Utf8Value());
  }
  return tagNames_;
}

// peek(key, flags, ahead, fill): what the memory tier holds, undefined when it holds nothing; true when it is fresh and
// the same that JavaScript has as an object, by its fill number.
napi_value CacheStore::peek(napi_env env, napi_callback_info info) {
  const CallOf<4> call(env, info);
  CacheStore& self = *call.self;
  if (self.isGone()) return self.gone(env);
  if (self.memory_ == nullptr) return nullptr;
  std::uint32_t flags = 0;
  napi_get_value_uint32(env, call.args[1], &flags);
  const std::string_view key = self.fullKey(env, call.args[0]);
  core::Millis now = coarseNow();
  const bool silent = (flags & (kSilent | kDistrusted)) != 0;
  auto hit =
      silent ? std::as_const(*self.memory_).peek(key, now, (flags & kDistrusted) != 0) : self.memory_->find(key, now);
  if (!hit) return nullptr;
  if (hit->deadlines.goneAt - now < kCoarse || hit->deadlines.freshUntil - now < kCoarse) {
    now = monotonicNow();
    if (now >= hit->deadlines.goneAt) return nullptr;
    hit->freshness = core::freshnessAt(hit->deadlines, now);
  }
  double ahead = 0;
  double known = 0;
  napi_get_value_double(env, call.args[2], &ahead);
  const core::Standing standing{
      .filledAt = hit->filledAt, .freshUntil = hit->deadlines.freshUntil, .loadTime = hit->entry.loadTime};
  const bool due = hit->freshness == core::Freshness::kFresh && isAhead(ahead, standing, now);
  const bool plain =
      (flags & kWhole) == 0 && !due && hit->freshness == core::Freshness::kFresh && hit->entry.metadata.empty();
  if (plain && hit->entry.codec == core::Codec::kText) return makeString(env, hit->entry.payload);
  if (plain && napi_get_value_double(env, call.args[3], &known) == napi_ok && known != 0 &&
      known == fillNumber(hit->entry)) {
    napi_value same = nullptr;
    napi_get_boolean(env, true, &same);
    return same;
  }
  now = monotonicNow();
  core::Found found;
  found.entry = hit->entry;
  found.entry.keepFor = hit->deadlines.goneAt - hit->filledAt;
  found.deadlines = hit->deadlines;
  return self.valueOf(env, found, due ? kAhead : hit->freshness, now, hit->tags, hit->token);
}

// still(token, fill, -1): whether the entry of an earlier hit is there, without a trace.
// still(token, fill, ahead): whether an earlier hit, by its token and fill number, would be one again, fresh and not
// due to be refreshed. false may also mean that nobody knows: then peek() does. Nothing is counted then.
napi_value CacheStore::still(napi_env env, napi_callback_info info) {
  const CallOf<3> call(env, info);
  const CacheStore& self = *call.self;
  std::int64_t token = 0;
  double fill = 0;
  double ahead = 0;
  napi_get_value_int64(env, call.args[0], &token);
  napi_get_value_double(env, call.args[1], &fill);
  napi_get_value_double(env, call.args[2], &ahead);
  const bool known = !self.isGone() && self.memory_ != nullptr && token > 0 && fill >= 1 && fill <= kMostFillNumber;
  const auto bits = known ? static_cast<std::uint64_t>(fill) : 0;
  // What the coarse clock does not know is for peek() to say.
  const core::Millis now = coarseNow() + kCoarse;
  bool same = false;
  if (known && ahead == 0) {
    same = self.memory_->isStill(static_cast<std::uint64_t>(token), bits, now);
  } else if (known && ahead < 0) {
    same = self.memory_->holds(static_cast<std::uint64_t>(token), bits);
  } else if (known) {
    same = self.memory_->isStill(static_cast<std::uint64_t>(token), bits, now,
                                 [&](const core::Standing& entry) { return !isAhead(ahead, entry, now); });
  }
  napi_value result = nullptr;
  napi_get_boolean(env, same, &result);
  return result;
}

// The result of an operation, when it is known. With a client: undefined, and the answer settles the next promise of
// the client; or a refusal.
napi_value CacheStore::answered(napi_env env, const core::Answer& answer, std::uint32_t flags) {
  if (const core::Found* const found = answer.found()) return outcomeOf(env, *found, flags);
  if (const core::Admission* const admission = answer.admission()) return refusalOf(env, *admission);
  napi_value result = nullptr;
  napi_create_double(env, static_cast<double>(*answer.number()), &result);
  return result;
}

core::LeaseRequest CacheStore::leaseRequestFrom(napi_env env, const napi_value* args) {
  const auto flags = static_cast<std::uint32_t>(integerOf(env, args[1]));
  return {.leaseFor = integerOf(env, args[2]),
          .tags = tagsOf(env, args[3]),
          .flags = flags,
          .bare = (flags & kWhole) == 0,
          .overFailure = (flags & kOverFailure) != 0};
}

// read(key, flags): what is behind memory.
napi_value CacheStore::read(napi_env env, napi_callback_info info) {
  const CallOf<2> call(env, info);
  CacheStore& self = *call.self;
  if (self.isGone()) return self.gone(env);
  const auto flags = static_cast<std::uint32_t>(integerOf(env, call.args[1]));
  return self.answered(env, self.tier_->read(self.fullKey(env, call.args[0]), flags, (flags & kWhole) == 0), flags);
}

// readMany(keys): [text, marks]. marks: per key 'h' a hit, 'm' a miss, 'a' for what read() has to look at. text: a JSON
// array of the values of the hits.
napi_value CacheStore::readMany(napi_env env, napi_callback_info info) {
  const CallOf<1> call(env, info);
  CacheStore& self = *call.self;
  if (self.isGone()) return self.gone(env);
  std::uint32_t count = 0;
  napi_get_array_length(env, call.args[0], &count);
  self.keys_.resize(count);
  for (std::uint32_t i = 0; i < count; ++i) {
    napi_value key = nullptr;
    napi_get_element(env, call.args[0], i, &key);
    self.keys_[i].assign(self.fullKey(env, key));
  }
  return self.answered(env, self.tier_->readMany(self.keys_));
}

// acquire(key, flags, leaseFor, tags, ticket): the same, or the lease.
napi_value CacheStore::acquire(napi_env env, napi_callback_info info) {
  const CallOf<5> call(env, info);
  CacheStore& self = *call.self;
  if (self.isGone()) return self.gone(env);
  core::LeaseRequest request = self.leaseRequestFrom(env, call.args);
  request.ticket = static_cast<std::uint64_t>(integerOf(env, call.args[4]));
  return self.answered(env, self.tier_->acquire(self.fullKey(env, call.args[0]), request), request.flags);
}

// refresh(key, flags, leaseFor, tags, ticket): the lease of an entry that stays readable.
napi_value CacheStore::refresh(napi_env env, napi_callback_info info) {
  const CallOf<5> call(env, info);
  CacheStore& self = *call.self;
  if (self.isGone()) return self.gone(env);
  core::LeaseRequest request = self.leaseRequestFrom(env, call.args);
  request.ticket = static_cast<std::uint64_t>(integerOf(env, call.args[4]));
  return self.answered(env, self.tier_->refresh(self.fullKey(env, call.args[0]), request), request.flags);
}

// takeOver(key, flags, leaseFor, tags, head): the lease in the place of an outdated entry.
napi_value CacheStore::takeOver(napi_env env, napi_callback_info info) {
  const CallOf<5> call(env, info);
  CacheStore& self = *call.self;
  if (self.isGone()) return self.gone(env);
  const core::LeaseRequest request = self.leaseRequestFrom(env, call.args);
  const std::string head(bytesOf(env, call.args[4], self.metadata_).value_or(std::string_view()));
  return self.answered(env, self.tier_->takeOver(self.fullKey(env, call.args[0]), head, request), request.flags);
}

napi_value CacheStore::tagNames(napi_env rawEnv, const core::Entry& entry, std::span<const core::TagMark> marks) {
  const Napi::Env env(rawEnv);
  Napi::Array names = Napi::Array::New(env);
  std::uint32_t count = 0;
  const auto add = [&](std::string_view name) {
    if (name.starts_with("t:")) names.Set(count++, Napi::Value(env, makeString(env, name.substr(2))));
  };
  for (const core::TagMark& mark : marks) add(shared_->tags.name(mark.cell));
  core::TagReader reader(entry.tags);
  while (const auto tag = reader.next()) add(tag->name);
  return names;
}

// A whole hit, from the factory.
napi_value CacheStore::valueOf(napi_env env, const core::Found& found, core::Freshness freshness, core::Millis now,
                               std::span<const core::TagMark> marks, std::uint64_t token) {
  const core::Entry& entry = found.entry;
  const bool text = entry.codec == core::Codec::kJson || entry.codec == core::Codec::kText;
  napi_value payload = text ? makeString(env, entry.payload) : makeBuffer(env, entry.payload);
  const core::Millis left = std::max<core::Millis>(0, found.deadlines.goneAt - now);
  const core::Millis age = std::max<core::Millis>(0, entry.keepFor - left);
  const auto created = static_cast<double>(entry.created != 0 ? entry.created : wallNow() - age);
  napi_value args[12] = {payload};
  napi_create_int32(env, static_cast<std::int32_t>(entry.codec), &args[1]);
  napi_create_int32(env, static_cast<std::int32_t>(freshness), &args[2]);
  napi_create_double(env, static_cast<double>(age), &args[3]);
  napi_create_double(env, static_cast<double>(std::max<core::Millis>(0, found.deadlines.freshUntil - now)), &args[4]);
  napi_create_double(env, created, &args[5]);
  args[6] = makeString(env, entry.metadata);
  napi_create_double(env, static_cast<double>(std::max<core::Millis>(0, found.deadlines.staleUntil - now)), &args[7]);
  napi_create_double(env, static_cast<double>(entry.loadTime), &args[8]);
  napi_create_double(env, fillNumber(entry), &args[9]);
  args[10] = tagNames(env, entry, marks);
  napi_create_double(env, static_cast<double>(token), &args[11]);
  napi_value undefined = nullptr;
  napi_value result = nullptr;
  napi_get_undefined(env, &undefined);
  if (hit_.IsEmpty() || std::find(std::begin(args), std::end(args), nullptr) != std::end(args)) return nullptr;
  napi_call_function(env, undefined, hit_.Value(), std::size(args), args, &result);
  return result;
}

// undefined: nothing. null: something that is none of ours. A value, or what asking for a lease gave.
napi_value CacheStore::outcomeOf(napi_env env, const core::Found& found, std::uint32_t flags) {
  napi_value result = nullptr;
  switch (found.kind) {
    case core::Found::Kind::kMiss:
      napi_get_undefined(env, &result);
      return result;
    case core::Found::Kind::kCorrupt:
      napi_get_null(env, &result);
      return result;
    case core::Found::Kind::kHit: {
      const core::Millis now = found.asOf;
      // The usual one is fresh, and nobody asks how fresh: its payload alone. A text says JSON, a Buffer MessagePack.
      if ((flags & kWhole) == 0 && now < found.deadlines.freshUntil && found.entry.metadata.empty()) {
        if (found.entry.codec == core::Codec::kJson) return makeString(env, found.entry.payload);
        if (found.entry.codec == core::Codec::kMsgpack) return makeBuffer(env, found.entry.payload);
      }
      return valueOf(env, found, core::freshnessAt(found.deadlines, now), now, {});
    }
    default:
      break;
  }
  napi_value args[5] = {};
  std::size_t count = 4;
  napi_create_int32(env, static_cast<std::int32_t>(found.kind), &args[0]);
  napi_create_double(env, static_cast<double>(found.left), &args[1]);
  napi_create_double(env, static_cast<double>(found.lease), &args[2]);
  if (found.kind == core::Found::Kind::kOutdated) {
    args[3] = makeBuffer(env, found.head);
  } else {
    args[3] = makeString(env, found.entry.payload);
  }
  if (found.kind == core::Found::Kind::kFailed && !found.head.empty()) args[count++] = makeBuffer(env, found.head);
  napi_value undefined = nullptr;
  napi_get_undefined(env, &undefined);
  if (outcome_.IsEmpty() || std::find(args, args + count, nullptr) != args + count) return nullptr;
  napi_call_function(env, undefined, outcome_.Value(), count, args, &result);
  return result;
}

std::uint32_t CacheStore::onSubmitted() noexcept { return client_->batch().submitted(); }

void CacheStore::onFound(std::uint32_t number, const core::Found& found, std::uint32_t flags) {
  ReplyBatch& batch = client_->batch();
  batch.push(number, outcomeOf(batch.env(), found, flags));
}

void CacheStore::onFoundMany(std::uint32_t number, std::span<const core::Found> found) {
  ReplyBatch& batch = client_->batch();
  const napi_env env = batch.env();
  std::string text = "[";
  std::string marks;
  marks.reserve(found.size());
  for (const core::Found& one : found) {
    if (one.kind == core::Found::Kind::kHit && appendJson(one.entry, text)) {
      text += ',';
      marks += 'h';
    } else {
      marks += one.kind == core::Found::Kind::kMiss ? 'm' : 'a';
    }
  }
  if (text.size() > 1) text.pop_back();
  text += ']';
  napi_value pair = nullptr;
  napi_create_array_with_length(env, 2, &pair);
  napi_value parts[] = {makeString(env, text), makeString(env, marks)};
  for (std::uint32_t i = 0; i < 2; ++i) {
    if (parts[i] != nullptr) napi_set_element(env, pair, i, parts[i]);
  }
  batch.push(number, pair);
}

void CacheStore::onDone(std::uint32_t number, std::int64_t result) {
  napi_value value = nullptr;
  napi_create_int64(client_->batch().env(), result, &value);
  client_->batch().push(number, value);
}

void CacheStore::onOperationFailed(std::uint32_t number, const redis::Error& error) {
  client_->batch().fail(number, error);
}

void CacheStore::onOperationTimedOut(std::uint32_t number) { client_->batch().expire(number); }

void CacheStore::onWatched(std::string_view key) {
  if (closed_ || !key.starts_with(space_)) return;
  client_->batch().later(watched_, key.substr(space_.size()));
}

}  // namespace tiercel::node
