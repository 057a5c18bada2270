// The second tier: entries in Redis, read and written through one connection, and the first tier kept in step with it.
// A reply fills the memory tier, and an invalidation empties it, in the order in which the server sent them.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/entry.h"
#include "core/memory_tier.h"
#include "redis/connection.h"

namespace tiercel::redis {

// What a read found. `entry` is valid until the call returns.
struct ReadResult {
  enum class Status : std::uint8_t { kHit, kMiss, kCorrupt };
  Status status = Status::kMiss;
  core::Entry entry{};
  core::Deadlines deadlines{};
};

// Told how each operation ended, in the order in which they were begun: exactly one call each of the first four, and
// onTimedOut perhaps before it.
class CacheTierObserver {
 public:
  virtual ~CacheTierObserver() = default;
  // `tag` is what read() was given.
  virtual void onRead(const ReadResult& result, std::uint32_t tag) = 0;
  virtual void onWritten() = 0;
  virtual void onRemoved(std::int64_t count) = 0;
  virtual void onOperationFailed(const Error& error) = 0;
  virtual void onOperationTimedOut() = 0;
};

class CacheTier final : private ReplyHandler, private InvalidationListener {
 public:
  struct Options {
    core::Millis maxStaleness = 1000;  // how long an entry in memory is trusted when the server announces no changes
  };

  // memory may be null. Turns tracking on when it is not.
  CacheTier(Connection& connection, core::MemoryTier* memory, const Options& options, CacheTierObserver& observer);
  ~CacheTier() override;
  CacheTier(const CacheTier&) = delete;
  CacheTier& operator=(const CacheTier&) = delete;

  // None of these begins anything unless it returns kAdmitted.
  Connection::Admission read(std::string_view key, std::uint32_t tag);
  Connection::Admission write(std::string_view key, const core::Entry& entry);
  Connection::Admission remove(std::string_view key);

  // No operation waits for an answer.
  [[nodiscard]] bool isIdle() const { return active_ == 0; }
  // The connection is gone for good, with every operation settled.
  void detach() { connection_ = nullptr; }

 private:
  enum class Kind : std::uint8_t { kLifetime, kRead, kWrite, kRemove };
  static constexpr std::int64_t kUnknown = -3;
  static constexpr std::uint32_t kNone = UINT32_MAX;

  // One operation; reused, so that the steady state allocates nothing but long keys.
  struct Operation {
    std::string key;
    std::uint32_t tag = 0;
    std::int64_t left = kUnknown;  // what PTTL said; while it is unknown, what is read must not be kept
  };

  void onReply(const Pending& pending, const Reply& reply) override;
  void onFailed(const Pending& pending, const Error& error) override;
  void onTimedOut(const Pending& pending) override;
  void onInvalidate(std::string_view key) override;
  void onInvalidateAll() override;
  void onTrackingLost() override;

  std::uint32_t begin(std::string_view key);
  void finish(std::uint32_t index);
  void commit(std::size_t mark, std::uint32_t operation, Kind step);
  void finishRead(Operation& operation, const Reply& reply);
  void keep(const Operation& operation, const ReadResult& result, core::Millis now);
  void forget(std::string_view key);

  Connection* connection_;
  core::MemoryTier* memory_;
  Options options_;
  CacheTierObserver& observer_;
  std::vector<Operation> operations_;
  std::vector<std::uint32_t> free_;
  std::uint32_t halfRead_ = kNone;  // the read whose PTTL was answered, and whose GET was not
  std::size_t active_ = 0;
};

}  // namespace tiercel::redis
