// What tests of the memory tier share: a tier with the tables it needs, and entries as it gives them back.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <string>

#include "core/memory/chunk_pool.h"
#include "core/memory/memory_tier.h"
#include "samples.h"

namespace tiercel::test {

inline constexpr core::Deadlines kAlways{core::kForever, core::kForever, core::kForever};

inline core::Entry holding(std::string_view payload) {
  core::Entry entry;
  entry.payload = payload;
  return entry;
}

struct Tables {
  core::SourceTable sources;
  core::TagTable tags{sources, true};
};

class Tier : private Tables, public core::MemoryTier {
 public:
  explicit Tier(const core::MemoryOptions& options = {}, core::ChunkSource* chunks = nullptr)
      : MemoryTier(options, Tables::sources, Tables::tags, chunks) {}

  core::SourceTable& sources() { return Tables::sources; }
  core::TagTable& tags() { return Tables::tags; }
};

inline std::string payloadOf(core::MemoryTier& tier, std::string_view key, core::Millis now = 0) {
  const auto hit = tier.find(key, now);
  return hit ? std::string(hit->entry.payload) : "(miss)";
}

// All that the tier keeps of an entry, and that does not follow from the deadlines.
inline void expectKept(const core::Entry& actual, const core::Entry& expected) {
  EXPECT_EQ(actual.codec, expected.codec);
  EXPECT_EQ(actual.flags, expected.flags);
  core::FillId fillId{};
  for (std::size_t i = 0; i < 8; ++i) fillId[i] = expected.fillId[i];
  EXPECT_EQ(actual.fillId, fillId);
  EXPECT_EQ(actual.loadTime, std::min<std::uint32_t>(expected.loadTime, 65535));
  EXPECT_EQ(actual.outdated, expected.outdated);
  EXPECT_EQ(actual.metadata, expected.metadata);
  EXPECT_EQ(actual.payload, expected.payload);
}

// Counts what it has handed out, and fails on demand.
class CountingChunks final : public core::ChunkSource {
 public:
  void* take(std::size_t bytes) noexcept override {
    if (failing) return nullptr;
    void* chunk = ChunkSource::take(bytes);
    if (chunk != nullptr) mapped += bytes;
    most = std::max(most, mapped.load());
    return chunk;
  }
  void give(void* chunk, std::size_t bytes) noexcept override {
    mapped -= bytes;
    ChunkSource::give(chunk, bytes);
  }

  bool failing = false;
  std::atomic<std::size_t> mapped{0};  // chunks may be given back by another thread
  std::size_t most = 0;
};

}  // namespace tiercel::test
