// A cache without Redis, for all threads of the process: the memory tier with leases and tags. Answers at once what
// src/redis/cache_tier.h answers after a round trip.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/coherence/lease_table.h"
#include "core/coherence/mark_list.h"
#include "core/coherence/tag_table.h"
#include "core/found.h"
#include "core/memory/memory_tier.h"
#include "core/numbered.h"

namespace tiercel::core {

class LocalCache {
 public:
  // Used by one thread; the tables may be shared by many. listener: told when a lease that was busy has ended.
  LocalCache(MemoryTier& memory, TagTable& tags, LeaseTable& leases, const std::vector<std::string>& namespaces,
             std::shared_ptr<LeaseListener> listener);
  ~LocalCache();
  LocalCache(const LocalCache&) = delete;
  LocalCache& operator=(const LocalCache&) = delete;

  // What memory has, or the lease: kHit (only fresh entries), kLeased, kBusy, kFailed. `failure` is where the payload
  // of a failure is kept for as long as the result is used. ticket: what the listener is told when the answer was
  // kBusy.
  Found acquire(std::string_view key, Millis now, Millis leaseFor, std::span<const std::string> tags,
                std::uint64_t ticket, std::string& failure, bool overFailure = false);
  // The same for an entry that is there: no look at memory.
  Found refresh(std::string_view key, Millis now, Millis leaseFor, std::span<const std::string> tags,
                std::uint64_t ticket);

  // Tags that were computed from the value. false: some tag has changed since the load began; do not fill.
  bool addTags(LeaseNumber lease, std::span<const std::string> tags, Millis now);
  // These end the lease. false: it was lost meanwhile, and nothing was stored.
  bool fill(LeaseNumber lease, const Entry& entry, Millis now);
  bool giveUp(LeaseNumber lease, std::optional<std::string> failure, Millis now, Millis holdOff);
  // Extends the lease. false: it is lost.
  bool renew(LeaseNumber lease, Millis now, Millis leaseFor);
  // Whether it is still held, and nothing has changed that its load began with.
  [[nodiscard]] bool held(LeaseNumber lease, Millis now) const;
  // Whether any tag has changed since its load began.
  [[nodiscard]] bool anyTagChanged(LeaseNumber lease, Millis now) const;

  bool write(std::string_view key, const Entry& entry, std::span<const std::string> tags, Millis now);
  bool remove(std::string_view key);
  // Leaves a copy for staleIfError.
  bool soften(std::string_view key, Millis now);
  void invalidateTags(std::span<const std::string> names);
  std::size_t removeIf(const std::function<bool(std::string_view)>& matches);
  // The same in steps, as MemoryTier::eraseSome(): loads under way are fenced by the first.
  std::uint64_t removeSome(std::uint64_t cursor, const std::function<bool(std::string_view)>& matches,
                           std::size_t& dropped);

 private:
  struct Lease {
    std::string key;
    FillId id{};
    MarkList marks;
    TagMark any;
  };
  Found taken(const LeaseAnswer& answer, std::string_view key, Millis now, std::span<const std::string> tags);
  void collectMarks(std::span<const std::string> tags, Millis now, MarkList& marks);
  void close(LeaseNumber number);

  MemoryTier& memory_;
  TagTable& tags_;
  LeaseTable& table_;
  std::shared_ptr<LeaseListener> listener_;
  std::vector<TagCell> namespaces_;
  TagCell any_;  // changes whenever a tag does
  Numbered<Lease> leases_;
};

}  // namespace tiercel::core
