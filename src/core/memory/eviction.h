// Which entry leaves when the memory tier is over its budget: W-TinyLFU, whose window takes the size that gave most
// hits lately. The tier owns the entries, this orders them.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <utility>

#include "core/memory/eviction_queues.h"
#include "core/memory/frequency_sketch.h"
#include "core/memory/window_trials.h"

namespace tiercel::core {

// Nodes: see EvictionQueues. No call throws: without memory for its statistics this is LRU.
template <class Nodes>
class Eviction {
 public:
  explicit Eviction(Nodes& nodes) : nodes_(nodes), queues_(nodes, sketch_) {}
  Eviction(const Eviction&) = delete;
  Eviction& operator=(const Eviction&) = delete;

  // What may be resident in total. Nothing moves now: the next calls see to it.
  void setCapacity(std::size_t weight) {
    capacity_ = weight;
    setLimits();
  }

  // After the entry exists.
  void added(Slot slot) {
    ++entries_;
    nodes_.node(slot).sample = 0;
    queues_.added(slot);
    // As long as there is much room nothing will be evicted soon, and no statistics are needed.
    if (entries_ > renewAbove_ && queues_.weight() > capacity_ - capacity_ / 4) renewStatistics();
    classify(slot);
    learn(slot);
  }

  // A hit, or replaced in place.
  void touched(Slot slot) {
    queues_.touched(slot);
    learn(slot);
  }

  // Soon touched() or added().
  void prefetch(std::uint32_t hash) const { sketch_.prefetch(hash); }

  // Another value of the same key, in another slot: it takes the place of `from`, which may be forgotten. Both nodes
  // are valid.
  void moved(Slot from, Slot to) { queues_.moved(from, to); }

  // Of no use for now: one of the first to go.
  void cooled(Slot slot) { queues_.cooled(slot); }

  // Of all that are resident.
  [[nodiscard]] std::size_t weight() const { return queues_.weight(); }

  // What it has allocated.
  [[nodiscard]] std::size_t bytes() const { return sketch_.bytes() + (trials_ ? trials_->bytes() : 0); }

  // Erased or evicted; the node is still valid.
  void removed(Slot slot) {
    queues_.removed(slot);
    --entries_;
    const std::uint8_t sample = nodes_.node(slot).sample;
    if (sample / 2 != generation_) return;
    --classified_;
    sampled_ -= sample % 2;
  }

  // Which to drop next, never `keep`; kNoSlot when there is no other. It may be the newest: not worth its room.
  Slot victim(Slot keep) {
    if (entries_ < renewBelow_) {
      sketch_.clear();
      renewStatistics();
    }
    return queues_.victim(keep);
  }

  // Whether a new entry of that weight is worth that the oldest ones leave for it: it was asked for as often as they
  // are, on average. It counts as asked for once more.
  bool admits(std::uint32_t hash, std::size_t weight) {
    const bool admitted = queues_.admitsNew(sketch_.frequency(hash) + 1, weight);
    sketch_.count(hash);
    // What is added is learned then. To a cache in order of recency this one would not have been lost.
    if (!admitted && trials_ && trials_->samples(hash) && trials_->ask(hash, weight)) setLimits();
    return admitted;
  }

  void clear() {
    queues_.clear();
    sketch_.clear();
    trials_.reset();
    entries_ = 0;
    classified_ = 0;
    sampled_ = 0;
    accesses_ = 0;
    renewAbove_ = 0;
    renewBelow_ = 0;
    setLimits();
  }

 private:
  static constexpr std::size_t kAgeAfter = 10;  // accesses per entry
  static constexpr std::uint8_t kGenerations = 126;
  static constexpr std::size_t kLookBack = 8'192;  // entries that the trials begin with

  // Without the sketch nothing would be worth its room outside of the window.
  void setLimits() {
    queues_.setLimits(capacity_, trials_ && !sketch_.empty() ? trials_->window(capacity_) : capacity_);
  }

  // For as many entries as there will be when the cache is full.
  void renewStatistics() noexcept {
    const double whole = static_cast<double>(entries_) * capacity_ / std::max<std::size_t>(queues_.weight(), 1);
    const std::size_t expected = std::max(entries_, static_cast<std::size_t>(whole));
    renewAbove_ = entries_ + entries_ / 8;  // without memory: not before then
    renewBelow_ = 0;
    if (!sketch_.ensure(expected)) return setLimits();
    try {
      auto trials = std::make_unique<WindowTrials>(expected, capacity_, sketch_);
      if (trials_) trials->follow(*trials_);
      trials_ = std::move(trials);
    } catch (const std::bad_alloc&) {
      trials_.reset();
      return setLimits();
    }
    renewAbove_ = expected + expected / 4 + 1;
    // Of those that are there: a shard that shrinks would else renew them for every eviction.
    renewBelow_ = std::min(expected, entries_) / 4;
    generation_ = generation_ % kGenerations + 1;
    classified_ = 0;
    sampled_ = 0;
    queues_.visitWindow(kLookBack, [this](Slot slot) {
      classify(slot);
      if (nodes_.node(slot).sample % 2 == 1) trials_->ask(nodes_.hash(slot), nodes_.weight(slot));
    });
    setLimits();
  }

  void learn(Slot slot) {
    if (sketch_.empty()) return;
    const std::uint32_t hash = nodes_.hash(slot);
    sketch_.count(hash);
    if (++accesses_ >= std::max(entries_, sketch_.keys() / 8) * kAgeAfter) {
      accesses_ /= 2;
      sketch_.age();
    }
    if (!trials_ || !trials_->samples(hash)) return;
    if (classified_ > entries_ / 2) trials_->observeLimit(WindowTrials::shareOf(capacity_, sampled_, classified_));
    if (trials_->ask(hash, nodes_.weight(slot))) setLimits();
  }

  // Notes in the node whether the key belongs to the sample of these trials.
  void classify(Slot slot) {
    EvictionNode& node = nodes_.node(slot);
    if (!trials_ || node.sample / 2 == generation_) return;
    const bool sampled = trials_->samples(nodes_.hash(slot));
    node.sample = static_cast<std::uint8_t>(generation_ * 2 + (sampled ? 1 : 0));
    ++classified_;
    sampled_ += sampled ? 1 : 0;
  }

  Nodes& nodes_;
  FrequencySketch sketch_;
  EvictionQueues<Nodes> queues_;
  std::unique_ptr<WindowTrials> trials_;
  std::size_t capacity_ = 0;
  std::size_t entries_ = 0;
  // The resident entries that are known to belong to the sample of this generation of trials, or not.
  std::size_t classified_ = 0;
  std::size_t sampled_ = 0;
  std::uint8_t generation_ = 1;
  std::size_t accesses_ = 0;  // since the sketch was aged last, more or less
  // The statistics are made anew when the number of entries has left this range.
  std::size_t renewAbove_ = 0;
  std::size_t renewBelow_ = 0;
};

}  // namespace tiercel::core
