// The second tier: entries, leases and tags in Redis, read and written through one connection, and the first tier kept
// in step with it. A reply fills the memory tier, and an invalidation empties it, in the order in which the server sent
// them.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/coherence/mark_list.h"
#include "core/coherence/tag_table.h"
#include "core/entry/entry.h"
#include "core/found.h"
#include "core/memory/memory_tier.h"
#include "core/shared_tiers.h"
#include "core/tier.h"
#include "redis/cache_scripts.h"
#include "redis/command_writer.h"
#include "redis/connection.h"
#include "redis/lease_book.h"
#include "redis/link.h"
#include "redis/node_session.h"
#include "redis/tag_stamps.h"

namespace tiercel::redis {

using core::Found;
using core::LeaseNumber;

// Told how each operation ended, in the order in which they were begun: exactly one call of onFound, onDone or
// onOperationFailed, and onOperationTimedOut perhaps before it. `number` is what onSubmitted gave for it.
class CacheTierObserver {
 public:
  virtual ~CacheTierObserver() = default;
  // An operation is on its way, and will be told of.
  virtual std::uint32_t onSubmitted() noexcept = 0;
  // `flags` is what the operation was given.
  virtual void onFound(std::uint32_t number, const Found& found, std::uint32_t flags) = 0;
  // Of readMany(), in the order of the keys. What is found is valid until this returns.
  virtual void onFoundMany(std::uint32_t number, std::span<const Found> found) = 0;
  virtual void onDone(std::uint32_t number, std::int64_t result) = 0;
  virtual void onOperationFailed(std::uint32_t number, const Error& error) = 0;
  virtual void onOperationTimedOut(std::uint32_t number) = 0;
  // A key that is watched has changed, or may have. It is watched no longer.
  virtual void onWatched(std::string_view key) = 0;
};

struct CacheTierOptions {
  std::string prefix;                                // of every key in Redis; not of those that the methods are given
  std::vector<std::string> namespaces;               // tags that every entry carries
  core::Millis maxStaleness = 1000;                  // how long memory is trusted when the server announces no changes
  core::Millis stampFor = INT64_C(30) * 86'400'000;  // how long the stamp of a tag lives
  bool memory = true;
  // Whether kAnyTag is asked for with the namespaces, on every connection: it is known then until some tag changes, and
  // leases that were taken without asking for it can take tags.
  bool asksForAnyTag = false;
};

class CacheTier final : public core::Tier, private ReplyHandler, private SessionMember {
 public:
  // shared: what the threads of the process have in common; must outlive this.
  CacheTier(Connection& connection, core::ProcessTier& shared, CacheTierOptions options, CacheTierObserver& observer);
  ~CacheTier() override;

  using Admission = core::Admission;

  // What is admitted is on its way, and the observer is told of it; nothing else is begun. Those that end a lease do so
  // in any case.

  core::Answer read(std::string_view key, std::uint32_t flags, bool bare) override;
  core::Answer readMany(std::span<const std::string> keys) override;
  // A key that is busy, or leased, is watched from then on.
  core::Answer acquire(std::string_view key, const core::LeaseRequest& request) override;
  core::Answer refresh(std::string_view key, const core::LeaseRequest& request) override;
  core::Answer takeOver(std::string_view key, std::string_view head, const core::LeaseRequest& request) override;

  Tagging addTags(LeaseNumber lease, std::span<const std::string> tags) override;
  bool knowsTags(std::span<const std::string> tags) override;
  core::Answer prepare(std::span<const std::string> tags) override;

  core::Answer fill(LeaseNumber lease, const core::Entry& entry) override;
  core::Answer giveUp(LeaseNumber lease, const core::Entry* told, core::Millis holdOff) override;
  core::Answer held(LeaseNumber lease) override;
  core::Answer renew(LeaseNumber lease, core::Millis leaseFor) override;
  [[nodiscard]] bool current(LeaseNumber lease) override;
  [[nodiscard]] bool anyTagChanged(LeaseNumber lease) override;
  void drop(LeaseNumber lease) override;

