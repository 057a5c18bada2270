// The tier of a cache without Redis, for all threads of the process: the memory tier with leases and tags. Answers at
// once what redis/cache_tier.h answers after a round trip.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/coherence/lease_table.h"
#include "core/coherence/mark_list.h"
#include "core/coherence/tag_table.h"
#include "core/memory/memory_tier.h"
#include "core/numbered.h"
#include "core/tier.h"

namespace tiercel::core {

class LocalTier final : public Tier {
 public:
  using Clock = Millis (*)();  // monotonic

  // Used by one thread; the tables may be shared by many. listener: told when a lease that was busy has ended.
  LocalTier(MemoryTier& memory, TagTable& tags, LeaseTable& leases, const std::vector<std::string>& namespaces,
            std::shared_ptr<LeaseListener> listener, Clock clock);
  ~LocalTier() override;

  // kMiss: what there is, is in memory.
  Answer read(std::string_view key, std::uint32_t flags, bool bare) override;
  Answer readMany(std::span<const std::string> keys) override;
  // kLeased, kBusy, kFailed, or kAgain when memory has it by now.
  Answer acquire(std::string_view key, const LeaseRequest& request) override;
  Answer refresh(std::string_view key, const LeaseRequest& request) override;
  // kAgain: nothing in memory is outdated.
  Answer takeOver(std::string_view key, std::string_view head, const LeaseRequest& request) override;

  Tagging addTags(LeaseNumber lease, std::span<const std::string> tags) override;
  bool knowsTags(std::span<const std::string> /*tags*/) override { return true; }
  Answer prepare(std::span<const std::string> /*tags*/) override { return 1; }
  Answer fill(LeaseNumber lease, const Entry& entry) override;
  Answer giveUp(LeaseNumber lease, const Entry* told, Millis holdOff) override;
  Answer held(LeaseNumber lease) override { return isHeld(lease) ? 1 : 0; }
  Answer renew(LeaseNumber lease, Millis leaseFor) override;
  [[nodiscard]] bool current(LeaseNumber lease) override { return isHeld(lease); }
  [[nodiscard]] bool anyTagChanged(LeaseNumber lease) override;
  void drop(LeaseNumber lease) override { giveUp(lease, nullptr, 0); }

  Answer write(std::string_view key, const Entry& entry, std::span<const std::string> tags) override;
  Answer remove(std::string_view key) override;
  Answer soften(std::string_view key) override;
  Answer invalidateTags(std::span<const std::string> names) override;
  // What carries a tag with another stamp is not found, and leaves memory by itself.
  Answer sweep(std::string_view /*key*/, std::string_view /*tag*/, std::string_view /*stamp*/) override { return 0; }
  std::uint64_t removeSome(std::uint64_t cursor, const std::function<bool(std::string_view)>& matches,
                           std::size_t& dropped) override;

  void unwatch(std::string_view /*key*/) override {}
  [[nodiscard]] std::optional<Stamp> stampOf(std::string_view /*name*/) const override { return std::nullopt; }
  [[nodiscard]] bool isIdle() const override { return true; }

 private:
  struct Lease {
    std::string key;
    FillId id{};
    MarkList marks;
    TagMark any;
  };
  Found taken(LeaseAnswer& answer, std::string_view key, Millis now, std::span<const std::string> tags);
  void collectMarks(std::span<const std::string> tags, Millis now, MarkList& marks);
  // Whether it is still held, and nothing has changed that its load began with.
  [[nodiscard]] bool isHeld(LeaseNumber lease) const;
  void close(LeaseNumber number);

  MemoryTier& memory_;
  TagTable& tags_;
  LeaseTable& table_;
  std::shared_ptr<LeaseListener> listener_;
  Clock clock_;
  std::vector<TagCell> namespaces_;
  TagCell any_;  // changes whenever a tag does
  Numbered<Lease> leases_;
  std::string failure_;  // that was answered last
};

}  // namespace tiercel::core
