#include "core/tag_table.h"

#include <cstring>
#include <new>

#include "core/random.h"

namespace tiercel::core {

namespace {

std::uint64_t randomSeed() {
  const FillId random = randomFillId();
  std::uint64_t seed = 0;
  std::memcpy(&seed, random.data(), sizeof(seed));
  return seed;
}

}  // namespace

TagTable::TagTable(const SourceTable& sources, bool known)
    : sources_(sources), known_(known), cells_(0, NameHash{randomSeed()}) {}

TagTable::~TagTable() {
  for (std::size_t i = 0; i < chunkCount_; ++i) const std::unique_ptr<Chunk> freed(chunks_[i].load());
}

TagCell TagTable::acquire(std::string_view name) {
  const std::lock_guard lock(mutex_);
  if (const auto found = cells_.find(name); found != cells_.end()) {
    const TagCell cell = found->second;
    if (detailsOf(cell).place == Place::kIdle) unlinkIdle(cell);
    detailsOf(cell).references.fetch_add(1, std::memory_order_relaxed);
    return cell;
  }
  if (free_ == kNoCell) grow();
  const TagCell cell = free_;
  Details& details = detailsOf(cell);
  details.name = name;
  cells_.emplace(details.name, cell);  // when it throws, the name stays in a free cell, which nobody reads
  free_ = details.newer;
  details.newer = kNoCell;
  details.place = Place::kUsed;
  details.references.store(1, std::memory_order_relaxed);
  return cell;
}

void TagTable::addReference(TagCell cell) noexcept {
  detailsOf(cell).references.fetch_add(1, std::memory_order_relaxed);
}

void TagTable::release(TagCell cell) noexcept {
  Details& details = detailsOf(cell);
  if (details.references.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  const std::lock_guard lock(mutex_);
  // Somebody may have acquired it before the lock was ours, and even have seen it reclaimed.
  if (details.place != Place::kUsed || details.references.load(std::memory_order_acquire) != 0) return;
  linkIdle(cell);
  while (idleCells_ > kMaxIdleCells || idleNameBytes_ > kMaxIdleNameBytes) reclaim(oldestIdle_);
}

std::optional<TagMark> TagTable::mark(TagCell cell, Millis now) const {
  const std::uint64_t state = stateOf(cell).load(std::memory_order_acquire);
  if (!isKnown(state, now)) return std::nullopt;
  return TagMark{.cell = cell, .generation = generationOf(state)};
}

std::optional<TagMark> TagTable::markOf(TagCell cell, const Stamp& stamp, Millis now) const {
  const std::lock_guard lock(mutex_);
  const Details& details = detailsOf(cell);
  if (!details.hasStamp || details.stamp != stamp) return std::nullopt;
  return mark(cell, now);
}

std::optional<Stamp> TagTable::stamp(TagCell cell, Millis now) const {
  const std::lock_guard lock(mutex_);
  const Details& details = detailsOf(cell);
  if (!details.hasStamp || !mark(cell, now)) return std::nullopt;
  return details.stamp;
}

std::string TagTable::name(TagCell cell) const {
  const std::lock_guard lock(mutex_);
  return detailsOf(cell).name;
}

TagTicket TagTable::ticket(TagCell cell) const {
  const std::lock_guard lock(mutex_);
  return detailsOf(cell).voided + allVoided_;  // neither ever shrinks, so the sum tells of both
}

bool TagTable::learn(TagCell cell, const Stamp& stamp, SourceId source, TagTicket ticket) {
  const std::lock_guard lock(mutex_);
  Details& details = detailsOf(cell);
  if (known_ || ticket != details.voided + allVoided_) return false;
  if (details.hasStamp && details.stamp != stamp) beginGeneration(cell);
  details.stamp = stamp;
  details.hasStamp = true;
  State& state = stateOf(cell);
  state.store(pack(generationOf(state.load(std::memory_order_relaxed)), source, true), std::memory_order_release);
  return true;
}

void TagTable::doubt(std::string_view name) {
  const std::lock_guard lock(mutex_);
  const auto found = cells_.find(name);
  if (found == cells_.end()) return;
  ++detailsOf(found->second).voided;
  doubtCell(found->second);
}

void TagTable::doubtAll() {
  const std::lock_guard lock(mutex_);
  ++allVoided_;
  const auto end = static_cast<TagCell>(chunkCount_ * kChunk);
  for (TagCell cell = 0; cell < end; ++cell) doubtCell(cell);
}

void TagTable::invalidate(std::string_view name) {
  const std::lock_guard lock(mutex_);
  const auto found = cells_.find(name);
  if (found == cells_.end()) return;
  ++detailsOf(found->second).voided;
  beginGeneration(found->second);
}

std::size_t TagTable::size() const {
  const std::lock_guard lock(mutex_);
  return cells_.size();
}

void TagTable::grow() {
  if (chunkCount_ == kChunks) throw std::bad_alloc();
  auto chunk = std::make_unique<Chunk>();
  const auto first = static_cast<TagCell>(chunkCount_ * kChunk);
  for (std::size_t i = 0; i < kChunk; ++i) {
    chunk->states[i].store(pack(0, kOwnSource, known_), std::memory_order_relaxed);
    chunk->details[i].newer = i + 1 < kChunk ? first + static_cast<TagCell>(i) + 1 : free_;
  }
  chunks_[chunkCount_++].store(chunk.release(), std::memory_order_release);
  free_ = first;
}

// No mark of a generation exists that was never known, so the stamp which is learned next needs no other one.
void TagTable::beginGeneration(TagCell cell) noexcept {
  State& state = stateOf(cell);
  const std::uint32_t generation = generationOf(state.load(std::memory_order_relaxed)) + 1;
  detailsOf(cell).hasStamp = false;
  state.store(pack(generation, kOwnSource, known_), std::memory_order_release);
}

void TagTable::doubtCell(TagCell cell) noexcept {
  if (known_) {
    beginGeneration(cell);
  } else {
    stateOf(cell).fetch_and(~std::uint64_t{1}, std::memory_order_acq_rel);
  }
}

void TagTable::linkIdle(TagCell cell) noexcept {
  Details& details = detailsOf(cell);
  details.place = Place::kIdle;
  details.older = newestIdle_;
  details.newer = kNoCell;
  (newestIdle_ == kNoCell ? oldestIdle_ : detailsOf(newestIdle_).newer) = cell;
  newestIdle_ = cell;
  ++idleCells_;
  idleNameBytes_ += details.name.size();
}

void TagTable::unlinkIdle(TagCell cell) noexcept {
  Details& details = detailsOf(cell);
  (details.older == kNoCell ? oldestIdle_ : detailsOf(details.older).newer) = details.newer;
  (details.newer == kNoCell ? newestIdle_ : detailsOf(details.newer).older) = details.older;
  details.older = kNoCell;
  details.newer = kNoCell;
  details.place = Place::kUsed;
  --idleCells_;
  idleNameBytes_ -= details.name.size();
}

// The generation and the tickets go on counting, so that nothing of the old name means anything under the next one.
void TagTable::reclaim(TagCell cell) noexcept {
  unlinkIdle(cell);
  Details& details = detailsOf(cell);
  cells_.erase(details.name);
  std::string().swap(details.name);
  ++details.voided;
  beginGeneration(cell);
  details.place = Place::kFree;
  details.newer = free_;
  free_ = cell;
}

}  // namespace tiercel::core
