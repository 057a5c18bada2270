// What a cache asks of what is behind its memory: entries, leases and tags, of this process alone (core/local_tier.h)
// or in Redis (redis/cache_tier.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "core/admission.h"
#include "core/entry/entry.h"
#include "core/found.h"

namespace tiercel::core {

// What came of an operation: what was found, or a number, at once; or whether it was begun, and its end is told later.
class Answer {
 public:
  Answer(Admission admission) : value_(admission) {}  // NOLINT(google-explicit-constructor): each is an answer
  Answer(std::int64_t number) : value_(number) {}     // NOLINT(google-explicit-constructor)
  Answer(const Found& found) : value_(found) {}       // NOLINT(google-explicit-constructor)

  [[nodiscard]] const Admission* admission() const { return std::get_if<Admission>(&value_); }
  [[nodiscard]] const std::int64_t* number() const { return std::get_if<std::int64_t>(&value_); }
  [[nodiscard]] const Found* found() const { return std::get_if<Found>(&value_); }

  friend bool operator==(const Answer& answer, Admission admission) {
    return answer.admission() != nullptr && *answer.admission() == admission;
  }

 private:
  std::variant<Admission, std::int64_t, Found> value_;
};

struct LeaseRequest {
  Millis leaseFor = 0;
  std::span<const std::string> tags{};  // whose stamps count from now on; whole names
  std::uint32_t flags = 0;              // told with an answer that comes later
  std::uint64_t ticket = 0;             // of who waits when the answer is kBusy
  bool bare = false;                    // as of read()
  bool overFailure = false;             // a failure that was told to those who waited is in nobody's way
};

// Used by one thread. Those that end a lease do so whatever their answer is. Found and its views are valid until the
// next call.
class Tier {
 public:
  Tier() = default;
  virtual ~Tier() = default;
  Tier(const Tier&) = delete;
  Tier& operator=(const Tier&) = delete;

  // What is behind memory. bare: for the value alone; nobody asks how long it lives.
  virtual Answer read(std::string_view key, std::uint32_t flags, bool bare) = 0;
  // Many keys that are read for their values alone. Per key: a fresh hit, a miss, or kAgain for what read() has to look
  // at. Only where there is something behind memory.
  virtual Answer readMany(std::span<const std::string> keys) = 0;
  // What is behind memory for one of them, or the lease when there is nothing.
  virtual Answer acquire(std::string_view key, const LeaseRequest& request) = 0;
  // The lease of an entry that stays readable: kLeased, kBusy, kFailed or kAgain (there is none any more).
  virtual Answer refresh(std::string_view key, const LeaseRequest& request) = 0;
  // The lease in the place of an outdated entry; head is what was found of it. kLeased or kAgain.
  virtual Answer takeOver(std::string_view key, std::string_view head, const LeaseRequest& request) = 0;

  // Adds tags that were computed from the value. The stamps are those of before the load: kUnknown when they have to be
  // asked for first (prepare(), then once more), kChanged when there is no telling any more: do not fill.
  enum class Tagging : std::uint8_t { kAdded, kUnknown, kChanged };
  virtual Tagging addTags(LeaseNumber lease, std::span<const std::string> tags) = 0;
  // Whether the stamps of these tags are known; if not: prepare().
  virtual bool knowsTags(std::span<const std::string> tags) = 0;
  // Makes the stamps of these tags known. 1.
  virtual Answer prepare(std::span<const std::string> tags) = 0;

  // Ends the lease. 1, or 0 when it was lost and nothing is stored.
  virtual Answer fill(LeaseNumber lease, const Entry& entry) = 0;
  // Ends it without a value. `told`: what others shall find for `holdOff` ms; nullptr: nothing. 1 or 0.
  virtual Answer giveUp(LeaseNumber lease, const Entry* told, Millis holdOff) = 0;
  // 1 while the lease is held, else 0.
  virtual Answer held(LeaseNumber lease) = 0;
  // Extends it from now on. 1 while it is held, else 0.
  virtual Answer renew(LeaseNumber lease, Millis leaseFor) = 0;
  // Whether nothing that the load of this lease began with is known to have changed.
  [[nodiscard]] virtual bool current(LeaseNumber lease) = 0;
  // Whether any tag of the cache has changed since the load began; for those that asked for kAnyTag.
  [[nodiscard]] virtual bool anyTagChanged(LeaseNumber lease) = 0;
  // The lease is of no use any more.
  virtual void drop(LeaseNumber lease) = 0;

  // 1, or 0 when it was not kept. 2: one of its tags has changed since it was sent. Tags need not be known.
  virtual Answer write(std::string_view key, const Entry& entry, std::span<const std::string> tags) = 0;
  // The number of entries that there were.
  virtual Answer remove(std::string_view key) = 0;
  // Leaves a copy for staleIfError. The number of entries that there were.
  virtual Answer soften(std::string_view key) = 0;
  // Nothing is valid any more that carries one of these tags. `names` are whole: "t:user", "n". 1.
  virtual Answer invalidateTags(std::span<const std::string> names) = 0;
  // Gives back the entry if it carries the tag with another stamp than this one. The number removed.
  virtual Answer sweep(std::string_view key, std::string_view tag, std::string_view stamp) = 0;
  // Removes what matches as far as this process can, in steps as MemoryTier::eraseSome(): loads under way are overtaken
  // by the first.
  virtual std::uint64_t removeSome(std::uint64_t cursor, const std::function<bool(std::string_view)>& matches,
                                   std::size_t& dropped) = 0;

  // Nobody waits for a change of the key any more.
  virtual void unwatch(std::string_view key) = 0;
  [[nodiscard]] virtual std::optional<Stamp> stampOf(std::string_view name) const = 0;
  // No operation has still to be told of.
  [[nodiscard]] virtual bool isIdle() const = 0;
};

}  // namespace tiercel::core
