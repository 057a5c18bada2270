// What becomes of the operations of a cache tier: answers, failures, and the changes that the server announces.
#include <algorithm>
#include <cstring>
#include <utility>

#include "redis/cache_tier.h"

namespace tiercel::redis {

using core::textOf;

namespace {

// So much of an entry says which one it is: see kTakeOverSource.
constexpr std::size_t kHead = 24;
// What confirm() asks for: from the fill id to the flag that a soft invalidation sets.
constexpr std::size_t kConfirmed = core::kOutdatedOffset + 1 - core::kFillIdOffset;

}  // namespace

void CacheTier::onReply(const Pending& pending, const Reply& reply) {
  const auto index = static_cast<std::uint32_t>(pending.data >> 8);
  const auto kind = static_cast<Kind>(pending.data & 0xff);
  // A handler may begin operations; none of them moves this one, since they are in a deque.
  Operation& operation = operations_[index];
  switch (kind) {
    case Kind::kSideStep:
      if (reply.isError() && operation.error.empty()) operation.error = reply.text;
      return;
    case Kind::kAnswered:
      if (reply.isError()) operation.error = reply.text;
      operation.answer = reply.integer;
      return;
    case Kind::kLifetime:
      if (reply.type == ReplyType::kInteger) operation.left = reply.integer;
      link_->sessionOf(operation.key).readHalf(*this, index);
      return;  // the answer to GET follows
    case Kind::kIgnored:
      break;
    case Kind::kRead:
    case Kind::kAcquired:
      link_->sessionOf(operation.key).readWhole();
      settleRead(operation, reply, kind == Kind::kAcquired);
      break;
    case Kind::kReadMany:
      settleMany(operation, reply);
      break;
    case Kind::kRefreshed:
    case Kind::kTakenOver:
      settleLease(operation, kind, reply);
      break;
    case Kind::kCount:
      settleCount(operation, reply);
      break;
    case Kind::kHeld:
      settleHeld(operation, reply);
      break;
    case Kind::kStored:
      settleStored(operation, reply);
      if (operation.confirms) return;  // who is told finds it in memory
      forget(operation.key);
      reportStored(operation);
      break;
    case Kind::kConfirm:
      settleConfirm(operation, reply);
      reportStored(operation);
      break;
    case Kind::kStep:
      for (const std::string& name : operation.tags) tags_.invalidate(name);
      if (reply.isError() && operation.error.empty()) operation.error = reply.text;
      if (operation.error.empty()) {
        observer_.onDone(operation.number, 1);
      } else {
        observer_.onOperationFailed(operation.number, {ErrorCode::kServer, operation.error});
      }
      break;
  }
  finish(index);
}

void CacheTier::settleRead(Operation& operation, const Reply& reply, bool acquiring) {
  // A foreign type under our key is no entry, and no failure of the server.
  if (reply.isError() && !reply.text.starts_with("WRONGTYPE")) {
    return observer_.onOperationFailed(operation.number, {ErrorCode::kServer, std::string(reply.text)});
  }
  Found found;
  if (reply.isNil()) {
    // Taken, and gone again: or never taken, because the server has no room for more.
    if (acquiring && operation.error.empty()) found.kind = Found::Kind::kAgain;
    return observer_.onFound(operation.number, found, operation.flags);
  }
  const auto entry = reply.type == ReplyType::kString ? core::parseEntry(reply.text) : std::nullopt;
  if (!entry) {
    found.kind = Found::Kind::kCorrupt;
    return observer_.onFound(operation.number, found, operation.flags);
  }
  if (acquiring && entry->isMarker() && entry->leaseId == operation.lease) {
    found = leased(operation);
  } else {
    found = classify(operation, *entry, link_->now());
    if (operation.bare && !isEnough(found, *entry)) {
      lifetimes_ = kAskedLifetimes;
      return observer_.onFound(operation.number, {.kind = Found::Kind::kAgain}, operation.flags);
    }
    found.head = reply.text.substr(0, kHead);
    if (acquiring && found.kind == Found::Kind::kBusy) link_->sessionOf(operation.key).watch(operation.key, *this);
    if (!acquiring && found.kind != Found::Kind::kHit && found.kind != Found::Kind::kAgain) {
      found.kind = Found::Kind::kMiss;
    }
    if (found.kind == Found::Kind::kHit) keepRead(operation, found);
  }
  observer_.onFound(operation.number, found, operation.flags);
}

// Whether what was found without its lifetime says all that there is to say.
bool CacheTier::isEnough(const Found& found, const core::Entry& entry) const {
  if (found.kind == Found::Kind::kAgain || found.kind == Found::Kind::kOutdated) return true;
  return found.kind == Found::Kind::kHit && !entry.outdated && entry.freshFor >= entry.keepFor;
}

void CacheTier::settleMany(Operation& operation, const Reply& reply) {
  const std::size_t count = operation.keys;
  if (reply.isError()) {
    return observer_.onOperationFailed(operation.number, {ErrorCode::kServer, std::string(reply.text)});
  }
  if (reply.tree == nullptr || reply.tree->nodes.size() != 1 + count) {
    return observer_.onOperationFailed(operation.number, {ErrorCode::kProtocol, "MGET: not one value for each key"});
  }
  const core::Millis now = link_->now();
  many_.clear();
  for (std::size_t i = 0; i < count; ++i) {
    const ReplyNode& node = reply.tree->nodes[1 + i];
    Found found;
    if (node.type == ReplyType::kString) {
      const auto entry = core::parseEntry(reply.tree->textOf(node));
      if (entry) found = classify(operation, *entry, now);
      // What is corrupt, stale, or not known well enough is looked at by itself.
      if (!entry || !isEnough(found, *entry)) found = {.kind = Found::Kind::kAgain};
      if (found.kind == Found::Kind::kOutdated) found = {};
    }
    many_.push_back(found);
  }
  observer_.onFoundMany(operation.number, many_);
}

Found CacheTier::leased(const Operation& operation) {
  if (operation.abandoned) {
    release(operation.key, operation.lease);
    return {};
  }
  const auto& cells = cellsOf(operation.tags);
  std::vector<core::TagCell> all;
  for (const Namespace& own : namespaces_) all.push_back(own.cell);
  all.push_back(any_);
  all.insert(all.end(), cells.begin(), cells.end());
  const LeaseNumber lease = leases_.open(operation.key, operation.lease, all, link_->now());
  if (!leases_.find(lease)->storable) {
    // A tag was invalidated while the lease was on its way: what is loaded now could not be stored. Its new stamp is
    // asked for with the next attempt.
    leases_.close(lease);
    release(operation.key, operation.lease);
    return {.kind = Found::Kind::kAgain};
  }
  link_->sessionOf(operation.key).watch(operation.key, *this);
  return {.kind = Found::Kind::kLeased, .left = operation.left, .lease = lease};
}

// Nobody would end this lease: everybody would wait for nothing.
void CacheTier::release(const std::string& key, const core::FillId& id) {
  if (link_->connectionOf(key).admit(true) != Admission::kAdmitted) return link_->sessionOf(key).releaseLater(key, id);
  Sending sending(*this, key);
  sending.operation().lease = id;
  sending.script(Kind::kIgnored, Script::kFail, key, {textOf(id), "", "0"});
  sending.submit(Told::kNobody);
}

Found CacheTier::classify(Operation& operation, const core::Entry& entry, core::Millis now) {
  Found found;
  found.entry = entry;
  found.left = std::max<std::int64_t>(0, operation.left);
  if (entry.isMarker()) {
    found.kind = Found::Kind::kBusy;
    return found;
  }
  if (!judgeTags(entry, now, found)) return found;
  if ((entry.flags & core::entry_flags::kFailure) != 0) {
    found.kind = Found::Kind::kFailed;
  } else if ((entry.flags & core::entry_flags::kUncacheable) != 0) {
    found.kind = Found::Kind::kUncacheable;
  } else {
    found.kind = Found::Kind::kHit;
    found.asOf = now;
    found.deadlines = operation.left >= 0 ? core::deadlinesFrom(entry, operation.began, operation.left)
                                          : core::deadlinesFrom(entry, now);
    if (entry.outdated) found.deadlines.freshUntil = found.deadlines.staleUntil = 0;
  }
  return found;
}

// Whether every tag still has the stamp that it had when the entry was loaded. Collects the marks for memory.
bool CacheTier::judgeTags(const core::Entry& entry, core::Millis now, Found& found) {
  marks_.clear();
  core::TagReader reader(entry.tags);
  bool unknown = false;
  std::vector<core::TagCell> missing;
  for (std::size_t i = 0; const auto tag = reader.next(); ++i) {
    // Whoever wrote the entry put the namespaces first.
    if (i < namespaces_.size() && namespaces_[i].name == tag->name && isKnown(namespaces_[i], now)) {
      if (namespaces_[i].stamp != tag->stamp) {
        found.kind = Found::Kind::kOutdated;
        break;
      }
      if (memory_ != nullptr) marks_.add(tags_, *namespaces_[i].mark);
      continue;
    }
    const core::TagCell cell = tags_.acquire(tag->name);
    const auto stamp = tags_.stamp(cell, now);
    const auto mark = tags_.markOf(cell, tag->stamp, now);
    if (mark) {
      marks_.add(tags_, *mark);
    } else if (stamp && *stamp != tag->stamp) {
      found.kind = Found::Kind::kOutdated;
    } else {
      unknown = true;
      missing.push_back(cell);
      continue;  // keeps its reference until it has been asked for
    }
    tags_.release(cell);
    if (found.kind == Found::Kind::kOutdated) break;
  }
  if (found.kind != Found::Kind::kOutdated && unknown) {
    found.kind = Found::Kind::kMiss;
    if (link_->connectionOf({}).admit(true) == Admission::kAdmitted) {
      stamps_.ensure(missing, now);
      found.kind = Found::Kind::kAgain;
    }
  }
  for (const core::TagCell cell : missing) tags_.release(cell);
  return found.kind != Found::Kind::kOutdated && !unknown;
}

void CacheTier::keepRead(const Operation& operation, const Found& found) {
  if (memory_ == nullptr || operation.left < 0) return;
  // Nobody announces a change: not trusted for longer, and as fresh as it is.
  const bool announced = link_->connectionOf(operation.key).isTracking();
  const core::Millis keepUntil = announced ? core::kForever : found.asOf + options_.maxStaleness;
  const core::SourceId through = link_->sessionOf(operation.key).source(options_.maxStaleness);
  if (through == core::kOwnSource) return;
  memory_->put(operation.key, found.entry, found.deadlines, found.asOf,
               {.source = through, .tags = marks_.view(), .ticket = operation.ticket, .keepUntil = keepUntil});
}

void CacheTier::settleCount(Operation& operation, const Reply& reply) {
  forget(operation.key);
  if (reply.isError()) {
    return observer_.onOperationFailed(operation.number, {ErrorCode::kServer, std::string(reply.text)});
  }
  observer_.onDone(operation.number, reply.integer);
}

// The entry under the lease, if there is one, is as it was: memory keeps it.
void CacheTier::settleHeld(Operation& operation, const Reply& reply) {
  if (reply.isError()) {
    return observer_.onOperationFailed(operation.number, {ErrorCode::kServer, std::string(reply.text)});
  }
  observer_.onDone(operation.number, reply.integer);
}

void CacheTier::settleLease(Operation& operation, Kind kind, const Reply& reply) {
  if (reply.isError() && operation.error.empty()) operation.error = reply.text;
  if (!operation.error.empty())
    return observer_.onOperationFailed(operation.number, {ErrorCode::kServer, operation.error});
  // Taken, and perhaps lost again meanwhile.
  if (reply.type == ReplyType::kString && reply.text == textOf(operation.lease)) {
    return observer_.onFound(operation.number, leased(operation), operation.flags);
  }
  Found found;
  found.left = operation.left;
  found.kind = Found::Kind::kAgain;
  // Whoever had it may have ended it meanwhile, and then nobody would be told.
  const bool taken = reply.text.size() == core::kFillIdSize && reply.text != textOf(core::FillId{});
  if (kind == Kind::kRefreshed && operation.answer == 0 && taken) {
    found.kind = Found::Kind::kBusy;
    link_->sessionOf(operation.key).watch(operation.key, *this);
  } else if (kind == Kind::kRefreshed && operation.answer == 2) {
    found.kind = Found::Kind::kFailed;
  }
  observer_.onFound(operation.number, found, operation.flags);
}

void CacheTier::rememberToKeep(Operation& operation, const core::Entry& entry) {
  operation.keeps = memory_ != nullptr;
  if (!operation.keeps) return;
  operation.payload.assign(entry.payload);
  operation.metadata.assign(entry.metadata);
  operation.entry = entry;
  operation.entry.tags = {};
}

void CacheTier::settleStored(Operation& operation, const Reply& reply) {
  operation.answered = true;
  if (!operation.written) {
    operation.left = reply.integer;
  } else if (!operation.tags.empty()) {
    operation.left = learnMarks(operation, reply);
  }
  operation.keeps = operation.keeps && !reply.isError() && operation.left > 0;
  if (!reply.isError()) return;
  forget(operation.key);
  operation.error = reply.text;
}

// Of tags whose stamps were not known: the answer has those that the entry was stored with. Returns what PTTL said.
std::int64_t CacheTier::learnMarks(Operation& operation, const Reply& reply) {
  if (reply.type == ReplyType::kInteger) return reply.integer;
  const std::size_t count = operation.tags.size();
  if (reply.tree == nullptr || reply.tree->nodes.size() != 2 + count) return kUnknown;
  const core::Millis now = link_->now();
  const auto& cells = cellsOf(operation.tags);
  for (std::size_t i = 0; i < count; ++i) {
    const std::string_view bytes = reply.tree->textOf(reply.tree->nodes[2 + i]);
    core::Stamp stamp{};
    if (bytes.size() != stamp.size()) return kUnknown;
    std::memcpy(stamp.data(), bytes.data(), stamp.size());
    const auto mark = tags_.markOf(cells[i], stamp, now);
    if (mark) {
      operation.marks.add(tags_, *mark);
      continue;
    }
    operation.keeps = false;
    const auto current = tags_.stamp(cells[i], now);
    operation.outdated = operation.outdated || (current && *current != stamp);
  }
  return reply.tree->nodes[1].value.integer;
}

// Whether a tag that the entry carries has changed since it was sent: for good or ill, nobody can be served it.
bool CacheTier::isOutdated(const Operation& operation) const {
  const core::Millis now = link_->now();
  return operation.outdated || operation.left == kNoStamp ||
         std::ranges::any_of(operation.marks.view(),
                             [&](const core::TagMark& mark) { return !tags_.valid(mark, now); });
}

void CacheTier::reportStored(const Operation& operation) {
  if (operation.lost) {
    observer_.onOperationFailed(operation.number, *operation.lost);
  } else if (operation.error.empty()) {
    const bool isOver = operation.written && isOutdated(operation);
    observer_.onDone(operation.number, isOver ? 2 : operation.left < 0 ? 0 : 1);
  } else {
    observer_.onOperationFailed(operation.number, {ErrorCode::kServer, operation.error});
  }
}

// Who is told that it is written must not find what another thread has read before, and put there meanwhile.
void CacheTier::settleConfirm(Operation& operation, const Reply& reply) {
  const std::uint32_t* const newest = link_->sessionOf(operation.key).confirming(operation.key, *this);
  if (newest == nullptr) return forget(operation.key);
  Operation& latest = operations_[*newest];
  if (&latest != &operation) {  // overtaken: what is older than the newer one goes, and nothing else
    latest.ticket = memory_->eraseAndRenew(operation.key, latest.ticket);
    return;
  }
  link_->sessionOf(operation.key).endConfirming(operation.key, *this);
  if (!keepConfirmed(operation, reply)) forget(operation.key);
}

bool CacheTier::keepConfirmed(const Operation& operation, const Reply& reply) {
  if (!operation.keeps || !link_->connectionOf(operation.key).isTracking()) return false;
  if (reply.type != ReplyType::kString || reply.text.size() != kConfirmed) return false;
  // A soft invalidation leaves the fill id as it is.
  if (!reply.text.starts_with(textOf(operation.entry.fillId)) || reply.text.back() != '\0') return false;
  const core::SourceId through = link_->sessionOf(operation.key).source(options_.maxStaleness);
  if (through == core::kOwnSource) return false;
  core::Entry entry = operation.entry;
  entry.payload = operation.payload;
  entry.metadata = operation.metadata;
  return memory_->put(operation.key, entry, core::deadlinesFrom(entry, operation.began, operation.left), link_->now(),
                      {.source = through, .tags = operation.marks.view(), .ticket = operation.ticket});
}

void CacheTier::onFailed(const Pending& pending, const Error& error) {
  const auto index = static_cast<std::uint32_t>(pending.data >> 8);
  const auto kind = static_cast<Kind>(pending.data & 0xff);
  // What is behind it fails too.
  if (kind == Kind::kLifetime || kind == Kind::kSideStep || kind == Kind::kAnswered) return;
  if (kind == Kind::kCount || kind == Kind::kStored) forget(operations_[index].key);
  // Its confirmation may still wait, and be sent on another connection.
  if (kind == Kind::kStored) operations_[index].keeps = false;
  // What was sent may have been carried out, and its lease be ours.
  if (kind != Kind::kConfirm)
    link_->sessionOf(operations_[index].key).releaseLater(operations_[index].key, operations_[index].lease);
  if (kind == Kind::kStep) {
    for (const std::string& name : operations_[index].tags) tags_.invalidate(name);
  }
  if (kind == Kind::kStored && operations_[index].confirms) {
    operations_[index].lost = error;
    return;  // told with the confirmation, which fails too, or is answered by the next connection
  }
  if (kind == Kind::kConfirm) {
    operations_[index].keeps = false;
    settleConfirm(operations_[index], {});
  }
  if (kind == Kind::kConfirm && (operations_[index].answered || operations_[index].lost)) {
    reportStored(operations_[index]);
  } else if (kind != Kind::kIgnored) {
    observer_.onOperationFailed(operations_[index].number, error);
  }
  finish(index);
}

void CacheTier::onTimedOut(const Pending& pending) {
  const auto kind = static_cast<Kind>(pending.data & 0xff);
  switch (kind) {
    case Kind::kIgnored:
    case Kind::kLifetime:
    case Kind::kSideStep:
    case Kind::kAnswered:
      return;  // nobody waits for it, or what is behind it times out too
    default:
      break;
  }
  Operation& operation = operations_[static_cast<std::size_t>(pending.data >> 8)];
  if (kind == Kind::kStored && operation.confirms) return;  // so will the confirmation
  operation.abandoned = true;
  observer_.onOperationTimedOut(operation.number);
}

void CacheTier::onKeyChanged(std::string_view key) { observer_.onWatched(key); }

void CacheTier::onOwnAnnouncement(std::string_view key, std::uint32_t write) {
  core::Ticket& ticket = operations_[write].ticket;
  ticket = memory_->eraseAndRenew(key, ticket);
}

}  // namespace tiercel::redis
