#include "core/coherence/tag_table.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <new>
#include <utility>

#include "core/key_hash.h"

namespace tiercel::core {

namespace {

constexpr std::size_t kLeastIndex = 1024;

// What malloc takes for so many bytes.
constexpr std::size_t allocatedFor(std::size_t bytes) { return std::max<std::size_t>(32, (bytes + 8 + 15) / 16 * 16); }

}  // namespace

TagTable::TagTable(const SourceTable& sources, bool known, std::size_t maxIdle)
    : sources_(sources), known_(known), maxIdle_(maxIdle), seed_(randomHashSeed()) {}

TagTable::~TagTable() {
  for (std::size_t i = 0; i < chunkCount_; ++i) const std::unique_ptr<Chunk> freed(chunks_[i].load());
}

TagCell TagTable::acquire(std::string_view name) {
  const std::lock_guard lock(mutex_);
  const std::uint32_t hash = hashOf(name);
  if (const TagCell cell = find(name, hash); cell != kNoCell) {
    Details& details = detailsOf(cell);
    if (details.place == Place::kIdle) unlinkIdle(cell);
    details.references.fetch_add(1, std::memory_order_relaxed);
    return cell;
  }
  auto copy = std::make_unique_for_overwrite<char[]>(name.size());
  std::memcpy(copy.get(), name.data(), name.size());
  if (names_ >= index_.size() / 4 * 3) resizeIndex(std::max(kLeastIndex, index_.size() * 2));
  const TagCell cell = takeFree();  // the last that may throw
  Details& details = detailsOf(cell);
  details.name = std::move(copy);
  details.nameSize = static_cast<std::uint32_t>(name.size());
  details.hash = hash;
  details.place = Place::kUsed;
  details.references.store(1, std::memory_order_relaxed);
  bytes_.fetch_add(allocatedFor(name.size()), std::memory_order_relaxed);
  index(cell);
  ++names_;
  return cell;
}

void TagTable::addReference(TagCell cell) noexcept {
  detailsOf(cell).references.fetch_add(1, std::memory_order_relaxed);
}

void TagTable::release(TagCell cell) noexcept {
  if (detailsOf(cell).references.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  const std::lock_guard lock(mutex_);
  // Somebody may have acquired it before the lock was ours, and even have seen it reclaimed, with its whole block.
  if (blockOf(cell).details == nullptr) return;
  const Details& details = detailsOf(cell);
  if (details.place != Place::kUsed || details.references.load(std::memory_order_acquire) != 0) return;
  linkIdle(cell);
  while (idleCells_ > maxIdle_ || idleNameBytes_ > kMaxIdleNameBytes) reclaim(oldestIdle_);
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
  return std::string(detailsOf(cell).nameView());
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
  const TagCell cell = find(name, hashOf(name));
  if (cell == kNoCell) return;
  ++detailsOf(cell).voided;
  doubtCell(cell);
}

void TagTable::doubtAll() {
  const std::lock_guard lock(mutex_);
  ++allVoided_;
  const auto end = static_cast<TagCell>(chunkCount_ * kChunk);
  for (TagCell cell = 0; cell < end; ++cell) {
    // Cells without a name have no marks.
    if (blockOf(cell).details != nullptr) doubtCell(cell);
  }
}

void TagTable::invalidate(std::string_view name) {
  const std::lock_guard lock(mutex_);
  const TagCell cell = find(name, hashOf(name));
  if (cell == kNoCell) return;
  ++detailsOf(cell).voided;
  beginGeneration(cell);
}

std::size_t TagTable::size() const {
  const std::lock_guard lock(mutex_);
  return names_;
}

TagCell TagTable::find(std::string_view name, std::uint32_t hash) const noexcept {
  if (index_.empty()) return kNoCell;
  const std::size_t mask = index_.size() - 1;
  for (std::size_t at = hash & mask;; at = (at + 1) & mask) {
    const TagCell cell = index_[at];
    if (cell == kNoCell) return kNoCell;
    const Details& details = detailsOf(cell);
    if (details.hash == hash && details.nameView() == name) return cell;
  }
}

void TagTable::index(TagCell cell) noexcept {
  const std::size_t mask = index_.size() - 1;
  std::size_t at = detailsOf(cell).hash & mask;
  while (index_[at] != kNoCell) at = (at + 1) & mask;
  index_[at] = cell;
}

// What follows moves back, so that no search ends in front of what it looks for.
void TagTable::unindex(TagCell cell) noexcept {
  const std::size_t mask = index_.size() - 1;
  std::size_t hole = detailsOf(cell).hash & mask;
  while (index_[hole] != cell) hole = (hole + 1) & mask;
  for (std::size_t at = (hole + 1) & mask; index_[at] != kNoCell; at = (at + 1) & mask) {
    const std::size_t home = detailsOf(index_[at]).hash & mask;
    if (((at - home) & mask) < ((at - hole) & mask)) continue;
    index_[hole] = index_[at];
    hole = at;
  }
  index_[hole] = kNoCell;
}

void TagTable::resizeIndex(std::size_t slots) {
  std::vector<TagCell> before(slots, kNoCell);
  index_.swap(before);
  bytes_.fetch_add(slots * sizeof(TagCell), std::memory_order_relaxed);
  bytes_.fetch_sub(before.size() * sizeof(TagCell), std::memory_order_relaxed);
  for (const TagCell cell : before) {
    if (cell != kNoCell) index(cell);
  }
}

void TagTable::shrinkIndex() noexcept {
  try {
    resizeIndex(std::max(kLeastIndex, index_.size() / 2));
  } catch (const std::bad_alloc&) {
    return;  // it stays as large as it is
  }
}

// Of the first block that has one: later ones become empty, and are given back.
TagCell TagTable::takeFree() {
  while (firstRoomy_ < roomy_.size() && roomy_[firstRoomy_] == 0) ++firstRoomy_;
  if (firstRoomy_ == roomy_.size()) addChunk();
  const std::size_t number = firstRoomy_ * 64 + static_cast<std::size_t>(std::countr_zero(roomy_[firstRoomy_]));
  Block& block = addBlock(number);
  const TagCell cell = block.free;
  block.free = std::exchange(detailsOf(cell).newer, kNoCell);
  if (++block.used == kBlock) roomy_[number / 64] &= ~(std::uint64_t{1} << number % 64);
  return cell;
}

void TagTable::addChunk() {
  if (chunkCount_ == kChunks) throw std::bad_alloc();
  constexpr std::size_t kBlocks = kChunk / kBlock;
  auto added = std::make_unique<Chunk>();
  for (State& state : added->states) state.store(pack(0, kOwnSource, known_), std::memory_order_relaxed);
  roomy_.resize((kBlocks * (chunkCount_ + 1) + 63) / 64);
  for (std::size_t i = 0; i < kBlocks; ++i) {
    const std::size_t number = kBlocks * chunkCount_ + i;
    roomy_[number / 64] |= std::uint64_t{1} << number % 64;
  }
  firstRoomy_ = kBlocks * chunkCount_ / 64;
  chunks_[chunkCount_++].store(added.release(), std::memory_order_release);
  bytes_.fetch_add(sizeof(Chunk), std::memory_order_relaxed);
}

// The same, when it is there already.
TagTable::Block& TagTable::addBlock(std::size_t number) {
  const auto first = static_cast<TagCell>(number * kBlock);
  Block& block = blockOf(first);
  if (block.details != nullptr) return block;
  block.details = std::make_unique<std::array<Details, kBlock>>();
  bytes_.fetch_add(allocatedFor(sizeof(*block.details)), std::memory_order_relaxed);
  for (std::size_t i = 0; i < kBlock; ++i) {
    Details& details = (*block.details)[i];
    details.voided = block.voided;
    details.newer = i + 1 < kBlock ? first + static_cast<TagCell>(i) + 1 : kNoCell;
  }
  block.free = first;
  return block;
}

void TagTable::giveBack(std::size_t number) noexcept {
  Block& block = blockOf(static_cast<TagCell>(number * kBlock));
  for (const Details& details : *block.details) block.voided = std::max(block.voided, details.voided);
  block.free = kNoCell;
  block.details.reset();
  bytes_.fetch_sub(allocatedFor(sizeof(std::array<Details, kBlock>)), std::memory_order_relaxed);
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
  idleNameBytes_ += details.nameSize;
}

void TagTable::unlinkIdle(TagCell cell) noexcept {
  Details& details = detailsOf(cell);
  (details.older == kNoCell ? oldestIdle_ : detailsOf(details.older).newer) = details.newer;
  (details.newer == kNoCell ? newestIdle_ : detailsOf(details.newer).older) = details.older;
  details.older = kNoCell;
  details.newer = kNoCell;
  details.place = Place::kUsed;
  --idleCells_;
  idleNameBytes_ -= details.nameSize;
}

// The generation and the tickets go on counting, so that nothing of the old name means anything under the next one.
void TagTable::reclaim(TagCell cell) noexcept {
  unlinkIdle(cell);
  unindex(cell);
  --names_;
  Details& details = detailsOf(cell);
  bytes_.fetch_sub(allocatedFor(details.nameSize), std::memory_order_relaxed);
  details.name.reset();
  details.nameSize = 0;
  ++details.voided;
  beginGeneration(cell);
  details.place = Place::kFree;
  Block& block = blockOf(cell);
  details.newer = std::exchange(block.free, cell);
  const std::size_t number = cell / kBlock;
  roomy_[number / 64] |= std::uint64_t{1} << number % 64;
  firstRoomy_ = std::min(firstRoomy_, number / 64);
  if (--block.used == 0) giveBack(number);
  // Not at the size where it would grow again at once.
  if (index_.size() > kLeastIndex && names_ < index_.size() / 8) shrinkIndex();
}

}  // namespace tiercel::core