  core::Answer write(std::string_view key, const core::Entry& entry, std::span<const std::string> tags) override;
  core::Answer remove(std::string_view key) override;
  core::Answer soften(std::string_view key) override;
  core::Answer invalidateTags(std::span<const std::string> names) override;
  core::Answer sweep(std::string_view key, std::string_view tag, std::string_view stamp) override;
  // From memory alone: what Redis has is found by SCAN.
  std::uint64_t removeSome(std::uint64_t cursor, const std::function<bool(std::string_view)>& matches,
                           std::size_t& dropped) override;

  // For those who wait: onWatched when the key changes.
  void unwatch(std::string_view key) override;

  // Forgets what memory has, and voids what is on its way to it.
  void forget(std::string_view key);
  [[nodiscard]] std::optional<core::Stamp> stampOf(std::string_view name) const override;

  // No operation waits for an answer, and the connection has no command of this tier or of its stamps.
  [[nodiscard]] bool isIdle() const override {
    return active_ == 0 && outstanding() == 0 && stamps_.outstanding() == 0;
  }

 private:
  enum class Kind : std::uint8_t {
    kIgnored,   // nobody waits for its reply
    kSideStep,  // a command beside the one that settles the operation: only its error counts
    kLifetime,
    kRead,
    kReadMany,
    kAcquired,
    kAnswered,  // the script of a refresh or a takeover; what is there by then follows
    kRefreshed,
    kTakenOver,
    kStored,   // a fill or a write
    kConfirm,  // what is there by then, behind either
    kCount,
    kHeld,  // a lease is asked about, or renewed
    kStep   // one of several that must all succeed
  };
  static constexpr std::int64_t kUnknown = -3;
  static constexpr std::int64_t kNoStamp = -4;  // what kStoreTagged says when a tag has none
  static constexpr std::uint32_t kNobody = UINT32_MAX;
  // So many reads ask for lifetimes after one without has found that it needed it.
  static constexpr std::uint32_t kAskedLifetimes = 1000;

  // One operation; reused, so that the steady state allocates nothing but long keys.
  struct Operation {
    std::string key;
    std::uint32_t flags = 0;
    std::uint32_t number = 0;      // the observer's
    bool bare = false;             // PTTL was not asked: an entry that is fresh as long as it is there is fresh
    bool abandoned = false;        // who asked was told that it took too long
    std::int64_t left = kUnknown;  // what PTTL said; while it is unknown, what is read must not be kept
    std::size_t keys = 0;          // of readMany()
    core::Millis began = 0;        // what PTTL said has been running down since, at the earliest
    core::Ticket ticket = 0;       // of the memory tier: what is older than this does not get in
    core::FillId lease{};
    std::int64_t answer = kUnknown;  // what a script said, when it does not settle the operation
    std::vector<std::string> tags;   // of a write: those whose stamps were not known
    std::string error;
    // What a write or a fill puts into memory once it is seen to be in Redis.
    bool keeps = false;
    bool confirms = false;  // its kConfirm is on its way
    bool answered = false;  // the write itself
    bool written = false;   // by write(), not by the fill of a load
    bool outdated = false;  // a tag of it has another stamp by now
    std::optional<Error> lost;
    core::Entry entry{};
    std::string payload;
    std::string metadata;
    core::MarkList marks;
  };

  void onReply(const Pending& pending, const Reply& reply) override;
  void onFailed(const Pending& pending, const Error& error) override;
  void onTimedOut(const Pending& pending) override;
  void onKeyChanged(std::string_view key) override;
  void onOwnAnnouncement(std::string_view key, std::uint32_t write) override;
  [[nodiscard]] std::string_view keyOf(std::uint32_t read) const override { return operations_[read].key; }
  void forgetLifetime(std::uint32_t read) override { operations_[read].left = kUnknown; }
  void release(const std::string& key, const core::FillId& id) override;

  std::uint32_t begin(std::string_view key, core::Millis now, std::uint32_t flags);
  void finish(std::uint32_t index);

