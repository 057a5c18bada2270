#include "core/coherence/lease_table.h"

#include <iterator>
#include <utility>

#include "core/key_hash.h"
#include "core/random.h"

namespace tiercel::core {

namespace {

// A take() adds one at most and looks at two, so what is over is gone after as many takes as there are records.
constexpr int kLooksPerTake = 2;

}  // namespace

LeaseTable::LeaseTable() : seed_(randomHashSeed()) {}

LeaseTable::~LeaseTable() = default;

LeaseTable::Told::~Told() {
  for (const Waiter& waiter : waiters_) {
    if (const auto listener = waiter.listener.lock()) listener->onLeaseEnded(waiter.ticket);
  }
}

LeaseAnswer LeaseTable::take(std::string_view key, Millis now, Millis leaseFor,
                             const std::shared_ptr<LeaseListener>& listener, std::uint64_t ticket, bool overFailure) {
  using Status = LeaseAnswer::Status;
  const HashedKey wanted = hashed(key);
  Stripe& stripe = stripeOf(wanted);
  Told told;
  const std::lock_guard lock(stripe.mutex);
  stripe.sweep(now, told);
  const auto found = stripe.byKey.find(wanted);
  if (found == stripe.byKey.end()) {
    const FillId id = randomFillId();
    const Millis until = later(now, leaseFor);
    Leases added;
    added.push_back(
        {.key = std::string(key), .hash = wanted.hash, .id = id, .until = until, .failure = {}, .waiters = {}});
    stripe.byKey.emplace(HashedKey{added.front().key, wanted.hash}, added.begin());
    stripe.leases.splice(stripe.leases.end(), added);
    return {.status = Status::kTaken, .id = id, .until = until, .failure = {}};
  }
  Lease& lease = *found->second;
  if (now >= lease.until || (lease.failed && overFailure)) {
    told.add(lease.waiters);
    lease.id = randomFillId();
    lease.until = later(now, leaseFor);
    lease.failed = false;
    lease.failure = {};
    return {.status = Status::kTaken, .id = lease.id, .until = lease.until, .failure = {}};
  }
  if (lease.failed) return {.status = Status::kFailed, .id = {}, .until = lease.until, .failure = lease.failure};
  if (listener) lease.waiters.push_back({.listener = listener, .ticket = ticket});
  return {.status = Status::kBusy, .id = {}, .until = lease.until, .failure = {}};
}

template <class Act>
bool LeaseTable::withHeld(std::string_view key, const FillId& id, const Act& act) {
  const HashedKey wanted = hashed(key);
  Stripe& stripe = stripeOf(wanted);
  Told told;
  const std::lock_guard lock(stripe.mutex);
  const auto held = stripe.findHeld(wanted, id);
  if (held == stripe.leases.end()) return false;
  act(held, stripe, told);
  return true;
}

bool LeaseTable::complete(std::string_view key, const FillId& id, const std::function<void()>& fill) {
  return withHeld(key, id, [&](Leases::iterator held, Stripe& stripe, Told& told) {
    // First, so that the lease ends even when `fill` throws.
    stripe.remove(held, told);
    if (fill) fill();
  });
}

bool LeaseTable::fail(std::string_view key, const FillId& id, std::string failure, Millis now, Millis until) {
  return withHeld(key, id, [&](Leases::iterator held, Stripe& stripe, Told& told) {
    if (now >= until) {
      stripe.remove(held, told);
      return;
    }
    told.add(held->waiters);
    held->failed = true;
    held->failure = std::move(failure);
    held->until = until;
  });
}

bool LeaseTable::extend(std::string_view key, const FillId& id, Millis until) {
  return withHeld(key, id, [until](Leases::iterator held, Stripe&, Told&) { held->until = until; });
}

bool LeaseTable::holds(std::string_view key, const FillId& id, Millis now) const {
  const HashedKey wanted = hashed(key);
  const Stripe& stripe = stripeOf(wanted);
  const std::lock_guard lock(stripe.mutex);
  const auto found = stripe.byKey.find(wanted);
  if (found == stripe.byKey.end()) return false;
  const Lease& lease = *found->second;
  return !lease.failed && lease.id == id && now < lease.until;
}

void LeaseTable::revoke(std::string_view key) {
  const HashedKey wanted = hashed(key);
  Stripe& stripe = stripeOf(wanted);
  Told told;
  const std::lock_guard lock(stripe.mutex);
  const auto found = stripe.byKey.find(wanted);
  if (found != stripe.byKey.end()) stripe.remove(found->second, told);
}

void LeaseTable::removeIf(const std::function<bool(const Lease&)>& goes) {
  for (Stripe& stripe : stripes_) {
    Told told;
    const std::lock_guard lock(stripe.mutex);
    for (auto lease = stripe.leases.begin(); lease != stripe.leases.end();) {
      lease = goes(*lease) ? stripe.remove(lease, told) : std::next(lease);
    }
  }
}

void LeaseTable::revokeIf(const std::function<bool(std::string_view)>& matches) {
  removeIf([&](const Lease& lease) { return matches(lease.key); });
}

void LeaseTable::forgetFailures() { removeIf(&Lease::failed); }

void LeaseTable::revokeAll() {
  removeIf([](const Lease&) { return true; });
}

std::size_t LeaseTable::size() const {
  std::size_t sum = 0;
  for (const Stripe& stripe : stripes_) {
    const std::lock_guard lock(stripe.mutex);
    sum += stripe.leases.size();
  }
  return sum;
}

LeaseTable::HashedKey LeaseTable::hashed(std::string_view key) const { return {key, hashKey(key, seed_)}; }

LeaseTable::Leases::iterator LeaseTable::Stripe::findHeld(const HashedKey& key, const FillId& id) {
  const auto found = byKey.find(key);
  if (found == byKey.end() || found->second->failed || found->second->id != id) return leases.end();
  return found->second;
}

LeaseTable::Leases::iterator LeaseTable::Stripe::remove(Leases::iterator lease, Told& told) noexcept {
  told.add(lease->waiters);
  byKey.erase(HashedKey{lease->key, lease->hash});
  return leases.erase(lease);
}

void LeaseTable::Stripe::sweep(Millis now, Told& told) noexcept {
  for (int looks = 0; looks < kLooksPerTake && !leases.empty(); ++looks) {
    if (now >= leases.front().until) {
      remove(leases.begin(), told);
    } else {
      leases.splice(leases.end(), leases, leases.begin());
    }
  }
}

}  // namespace tiercel::core
