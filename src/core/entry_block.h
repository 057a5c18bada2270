// How the memory tier stores an entry: one allocation that holds these fields and, behind them, key, tags, metadata
// and payload.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <string_view>

#include "core/entry.h"
#include "core/memory_tier.h"

namespace tiercel::core {

struct EntryBlock {
  FillId fillId;
  Deadlines deadlines;
  Millis created;
  Millis freshFor;
  Millis staleFor;
  Millis keepFor;
  std::uint32_t loadTime;
  std::uint32_t keySize;
  std::uint32_t tagsSize;
  std::uint32_t metadataSize;
  std::uint32_t payloadSize;
  std::uint16_t flags;
  Codec codec;

  [[nodiscard]] const char* bytes() const { return reinterpret_cast<const char*>(this) + sizeof(EntryBlock); }
  [[nodiscard]] std::string_view key() const { return {bytes(), keySize}; }
  [[nodiscard]] std::size_t dataSize() const { return std::size_t{keySize} + tagsSize + metadataSize + payloadSize; }
  [[nodiscard]] Entry entry() const;
};

struct FreeEntryBlock {
  void operator()(EntryBlock* block) const { ::operator delete(block); }
};
using EntryBlockPtr = std::unique_ptr<EntryBlock, FreeEntryBlock>;

// Whether every part has a length that a block can hold.
[[nodiscard]] bool fitsBlock(std::string_view key, const Entry& entry);

// A copy of an entry that fitsBlock(); nullptr when there is no memory.
EntryBlockPtr makeEntryBlock(std::string_view key, const Entry& entry, const Deadlines& deadlines);

}  // namespace tiercel::core
