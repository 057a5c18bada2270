// Blocks of any size inside large chunks, named by 32-bit handles: two-level segregated fit (TLSF), O(1), neighbours
// coalesced. Not thread-safe.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/memory/chunk_pool.h"

namespace tiercel::core {

// A chunk, and an offset into it in units of 8 bytes. Handles from kReservedHandles on never name a block.
using Handle = std::uint32_t;
inline constexpr Handle kNoHandle = UINT32_MAX;
inline constexpr Handle kReservedHandles = UINT32_C(0x7fff) << 17;

// The first word of every block belongs to the arena, but for its upper 12 bits, which are the owner's.
class Arena {
 public:
  static constexpr std::size_t kUnit = 8;
  static constexpr std::size_t kMinBlock = 16;
  static constexpr std::size_t kMinChunk = std::size_t{64} << 10;
  static constexpr std::size_t kMaxChunk = std::size_t{1} << 20;
  static constexpr unsigned kOwnerShift = 20;
  // By how much a block in a chunk is larger than what was asked for, at most. (One in a chunk of its own: a page.)
  static constexpr std::size_t kMaxSlack = 15;

  // chunkBytes: a power of two from kMinChunk to kMaxChunk. Blocks over a quarter of it get a chunk of their own.
  Arena(ChunkPool& pool, std::size_t chunkBytes);
  ~Arena();
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  // A block of at least so many bytes, its first word included; the owner's bits are zero. kNoHandle: no memory left.
  // `grow`: takes a chunk from the pool when it has to.
  Handle allocate(std::size_t bytes, bool grow = true) noexcept;
  // Returns the free block that it has become part of; kNoHandle when its chunk was given back.
  Handle free(Handle block) noexcept;

  [[nodiscard]] char* at(Handle block) const {
    return chunks_[block >> kOffsetBits].base + std::size_t{block & kOffsetMask} * kUnit;
  }
  [[nodiscard]] std::size_t sizeOf(Handle block) const {
    const std::size_t units = wordAt(block) >> kSizeShift & kSizeMask;
    return units != 0 ? units * kUnit : chunks_[block >> kOffsetBits].bytes;
  }
  // What a block of so many bytes takes at least.
  [[nodiscard]] std::size_t costOf(std::size_t bytes) const;
  // Whether it has a chunk of its own.
  [[nodiscard]] bool isLarge(std::size_t bytes) const { return bytes > chunkBytes_ / 4; }
  // What allocate() takes from the pool for it, when it has to.
  [[nodiscard]] std::size_t chunkFor(std::size_t bytes) const { return isLarge(bytes) ? costOf(bytes) : chunkBytes_; }

  // Walks a chunk in the order of addresses, free blocks included.
  [[nodiscard]] static Handle firstOfChunk(Handle block) { return block & ~kOffsetMask; }
  [[nodiscard]] Handle following(Handle block) const;  // kNoHandle behind the last
  [[nodiscard]] bool isFree(Handle block) const { return (wordAt(block) & kFree) != 0; }

  [[nodiscard]] std::size_t chunkCount() const { return chunks_.size() - unused_.size(); }

  // Whether so many bytes from there on are in a chunk that is in use. They need not be a block.
  [[nodiscard]] bool isMapped(Handle at, std::size_t bytes) const {
    const std::size_t index = at >> kOffsetBits;
    return index < chunks_.size() && chunks_[index].life == Life::kUsed &&
           std::size_t{at & kOffsetMask} * kUnit + bytes <= chunks_[index].bytes;
  }

  // The chunk with the least in use, to be emptied by its owner: its free blocks serve no more, and it is the next that
  // nextCondemned() gives. kNoHandle: there is none, or the other chunks have no room for what is in it.
  [[nodiscard]] Handle condemnEmptiest() noexcept;

  // Gives up all chunks at once: nothing is allocated from them any more, and their blocks stay where they are until
  // their owner has gone through them with nextCondemned() and release().
  void condemn() noexcept;
  // The first block of a chunk to go through, in any order that following() gives; kNoHandle: there is none.
  [[nodiscard]] Handle nextCondemned() const { return condemned_ == kNone ? kNoHandle : condemned_ << kOffsetBits; }
  // It has been gone through, and so many of its blocks are still to be freed, one by one. `reuse`: when there are
  // none, the chunk may serve again; else it is given back.
  void release(Handle block, std::uint32_t held, bool reuse) noexcept;

 private:
  static constexpr unsigned kOffsetBits = 17;
  static constexpr Handle kOffsetMask = (Handle{1} << kOffsetBits) - 1;
  static constexpr std::size_t kMaxChunks = kReservedHandles >> kOffsetBits;
  // The word: two flags, and the size in units; zero for a block with a chunk of its own, which its chunk knows.
  static constexpr std::uint32_t kFree = 1;
  static constexpr std::uint32_t kPreviousFree = 2;
  static constexpr unsigned kSizeShift = 2;
  static constexpr std::uint32_t kSizeMask = (1U << 18) - 1;
  static constexpr unsigned kClasses = 16;  // second level, per power of two
  static constexpr unsigned kRows = 15;

  enum class Life : std::uint8_t {
    kNone,
    kUsed,
    kCondemned,  // blocks that are freed are marked so, no more
    kReleased,   // waits for the last of its blocks to be freed
  };
  static constexpr std::uint32_t kNone = UINT32_MAX >> kOffsetBits;
  struct Chunk {
    char* base = nullptr;
    std::size_t bytes = 0;
    std::uint32_t held = 0;      // blocks, of a released one
    std::uint32_t used = 0;      // units of its blocks
    std::uint32_t next = kNone;  // condemned one
    Life life = Life::kNone;
  };
  // A free block: its word, these two, and its size in units once more in its last four bytes.
  static constexpr std::size_t kNext = 4;
  static constexpr std::size_t kPrevious = 8;
  struct Class {
    unsigned row;
    unsigned column;
  };

  static Class classOf(std::uint32_t units);
  [[nodiscard]] std::uint32_t& wordAt(Handle block) const { return *reinterpret_cast<std::uint32_t*>(at(block)); }
  [[nodiscard]] Handle& nextOf(Handle block) const { return *reinterpret_cast<Handle*>(at(block) + kNext); }
  [[nodiscard]] Handle& previousOf(Handle block) const { return *reinterpret_cast<Handle*>(at(block) + kPrevious); }
  [[nodiscard]] std::uint32_t unitsOf(Handle block) const { return wordAt(block) >> kSizeShift & kSizeMask; }
  Handle findFree(std::uint32_t units) const;
  void linkFree(Handle block, std::uint32_t units);
  void unlinkFree(Handle block);
  void markNext(Handle block, std::uint32_t units, bool free);
  Handle takeChunk(std::size_t bytes);
  void giveChunk(Handle block);

  ChunkPool& pool_;
  std::size_t chunkBytes_;
  std::vector<Chunk> chunks_;
  std::vector<std::uint32_t> unused_;  // places in chunks_
  std::uint32_t condemned_ = kNone;    // the first of them
  Handle spare_ = kNoHandle;           // the one chunk that is kept although it is empty
  std::uint32_t rows_ = 0;             // which have a free block
  std::array<std::uint16_t, kRows> columns_{};
  std::array<std::array<Handle, kClasses>, kRows> heads_{};
};

}  // namespace tiercel::core
