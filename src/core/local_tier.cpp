#include "core/local_tier.h"

#include <algorithm>
#include <utility>

namespace tiercel::core {

LocalTier::LocalTier(MemoryTier& memory, TagTable& tags, LeaseTable& leases, const std::vector<std::string>& namespaces,
                     std::shared_ptr<LeaseListener> listener, Clock clock)
    : memory_(memory),
      tags_(tags),
      table_(leases),
      listener_(std::move(listener)),
      clock_(clock),
      any_(tags.acquire(kAnyTag)) {
  for (const std::string& name : namespaces) namespaces_.push_back(tags_.acquire(name));
}

LocalTier::~LocalTier() {
  // Whoever waits for a load of ours need not wait until the lease ends by itself.
  leases_.forEach([&](const Lease& lease) { table_.complete(lease.key, lease.id, {}); });
  tags_.release(any_);
  for (const TagCell cell : namespaces_) tags_.release(cell);
}

Answer LocalTier::read(std::string_view /*key*/, std::uint32_t /*flags*/, bool /*bare*/) { return Found{}; }

Answer LocalTier::readMany(std::span<const std::string> /*keys*/) { return Admission::kClosed; }

Answer LocalTier::acquire(std::string_view key, const LeaseRequest& request) {
  const Millis now = clock_();
  LeaseAnswer answer = table_.take(key, now, request.leaseFor, listener_, request.ticket, request.overFailure);
  if (answer.status == LeaseAnswer::Status::kTaken) {
    // Between the look at memory that brought us here and the lease, another thread may have filled it.
    const auto hit = memory_.peek(key, now);
    if (hit && hit->freshness == Freshness::kFresh) {
      table_.complete(key, answer.id, {});
      return Found{.kind = Found::Kind::kAgain};
    }
  }
  return taken(answer, key, now, request.tags);
}

Answer LocalTier::refresh(std::string_view key, const LeaseRequest& request) {
  const Millis now = clock_();
  LeaseAnswer answer = table_.take(key, now, request.leaseFor, listener_, request.ticket);
  Found found = taken(answer, key, now, request.tags);
  if (found.kind == Found::Kind::kFailed) found.kind = Found::Kind::kBusy;
  return found;
}

Answer LocalTier::takeOver(std::string_view /*key*/, std::string_view /*head*/, const LeaseRequest& /*request*/) {
  return Found{.kind = Found::Kind::kAgain};
}

Found LocalTier::taken(LeaseAnswer& answer, std::string_view key, Millis now, std::span<const std::string> tags) {
  Found found;
  found.left = std::max<Millis>(0, answer.until - now);
  if (answer.status != LeaseAnswer::Status::kTaken) {
    found.kind = answer.status == LeaseAnswer::Status::kBusy ? Found::Kind::kBusy : Found::Kind::kFailed;
    if (found.kind == Found::Kind::kFailed) {
      failure_ = std::move(answer.failure);
      found.entry.payload = failure_;
    }
    return found;
  }
  found.kind = Found::Kind::kLeased;
  found.lease = leases_.open();
  Lease& lease = *leases_.find(found.lease);
  lease.key.assign(key);
  lease.id = answer.id;
  lease.marks.clear();
  collectMarks(tags, now, lease.marks);
  lease.any = tags_.mark(any_, now).value_or(TagMark{});
  return found;
}

void LocalTier::collectMarks(std::span<const std::string> tags, Millis now, MarkList& marks) {
  for (const TagCell cell : namespaces_) {
    if (const auto mark = tags_.mark(cell, now)) marks.add(tags_, *mark);
  }
  for (const std::string& name : tags) {
    if (name == kAnyTag) continue;  // asked for by name with Redis only; here it is always known
    const TagCell cell = tags_.acquire(name);
    if (const auto mark = tags_.mark(cell, now)) marks.add(tags_, *mark);
    tags_.release(cell);
  }
}

void LocalTier::close(LeaseNumber number) {
  leases_.find(number)->marks.clear();
  leases_.close(number);
}

Tier::Tagging LocalTier::addTags(LeaseNumber number, std::span<const std::string> tags) {
  Lease* found = leases_.find(number);
  if (found == nullptr) return Tagging::kChanged;
  const Millis now = clock_();
  Lease& lease = *found;
  MarkList marks;
  collectMarks(tags, now, marks);
  // Looked at last: whoever invalidates a tag changes this one first.
  if (!tags_.valid(lease.any, now)) return Tagging::kChanged;
  lease.marks.append(marks);
  return Tagging::kAdded;
}

Answer LocalTier::fill(LeaseNumber number, const Entry& entry) {
  const Lease* found = leases_.find(number);
  if (found == nullptr) return 0;
  const Lease& lease = *found;
  const Millis now = clock_();
  const bool done = table_.complete(lease.key, lease.id, [&] {
    memory_.put(lease.key, entry, deadlinesFrom(entry, now), now, {.tags = lease.marks.view()});
  });
  close(number);
  return done ? 1 : 0;
}

Answer LocalTier::giveUp(LeaseNumber number, const Entry* told, Millis holdOff) {
  const Lease* found = leases_.find(number);
  if (found == nullptr) return 0;
  const Lease& lease = *found;
  const Millis now = clock_();
  const bool failed = told != nullptr && (told->flags & entry_flags::kFailure) != 0 && holdOff > 0;
  const bool done = failed ? table_.fail(lease.key, lease.id, std::string(told->payload), now, now + holdOff)
                           : table_.complete(lease.key, lease.id, {});
  close(number);
  return done ? 1 : 0;
}

Answer LocalTier::renew(LeaseNumber number, Millis leaseFor) {
  const Lease* lease = leases_.find(number);
  return lease != nullptr && table_.extend(lease->key, lease->id, clock_() + leaseFor) ? 1 : 0;
}

bool LocalTier::isHeld(LeaseNumber number) const {
  const Lease* found = leases_.find(number);
  if (found == nullptr) return false;
  const Lease& lease = *found;
  const Millis now = clock_();
  return table_.holds(lease.key, lease.id, now) &&
         std::ranges::all_of(lease.marks.view(), [&](const TagMark& mark) { return tags_.valid(mark, now); });
}

bool LocalTier::anyTagChanged(LeaseNumber number) {
  const Lease* lease = leases_.find(number);
  return lease != nullptr && !tags_.valid(lease->any, clock_());
}

Answer LocalTier::write(std::string_view key, const Entry& entry, std::span<const std::string> tags) {
  const Millis now = clock_();
  MarkList marks;
  collectMarks(tags, now, marks);
  table_.revoke(key);
  return memory_.put(key, entry, deadlinesFrom(entry, now), now, {.tags = marks.view()}) ? 1 : 0;
}

Answer LocalTier::remove(std::string_view key) {
  table_.revoke(key);
  return memory_.erase(key) ? 1 : 0;
}

Answer LocalTier::soften(std::string_view key) {
  // First: what was loaded before this cannot be filled in any more.
  table_.revoke(key);
  const Millis now = clock_();
  constexpr int kTries = 8;
  for (int i = 0; i < kTries; ++i) {
    // Tickets are also voided by what happens to other keys, so one that is refused means nothing: try again.
    const Ticket ticket = memory_.ticket(key);
    const auto hit = memory_.peek(key, now);
    if (!hit) break;
    const std::vector<TagMark> marks(hit->tags.begin(), hit->tags.end());
    if (memory_.put(key, hit->entry, {.freshUntil = 0, .staleUntil = 0, .goneAt = hit->deadlines.goneAt}, now,
                    {.source = hit->source, .tags = marks, .ticket = ticket})) {
      return 1;
    }
  }
  return memory_.erase(key) ? 1 : 0;
}

Answer LocalTier::invalidateTags(std::span<const std::string> names) {
  if (std::ranges::any_of(names, [](const std::string& name) { return name.starts_with("t:"); })) {
    tags_.invalidate(kAnyTag);
  }
  for (const std::string& name : names) tags_.invalidate(name);
  // Which tags the loads had that failed is not known any more.
  table_.forgetFailures();
  return 1;
}

std::uint64_t LocalTier::removeSome(std::uint64_t cursor, const std::function<bool(std::string_view)>& matches,
                                    std::size_t& dropped) {
  if (cursor == 0) table_.revokeIf(matches);
  return memory_.eraseSome(cursor, matches, dropped);
}

}  // namespace tiercel::core
