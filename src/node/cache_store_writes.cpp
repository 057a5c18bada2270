// The half of CacheStore that changes something: fills, writes, removals, invalidations.
#include <algorithm>
#include <chrono>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include "core/glob.h"
#include "core/random.h"
#include "node/cache_store.h"
#include "node/cache_store_flags.h"

namespace tiercel::node {

namespace {

// One large value must not leave its room behind in every cache.
struct Emptied {
  Emptied(Scratch& first, Scratch& second) : payload(first), metadata(second) {}
  ~Emptied() {
    payload.longer.clear();
    metadata.longer.clear();
  }
  Emptied(const Emptied&) = delete;
  Emptied& operator=(const Emptied&) = delete;
  Scratch& payload;
  Scratch& metadata;
};

napi_value number(napi_env env, double value) {
  napi_value result = nullptr;
  napi_create_double(env, value, &result);
  return result;
}

constexpr std::uint64_t kEndOfWalk = core::MemoryTier::kEndOfWalk;

// The part of a walk that is done in one turn of the loop.
class Slice {
 public:
  [[nodiscard]] bool isOver() const { return std::chrono::steady_clock::now() >= end_; }

 private:
  std::chrono::steady_clock::time_point end_ = std::chrono::steady_clock::now() + std::chrono::milliseconds(2);
};

// What a part of a walk gives.
napi_value step(napi_env env, std::uint64_t cursor, napi_value result) {
  napi_value pair = nullptr;
  napi_create_array_with_length(env, 2, &pair);
  napi_set_element(env, pair, 0, number(env, cursor == kEndOfWalk ? -1 : static_cast<double>(cursor)));
  napi_set_element(env, pair, 1, result);
  return pair;
}

// What is too large to be encoded is refused, not fatal.
template <class Operation>
core::Answer guarded(Operation operation) {
  try {
    return operation();
  } catch (const std::bad_alloc&) {
    return core::Admission::kTooLarge;
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
  return number(env, static_cast<double>(self.tier_->addTags(lease, tags)));
}

// prepare(tags): undefined when their stamps will be known, with the next promise of the client; null when they are.
napi_value CacheStore::prepare(napi_env env, napi_callback_info info) {
  const CallOf<1> call(env, info);
  CacheStore& self = *call.self;
  if (self.isGone()) return self.gone(env);
  const auto tags = self.tagsOf(env, call.args[0]);
  if (self.tier_->knowsTags(tags)) {
    napi_value known = nullptr;
    napi_get_null(env, &known);
    return known;
  }
  return self.answered(env, self.tier_->prepare(tags));
}

// fill(lease, codec, payload, metadata, freshFor, staleFor, keepFor, loadTime)
napi_value CacheStore::fill(napi_env env, napi_callback_info info) {
  const CallOf<8> call(env, info);
  CacheStore& self = *call.self;
  if (self.isGone()) return self.gone(env);
  const auto lease = static_cast<core::LeaseNumber>(integerOf(env, call.args[0]));
  const Emptied emptied(self.payload_, self.metadata_);
  const core::Entry entry = self.entryFrom(env, call.args + 1);
  return self.answered(env, guarded([&] { return self.tier_->fill(lease, entry); }));
}

// giveUp(lease, told, holdOff): told is the JSON of an error, '' for "nothing to keep", undefined to say nothing.
napi_value CacheStore::giveUp(napi_env env, napi_callback_info info) {
  const CallOf<3> call(env, info);
  CacheStore& self = *call.self;
  if (self.isGone()) return self.gone(env);
  const auto lease = static_cast<core::LeaseNumber>(integerOf(env, call.args[0]));
  const auto told = bytesOf(env, call.args[1], self.payload_);
  const core::Millis holdOff = integerOf(env, call.args[2]);
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
  return self.answered(env, guarded([&] { return self.tier_->giveUp(lease, told ? &entry : nullptr, holdOff); }));
}

// held(lease): 1 while it is.
napi_value CacheStore::held(napi_env env, napi_callback_info info) {
  const CallOf<1> call(env, info);
  CacheStore& self = *call.self;
  if (self.isGone()) return self.gone(env);
  const auto lease = static_cast<core::LeaseNumber>(integerOf(env, call.args[0]));
  return self.answered(env, self.tier_->held(lease));
}

// renew(lease, leaseFor): extends it; 1 while it is held.
napi_value CacheStore::renew(napi_env env, napi_callback_info info) {
  const CallOf<2> call(env, info);
  CacheStore& self = *call.self;
  if (self.isGone()) return self.gone(env);
  const auto lease = static_cast<core::LeaseNumber>(integerOf(env, call.args[0]));
  const core::Millis leaseFor = integerOf(env, call.args[1]);
  return self.answered(env, self.tier_->renew(lease, leaseFor));
}

// current(lease): whether its load may still be joined.
napi_value CacheStore::current(napi_env env, napi_callback_info info) {
  const CallOf<1> call(env, info);
  CacheStore& self = *call.self;
  if (self.isGone()) return self.gone(env);
  const auto lease = static_cast<core::LeaseNumber>(integerOf(env, call.args[0]));
  napi_value result = nullptr;
  napi_get_boolean(env, self.tier_->current(lease), &result);
  return result;
}

// anyTagChanged(lease): whether any tag has changed since its load began.
napi_value CacheStore::anyTagChanged(napi_env env, napi_callback_info info) {
  const CallOf<1> call(env, info);
  CacheStore& self = *call.self;
  if (self.isGone()) return self.gone(env);
  const auto lease = static_cast<core::LeaseNumber>(integerOf(env, call.args[0]));
  napi_value result = nullptr;
  napi_get_boolean(env, self.tier_->anyTagChanged(lease), &result);
  return result;
}

// drop(lease): it is of no use any more.
napi_value CacheStore::drop(napi_env env, napi_callback_info info) {
  const CallOf<1> call(env, info);
  CacheStore& self = *call.self;
  if (self.isGone()) return self.gone(env);
  const auto lease = static_cast<core::LeaseNumber>(integerOf(env, call.args[0]));
  self.tier_->drop(lease);
  return nullptr;
}

// write(key, codec, payload, metadata, freshFor, staleFor, keepFor, loadTime, tags)
napi_value CacheStore::write(napi_env env, napi_callback_info info) {
  const CallOf<9> call(env, info);
  CacheStore& self = *call.self;
  if (self.isGone()) return self.gone(env);
  const std::string_view key = self.fullKey(env, call.args[0]);
  const Emptied emptied(self.payload_, self.metadata_);
  const core::Entry entry = self.entryFrom(env, call.args + 1);
  const auto tags = self.tagsOf(env, call.args[8]);
  return self.answered(env, guarded([&] { return self.tier_->write(key, entry, tags); }));
}

napi_value CacheStore::remove(napi_env env, napi_callback_info info) {
  const CallOf<1> call(env, info);
  CacheStore& self = *call.self;
  if (self.isGone()) return self.gone(env);
  return self.answered(env, self.tier_->remove(self.fullKey(env, call.args[0])));
}

napi_value CacheStore::soften(napi_env env, napi_callback_info info) {
  const CallOf<1> call(env, info);
  CacheStore& self = *call.self;
  if (self.isGone()) return self.gone(env);
  return self.answered(env, self.tier_->soften(self.fullKey(env, call.args[0])));
}

// invalidateTags(names): whole names, "t:user" or that of a namespace.
napi_value CacheStore::invalidateTags(napi_env env, napi_callback_info info) {
  const CallOf<1> call(env, info);
  CacheStore& self = *call.self;
  if (self.isGone()) return self.gone(env);
  const auto names = self.tagsOf(env, call.args[0]);
  return self.answered(env, self.tier_->invalidateTags(names));
}

// removeMatching(pattern, cursor): from memory, and without Redis from everywhere, for a few milliseconds. Returns the
// next cursor, -1 after the last, and how many were there.
napi_value CacheStore::removeMatching(napi_env env, napi_callback_info info) {
  const CallOf<2> call(env, info);
  CacheStore& self = *call.self;
  if (self.isGone()) return self.gone(env);
  const std::string pattern(bytesOf(env, call.args[0], self.payload_).value_or(std::string_view()));
  const std::string_view space = self.space_;
  const auto matches = [&](std::string_view key) {
    return key.starts_with(space) && core::globMatches(pattern, key.substr(space.size()));
  };
  std::size_t dropped = 0;
  auto cursor = static_cast<std::uint64_t>(integerOf(env, call.args[1]));
  const Slice slice;
  do {
    cursor = self.tier_->removeSome(cursor, matches, dropped);
  } while (cursor != kEndOfWalk && !slice.isOver());
  return step(env, cursor, number(env, static_cast<double>(dropped)));
}

// clearMemory(): everything that it holds, of all caches that share it.
napi_value CacheStore::clearMemory(napi_env env, napi_callback_info info) {
  const CallOf<1> call(env, info);
  if (call.self->isGone()) return call.self->gone(env);
  if (call.self->memory_ != nullptr) call.self->memory_->clear();
  return nullptr;
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
  self.tier_->unwatch(self.fullKey(env, call.args[0]));
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
  return self.answered(env, self.tier_->sweep(key, tag, stamp));
}

// stampOf(name): a Buffer, or undefined when it is not known.
napi_value CacheStore::stampOf(napi_env env, napi_callback_info info) {
  const CallOf<1> call(env, info);
  CacheStore& self = *call.self;
  if (self.isGone()) return self.gone(env);
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
  put("bytes", stats.bytes + stats.tagBytes + stats.valueBytes);
  put("entryBytes", stats.bytes);
  put("tagBytes", stats.tagBytes);
  put("valueBytes", stats.valueBytes);
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

// reserve(bytes) => whether so much more of the budget may be used by decoded values. Negative: so much less is.
napi_value CacheStore::reserve(napi_env env, napi_callback_info info) {
  const CallOf<1> call(env, info);
  CacheStore& self = *call.self;
  const std::int64_t more = integerOf(env, call.args[0]);
  bool granted = self.memory_ != nullptr;
  if (granted && more >= 0) {
    granted = self.memory_->reserve(static_cast<std::size_t>(more));
    if (granted) self.reserved_ += static_cast<std::size_t>(more);
  } else if (granted) {
    const std::size_t less = std::min(self.reserved_, static_cast<std::size_t>(-more));
    self.memory_->release(less);
    self.reserved_ -= less;
  }
  napi_value result = nullptr;
  napi_get_boolean(env, granted, &result);
  return result;
}

// expire(limit) => how many entries were dropped because their time is over.
napi_value CacheStore::expire(napi_env env, napi_callback_info info) {
  const CallOf<1> call(env, info);
  const CacheStore& self = *call.self;
  const auto limit = static_cast<std::size_t>(integerOf(env, call.args[0]));
  const std::size_t dropped = self.memory_ == nullptr ? 0 : self.memory_->expire(coarseNow(), limit);
  napi_value result = nullptr;
  napi_create_double(env, static_cast<double>(dropped), &result);
  return result;
}

napi_value CacheStore::resetStats(napi_env env, napi_callback_info info) {
  const CallOf<1> call(env, info);
  if (call.self->memory_ != nullptr) call.self->memory_->resetStats();
  return nullptr;
}

// dump(cursor, whole): what memory holds in this space, for a few milliseconds. Returns the next cursor, -1 after the
// last, and a Buffer: per entry u32 length and key, u32 length and envelope (empty when not `whole`). Envelopes say how
// long they had left (keepFor, and the windows within), not how old they are.
napi_value CacheStore::dump(napi_env env, napi_callback_info info) {
  const CallOf<2> call(env, info);
  CacheStore& self = *call.self;
  if (self.isGone()) return self.gone(env);
  bool whole = false;
  napi_get_value_bool(env, call.args[1], &whole);
  const core::Millis now = monotonicNow();
  std::string bytes;
  const auto append = [&](std::string_view part) {
    const auto size = static_cast<std::uint32_t>(part.size());
    for (unsigned shift = 0; shift < 32; shift += 8) bytes.push_back(static_cast<char>(size >> shift & 0xff));
    bytes.append(part);
  };
  const auto visit = [&](std::string_view key, const core::MemoryHit& hit) {
    if (!key.starts_with(self.space_)) return;
    append(key.substr(self.space_.size()));
    if (!whole) return append({});
    core::Entry entry = hit.entry;
    // By name: what they were at the dump is nobody's affair, and load() gives them the stamps of its own.
    std::vector<std::string> names;
    for (const core::TagMark& mark : hit.tags) {
      std::string name = self.shared_->tags.name(mark.cell);
      if (name.starts_with("t:")) names.push_back(std::move(name));
    }
    std::vector<core::TagStamp> tags;
    for (const std::string& name : names) tags.push_back({name, {}});
    const std::string encodedTags = core::encodeTags(tags);
    entry.tags = encodedTags;
    entry.created = wallNow();
    entry.keepFor = std::min(core::kMaxEntryDuration, hit.deadlines.goneAt - now);
    entry.staleFor = std::clamp<core::Millis>(hit.deadlines.staleUntil - now, 0, entry.keepFor);
    entry.freshFor = std::clamp<core::Millis>(hit.deadlines.freshUntil - now, 0, entry.staleFor);
    append(core::encodeEntry(entry));
  };
  auto cursor = static_cast<std::uint64_t>(integerOf(env, call.args[0]));
  constexpr std::size_t kMostBytes = std::size_t{1} << 20;
  const Slice slice;
  do {
    cursor = self.memory_ == nullptr ? kEndOfWalk : self.memory_->visitSome(cursor, visit, now);
  } while (cursor != kEndOfWalk && bytes.size() < kMostBytes && !slice.isOver());
  return step(env, cursor, makeBuffer(env, bytes));
}

// load(key, envelope, elapsed, maxTtl): keeps what dump() gave, `elapsed` ms later, for `maxTtl` ms at most. Without
// Redis only. Returns whether it did.
napi_value CacheStore::load(napi_env env, napi_callback_info info) {
  const CallOf<4> call(env, info);
  CacheStore& self = *call.self;
  if (self.isGone()) return self.gone(env);
  const auto bytes = bytesOf(env, call.args[1], self.metadata_);
  const core::Millis elapsed = std::max<core::Millis>(0, integerOf(env, call.args[2]));
  auto entry = bytes ? core::parseEntry(*bytes) : std::nullopt;
  if (self.client_ || !entry || !entry->isValue() || entry->keepFor <= elapsed) return number(env, 0);
  std::vector<std::string> tags;
  core::TagReader reader(entry->tags);
  while (const auto tag = reader.next()) {
    if (tag->name.starts_with("t:")) tags.emplace_back(tag->name);
  }
  const core::Millis maxTtl = integerOf(env, call.args[3]);
  entry->tags = {};
  entry->keepFor = std::min(entry->keepFor - elapsed, maxTtl);
  entry->staleFor = std::clamp<core::Millis>(entry->staleFor - elapsed, 0, entry->keepFor);
  entry->freshFor = std::clamp<core::Millis>(entry->freshFor - elapsed, 0, entry->staleFor);
  const std::string_view key = self.fullKey(env, call.args[0]);
  if (self.memory_->peek(key, monotonicNow())) return number(env, 0);  // what is there is newer
  return self.answered(env, self.tier_->write(key, *entry, tags));
}

}  // namespace tiercel::node
