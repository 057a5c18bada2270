#include "redis/cache_tier.h"

#include <algorithm>

namespace tiercel::redis {

namespace {

constexpr std::uint64_t pack(std::uint32_t operation, std::uint8_t step) {
  return (std::uint64_t{operation} << 8) | step;
}

}  // namespace

CacheTier::CacheTier(Connection& connection, core::MemoryTier* memory, const Options& options,
                     CacheTierObserver& observer)
    : connection_(&connection), memory_(memory), options_(options), observer_(observer) {
  connection.addInvalidationListener(*this);
  if (memory != nullptr) connection.requestTracking();
}

CacheTier::~CacheTier() {
  if (connection_ != nullptr) connection_->removeInvalidationListener(*this);
}

Connection::Admission CacheTier::read(std::string_view key, std::uint32_t tag) {
  const auto admission = connection_->admit(true);
  if (admission != Connection::Admission::kAdmitted) return admission;
  const std::uint32_t operation = begin(key);
  operations_[operation].tag = tag;
  OutputBuffer& out = connection_->output();
  // How long the entry still has comes from the server's clock alone, and is asked first: a change in between fences.
  std::size_t mark = out.size();
  out.commandHeader(2);
  out.argument("PTTL");
  out.argument(key);
  commit(mark, operation, Kind::kLifetime);
  mark = out.size();
  out.commandHeader(2);
  out.argument("GET");
  out.argument(key);
  commit(mark, operation, Kind::kRead);
  return admission;
}

Connection::Admission CacheTier::write(std::string_view key, const core::Entry& entry) {
  forget(key);  // whatever becomes of this: what memory holds is about to be wrong
  const auto admission = connection_->admit(true);
  if (admission != Connection::Admission::kAdmitted) return admission;
  const std::uint32_t operation = begin(key);
  OutputBuffer& out = connection_->output();
  const std::size_t mark = out.size();
  const std::size_t size = core::encodedEntrySize(entry);
  out.commandHeader(5);
  out.argument("SET");
  out.argument(key);
  core::encodeEntry(entry, out.openArgument(size));
  out.closeArgument(size);
  out.argument("PX");
  out.argument(std::max<core::Millis>(1, entry.keepFor));
  commit(mark, operation, Kind::kWrite);
  return admission;
}

Connection::Admission CacheTier::remove(std::string_view key) {
  forget(key);  // whatever becomes of this: what memory holds is about to be wrong
  const auto admission = connection_->admit(true);
  if (admission != Connection::Admission::kAdmitted) return admission;
  const std::uint32_t operation = begin(key);
  OutputBuffer& out = connection_->output();
  const std::size_t mark = out.size();
  out.commandHeader(2);
  out.argument("UNLINK");
  out.argument(key);
  commit(mark, operation, Kind::kRemove);
  return admission;
}

std::uint32_t CacheTier::begin(std::string_view key) {
  std::uint32_t index = 0;
  if (free_.empty()) {
    index = static_cast<std::uint32_t>(operations_.size());
    operations_.emplace_back();
  } else {
    index = free_.back();
    free_.pop_back();
  }
  Operation& operation = operations_[index];
  operation.key.assign(key);
  operation.left = kUnknown;
  ++active_;
  return index;
}

void CacheTier::finish(std::uint32_t index) {
  free_.push_back(index);
  --active_;
}

void CacheTier::commit(std::size_t mark, std::uint32_t operation, Kind step) {
  connection_->commit(mark, *this, pack(operation, static_cast<std::uint8_t>(step)));
}

void CacheTier::onReply(const Pending& pending, const Reply& reply) {
  const auto index = static_cast<std::uint32_t>(pending.data >> 8);
  Operation& operation = operations_[index];
  switch (static_cast<Kind>(pending.data & 0xff)) {
    case Kind::kLifetime:
      if (reply.type == ReplyType::kInteger) operation.left = reply.integer;
      halfRead_ = index;
      return;  // the answer to GET follows
    case Kind::kRead:
      halfRead_ = kNone;
      finishRead(operation, reply);
      break;
    case Kind::kWrite:
      // Before anybody is told: what this process read on the way to here is older than what it wrote.
      forget(operation.key);
      if (reply.isError()) {
        observer_.onOperationFailed({ErrorCode::kServer, std::string(reply.text)});
      } else {
        observer_.onWritten();
      }
      break;
    case Kind::kRemove:
      forget(operation.key);
      if (reply.isError()) {
        observer_.onOperationFailed({ErrorCode::kServer, std::string(reply.text)});
      } else {
        observer_.onRemoved(reply.integer);
      }
      break;
  }
  finish(index);
}

void CacheTier::finishRead(Operation& operation, const Reply& reply) {
  // A foreign type under our key is no entry, and no failure of the server.
  if (reply.isError() && !reply.text.starts_with("WRONGTYPE")) {
    return observer_.onOperationFailed({ErrorCode::kServer, std::string(reply.text)});
  }
  ReadResult result;
  if (!reply.isNil()) {
    const auto entry = reply.type == ReplyType::kString ? core::parseEntry(reply.text) : std::nullopt;
    if (!entry) {
      result.status = ReadResult::Status::kCorrupt;
    } else if (!entry->isMarker()) {
      result.status = ReadResult::Status::kHit;
      result.entry = *entry;
      const core::Millis now = connection_->now();
      const bool lifetimeKnown = operation.left >= 0;
      result.deadlines =
          lifetimeKnown ? core::deadlinesFrom(*entry, now, operation.left) : core::deadlinesFrom(*entry, now);
      if (lifetimeKnown) keep(operation, result, now);
    }
  }
  observer_.onRead(result, operation.tag);
}

void CacheTier::keep(const Operation& operation, const ReadResult& result, core::Millis now) {
  if (memory_ == nullptr) return;
  core::Deadlines deadlines = result.deadlines;
  if (!connection_->isTracking()) {
    const core::Millis trusted = now + options_.maxStaleness;
    deadlines.freshUntil = std::min(deadlines.freshUntil, trusted);
    deadlines.staleUntil = std::min(deadlines.staleUntil, trusted);
    deadlines.goneAt = std::min(deadlines.goneAt, trusted);
  }
  memory_->put(operation.key, result.entry, deadlines, now);
}

void CacheTier::onFailed(const Pending& pending, const Error& error) {
  const auto index = static_cast<std::uint32_t>(pending.data >> 8);
  const auto step = static_cast<Kind>(pending.data & 0xff);
  if (step == Kind::kLifetime) return;  // the GET behind it fails too
  if (step != Kind::kRead) forget(operations_[index].key);
  observer_.onOperationFailed(error);
  finish(index);
}

void CacheTier::onTimedOut(const Pending& pending) {
  if (static_cast<Kind>(pending.data & 0xff) != Kind::kLifetime) observer_.onOperationTimedOut();
}

void CacheTier::forget(std::string_view key) {
  if (memory_ != nullptr) memory_->erase(key);
}

// A reply that comes after an invalidation is newer than it, so nothing that is still on its way need be stopped; but
// for the one read whose lifetime belongs to what was there before, and whose value may not.
void CacheTier::onInvalidate(std::string_view key) {
  forget(key);
  if (halfRead_ != kNone && operations_[halfRead_].key == key) operations_[halfRead_].left = kUnknown;
}

void CacheTier::onInvalidateAll() {
  if (memory_ != nullptr) memory_->clear();
  if (halfRead_ != kNone) operations_[halfRead_].left = kUnknown;
}

void CacheTier::onTrackingLost() {
  onInvalidateAll();
  halfRead_ = kNone;
}

}  // namespace tiercel::redis
