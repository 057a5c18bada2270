// The tags (and namespaces) that entries in memory carry. Each has a generation that changes when the tag is
// invalidated, so that an entry which was filled under an older one is no hit any more: O(1) for any number of entries.
// With Redis a generation stands for the stamp that Redis holds, and is good for as long as the source through which it
// was read announces changes. Shared by all threads.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/coherence/source_table.h"
#include "core/entry/entry.h"
#include "core/key_hash.h"

namespace tiercel::core {

using TagCell = std::uint32_t;

// A tag that changes whenever any tag of the cache is invalidated: for tags that are not known before the load.
inline constexpr std::string_view kAnyTag = "a";

// What an entry in memory remembers of a tag: valid for as long as the tag has that generation.
struct TagMark {
  TagCell cell = 0;
  std::uint32_t generation = 0;
};

// Taken before a stamp is asked for; see learn().
using TagTicket = std::uint32_t;

class TagTable {
 public:
  // known: memory only; every tag is known from the beginning, and no stamps exist.
  // maxIdle: how many names without references are remembered, with what is known of them.
  TagTable(const SourceTable& sources, bool known, std::size_t maxIdle = kMaxIdleCells);
  ~TagTable();
  TagTable(const TagTable&) = delete;
  TagTable& operator=(const TagTable&) = delete;

  // The cell of a name, with one reference more. May throw std::bad_alloc, and has then changed nothing.
  TagCell acquire(std::string_view name);
  // Only for who has a reference: of a cell without any, the name may be another's a moment later. The same is true of
  // every function below that takes a cell.
  void addReference(TagCell cell) noexcept;
  void release(TagCell cell) noexcept;

  // The mark that an entry gets whose load begins now. std::nullopt: the stamp is not known (or no longer).
  [[nodiscard]] std::optional<TagMark> mark(TagCell cell, Millis now) const;
  // The mark of an entry that carries this stamp, if that is the tag's. Asking for stamp() and mark() instead could mix
  // an old stamp with a new generation.
  [[nodiscard]] std::optional<TagMark> markOf(TagCell cell, const Stamp& stamp, Millis now) const;
  [[nodiscard]] std::optional<Stamp> stamp(TagCell cell, Millis now) const;
  [[nodiscard]] bool valid(TagMark mark, Millis now) const noexcept {  // the hot path: no lock
    const std::uint64_t state = stateOf(mark.cell).load(std::memory_order_acquire);
    return generationOf(state) == mark.generation && isKnown(state, now);
  }
  // It has not changed as far as is known: it may be in doubt.
  [[nodiscard]] bool unchanged(TagMark mark) const noexcept {
    return generationOf(stateOf(mark.cell).load(std::memory_order_acquire)) == mark.generation;
  }
  [[nodiscard]] std::string name(TagCell cell) const;

  // Redis says that this is the stamp. Ignored (false) when the tag was doubted or invalidated since the ticket was
  // taken. The same stamp as before makes what carries it valid again; another one begins a new generation.
  [[nodiscard]] TagTicket ticket(TagCell cell) const;
  bool learn(TagCell cell, const Stamp& stamp, SourceId source, TagTicket ticket);

  // Somebody may have changed it: unknown until it is learned again. (Tables that are `known`: as invalidate.)
  void doubt(std::string_view name);
  void doubtAll();
  // It has changed: a new generation begins, which is unknown unless the table is `known`.
  void invalidate(std::string_view name);

  // What the table takes, names included: a part of the budget of the memory tier.
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_.load(std::memory_order_relaxed); }

  // How many names have a cell, those without references included: at most so many of them, and so many bytes.
  [[nodiscard]] std::size_t size() const;
  static constexpr std::size_t kMaxIdleCells = 4096;
  static constexpr std::size_t kMaxIdleNameBytes = std::size_t{1} << 20;

 private:
  static constexpr TagCell kNoCell = UINT32_MAX;
  static constexpr std::size_t kChunk = 1024;
  static constexpr std::size_t kBlock = 64;
  static constexpr std::size_t kChunks = 16384;