  // An operation whose commands are being written: they are submitted together, or it has never been begun.
  enum class Told : std::uint8_t { kObserver, kNobody };
  class Sending {
   public:
    Sending(CacheTier& tier, std::string_view key);
    Sending(CacheTier& tier, std::string_view key, core::Millis now, std::uint32_t flags);
    ~Sending();
    Sending(const Sending&) = delete;
    Sending& operator=(const Sending&) = delete;
    [[nodiscard]] std::uint32_t index() const { return index_; }
    [[nodiscard]] Operation& operation() { return tier_.operations_[index_]; }
    OutputBuffer& output() { return writer_.output(); }
    void end(Kind step);
    void command(Kind step, std::string_view name, std::string_view key);
    void beginScript(Script which, std::string_view key, std::span<const std::string> moreKeys, std::size_t arguments);
    void script(Kind step, Script which, std::string_view key, std::initializer_list<std::string_view> arguments);
    void lookBehind(Kind step, std::string_view key, std::size_t from, std::size_t to);
    void reserve() { writer_.reserve(); }
    void submit(Told told = Told::kObserver);

   private:
    CacheTier& tier_;
    CommandWriter writer_;
    std::uint32_t index_;
    bool submitted_ = false;
  };
  void index(std::string_view key, std::string_view encodedTags, core::Millis keepFor) noexcept;

  void settleRead(Operation& operation, const Reply& reply, bool acquiring);
  [[nodiscard]] bool isBare(bool bare);
  [[nodiscard]] bool isEnough(const Found& found, const core::Entry& entry) const;
  void settleMany(Operation& operation, const Reply& reply);
  void settleLease(Operation& operation, Kind kind, const Reply& reply);
  void settleCount(Operation& operation, const Reply& reply);
  void settleStored(Operation& operation, const Reply& reply);
  void settleConfirm(Operation& operation, const Reply& reply);
  bool keepConfirmed(const Operation& operation, const Reply& reply);
  [[nodiscard]] std::int64_t learnMarks(Operation& operation, const Reply& reply);
  [[nodiscard]] bool isOutdated(const Operation& operation) const;
  void reportStored(const Operation& operation);
  void confirm(Sending& sending);
  void settleHeld(Operation& operation, const Reply& reply);
  Found classify(Operation& operation, const core::Entry& entry, core::Millis now);
  bool judgeTags(const core::Entry& entry, core::Millis now, Found& found);
  Found leased(const Operation& operation);
  void keepRead(const Operation& operation, const Found& found);
  void rememberToKeep(Operation& operation, const core::Entry& entry);

  // A namespace that every entry carries, and what was last known of it: on the way of every read.
  struct Namespace {
    std::string name;
    core::TagCell cell = 0;
    core::Stamp stamp{};
    std::optional<core::TagMark> mark{};
  };
  bool isKnown(Namespace& own, core::Millis now);

  void ensure(std::span<const std::string> tags, core::Millis now);
  std::vector<core::TagCell>& cellsOf(std::span<const std::string> tags);
  void releaseCells();

  core::TagTable& tags_;
  core::MemoryTier* memory_;  // nullptr: the cache has none
  CacheTierOptions options_;
  CacheTierObserver& observer_;
  std::unique_ptr<Link> link_;  // in front of the stamps, which travel on it
  TagStamps stamps_;
  LeaseBook leases_;

  std::vector<Namespace> namespaces_;
  core::TagCell any_ = 0;                // changes whenever a tag does
  std::vector<core::TagCell> cells_;     // of the call that is running; one reference each
  std::vector<core::TagStamp> written_;  // of the entry that is written
  std::vector<std::string> unknown_;     // those of its tags whose stamps are not known
  std::vector<Found> many_;              // what was read together
  std::vector<core::TagStamp> indexed_;  // those of the tags that have an index
  std::vector<std::size_t> places_;      // where they are in the entry
  core::MarkList marks_;                 // of the entry that is looked at
  std::uint32_t lifetimes_ = 0;          // reads that ask for lifetimes though nobody else does
  std::deque<Operation> operations_;     // one may be begun while another is settled
  std::vector<std::uint32_t> free_;
  std::size_t active_ = 0;
};

}  // namespace tiercel::redis
