#include "core/memory/arena.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <new>

namespace tiercel::core {

namespace {

constexpr std::size_t kPage = 4096;

std::size_t roundUp(std::size_t bytes, std::size_t unit) { return (bytes + unit - 1) / unit * unit; }

}  // namespace

Arena::Arena(ChunkPool& pool, std::size_t chunkBytes) : pool_(pool), chunkBytes_(chunkBytes) {
  for (auto& row : heads_) row.fill(kNoHandle);
}

Arena::~Arena() {
  for (const Chunk& chunk : chunks_) {
    if (chunk.base != nullptr) pool_.give(chunk.base, chunk.bytes);
  }
}

std::size_t Arena::costOf(std::size_t bytes) const {
  return isLarge(bytes) ? roundUp(bytes, kPage) : std::max(kMinBlock, roundUp(bytes, kUnit));
}

// Under 16 units every size is a class of its own; above, every power of two is 16 classes.
Arena::Class Arena::classOf(std::uint32_t units) {
  if (units < kClasses) return {0, units};
  const auto top = static_cast<unsigned>(std::bit_width(units)) - 1;
  return {top - 3, units >> (top - 4) & (kClasses - 1)};
}

Handle Arena::findFree(std::uint32_t units) const {
  auto [row, column] = classOf(units);
  // The class of the size itself may hold smaller ones; its first is worth a look, any of the next class will do.
  const Handle own = heads_[row][column];
  if (own != kNoHandle && unitsOf(own) >= units) return own;
  std::uint32_t columns = columns_[row] & ~((2U << column) - 1);
  if (columns == 0) {
    const std::uint32_t rows = rows_ & ~((2U << row) - 1);
    if (rows == 0) return kNoHandle;
    row = static_cast<unsigned>(std::countr_zero(rows));
    columns = columns_[row];
  }
  return heads_[row][static_cast<unsigned>(std::countr_zero(columns))];
}

void Arena::linkFree(Handle block, std::uint32_t units) {
  const auto [row, column] = classOf(units);
  std::uint32_t& word = wordAt(block);
  word = (word & kPreviousFree) | kFree | units << kSizeShift;
  const Handle next = heads_[row][column];
  nextOf(block) = next;
  previousOf(block) = kNoHandle;
  if (next != kNoHandle) previousOf(next) = block;
  heads_[row][column] = block;
  columns_[row] = static_cast<std::uint16_t>(columns_[row] | 1U << column);
  rows_ |= 1U << row;
  std::memcpy(at(block) + units * kUnit - sizeof(units), &units, sizeof(units));
}

void Arena::unlinkFree(Handle block) {
  const Handle next = nextOf(block);
  const Handle previous = previousOf(block);
  if (next != kNoHandle) previousOf(next) = previous;
  if (previous != kNoHandle) {
    nextOf(previous) = next;
    return;
  }
  const auto [row, column] = classOf(unitsOf(block));
  heads_[row][column] = next;
  if (next != kNoHandle) return;
  columns_[row] = static_cast<std::uint16_t>(columns_[row] & ~(1U << column));
  if (columns_[row] == 0) rows_ &= ~(1U << row);
}

// Tells the block behind whether the one before it is free.
void Arena::markNext(Handle block, std::uint32_t units, bool free) {
  if ((block & kOffsetMask) + units >= chunkBytes_ / kUnit) return;
  std::uint32_t& word = wordAt(block + units);
  word = free ? word | kPreviousFree : word & ~kPreviousFree;
}

Handle Arena::following(Handle block) const {
  const std::uint32_t units = unitsOf(block);
  if (units == 0 || (block & kOffsetMask) + units >= chunkBytes_ / kUnit) return kNoHandle;
  return block + units;
}

Handle Arena::takeChunk(std::size_t bytes) {
  std::size_t index = chunks_.size();
  try {
    if (unused_.empty()) {
      if (index >= kMaxChunks) return kNoHandle;
      // Both now, so that giving back never needs memory.
      unused_.reserve(index + 1 > unused_.capacity() ? (index + 1) * 2 : 0);
      chunks_.emplace_back();
      unused_.push_back(static_cast<std::uint32_t>(index));
    }
  } catch (const std::bad_alloc&) {
    return kNoHandle;
  }
  auto* base = static_cast<char*>(pool_.take(bytes));
  if (base == nullptr) return kNoHandle;
  index = unused_.back();
  unused_.pop_back();
  chunks_[index] = {.base = base, .bytes = bytes, .life = Life::kUsed};
  const auto block = static_cast<Handle>(index << kOffsetBits);
  wordAt(block) = 0;
  return block;
}

void Arena::giveChunk(Handle block) {
  Chunk& chunk = chunks_[block >> kOffsetBits];
  pool_.give(chunk.base, chunk.bytes);
  chunk = {};
  unused_.push_back(block >> kOffsetBits);
}

Handle Arena::allocate(std::size_t bytes, bool grow) noexcept {
  if (isLarge(bytes)) return grow ? takeChunk(costOf(bytes)) : kNoHandle;
  const auto units = static_cast<std::uint32_t>(costOf(bytes) / kUnit);
  constexpr std::uint32_t kMinUnits = kMinBlock / kUnit;
  Handle block = findFree(units);
  std::uint32_t found = 0;
  if (block != kNoHandle) {
    unlinkFree(block);
    if (block == spare_) spare_ = kNoHandle;
    found = unitsOf(block);
  } else {
    block = grow ? takeChunk(chunkBytes_) : kNoHandle;
    if (block == kNoHandle) return kNoHandle;
    found = static_cast<std::uint32_t>(chunkBytes_ / kUnit);
  }
  if (found - units >= kMinUnits) {
    wordAt(block + units) = 0;
    linkFree(block + units, found - units);
    markNext(block, found, true);
    found = units;
  } else {
    markNext(block, found, false);
  }
  chunks_[block >> kOffsetBits].used += found;
  wordAt(block) = found << kSizeShift;  // the block before is in use, or they would be one
  return block;
}

void Arena::condemn() noexcept {
  for (std::size_t i = 0; i < chunks_.size(); ++i) {
    if (chunks_[i].life != Life::kUsed) continue;
    chunks_[i].life = Life::kCondemned;
    chunks_[i].next = condemned_;
    condemned_ = static_cast<std::uint32_t>(i);
  }
  spare_ = kNoHandle;
  rows_ = 0;
  columns_.fill(0);
  for (auto& row : heads_) row.fill(kNoHandle);
}

Handle Arena::condemnEmptiest() noexcept {
  const auto units = static_cast<std::uint32_t>(chunkBytes_ / kUnit);
  std::size_t emptiest = chunks_.size();
  std::size_t room = 0;
  for (std::size_t i = 0; i < chunks_.size(); ++i) {
    const Chunk& chunk = chunks_[i];
    if (chunk.life != Life::kUsed || unitsOf(static_cast<Handle>(i << kOffsetBits)) == 0) continue;
    room += units - chunk.used;
    if (emptiest == chunks_.size() || chunk.used < chunks_[emptiest].used) emptiest = i;
  }
  // Some of the room is in pieces that are too small.
  if (emptiest == chunks_.size()) return kNoHandle;
  Chunk& chunk = chunks_[emptiest];
  if (room - (units - chunk.used) < chunk.used + chunk.used / 4) return kNoHandle;
  const auto first = static_cast<Handle>(emptiest << kOffsetBits);
  for (Handle at = first; at != kNoHandle; at = following(at)) {
    if (isFree(at)) unlinkFree(at);
  }
  if (spare_ == first) spare_ = kNoHandle;
  chunk.life = Life::kCondemned;
  chunk.next = condemned_;
  condemned_ = static_cast<std::uint32_t>(emptiest);
  return first;
}

void Arena::release(Handle block, std::uint32_t held, bool reuse) noexcept {
  Chunk& chunk = chunks_[block >> kOffsetBits];
  condemned_ = chunk.next;
  chunk.next = kNone;
  if (held != 0) {
    chunk.held = held;
    chunk.life = Life::kReleased;
    return;
  }
  if (!reuse || spare_ != kNoHandle || chunk.bytes != chunkBytes_) return giveChunk(block);
  chunk.life = Life::kUsed;
  chunk.used = 0;
  wordAt(block) = 0;
  linkFree(block, static_cast<std::uint32_t>(chunkBytes_ / kUnit));
  spare_ = block;
}

Handle Arena::free(Handle block) noexcept {
  Chunk& chunk = chunks_[block >> kOffsetBits];
  if (chunk.life == Life::kCondemned) {
    wordAt(block) |= kFree;
    return kNoHandle;
  }
  if (chunk.life == Life::kReleased) {
    if (--chunk.held == 0) giveChunk(firstOfChunk(block));
    return kNoHandle;
  }
  std::uint32_t units = unitsOf(block);
  if (units == 0) {
    giveChunk(block);
    return kNoHandle;
  }
  chunk.used -= units;
  const Handle next = following(block);
  if (next != kNoHandle && isFree(next)) {
    unlinkFree(next);
    units += unitsOf(next);
  }
  if ((wordAt(block) & kPreviousFree) != 0) {
    std::uint32_t before = 0;
    std::memcpy(&before, at(block) - sizeof(before), sizeof(before));
    block -= before;
    units += before;
    unlinkFree(block);
  }
  if (units == chunkBytes_ / kUnit) {
    if (spare_ != kNoHandle && spare_ != block) {
      giveChunk(block);
      return kNoHandle;
    }
    spare_ = block;
  }
  linkFree(block, units);
  markNext(block, units, true);
  return block;
}

}  // namespace tiercel::core
