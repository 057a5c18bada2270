#include "core/local_cache.h"

#include <algorithm>
#include <utility>

namespace tiercel::core {

LocalCache::LocalCache(MemoryTier& memory, TagTable& tags, LeaseTable& leases,
                       const std::vector<std::string>& namespaces, std::shared_ptr<LeaseListener> listener)
    : memory_(memory), tags_(tags), table_(leases), listener_(std::move(listener)), any_(tags.acquire(kAnyTag)) {
  for (const std::string& name : namespaces) namespaces_.push_back(tags_.acquire(name));
}

LocalCache::~LocalCache() {
  // Whoever waits for a load of ours need not wait until the lease ends by itself.
  leases_.forEach([&](const Lease& lease) { table_.complete(lease.key, lease.id, {}); });
  tags_.release(any_);
  for (const TagCell cell : namespaces_) tags_.release(cell);
}

Found LocalCache::acquire(std::string_view key, Millis now, Millis leaseFor, std::span<const std::string> tags,
                          std::uint64_t ticket, std::string& failure, bool overFailure) {
  LeaseAnswer answer = table_.take(key, now, leaseFor, listener_, ticket, overFailure);
  if (answer.status == LeaseAnswer::Status::kTaken) {
    // Between the look at memory that brought us here and the lease, another thread may have filled it.
    const auto hit = memory_.peek(key, now);
    if (hit && hit->freshness == Freshness::kFresh) {
      table_.complete(key, answer.id, {});
      return {.kind = Found::Kind::kAgain};
    }
  }
  Found found = taken(answer, key, now, tags);
  if (found.kind == Found::Kind::kFailed) {
    failure = std::move(answer.failure);
    found.entry.payload = failure;
  }
  return found;
}

Found LocalCache::refresh(std::string_view key, Millis now, Millis leaseFor, std::span<const std::string> tags,
                          std::uint64_t ticket) {
  Found found = taken(table_.take(key, now, leaseFor, listener_, ticket), key, now, tags);
  if (found.kind == Found::Kind::kFailed) found.kind = Found::Kind::kBusy;
  return found;
}

Found LocalCache::taken(const LeaseAnswer& answer, std::string_view key, Millis now,
                        std::span<const std::string> tags) {
  Found found;
  found.left = std::max<Millis>(0, answer.until - now);
  if (answer.status != LeaseAnswer::Status::kTaken) {
    found.kind = answer.status == LeaseAnswer::Status::kBusy ? Found::Kind::kBusy : Found::Kind::kFailed;
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

void LocalCache::collectMarks(std::span<const std::string> tags, Millis now, MarkList& marks) {
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

void LocalCache::close(LeaseNumber number) {
  leases_.find(number)->marks.clear();
  leases_.close(number);
}

bool LocalCache::addTags(LeaseNumber number, std::span<const std::string> tags, Millis now) {
  Lease* found = leases_.find(number);
  if (found == nullptr) return false;
  Lease& lease = *found;
  MarkList marks;
  collectMarks(tags, now, marks);
  // Looked at last: whoever invalidates a tag changes this one first.
  if (!tags_.valid(lease.any, now)) return false;
  lease.marks.append(marks);
  return true;
}

bool LocalCache::fill(LeaseNumber number, const Entry& entry, Millis now) {
  const Lease* found = leases_.find(number);
  if (found == nullptr) return false;
  const Lease& lease = *found;
  const bool done = table_.complete(lease.key, lease.id, [&] {
    memory_.put(lease.key, entry, deadlinesFrom(entry, now), now, {.tags = lease.marks.view()});
  });
  close(number);
  return done;
}

bool LocalCache::giveUp(LeaseNumber number, std::optional<std::string> failure, Millis now, Millis holdOff) {
  const Lease* found = leases_.find(number);
  if (found == nullptr) return false;
  const Lease& lease = *found;
  const bool told = failure && holdOff > 0;
  const bool done = told ? table_.fail(lease.key, lease.id, std::move(*failure), now, now + holdOff)
                         : table_.complete(lease.key, lease.id, {});
  close(number);
  return done;
}

bool LocalCache::held(LeaseNumber number, Millis now) const {
  const Lease* found = leases_.find(number);
  if (found == nullptr) return false;
  const Lease& lease = *found;
  return table_.holds(lease.key, lease.id, now) &&
         std::ranges::all_of(lease.marks.view(), [&](const TagMark& mark) { return tags_.valid(mark, now); });
}

bool LocalCache::anyTagChanged(LeaseNumber number, Millis now) const {
  const Lease* lease = leases_.find(number);
  return lease != nullptr && !tags_.valid(lease->any, now);
}

bool LocalCache::write(std::string_view key, const Entry& entry, std::span<const std::string> tags, Millis now) {
  MarkList marks;
  collectMarks(tags, now, marks);
  table_.revoke(key);
  return memory_.put(key, entry, deadlinesFrom(entry, now), now, {.tags = marks.view()});
}

bool LocalCache::remove(std::string_view key) {
  table_.revoke(key);
  return memory_.erase(key);
}

bool LocalCache::soften(std::string_view key, Millis now) {
  // First: what was loaded before this cannot be filled in any more.
  table_.revoke(key);
  constexpr int kTries = 8;
  for (int i = 0; i < kTries; ++i) {
    // Tickets are also voided by what happens to other keys, so one that is refused means nothing: try again.
    const Ticket ticket = memory_.ticket(key);
    const auto hit = memory_.peek(key, now);
    if (!hit) break;
    const std::vector<TagMark> marks(hit->tags.begin(), hit->tags.end());
    if (memory_.put(key, hit->entry, {.freshUntil = 0, .staleUntil = 0, .goneAt = hit->deadlines.goneAt}, now,
                    {.source = hit->source, .tags = marks, .ticket = ticket})) {
      return true;
    }
  }
  return memory_.erase(key);
}

void LocalCache::invalidateTags(std::span<const std::string> names) {
  if (std::ranges::any_of(names, [](const std::string& name) { return name.starts_with("t:"); })) {
    tags_.invalidate(kAnyTag);
  }
  for (const std::string& name : names) tags_.invalidate(name);
}

std::size_t LocalCache::removeIf(const std::function<bool(std::string_view)>& matches) {
  table_.revokeIf(matches);
  return memory_.eraseIf(matches);
}

bool LocalCache::renew(LeaseNumber number, Millis now, Millis leaseFor) {
  const Lease* lease = leases_.find(number);
  return lease != nullptr && table_.extend(lease->key, lease->id, now + leaseFor);
}

std::uint64_t LocalCache::removeSome(std::uint64_t cursor, const std::function<bool(std::string_view)>& matches,
                                     std::size_t& dropped) {
  if (cursor == 0) table_.revokeIf(matches);
  return memory_.eraseSome(cursor, matches, dropped);
}

}  // namespace tiercel::core
