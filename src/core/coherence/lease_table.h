// Leases of a cache without Redis: one load per key in all threads of the process, and no fill by a load that was
// overtaken by a delete, a set or an invalidation. What the marker under a key is in Redis.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "core/clock.h"
#include "core/entry/entry.h"
#include "core/key_hash.h"

namespace tiercel::core {

// Told, on whatever thread ends a lease, that a key is worth another look. Must not call back into the table, nor may
// its destructor: that thread may be the last to hold it. Time that passes tells nobody: who waits has a timer for
// `until`, and looks again then; its ticket may be told all the same, so one that is no longer waited for is ignored.
class LeaseListener {
 public:
  virtual ~LeaseListener() = default;
  virtual void onLeaseEnded(std::uint64_t ticket) noexcept = 0;
};

struct LeaseAnswer {
  enum class Status : std::uint8_t {
    kTaken,   // load, and complete() or fail() with `id`
    kBusy,    // somebody loads, until `until` at the latest; the listener is told once when that ends
    kFailed,  // a load failed a moment ago: `failure` says how, until `until`
  };
  Status status = Status::kTaken;
  FillId id{};
  Millis until = 0;
  std::string failure;
};

// Each answer kBusy is told exactly once: when the lease is completed, failed or revoked, when somebody else takes it
// over after its time, or when it is swept away then. A takeover is told too, rather than that the waiters are handed
// to the new lease: they ask again, and learn its `until` for their timers.
class LeaseTable {
 public:
  LeaseTable();
  ~LeaseTable();
  LeaseTable(const LeaseTable&) = delete;
  LeaseTable& operator=(const LeaseTable&) = delete;

  // listener and ticket: who is told, when the answer is kBusy. A listener that is gone is not told; nullptr: nobody
  // is. May throw std::bad_alloc, and then no lease has been taken.
  // overFailure: a remembered failure is in nobody's way.
  LeaseAnswer take(std::string_view key, Millis now, Millis leaseFor, const std::shared_ptr<LeaseListener>& listener,
                   std::uint64_t ticket, bool overFailure = false);

  // Ends the lease, after `fill` has run; both in one step, as seen by revoke(). false: it is no longer held, and
  // `fill` was not called. An empty `fill` just gives the lease up. `fill` runs under a lock: it may use the memory
  // tier, but not this table. A lease past its time is held until it is taken over or swept away.
  bool complete(std::string_view key, const FillId& id, const std::function<void()>& fill);
  // The load failed: whoever waits and whoever comes before `until` gets `failure`. false: the lease is no longer held.
  bool fail(std::string_view key, const FillId& id, std::string failure, Millis now, Millis until);

  // It lasts until then. false: it is no longer held.
  bool extend(std::string_view key, const FillId& id, Millis until);

  [[nodiscard]] bool holds(std::string_view key, const FillId& id, Millis now) const;

  // Overtaken: whoever holds the lease can no longer fill; a remembered failure is forgotten. To be called before the
  // entry of the key is erased or replaced, and by nobody who holds a lock of the memory tier.
  void revoke(std::string_view key);
  // matches: called under a lock; must not use this table.
  void revokeIf(const std::function<bool(std::string_view)>& matches);
  void revokeAll();
  // Remembered failures go, whatever keys they are of; leases stay.
  void forgetFailures();

  // Leases and remembered failures, those included whose time is over and that have not been swept yet.
  [[nodiscard]] std::size_t size() const;

 private:
  struct Waiter {
    std::weak_ptr<LeaseListener> listener;
    std::uint64_t ticket;
  };

  // Who is to be told, once it is destroyed: declared before a lock is taken, it tells after that was given back. Lists
  // everywhere, because splicing needs no memory: nobody is forgotten when there is none.
  class Told {
   public:
    Told() = default;
    ~Told();
    Told(const Told&) = delete;
    Told& operator=(const Told&) = delete;
    void add(std::list<Waiter>& waiters) noexcept { waiters_.splice(waiters_.end(), waiters); }

   private:
    std::list<Waiter> waiters_;
  };

  struct Lease {
    std::string key;
    std::uint64_t hash = 0;
    FillId id{};
    Millis until = 0;
    bool failed = false;  // not a lease any more, but how one ended
    std::string failure;
    std::list<Waiter> waiters;
  };
  using Leases = std::list<Lease>;

  struct HashedKey {
    std::string_view text;
    std::uint64_t hash = 0;
    bool operator==(const HashedKey& other) const { return hash == other.hash && text == other.text; }
  };
  struct HashOf {
    std::size_t operator()(const HashedKey& key) const noexcept { return key.hash; }
  };

  struct alignas(64) Stripe {
    mutable std::mutex mutex;
    Leases leases;  // in the order in which the sweep looks at them next
    std::unordered_map<HashedKey, Leases::iterator, HashOf> byKey;  // views of the keys in `leases`

    // All of these: with the mutex held.
    [[nodiscard]] Leases::iterator findHeld(const HashedKey& key, const FillId& id);  // else leases.end()
    Leases::iterator remove(Leases::iterator lease, Told& told) noexcept;
    void sweep(Millis now, Told& told) noexcept;
  };

  static constexpr std::size_t kStripes = 16;

  // goes: called under a lock.
  void removeIf(const std::function<bool(const Lease&)>& goes);
  // Calls `act` with the lease, its stripe and who is to be told, when this fill holds it; false when it does not.
  template <class Act>
  bool withHeld(std::string_view key, const FillId& id, const Act& act);
  [[nodiscard]] HashedKey hashed(std::string_view key) const;
  Stripe& stripeOf(const HashedKey& key) { return stripes_[key.hash >> 60]; }
  [[nodiscard]] const Stripe& stripeOf(const HashedKey& key) const { return stripes_[key.hash >> 60]; }

  HashSeed seed_;
  std::array<Stripe, kStripes> stripes_;
};

}  // namespace tiercel::core
