// The half of CacheStore that changes something: fills, writes, removals, invalidations.
#include <algorithm>
#include <new>
#include <utility>

#include "core/glob.h"
#include "core/random.h"
#include "node/cache_store.h"
#include "node/cache_store_flags.h"

namespace tiercel::node {

namespace {

napi_value number(napi_env env, double value) {
  napi_value result = nullptr;
  napi_create_double(env, value, &result);
  return result;
}

// What is too large to be encoded is refused, not fatal.
template <class Submit>
napi_value guarded(napi_env env, Submit submit) {
  try {
    return refusalOf(env, submit());
  } catch (const std::bad_alloc&) {
    return number(env, refusal::kTooLarge);
  }
}

}  // namespace

// args: codec, payload, metadata, freshFor, staleFor, keepFor, loadTime
core::Entry CacheStore::entryFrom(napi_env env, const napi_value* args) {
  core::Entry entry;
  entry.codec = static_cast<core::Codec>(integerOf(env, args[0]));
  entry.fillId = core::randomFillId();
  entry.created = wallNow();
  entry.payload = bytesOf(env, args[1], payload_).value_or(std::string_view());
  entry.metadata = bytesOf(env, args[2], metadata_).value_or(std::string_view());
  entry.freshFor = integerOf(env, args[3]);
  entry.staleFor = integerOf(env, args[4]);
  entry.keepFor = integerOf(env, args[5]);
  entry.loadTime = static_cast<std::uint32_t>(std::clamp<std::int64_t>(integerOf(env, args[6]), 0, UINT32_MAX));
  return entry;
}

// addTags(lease, tags): 0 added, 1 not known yet (prepare() and try again), 2 changed: do not fill.
napi_value CacheStore::addTags(napi_env env, napi_callback_info info) {
  const CallOf<2> call(env, info);
  CacheStore& self = *call.self;
  if (self.isGone()) return self.gone(env);
  const auto lease = static_cast<core::LeaseNumber>(integerOf(env, call.args[0]));
  const auto tags = self.tagsOf(env, call.args[1]);
  if (self.local_) return number(env, self.local_->addTags(lease, tags, monotonicNow()) ? 0 : 2);
  return number(env, static_cast<double>(self.tier_->addTags(lease, tags)));
}

// prepare(tags): undefined when their stamps will be known, with the next promise of the client; null when they are.
napi_value CacheStore::prepare(napi_env env, napi_callback_info info) {
  const CallOf<1> call(env, info);
  CacheStore& self = *call.self;
  if (self.isGone()) return self.gone(env);
  const auto tags = self.tagsOf(env, call.args[0]);
  if (!self.tier_ || self.tier_->knowsTags(tags)) {
    napi_value known = nullptr;
    napi_get_null(env, &known);
    return known;
  }
  return refusalOf(env, self.tier_->prepare(tags));
}

// fill(lease, codec, payload, metadata, freshFor, staleFor, keepFor, loadTime)
napi_value CacheStore::fill(napi_env env, napi_callback_info info) {
  const CallOf<8> call(env, info);
  CacheStore& self = *call.self;
  if (self.isGone()) return self.gone(env);
  const auto lease = static_cast<core::LeaseNumber>(integerOf(env, call.args[0]));
  const core::Entry entry = self.entryFrom(env, call.args + 1);
  if (self.local_) return number(env, self.local_->fill(lease, entry, monotonicNow()) ? 1 : 0);
  return guarded(env, [&] { return self.tier_->fill(lease, entry); });
}

// giveUp(lease, told, holdOff): told is the JSON of an error, '' for "nothing to keep", undefined to say nothing.
napi_value CacheStore::giveUp(napi_env env, napi_callback_info info) {
  const CallOf<3> call(env, info);
  CacheStore& self = *call.self;
  if (self.isGone()) return self.gone(env);
  const auto lease = static_cast<core::LeaseNumber>(integerOf(env, call.args[0]));
  const auto told = bytesOf(env, call.args[1], self.payload_);
  const core::Millis holdOff = integerOf(env, call.args[2]);
  if (self.local_) {
    std::optional<std::string> failure;
    if (told && !told->empty()) failure.emplace(*told);
    return number(env, self.local_->giveUp(lease, std::move(failure), monotonicNow(), holdOff) ? 1 : 0);
  }
  core::Entry entry;
  if (told) {
    entry.codec = core::Codec::kJson;
    entry.flags = told->empty() ? core::entry_flags::kUncacheable : core::entry_flags::kFailure;
    entry.fillId = core::randomFillId();
    entry.leaseUntil = core::kMaxEntryDuration;
    entry.created = wallNow();
    entry.freshFor = entry.staleFor = entry.keepFor = holdOff;
    entry.payload = *told;
  }
  return guarded(env, [&] { return self.tier_->giveUp(lease, told ? &entry : nullptr, holdOff); });
}

// held(lease): 1 while it is.
napi_value CacheStore::held(napi_env env, napi_callback_info info) {
  const CallOf<1> call(env, info);
  CacheStore& self = *call.self;
  if (self.isGone()) return self.gone(env);
  const auto lease = static_cast<core::LeaseNumber>(integerOf(env, call.args[0]));
  if (self.local_) return number(env, self.local_->held(lease, monotonicNow()) ? 1 : 0);
  return refusalOf(env, self.tier_->held(lease));
}

// current(lease): whether its load may still be joined.
napi_value CacheStore::current(napi_env env, napi_callback_info info) {
  const CallOf<1> call(env, info);
  CacheStore& self = *call.self;
  if (self.isGone()) return self.gone(env);
  const auto lease = static_cast<core::LeaseNumber>(integerOf(env, call.args[0]));
  napi_value result = nullptr;
  napi_get_boolean(env, self.local_ ? self.local_->held(lease, monotonicNow()) : self.tier_->current(lease), &result);
  return result;
}

// anyTagChanged(lease): whether any tag has changed since its load began.
napi_value CacheStore::anyTagChanged(napi_env env, napi_callback_info info) {
  const CallOf<1> call(env, info);
  CacheStore& self = *call.self;
  if (self.isGone()) return self.gone(env);
  const auto lease = static_cast<core::LeaseNumber>(integerOf(env, call.args[0]));
  napi_value result = nullptr;
  const bool changed =
      self.local_ ? self.local_->anyTagChanged(lease, monotonicNow()) : self.tier_->anyTagChanged(lease);
  napi_get_boolean(env, changed, &result);
  return result;
}

// drop(lease): it is of no use any more.
napi_value CacheStore::drop(napi_env env, napi_callback_info info) {
  const CallOf<1> call(env, info);
  CacheStore& self = *call.self;
  if (self.isGone()) return self.gone(env);
  const auto lease = static_cast<core::LeaseNumber>(integerOf(env, call.args[0]));
  if (self.local_) self.local_->giveUp(lease, std::nullopt, monotonicNow(), 0);
  if (self.tier_) self.tier_->drop(lease);
  return nullptr;
}

// write(key, codec, payload, metadata, freshFor, staleFor, keepFor, loadTime, tags)
napi_value CacheStore::write(napi_env env, napi_callback_info info) {
  const CallOf<9> call(env, info);
  CacheStore& self = *call.self;
  if (self.isGone()) return self.gone(env);
  const std::string_view key = self.fullKey(env, call.args[0]);
  const core::Entry entry = self.entryFrom(env, call.args + 1);
  const auto tags = self.tagsOf(env, call.args[8]);
  if (self.local_) return number(env, self.local_->write(key, entry, tags, monotonicNow()) ? 1 : 0);
  return guarded(env, [&] { return self.tier_->write(key, entry, tags); });
}

napi_value CacheStore::remove(napi_env env, napi_callback_info info) {
  const CallOf<1> call(env, info);
  CacheStore& self = *call.self;
  if (self.isGone()) return self.gone(env);
  const std::string_view key = self.fullKey(env, call.args[0]);
  if (self.local_) return number(env, self.local_->remove(key) ? 1 : 0);
  return refusalOf(env, self.tier_->remove(key));
}

napi_value CacheStore::soften(napi_env env, napi_callback_info info) {
  const CallOf<1> call(env, info);
  CacheStore& self = *call.self;
  if (self.isGone()) return self.gone(env);
  const std::string_view key = self.fullKey(env, call.args[0]);
  if (self.local_) return number(env, self.local_->soften(key, monotonicNow()) ? 1 : 0);
  return refusalOf(env, self.tier_->soften(key));
}

// invalidateTags(names): whole names, "t:user" or that of a namespace.
napi_value CacheStore::invalidateTags(napi_env env, napi_callback_info info) {
  const CallOf<1> call(env, info);
  CacheStore& self = *call.self;
  if (self.isGone()) return self.gone(env);
  const auto names = self.tagsOf(env, call.args[0]);
  if (self.tier_) return refusalOf(env, self.tier_->invalidateTags(names));
  self.local_->invalidateTags(names);
  return number(env, 1);
}

// removeMatching(pattern): from memory, and without Redis from everywhere. Returns how many.
napi_value CacheStore::removeMatching(napi_env env, napi_callback_info info) {
  const CallOf<1> call(env, info);
  CacheStore& self = *call.self;
  if (self.isGone()) return self.gone(env);
  const std::string pattern(bytesOf(env, call.args[0], self.payload_).value_or(std::string_view()));
  const auto matches = [&](std::string_view key) {
    return key.starts_with(self.space_) && core::globMatches(pattern, key.substr(self.space_.size()));
  };
  if (self.local_) return number(env, static_cast<double>(self.local_->removeIf(matches)));
  return number(env, self.memory_ == nullptr ? 0 : static_cast<double>(self.memory_->eraseIf(matches)));
}

// forget(key): drops what memory has of it.
napi_value CacheStore::forget(napi_env env, napi_callback_info info) {
  const CallOf<1> call(env, info);
  CacheStore& self = *call.self;
  if (self.isGone()) return self.gone(env);
  const std::string_view key = self.fullKey(env, call.args[0]);
  if (self.memory_ != nullptr) self.memory_->erase(key);
  return nullptr;
}

napi_value CacheStore::unwatch(napi_env env, napi_callback_info info) {
  const CallOf<1> call(env, info);
  CacheStore& self = *call.self;
  if (self.isGone()) return self.gone(env);
  if (self.tier_) self.tier_->unwatch(self.fullKey(env, call.args[0]));
  return nullptr;
}

// sweep(key as the index has it, tag, stamp): gives back an entry that carries the tag with another stamp.
napi_value CacheStore::sweep(napi_env env, napi_callback_info info) {
  const CallOf<3> call(env, info);
  CacheStore& self = *call.self;
  if (self.isGone()) return self.gone(env);
  const std::string key(bytesOf(env, call.args[0], self.payload_).value_or(std::string_view()));
  const std::string tag(bytesOf(env, call.args[1], self.payload_).value_or(std::string_view()));
  const auto stamp = bytesOf(env, call.args[2], self.metadata_).value_or(std::string_view());
  return refusalOf(env, self.tier_->sweep(key, tag, stamp));
}

// stampOf(name): a Buffer, or undefined when it is not known.
napi_value CacheStore::stampOf(napi_env env, napi_callback_info info) {
  const CallOf<1> call(env, info);
  CacheStore& self = *call.self;
  if (self.isGone()) return self.gone(env);
  if (!self.tier_) return nullptr;
  const auto name = bytesOf(env, call.args[0], self.payload_).value_or(std::string_view());
  const auto stamp = self.tier_->stampOf(name);
  return stamp ? makeBuffer(env, core::textOf(*stamp)) : nullptr;
}

napi_value CacheStore::memoryStats(napi_env rawEnv, napi_callback_info info) {
  const CallOf<1> call(rawEnv, info);
  const Napi::Env env(rawEnv);
  if (call.self->memory_ == nullptr) return env.Null();
  const core::MemoryStats stats = call.self->memory_->stats();
  Napi::Object object = Napi::Object::New(env);
  const auto put = [&](const char* name, std::uint64_t value) { object.Set(name, static_cast<double>(value)); };
  put("entries", stats.entries);
  put("bytes", stats.bytes);
  put("maxBytes", stats.maxBytes);
  put("maxEntries", stats.maxEntries);
  put("hits", stats.hits);
  put("misses", stats.misses);
  put("sets", stats.sets);
  put("deletes", stats.deletes);
  put("evictions", stats.evictions);
  put("expirations", stats.expirations);
  put("rejects", stats.rejects);
  put("admissionRejects", stats.admissionRejects);
  put("invalid", stats.invalid);
  return object;
}

napi_value CacheStore::resetStats(napi_env env, napi_callback_info info) {
  const CallOf<1> call(env, info);
  if (call.self->memory_ != nullptr) call.self->memory_->resetStats();
  return nullptr;
}

// dump(): an array of keys and envelopes, in turn, of what memory holds in this space. Envelopes say how long they had
// left (keepFor, and the windows within), not how old they are.
napi_value CacheStore::dump(napi_env rawEnv, napi_callback_info info) {
  const CallOf<1> call(rawEnv, info);
  const Napi::Env env(rawEnv);
  CacheStore& self = *call.self;
  if (self.isGone()) return self.gone(env);
  Napi::Array list = Napi::Array::New(env);
  if (self.memory_ == nullptr) return list;
  const core::Millis now = monotonicNow();
  std::uint32_t count = 0;
  self.memory_->forEach(
      [&](std::string_view key, const core::MemoryHit& hit) {
        if (!key.starts_with(self.space_)) return true;
        core::Entry entry = hit.entry;
        entry.created = wallNow();
        entry.keepFor = std::min(core::kMaxEntryDuration, hit.deadlines.goneAt - now);
        entry.staleFor = std::clamp<core::Millis>(hit.deadlines.staleUntil - now, 0, entry.keepFor);
        entry.freshFor = std::clamp<core::Millis>(hit.deadlines.freshUntil - now, 0, entry.staleFor);
        const Napi::HandleScope scope(env);
        list.Set(count++, Napi::Value(env, makeString(env, key.substr(self.space_.size()))));
        list.Set(count++, Napi::Value(env, makeBuffer(env, core::encodeEntry(entry))));
        return true;
      },
      now);
  return list;
}

// load(key, envelope, elapsed): keeps what dump() gave, `elapsed` ms later. Without Redis only. Returns whether it did.
napi_value CacheStore::load(napi_env env, napi_callback_info info) {
  const CallOf<3> call(env, info);
  CacheStore& self = *call.self;
  if (self.isGone()) return self.gone(env);
  const auto bytes = bytesOf(env, call.args[1], self.metadata_);
  const core::Millis elapsed = std::max<core::Millis>(0, integerOf(env, call.args[2]));
  auto entry = bytes ? core::parseEntry(*bytes) : std::nullopt;
  if (!self.local_ || !entry || !entry->isValue() || entry->keepFor <= elapsed) return number(env, 0);
  entry->tags = {};
  entry->keepFor -= elapsed;
  entry->staleFor = std::max<core::Millis>(0, entry->staleFor - elapsed);
  entry->freshFor = std::max<core::Millis>(0, entry->freshFor - elapsed);
  const std::string_view key = self.fullKey(env, call.args[0]);
  if (self.memory_->peek(key, monotonicNow())) return number(env, 0);  // what is there is newer
  return number(env, self.local_->write(key, *entry, {}, monotonicNow()) ? 1 : 0);
}

}  // namespace tiercel::node