  // generation << 32 | source << 16 | known, in one word so that a reader without a lock sees what belongs together.
  using State = std::atomic<std::uint64_t>;
  static std::uint64_t pack(std::uint32_t generation, SourceId source, bool known) {
    return std::uint64_t{generation} << 32 | std::uint64_t{source} << 16 | std::uint64_t{known};
  }
  static std::uint32_t generationOf(std::uint64_t state) { return static_cast<std::uint32_t>(state >> 32); }
  [[nodiscard]] bool isKnown(std::uint64_t state, Millis now) const noexcept {
    return (state & 1) != 0 && sources_.trusted(static_cast<SourceId>(state >> 16), now);
  }

  enum class Place : std::uint8_t {
    kFree,  // without a name, on the list of free cells
    kUsed,
    kIdle,  // without references, on the list of idle cells
  };

  // What no hit needs. All but the references is the mutex's.
  struct Details {
    std::unique_ptr<char[]> name;
    std::uint32_t nameSize = 0;
    std::uint32_t hash = 0;  // of the name
    Stamp stamp{};
    std::atomic<std::uint32_t> references{0};
    TagTicket voided = 0;  // grows when tickets of this cell become void
    TagCell older = kNoCell;
    TagCell newer = kNoCell;  // also: the next free one of the chunk
    bool hasStamp = false;
    Place place = Place::kFree;

    [[nodiscard]] std::string_view nameView() const { return {name.get(), nameSize}; }
  };

  // The details of some cells: there while one of them has a name.
  struct Block {
    std::unique_ptr<std::array<Details, kBlock>> details;
    std::uint32_t used = 0;  // cells with a name
    TagCell free = kNoCell;
    TagTicket voided = 0;  // where the tickets of its cells begin: beyond those that were handed out before
  };

  // States stay for good, so that valid() needs no lock to follow a pointer, and a mark of a cell that was given back
  // never becomes valid again.
  struct Chunk {
    std::array<State, kChunk> states{};
    std::array<Block, kChunk / kBlock> blocks;
  };

  [[nodiscard]] Chunk& chunkOf(TagCell cell) const noexcept {
    return *chunks_[cell / kChunk].load(std::memory_order_acquire);
  }
  [[nodiscard]] State& stateOf(TagCell cell) const noexcept { return chunkOf(cell).states[cell % kChunk]; }
  [[nodiscard]] Block& blockOf(TagCell cell) const noexcept { return chunkOf(cell).blocks[cell % kChunk / kBlock]; }
  // Only of a cell with a name.
  [[nodiscard]] Details& detailsOf(TagCell cell) const noexcept { return (*blockOf(cell).details)[cell % kBlock]; }

  // All of these: with the mutex held.
  [[nodiscard]] std::uint32_t hashOf(std::string_view name) const noexcept {
    return static_cast<std::uint32_t>(hashKey(name, seed_));
  }
  [[nodiscard]] TagCell find(std::string_view name, std::uint32_t hash) const noexcept;
  void index(TagCell cell) noexcept;
  void unindex(TagCell cell) noexcept;
  void resizeIndex(std::size_t slots);
  void shrinkIndex() noexcept;
  TagCell takeFree();
  Block& addBlock(std::size_t number);
  void addChunk();
  void giveBack(std::size_t number) noexcept;
  void beginGeneration(TagCell cell) noexcept;
  void doubtCell(TagCell cell) noexcept;
  void linkIdle(TagCell cell) noexcept;
  void unlinkIdle(TagCell cell) noexcept;
  void reclaim(TagCell cell) noexcept;

  const SourceTable& sources_;
  const bool known_;
  const std::size_t maxIdle_;
  std::array<std::atomic<Chunk*>, kChunks> chunks_{};

  mutable std::mutex mutex_;
  HashSeed seed_;
  // Cells by the hashes of their names: open addressing, a power of two, kNoCell where there is none.
  std::vector<TagCell> index_;
  std::size_t names_ = 0;
  std::atomic<std::size_t> bytes_{0};
  std::size_t chunkCount_ = 0;
  // Blocks with a free cell, a bit each; none in front of that word has one.
  std::vector<std::uint64_t> roomy_;
  std::size_t firstRoomy_ = 0;
  TagTicket allVoided_ = 0;  // grows when the tickets of all cells become void
  TagCell oldestIdle_ = kNoCell;
  TagCell newestIdle_ = kNoCell;
  std::size_t idleCells_ = 0;
  std::size_t idleNameBytes_ = 0;
};

}  // namespace tiercel::core
