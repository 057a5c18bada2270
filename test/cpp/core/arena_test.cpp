// Blocks never overlap, free neighbours become one, and whole chunks go back.
#include "core/memory/arena.h"

#include <gtest/gtest.h>

#include <cstring>
#include <set>
#include <vector>

#include "memory_samples.h"

namespace tiercel::test {
namespace {

using namespace core;

constexpr std::size_t kChunk = Arena::kMinChunk;

struct TestArena {
  explicit TestArena(std::size_t limit = std::size_t{1} << 30) : pool(source, limit) {}
  CountingChunks source;
  ChunkPool pool;
  Arena arena{pool, kChunk};
};

struct Held {
  Handle block;
  std::size_t bytes;
  unsigned char mark;
};

// The first word is the arena's, but for its upper bits.
void mark(Arena& arena, const Held& held) { std::memset(arena.at(held.block) + 4, held.mark, held.bytes - 4); }
bool isMarked(const Arena& arena, const Held& held) {
  const std::string expected(held.bytes - 4, static_cast<char>(held.mark));
  return std::memcmp(arena.at(held.block) + 4, expected.data(), expected.size()) == 0;
}

TEST(Arena, BlocksNeverOverlap) {
  TestArena setup;
  Arena& arena = setup.arena;
  Random random(1);
  std::vector<Held> held;
  for (int i = 0; i < 200000; ++i) {
    if (held.empty() || below(random, 100) < (i / 20000 % 2 == 0 ? 60U : 40U)) {
      const std::size_t bytes = 8 + (below(random, 20) == 0  ? below(random, 3 * kChunk)
                                     : below(random, 3) == 0 ? below(random, kChunk / 4)
                                                             : below(random, 400));
      const Handle block = arena.allocate(bytes);
      ASSERT_NE(block, kNoHandle);
      ASSERT_LT(block, kReservedHandles);
      ASSERT_EQ(reinterpret_cast<std::uintptr_t>(arena.at(block)) % 8, 0U);
      ASSERT_GE(arena.sizeOf(block), bytes);
      ASSERT_LE(arena.sizeOf(block) - bytes, arena.isLarge(bytes) ? 4095 : Arena::kMaxSlack);
      held.push_back({block, bytes, static_cast<unsigned char>(random())});
      mark(arena, held.back());
    } else {
      const std::size_t at = below(random, held.size());
      ASSERT_TRUE(isMarked(arena, held[at]));
      arena.free(held[at].block);
      held[at] = held.back();
      held.pop_back();
    }
  }
  for (const Held& each : held) {
    ASSERT_TRUE(isMarked(arena, each));
    arena.free(each.block);
  }
  EXPECT_EQ(arena.chunkCount(), 1U);  // one is kept
  EXPECT_EQ(setup.source.mapped, kChunk);
  EXPECT_EQ(setup.pool.mapped(), kChunk);
}

TEST(Arena, AWalkMeetsEveryBlockOfTheChunk) {
  TestArena setup;
  Arena& arena = setup.arena;
  Random random(2);
  std::set<Handle> used;
  std::vector<Handle> all;
  for (int i = 0; i < 300; ++i) all.push_back(arena.allocate(16 + below(random, 150)));
  ASSERT_EQ(arena.chunkCount(), 1U);
  for (const Handle block : all) {
    if (below(random, 2) == 0) {
      arena.free(block);
    } else {
      used.insert(block);
    }
  }
  std::size_t bytes = 0;
  bool wasFree = false;
  for (Handle at = Arena::firstOfChunk(all[7]); at != kNoHandle; at = arena.following(at)) {
    bytes += arena.sizeOf(at);
    EXPECT_NE(arena.isFree(at), used.erase(at) == 1);
    EXPECT_FALSE(wasFree && arena.isFree(at)) << "two free neighbours";
    wasFree = arena.isFree(at);
  }
  EXPECT_EQ(bytes, kChunk);
  EXPECT_TRUE(used.empty());
}

// In whatever order the blocks of a full chunk go, it is whole again behind them.
TEST(Arena, FreeNeighboursBecomeOne) {
  Random random(3);
  for (int round = 0; round < 50; ++round) {
    TestArena setup(kChunk);
    Arena& arena = setup.arena;
    std::vector<Handle> blocks;
    for (;;) {
      const Handle block = arena.allocate(16 + below(random, 3000));
      if (block == kNoHandle) break;
      blocks.push_back(block);
    }
    std::shuffle(blocks.begin(), blocks.end(), random);
    Handle merged = kNoHandle;
    for (const Handle block : blocks) merged = arena.free(block);
    ASSERT_NE(merged, kNoHandle);
    EXPECT_EQ(arena.sizeOf(merged), kChunk);
    int quarters = 0;
    while (arena.allocate(kChunk / 4) != kNoHandle) ++quarters;
    EXPECT_EQ(quarters, 4);
  }
}

TEST(Arena, IsExhaustedAtTheLimitAndRecovers) {
  TestArena setup(4 * kChunk);
  Arena& arena = setup.arena;
  std::vector<Handle> blocks;
  for (Handle block = 0; (block = arena.allocate(1000)) != kNoHandle;) blocks.push_back(block);
  EXPECT_EQ(setup.source.most, 4 * kChunk);
  EXPECT_GE(blocks.size(), 4 * kChunk / 1000 - 4);
  EXPECT_EQ(arena.allocate(kChunk), kNoHandle);
  arena.free(blocks.back());
  EXPECT_NE(arena.allocate(1000), kNoHandle);
  EXPECT_EQ(setup.source.most, 4 * kChunk);
}

TEST(Arena, SurvivesASystemWithoutMemory) {
  TestArena setup;
  setup.source.failing = true;
  EXPECT_EQ(setup.arena.allocate(100), kNoHandle);
  EXPECT_EQ(setup.arena.allocate(10 * kChunk), kNoHandle);
  EXPECT_EQ(setup.pool.mapped(), 0U);
  setup.source.failing = false;
  EXPECT_NE(setup.arena.allocate(100), kNoHandle);
  EXPECT_NE(setup.arena.allocate(10 * kChunk), kNoHandle);
}

TEST(Arena, LargeBlocksAreGivenBackAtOnce) {
  TestArena setup;
  const Handle block = setup.arena.allocate(10 * kChunk + 1);
  EXPECT_EQ(setup.source.mapped, 10 * kChunk + 4096);
  EXPECT_EQ(setup.arena.sizeOf(block), 10 * kChunk + 4096);
  EXPECT_EQ(setup.arena.following(block), kNoHandle);
  setup.arena.free(block);
  EXPECT_EQ(setup.source.mapped, 0U);
}

}  // namespace
}  // namespace tiercel::test
