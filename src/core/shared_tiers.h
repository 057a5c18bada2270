// The memory tiers of this process by name: every worker thread that opens a name gets the same one.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "core/clock.h"
#include "core/coherence/lease_table.h"
#include "core/coherence/source_table.h"
#include "core/coherence/tag_table.h"
#include "core/memory/memory_tier.h"

namespace tiercel::core {

struct TierOptions {
  MemoryOptions memory = {};
  bool standalone = false;  // no Redis: tags are known, and the leases are those of the table
};

bool operator==(const TierOptions& one, const TierOptions& other);

// What the threads share. Each part locks for itself. A lock of `leases` may be held while one of `memory` is taken,
// and one of `memory` while that of `tags` is; never the other way round.
struct ProcessTier {
  // May throw std::bad_alloc.
  explicit ProcessTier(const TierOptions& opened);
  ~ProcessTier();
  ProcessTier(const ProcessTier&) = delete;
  ProcessTier& operator=(const ProcessTier&) = delete;

  // A new source, trusted until `until`. When the numbers have run out, all entries are dropped and all tags doubted,
  // so that those of lost sources can be used again. std::nullopt: 65535 sources are open, and none of them is lost.
  // May throw std::bad_alloc, and has then opened nothing.
  std::optional<SourceId> openSource(Millis until);

  const TierOptions options;
  SourceTable sources;
  TagTable tags;
  MemoryTier memory;
  LeaseTable leases;
};

// The tier of a name: the one that somebody in this process has open, else a new one, which is freed with its last
// holder. nullptr: it is open with other options, and `conflicting` says with which; else `conflicting` is empty.
// May throw std::bad_alloc, and has then opened nothing.
std::shared_ptr<ProcessTier> openTier(const std::string& name, const TierOptions& options,
                                      std::optional<TierOptions>& conflicting);

// How many names are open, or are being closed right now.
std::size_t openTierCount();

}  // namespace tiercel::core
