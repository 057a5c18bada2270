// Which size of the window suits what is asked for: small caches without values, one per size, are fed with a sample
// of the keys, and the one with the most hits tells. They know what each entry weighs: a stream of large entries, asked
// for once each, costs a cache in order of recency much, and one in order of frequency nothing.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "core/memory/frequency_sketch.h"
#include "core/memory/key_trial.h"

namespace tiercel::core {

class WindowTrials {
 public:
  // `keys`: how many entries the cache holds; `capacity`: what they may weigh. May throw std::bad_alloc.
  WindowTrials(std::size_t keys, std::size_t capacity, const FrequencySketch& sketch)
      : sampled_(std::min(keys, std::max(kLeastSample, keys / kSampleOneIn))),
        hashLimit_((std::uint64_t{sampled_} << 32) / std::max<std::size_t>(keys, 1)) {
    for (auto& trial : trials_) trial.emplace(sampled_ + sampled_ / 4 + kSpare, sketch);
    setLimit(shareOf(capacity, sampled_, std::max<std::size_t>(keys, 1)));
  }

  [[nodiscard]] bool samples(std::uint32_t hash) const { return mix(hash) < hashLimit_; }

  // What each trial may hold, by weight: the part of the capacity that the sample is of all keys. Chance has put more
  // or fewer keys into the sample, and where a loop just fits, or just does not, that would turn the result over.
  void setLimit(std::size_t limit) {
    if (limit == limit_) return;
    limit_ = limit;
    for (std::size_t i = 0; i < kShares.size(); ++i) trials_[i]->setLimits(limit, windowOf(limit, i));
  }

  // The part of `capacity` that the window should have. Everything, as with LRU, until the trials have something to
  // tell.
  [[nodiscard]] std::size_t window(std::size_t capacity) const { return known_ ? windowOf(capacity, best_) : capacity; }

  // The same, from now and then: an average of many is taken over, as a limit that moves to and fro adds hits.
  void observeLimit(std::size_t limit) {
    observedSum_ += limit;
    if (++observed_ < sampled_) return;
    setLimit((observedSum_ + observed_ / 2) / observed_);
    observed_ = 0;
    observedSum_ = 0;
  }

  // A key of the sample was asked for. true: window() has changed.
  bool ask(std::uint32_t hash, std::size_t weight) {
    for (std::size_t i = 0; i < kShares.size(); ++i) hits_[i] += trials_[i]->ask(hash, weight) ? 1 : 0;
    ++asked_;
    return full_ ? choose() : begin();
  }

  // What was best in earlier trials, of a cache that has grown since, holds until these tell otherwise.
  void follow(const WindowTrials& earlier) {
    best_ = earlier.best_;
    known_ = earlier.known_;
  }

  // capacity * part / whole, without overflow.
  static std::size_t shareOf(std::size_t capacity, std::size_t part, std::size_t whole) {
    return std::max<std::size_t>(1, static_cast<std::size_t>(static_cast<double>(capacity) * part / whole));
  }

  [[nodiscard]] std::size_t bytes() const {
    std::size_t bytes = sizeof(WindowTrials);
    for (const auto& trial : trials_) bytes += trial->bytes();
    return bytes;
  }

 private:
  // The first one is LRU. The smaller the window, the more counts how often, and the less how lately, a key was asked
  // for.
  static constexpr std::array<double, 4> kShares = {1, 0.4, 0.1, 0.01};
  static constexpr std::size_t kFirst = 2;

  static constexpr std::size_t kLeastSample = 256;
  static constexpr std::size_t kSampleOneIn = 80;
  static constexpr std::size_t kSpare = 16;

  // Another size must be better by that share of what was asked. LRU by less: nobody should lose by having the others.
  static constexpr double kMargin = 0.003;
  static constexpr double kMarginOfLru = 0.001;
  static constexpr double kLeastMargin = 2;

  // After so many accesses per key of the sample the past counts half.
  static constexpr std::size_t kHorizon = 40;
  static constexpr std::size_t kLeastHorizon = 200;

  static std::size_t windowOf(std::size_t capacity, std::size_t i) {
    if (kShares[i] == 1) return capacity;
    return std::min(capacity, std::max<std::size_t>(1, static_cast<std::size_t>(capacity * kShares[i])));
  }

  // Not the bits that the sketch or the trials use.
  static std::uint32_t mix(std::uint32_t hash) {
    hash = (hash ^ hash >> 16) * 0x7FEB352DU;
    hash = (hash ^ hash >> 15) * 0x846CA68BU;
    return hash ^ hash >> 16;
  }

  // While the trials fill up all of them have the same hits.
  bool begin() {
    full_ = trials_.front()->full();
    if (!full_) return false;
    forget(0);
    const bool changed = !known_;
    known_ = true;
    return changed;
  }

  bool choose() {
    const std::size_t before = best_;
    for (std::size_t i = 0; i < kShares.size(); ++i) {
      const double margin = kLeastMargin + asked_ * (i == 0 ? kMarginOfLru : kMargin);
      if (hits_[i] > hits_[best_] + margin) best_ = i;
    }
    if (asked_ >= sampled_ * kHorizon + kLeastHorizon) forget(0.5);
    return best_ != before;
  }

  void forget(double kept) {
    asked_ *= kept;
    for (double& hits : hits_) hits *= kept;
  }

  std::array<std::optional<KeyTrial>, kShares.size()> trials_;
  std::array<double, kShares.size()> hits_ = {};
  std::size_t sampled_;
  std::size_t limit_ = 0;
  std::size_t observed_ = 0;
  std::size_t observedSum_ = 0;
  std::uint64_t hashLimit_;  // keys of lower hashes are in the sample
  double asked_ = 0;
  std::size_t best_ = kFirst;
  bool full_ = false;
  bool known_ = false;
};

}  // namespace tiercel::core
