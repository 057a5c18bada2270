#include "redis/cache_tier.h"

#include <algorithm>
#include <chrono>
#include <new>
#include <utility>

#include "core/random.h"

namespace tiercel::redis {

using core::textOf;

namespace {

// Room for what is around an entry in the command that stores it: the script's name or text, the key, numbers.
constexpr std::size_t kAroundEntry = 2048;

constexpr std::uint64_t pack(std::uint32_t operation, std::uint8_t step) {
  return (std::uint64_t{operation} << 8) | step;
}

// A lease that has no value under it. Its end is the key's expiry: no server clock is asked.
std::string markerOf(const core::FillId& id, core::Millis leaseFor) {
  core::Entry marker;
  marker.flags = core::entry_flags::kMarker;
  marker.fillId = id;
  marker.leaseId = id;
  marker.leaseUntil = core::kMaxEntryDuration;
  marker.freshFor = leaseFor;
  marker.staleFor = leaseFor;
  marker.keepFor = leaseFor;
  return core::encodeEntry(marker);
}

}  // namespace

CacheTier::CacheTier(Connection& connection, core::ProcessTier& shared, CacheTierOptions options,
                     CacheTierObserver& observer)
    : tags_(shared.tags),
      memory_(options.memory ? &shared.memory : nullptr),
      options_(std::move(options)),
      observer_(observer),
      link_(std::make_unique<SingleLink>(connection, shared, memory_, options_.prefix)),
      stamps_(*link_, shared.tags, options_.prefix, options_.stampFor, options_.maxStaleness),
      leases_(shared.tags) {
  for (std::string& name : std::exchange(options_.namespaces, {})) {
    const core::TagCell cell = tags_.acquire(name);
    namespaces_.push_back({.name = std::move(name), .cell = cell});
  }
  any_ = tags_.acquire(kAnyTag);
  link_->join(*this);
}

CacheTier::~CacheTier() {
  link_->leave(*this);
  releaseCells();
  for (const Namespace& own : namespaces_) tags_.release(own.cell);
  tags_.release(any_);
}

// Most entries have one window: they are fresh for as long as they are there.
bool CacheTier::isBare(bool bare) {
  if (memory_ != nullptr || !bare) return false;
  if (lifetimes_ == 0) return true;
  --lifetimes_;
  return false;
}

core::Answer CacheTier::read(std::string_view key, std::uint32_t flags, bool bare) {
  const auto admission = link_->connectionOf(key).admit(true);
  if (admission != Admission::kAdmitted) return admission;
  const core::Millis now = link_->now();
  ensure({}, now);
  Sending sending(*this, key, now, flags);
  sending.operation().bare = isBare(bare);
  // How long the entry still has comes from the server's clock alone, and is asked first: a change in between voids
  // what is read.
  if (!sending.operation().bare) sending.command(Kind::kLifetime, "PTTL", key);
  sending.command(Kind::kRead, "GET", key);
  sending.submit();
  return admission;
}

core::Answer CacheTier::readMany(std::span<const std::string> keys) {
  const auto admission = link_->connectionOf({}).admit(true);
  if (admission != Admission::kAdmitted) return admission;
  const core::Millis now = link_->now();
  ensure({}, now);
  Sending sending(*this, {}, now, 0);
  sending.operation().bare = true;
  sending.operation().keys = keys.size();
  OutputBuffer& out = sending.output();
  out.commandHeader(1 + keys.size());
  out.argument("MGET");
  for (const std::string& key : keys) out.argument(options_.prefix, key);
  sending.end(Kind::kReadMany);
  sending.submit();
  return admission;
}

core::Answer CacheTier::acquire(std::string_view key, const core::LeaseRequest& request) {
  const auto admission = link_->connectionOf(key).admit(true);
  if (admission != Admission::kAdmitted) return admission;
  const core::Millis now = link_->now();
  ensure(request.tags, now);
  Sending sending(*this, key, now, request.flags);
  Operation& own = sending.operation();
  own.tags.assign(request.tags.begin(), request.tags.end());
  own.lease = core::randomFillId();
  own.bare = isBare(request.bare);
  const std::string marker = markerOf(own.lease, request.leaseFor);
  OutputBuffer& out = sending.output();
  out.commandHeader(6);
  out.argument("SET");
  out.argument(options_.prefix, key);
  out.argument(marker);
  out.argument("NX");
  out.argument("PX");
  out.argument(request.leaseFor);
  sending.end(Kind::kSideStep);
  if (!own.bare) sending.command(Kind::kLifetime, "PTTL", key);
  sending.command(Kind::kAcquired, "GET", key);
  sending.submit();
  return admission;
}

core::Answer CacheTier::refresh(std::string_view key, const core::LeaseRequest& request) {
  const auto admission = link_->connectionOf(key).admit(true);
  if (admission != Admission::kAdmitted) return admission;
  const core::Millis now = link_->now();
  ensure(request.tags, now);
  Sending sending(*this, key, now, request.flags);
  Operation& own = sending.operation();
  own.tags.assign(request.tags.begin(), request.tags.end());
  own.lease = core::randomFillId();
  own.left = request.leaseFor;
  sending.script(Kind::kAnswered, Script::kRefresh, key, {textOf(own.lease), std::to_string(request.leaseFor)});
  sending.lookBehind(Kind::kRefreshed, key, core::kLeaseOffset, core::kLeaseUntilOffset - 1);
  sending.submit();
  return admission;
}

core::Answer CacheTier::takeOver(std::string_view key, std::string_view head, const core::LeaseRequest& request) {
  const auto admission = link_->connectionOf(key).admit(true);
  if (admission != Admission::kAdmitted) return admission;
  const core::Millis now = link_->now();
  ensure(request.tags, now);
  Sending sending(*this, key, now, request.flags);
  Operation& own = sending.operation();
  own.tags.assign(request.tags.begin(), request.tags.end());
  own.lease = core::randomFillId();
  own.left = request.leaseFor;
  sending.script(Kind::kAnswered, Script::kTakeOver, key,
                 {head, markerOf(own.lease, request.leaseFor), std::to_string(request.leaseFor)});
  sending.lookBehind(Kind::kTakenOver, key, core::kLeaseOffset, core::kLeaseUntilOffset - 1);
  sending.submit();
  return admission;
}

CacheTier::Tagging CacheTier::addTags(LeaseNumber number, std::span<const std::string> tags) {
  Lease* lease = leases_.find(number);
  if (lease == nullptr || !lease->storable || !lease->any) return Tagging::kChanged;
  const core::Millis now = link_->now();
  const auto& cells = cellsOf(tags);
  // In this order: whoever invalidates a tag changes `any` first.
  std::vector<HeldTag> added;
  core::MarkList marks;
  for (std::size_t i = 0; i < tags.size(); ++i) {
    const auto stamp = tags_.stamp(cells[i], now);
    if (!stamp) return Tagging::kUnknown;
    added.push_back({tags[i], *stamp});
    if (const auto mark = tags_.markOf(cells[i], *stamp, now)) marks.add(tags_, *mark);
  }
  const auto any = stampOf(kAnyTag);
  if (!any) return Tagging::kUnknown;
  if (*any != *lease->any) return Tagging::kChanged;
  lease->tags.insert(lease->tags.end(), added.begin(), added.end());
  lease->marks.append(marks);
  return Tagging::kAdded;
}

core::Answer CacheTier::prepare(std::span<const std::string> tags) {
  const auto admission = link_->connectionOf({}).admit(true);
  if (admission != Admission::kAdmitted) return admission;
  ensure(tags, link_->now());
  Sending sending(*this, {});
  sending.output().commandHeader(1);
  sending.output().argument("PING");
  sending.end(Kind::kStep);
  sending.submit();
  return admission;
}

core::Answer CacheTier::fill(LeaseNumber number, const core::Entry& given) {
  Lease* lease = leases_.find(number);
  if (lease == nullptr) return Admission::kClosed;
  const std::string key = lease->key;
  unwatch(key);  // what comes is our own doing
  forget(key);
  const auto admission = link_->connectionOf(key).admit(true);
  if (admission != Admission::kAdmitted || !lease->storable) {
    link_->sessionOf(key).releaseLater(key, lease->id);
    leases_.close(number);
    return admission == Admission::kAdmitted ? Admission::kUnavailable : admission;
  }
  Sending sending(*this, key);
  Operation& own = sending.operation();
  own.lease = lease->id;
  std::vector<core::TagStamp> stamps;
  for (const HeldTag& tag : lease->tags) stamps.push_back({tag.name, tag.stamp});
  const std::string encodedTags = core::encodeTags(stamps);
  core::Entry entry = given;
  entry.tags = encodedTags;
  rememberToKeep(own, entry);
  own.marks.append(lease->marks);
  own.keeps = own.keeps && own.marks.size() == lease->tags.size();

  OutputBuffer& out = sending.output();
  const std::size_t size = core::encodedEntrySize(entry);
  (void)out.room(size + kAroundEntry);  // at once: growing copies what is there
  sending.beginScript(Script::kFill, key, {}, 3);
  out.argument(textOf(lease->id));
  core::encodeEntry(entry, out.openArgument(size));
  out.closeArgument(size);
  out.argument(std::max<core::Millis>(1, entry.keepFor));
  sending.end(Kind::kStored);
  if (own.keeps) confirm(sending);
  sending.submit();
  leases_.close(number);
  index(key, encodedTags, entry.keepFor);
  return admission;
}

core::Answer CacheTier::giveUp(LeaseNumber number, const core::Entry* told, core::Millis holdOff) {
  const Lease* lease = leases_.find(number);
  if (lease == nullptr) return Admission::kClosed;
  const std::string key = lease->key;
  const core::FillId id = lease->id;
  unwatch(key);
  const auto admission = link_->connectionOf(key).admit(true);
  if (admission != Admission::kAdmitted) {
    link_->sessionOf(key).releaseLater(key, id);
    leases_.close(number);
    return admission;
  }
  std::string record;
  if (told != nullptr) {
    // With its tags: what invalidates the value makes room for another attempt, too.
    core::Entry tagged = *told;
    std::vector<core::TagStamp> stamps;
    for (const HeldTag& tag : lease->tags) stamps.push_back({tag.name, tag.stamp});
    const std::string encodedTags = core::encodeTags(stamps);
    tagged.tags = encodedTags;
    record = core::encodeEntry(tagged);
  }
  Sending sending(*this, key);
  sending.operation().lease = id;
  sending.script(Kind::kCount, Script::kFail, key, {textOf(id), record, std::to_string(holdOff)});
  sending.submit();
  leases_.close(number);
  return admission;
}

core::Answer CacheTier::held(LeaseNumber number) {
  const Lease* lease = leases_.find(number);
  if (lease == nullptr) return Admission::kClosed;
  const auto admission = link_->connectionOf(lease->key).admit(true);
  if (admission != Admission::kAdmitted) return admission;
  link_->sessionOf(lease->key).watch(lease->key, *this);
  Sending sending(*this, lease->key);
  sending.script(Kind::kHeld, Script::kHeld, lease->key, {textOf(lease->id)});
  sending.submit();
  return admission;
}

core::Answer CacheTier::renew(LeaseNumber number, core::Millis leaseFor) {
  const Lease* lease = leases_.find(number);
  if (lease == nullptr) return Admission::kClosed;
  const auto admission = link_->connectionOf(lease->key).admit(true);
  if (admission != Admission::kAdmitted) return admission;
  Sending sending(*this, lease->key);
  sending.script(Kind::kHeld, Script::kRenew, lease->key, {textOf(lease->id), std::to_string(leaseFor)});
  sending.submit();
  return admission;
}

bool CacheTier::current(LeaseNumber number) {
  const Lease* lease = leases_.find(number);
  // Not watched any more: the key has changed, and nobody has asked yet what that was.
  if (lease == nullptr || !link_->sessionOf(lease->key).watches(lease->key, *this)) return false;
  const core::Millis now = link_->now();
  return std::ranges::all_of(lease->marks.view(), [&](const core::TagMark& mark) { return tags_.valid(mark, now); });
}

bool CacheTier::anyTagChanged(LeaseNumber number) {
  const Lease* lease = leases_.find(number);
  return lease != nullptr && (!lease->any || stampOf(kAnyTag) != lease->any);
}

void CacheTier::drop(LeaseNumber number) {
  const Lease* lease = leases_.find(number);
  if (lease == nullptr) return;
  unwatch(lease->key);
  link_->sessionOf(lease->key).releaseLater(lease->key, lease->id);
  leases_.close(number);
}

bool CacheTier::knowsTags(std::span<const std::string> tags) {
  const core::Millis now = link_->now();
  const auto known = [&](core::TagCell cell) { return tags_.stamp(cell, now).has_value(); };
  return std::ranges::all_of(namespaces_, known, &Namespace::cell) && std::ranges::all_of(cellsOf(tags), known);
}

core::Answer CacheTier::write(std::string_view key, const core::Entry& given, std::span<const std::string> tags) {
  forget(key);  // whatever becomes of this: what memory holds is about to be wrong
  const auto admission = link_->connectionOf(key).admit(true);
  if (admission != Admission::kAdmitted) return admission;
  const core::Millis now = link_->now();
  marks_.clear();
  written_.clear();
  unknown_.clear();
  places_.clear();
  std::size_t end = core::kEntryHeaderSize;
  const auto add = [&](std::string_view name, const std::optional<core::Stamp>& stamp,
                       const std::optional<core::TagMark>& mark) {
    if (mark) marks_.add(tags_, *mark);
    if (!stamp) {
      unknown_.emplace_back(name);
      places_.push_back(end + core::kTagStampOffset);
    }
    written_.push_back({name, stamp.value_or(core::Stamp{})});
    end += core::kTagStampOffset + core::kStampSize + name.size();
  };
  for (Namespace& one : namespaces_) {
    const bool isOwnKnown = isKnown(one, now);
    add(one.name, isOwnKnown ? std::optional(one.stamp) : std::nullopt, one.mark);
  }
  const auto& cells = cellsOf(tags);
  for (std::size_t i = 0; i < tags.size(); ++i) {
    const auto stamp = tags_.stamp(cells[i], now);
    add(tags[i], stamp, stamp ? tags_.markOf(cells[i], *stamp, now) : std::nullopt);
  }
  // In front of the entry, in the same stream: none waits for an answer, so that what is called after this is sent
  // after it.
  if (!unknown_.empty()) ensure(tags, now);
  Sending sending(*this, key, now, 0);
  Operation& own = sending.operation();
  own.marks.append(marks_);
  own.tags = unknown_;
  const std::string encodedTags = core::encodeTags(written_);
  core::Entry entry = given;
  entry.tags = encodedTags;
  rememberToKeep(own, entry);
  own.written = true;
  own.keeps = own.keeps && own.marks.size() + own.tags.size() == written_.size();

  OutputBuffer& out = sending.output();
  const std::size_t size = core::encodedEntrySize(entry);
  (void)out.room(size + kAroundEntry);  // at once: growing copies what is there
  const core::Millis keepFor = std::max<core::Millis>(1, entry.keepFor);
  if (own.tags.empty()) {
    // No script: what the server does for one costs more than the rest of a write.
    out.commandHeader(5);
    out.argument("SET");
    out.argument(options_.prefix, key);
    own.left = keepFor;
  } else {
    sending.beginScript(Script::kStoreTagged, key, own.tags, 2 + places_.size());
  }
  core::encodeEntry(entry, out.openArgument(size));
  out.closeArgument(size);
  if (own.tags.empty()) out.argument("PX");
  out.argument(keepFor);
  for (const std::size_t place : places_) out.argument(static_cast<std::int64_t>(place));
  sending.end(Kind::kStored);
  if (own.keeps) confirm(sending);
  sending.submit();
  index(key, encodedTags, entry.keepFor);
  return admission;
}

// Nothing may be written behind it but submit().
void CacheTier::confirm(Sending& sending) {
  const std::uint32_t operation = sending.index();
  const std::string& key = operations_[operation].key;
  sending.lookBehind(Kind::kConfirm, key, core::kFillIdOffset, core::kOutdatedOffset);
  sending.reserve();
  NodeSession& session = link_->sessionOf(key);
  if (std::uint32_t* const latest = session.confirming(key, *this)) {
    operations_[*latest].keeps = false;  // overtaken
    *latest = operation;
  } else {
    session.beginConfirming(key, *this, operation);
  }
  operations_[operation].confirms = true;
}

core::Answer CacheTier::remove(std::string_view key) {
  forget(key);  // whatever becomes of this: what memory holds is about to be wrong
  const auto admission = link_->connectionOf(key).admit(true);
  if (admission != Admission::kAdmitted) return admission;
  Sending sending(*this, key);
  sending.command(Kind::kCount, "UNLINK", key);
  sending.submit();
  return admission;
}

core::Answer CacheTier::soften(std::string_view key) {
  forget(key);
  const auto admission = link_->connectionOf(key).admit(true);
  if (admission != Admission::kAdmitted) return admission;
  Sending sending(*this, key);
  sending.script(Kind::kCount, Script::kSoften, key, {});
  sending.submit();
  return admission;
}

core::Answer CacheTier::invalidateTags(std::span<const std::string> names) {
  for (const std::string& name : names) tags_.invalidate(name);
  const auto admission = link_->connectionOf({}).admit(true);
  if (admission != Admission::kAdmitted) return admission;
  Sending sending(*this, {});
  sending.operation().tags.assign(names.begin(), names.end());
  // First: see addTags().
  if (std::ranges::any_of(names, [](const std::string& name) { return name.starts_with("t:"); })) {
    tags_.invalidate(kAnyTag);
    stamps_.encodeReplacement(kAnyTag, sending.output());
    sending.end(Kind::kSideStep);
  }
  for (std::size_t i = 0; i < names.size(); ++i) {
    stamps_.encodeReplacement(names[i], sending.output());
    sending.end(i + 1 < names.size() ? Kind::kSideStep : Kind::kStep);
  }
  sending.submit();
  return admission;
}

core::Answer CacheTier::sweep(std::string_view key, std::string_view tag, std::string_view stamp) {
  const auto admission = link_->connectionOf(key).admit(true);
  if (admission != Admission::kAdmitted) return admission;
  Sending sending(*this, key);
  sending.script(Kind::kCount, Script::kSweep, key, {tag, stamp});
  sending.submit();
  return admission;
}

std::uint64_t CacheTier::removeSome(std::uint64_t cursor, const std::function<bool(std::string_view)>& matches,
                                    std::size_t& dropped) {
  return memory_ == nullptr ? core::MemoryTier::kEndOfWalk : memory_->eraseSome(cursor, matches, dropped);
}

void CacheTier::unwatch(std::string_view key) { link_->sessionOf(key).unwatch(key, *this); }

void CacheTier::forget(std::string_view key) {
  if (memory_ != nullptr) memory_->erase(key);
}

std::optional<core::Stamp> CacheTier::stampOf(std::string_view name) const {
  const core::TagCell cell = tags_.acquire(name);
  const auto stamp = tags_.stamp(cell, link_->now());
  tags_.release(cell);
  return stamp;
}

std::uint32_t CacheTier::begin(std::string_view key, core::Millis now, std::uint32_t flags) {
  std::uint32_t index = 0;
  if (free_.empty()) {
    index = static_cast<std::uint32_t>(operations_.size());
    free_.reserve(operations_.size() + 1);  // finish() must not fail
    operations_.emplace_back();
  } else {
    index = free_.back();
    free_.pop_back();
  }
  Operation& operation = operations_[index];
  try {
    operation.key.assign(key);
  } catch (...) {
    free_.push_back(index);
    throw;
  }
  operation.flags = flags;
  operation.number = 0;
  operation.left = operation.answer = kUnknown;
  operation.began = now;
  operation.abandoned = operation.bare = false;
  operation.lease = {};
  operation.keeps = operation.confirms = operation.answered = operation.written = operation.outdated = false;
  operation.lost.reset();
  operation.error.clear();
  operation.tags.clear();
  operation.marks.clear();
  if (memory_ != nullptr) operation.ticket = memory_->ticket(key);
  ++active_;
  return index;
}

void CacheTier::finish(std::uint32_t index) {
  Operation& operation = operations_[index];
  operation.payload.clear();
  operation.payload.shrink_to_fit();  // it may have been large, and operations stay
  operation.metadata.clear();
  operation.marks.clear();
  free_.push_back(index);
  --active_;
}

CacheTier::Sending::Sending(CacheTier& tier, std::string_view key) : Sending(tier, key, tier.link_->now(), 0) {}

CacheTier::Sending::Sending(CacheTier& tier, std::string_view key, core::Millis now, std::uint32_t flags)
    : tier_(tier), writer_(tier.link_->connectionOf(key)), index_(tier.begin(key, now, flags)) {}

CacheTier::Sending::~Sending() {
  if (!submitted_) tier_.finish(index_);
}

void CacheTier::Sending::end(Kind step) { writer_.end(tier_, pack(index_, static_cast<std::uint8_t>(step))); }

void CacheTier::Sending::command(Kind step, std::string_view name, std::string_view key) {
  OutputBuffer& out = writer_.output();
  out.commandHeader(2);
  out.argument(name);
  out.argument(tier_.options_.prefix, key);
  end(step);
}

void CacheTier::Sending::beginScript(Script which, std::string_view key, std::span<const std::string> moreKeys,
                                     std::size_t arguments) {
  OutputBuffer& out = writer_.output();
  out.commandHeader(4 + moreKeys.size() + arguments);
  out.argument("EVAL");
  out.argument(kScriptSources[static_cast<std::size_t>(which)]);
  out.argument(static_cast<std::int64_t>(1 + moreKeys.size()));
  out.argument(tier_.options_.prefix, key);
  for (const std::string& one : moreKeys) out.argument(tier_.options_.prefix, one);
}

void CacheTier::Sending::script(Kind step, Script which, std::string_view key,
                                std::initializer_list<std::string_view> arguments) {
  beginScript(which, key, {}, arguments.size());
  for (const std::string_view argument : arguments) writer_.output().argument(argument);
  end(step);
}

// The server announces our own change to us, too, behind its answer: what comes before the answer to this is older than
// what this reads, and what comes after it is news.
void CacheTier::Sending::lookBehind(Kind step, std::string_view key, std::size_t from, std::size_t to) {
  OutputBuffer& out = writer_.output();
  out.commandHeader(4);
  out.argument("GETRANGE");
  out.argument(tier_.options_.prefix, key);
  out.argument(static_cast<std::int64_t>(from));
  out.argument(static_cast<std::int64_t>(to));
  end(step);
}

void CacheTier::Sending::submit(Told told) {
  writer_.submit();
  submitted_ = true;
  if (told == Told::kObserver) operation().number = tier_.observer_.onSubmitted();
}

// Which keys carry a tag, so that their memory can be given back after it was invalidated: an ordered set by the time
// at which they are gone. Nothing depends on it.
void CacheTier::index(std::string_view key, std::string_view encodedTags, core::Millis keepFor) noexcept {
  using namespace std::chrono;
  const core::Millis now = duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
  try {
    indexed_.clear();
    core::TagReader reader(encodedTags);
    while (const auto tag = reader.next()) {
      if (tag->name.starts_with("t:")) indexed_.push_back(*tag);
    }
    if (indexed_.empty()) return;
    Sending sending(*this, {});
    OutputBuffer& out = sending.output();
    for (std::size_t i = 0; i < indexed_.size(); ++i) {
      const core::TagStamp& tag = indexed_[i];
      const Kind last = i + 1 < indexed_.size() ? Kind::kSideStep : Kind::kIgnored;
      const std::string name = "i" + std::string(tag.name.substr(1));  // "t:user" is indexed under "i:user"
      const bool tended = link_->sessionOf(key).isTended(tag.stamp, now);
      out.commandHeader(4);
      out.argument("ZADD");
      out.argument(options_.prefix, name);
      out.argument(now + keepFor);
      out.argument(key);
      sending.end(tended ? last : Kind::kSideStep);
      if (tended) continue;
      out.commandHeader(4);
      out.argument("ZREMRANGEBYSCORE");
      out.argument(options_.prefix, name);
      out.argument("-inf");
      out.argument(now - 60'000);  // the clocks of those who write it may differ a little
      sending.end(Kind::kSideStep);
      out.commandHeader(3);
      out.argument("PEXPIRE");
      out.argument(options_.prefix, name);
      out.argument(options_.stampFor);
      sending.end(last);
    }
    sending.submit(Told::kNobody);
  } catch (const std::bad_alloc&) {
    return;  // the entry is stored; its memory is given back later
  }
}

void CacheTier::ensure(std::span<const std::string> tags, core::Millis now) {
  for (Namespace& own : namespaces_) {
    if (isKnown(own, now)) continue;
    stamps_.ensure({&own.cell, 1}, now);
    if (options_.asksForAnyTag) stamps_.ensure({&any_, 1}, now);
  }
  if (!tags.empty()) stamps_.ensure(cellsOf(tags), now);
}

// Without a lock while nothing has changed.
bool CacheTier::isKnown(Namespace& own, core::Millis now) {
  if (own.mark && tags_.valid(*own.mark, now)) return true;
  own.mark.reset();
  if (const auto stamp = tags_.stamp(own.cell, now)) {
    own.stamp = *stamp;
    own.mark = tags_.markOf(own.cell, own.stamp, now);
  }
  return own.mark.has_value();
}

std::vector<core::TagCell>& CacheTier::cellsOf(std::span<const std::string> tags) {
  releaseCells();
  for (const std::string& name : tags) cells_.push_back(tags_.acquire(name));
  return cells_;
}

void CacheTier::releaseCells() {
  for (const core::TagCell cell : cells_) tags_.release(cell);
  cells_.clear();
}

}  // namespace tiercel::redis
