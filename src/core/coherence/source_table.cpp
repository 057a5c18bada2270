#include "core/coherence/source_table.h"

#include <algorithm>
#include <limits>

namespace tiercel::core {

namespace {

// Deadlines that are none: they lie before every time.
constexpr Millis kFree = std::numeric_limits<Millis>::min();
constexpr Millis kLost = kFree + 1;
constexpr Millis kRetired = kFree + 2;  // lost before a restart() that is under way

}  // namespace

SourceTable::SourceTable() = default;

std::optional<SourceId> SourceTable::open(Millis until) {
  const std::lock_guard lock(mutex_);
  for (; next_ < kNumbers; ++next_) {
    const auto source = static_cast<SourceId>(next_);
    std::atomic<Millis>& deadline = provideDeadline(source);
    if (deadline.load(std::memory_order_relaxed) != kFree) continue;
    deadline.store(std::max(until, kRetired + 1), std::memory_order_release);
    ++next_;
    return source;
  }
  return std::nullopt;
}

void SourceTable::restart(const std::function<void()>& forget) {
  const std::lock_guard lock(mutex_);
  replaceAll(kLost, kRetired);
  if (forget) forget();
  replaceAll(kRetired, kFree);
  next_ = 1;
}

void SourceTable::heard(SourceId source, Millis until) noexcept {
  std::atomic<Millis>* deadline = deadlineOf(source);
  if (source == kOwnSource || deadline == nullptr) return;
  // Compared, because a thread that has found it lost must have the last word.
  Millis before = deadline->load(std::memory_order_relaxed);
  while (before > kRetired && !deadline->compare_exchange_weak(before, std::max(until, kRetired + 1),
                                                               std::memory_order_release, std::memory_order_relaxed)) {
  }
}

void SourceTable::lost(SourceId source) noexcept {
  std::atomic<Millis>* deadline = deadlineOf(source);
  if (source == kOwnSource || deadline == nullptr) return;
  // Compared, because a number that is free must stay so.
  Millis before = deadline->load(std::memory_order_relaxed);
  while (before > kRetired &&
         !deadline->compare_exchange_weak(before, kLost, std::memory_order_release, std::memory_order_relaxed)) {
  }
}

std::atomic<Millis>& SourceTable::provideDeadline(SourceId source) {
  auto& owned = owned_[source / kChunk];
  if (!owned) {
    owned = std::make_unique<Chunk>();
    for (auto& deadline : *owned) deadline.store(kFree, std::memory_order_relaxed);
    chunks_[source / kChunk].store(owned.get(), std::memory_order_release);
  }
  return (*owned)[source % kChunk];
}

void SourceTable::replaceAll(Millis from, Millis by) noexcept {
  for (const auto& chunk : owned_) {
    if (!chunk) continue;
    for (auto& deadline : *chunk) {
      Millis expected = from;
      deadline.compare_exchange_strong(expected, by, std::memory_order_acq_rel, std::memory_order_relaxed);
    }
  }
}

}  // namespace tiercel::core
