// What the memory tier does, one behaviour at a time.
#include "core/memory_tier.h"

#include <gtest/gtest.h>

#include <utility>

#include "samples.h"

namespace tiercel::test {
namespace {

using namespace core;

constexpr Deadlines kAlways{kForever, kForever, kForever};

Entry holding(std::string_view payload) {
  Entry entry;
  entry.payload = payload;
  return entry;
}

std::string payloadOf(MemoryTier& tier, std::string_view key, Millis now = 0) {
  const auto hit = tier.find(key, now);
  return hit ? std::string(hit->entry.payload) : "(miss)";
}

TEST(MemoryTier, GivesBackTheWholeEntry) {
  MemoryTier tier({});
  Random random(1);
  for (int i = 0; i < 500; ++i) {
    const OwnedEntry owned = randomEntry(random, 500);
    const std::string key = randomBytes(random, below(random, 60));
    const Deadlines deadlines = deadlinesFrom(owned.entry(), 100);
    if (deadlines.goneAt <= 100) continue;
    ASSERT_TRUE(tier.put(key, owned.entry(), deadlines, 100));
    const auto hit = tier.find(key, 100);
    ASSERT_TRUE(hit);
    expectSame(hit->entry, owned.entry());
    EXPECT_EQ(hit->deadlines.freshUntil, deadlines.freshUntil);
    EXPECT_EQ(hit->deadlines.staleUntil, deadlines.staleUntil);
    EXPECT_EQ(hit->deadlines.goneAt, deadlines.goneAt);
  }
}

TEST(MemoryTier, KeysAreBytes) {
  MemoryTier tier({});
  const std::string_view keys[] = {
      std::string_view(),        std::string_view("\0", 1), std::string_view("\0\0", 2), "\xfe", "\xff", "a",
      std::string_view("a\0", 2)};
  for (const std::string_view key : keys) EXPECT_TRUE(tier.put(key, holding(key), kAlways, 0));
  for (const std::string_view key : keys) EXPECT_EQ(payloadOf(tier, key), key);
  EXPECT_EQ(tier.stats().entries, std::size(keys));
}

TEST(MemoryTier, ExpiresAtItsDeadline) {
  MemoryTier tier({});
  tier.put("k", holding("v"), {10, 20, 30}, 0);
  EXPECT_EQ(tier.find("k", 9)->freshness, Freshness::kFresh);
  EXPECT_EQ(tier.find("k", 10)->freshness, Freshness::kStale);
  EXPECT_EQ(tier.find("k", 20)->freshness, Freshness::kStaleError);
  EXPECT_TRUE(tier.find("k", 29));
  EXPECT_FALSE(std::as_const(tier).peek("k", 30));
  EXPECT_EQ(tier.stats().entries, 1U);
  EXPECT_FALSE(tier.find("k", 30));
  EXPECT_EQ(tier.stats().entries, 0U);
  EXPECT_EQ(tier.stats().expirations, 1U);
  EXPECT_EQ(tier.stats().misses, 1U);
  EXPECT_EQ(tier.stats().hits, 4U);
}

TEST(MemoryTier, WhatIsOverIsNotKeptAndTakesTheOldOneWithIt) {
  MemoryTier tier({});
  tier.put("k", holding("old"), kAlways, 0);
  EXPECT_FALSE(tier.put("k", holding("new"), {0, 0, 50}, 50));
  EXPECT_EQ(payloadOf(tier, "k"), "(miss)");
  EXPECT_EQ(tier.stats().rejects, 0U);
}

TEST(MemoryTier, TooLargeIsRejectedAndTakesTheOldOneWithIt) {
  MemoryTier tier({.maxBytes = 100000, .maxEntryBytes = 1000});
  const std::string large(1000, 'x');
  tier.put("other", holding("v"), kAlways, 0);
  tier.put("k", holding("old"), kAlways, 0);
  EXPECT_FALSE(tier.put("k", holding(large), kAlways, 0));
  EXPECT_FALSE(tier.put(large, holding("v"), kAlways, 0));
  EXPECT_EQ(payloadOf(tier, "k"), "(miss)");
  EXPECT_EQ(payloadOf(tier, "other"), "v");
  EXPECT_EQ(tier.stats().rejects, 2U);
  EXPECT_EQ(tier.stats().evictions, 0U);
  EXPECT_EQ(tier.stats().sets, 2U);
}

// Views that claim more than 4 GiB: refused by their length, before anything reads them.
TEST(MemoryTier, PartsThatNoBlockCanHoldAreRejected) {
  MemoryTier tier({.maxBytes = std::size_t{1} << 40});
  const char byte = 'x';
  const std::string_view endless(&byte, std::size_t{UINT32_MAX} + 1);
  Entry entry;
  for (std::string_view Entry::*part : {&Entry::tags, &Entry::metadata, &Entry::payload}) {
    entry = {};
    entry.*part = endless;
    EXPECT_FALSE(tier.put("k", entry, kAlways, 0));
  }
  EXPECT_EQ(tier.stats().rejects, 3U);
}

TEST(MemoryTier, EvictsTheLeastRecentlyUsed) {
  MemoryTier tier({.maxBytes = 4096});
  const std::string payload(1000, 'x');
  for (const char* key : {"a", "b", "c"}) ASSERT_TRUE(tier.put(key, holding(payload), kAlways, 0));
  EXPECT_TRUE(tier.find("a", 0));
  EXPECT_TRUE(tier.peek("b", 0));  // leaves no trace
  ASSERT_TRUE(tier.put("d", holding(payload), kAlways, 0));
  EXPECT_FALSE(tier.peek("b", 0));
  for (const char* key : {"a", "c", "d"}) EXPECT_TRUE(tier.peek(key, 0)) << key;
  EXPECT_EQ(tier.stats().evictions, 1U);
  EXPECT_EQ(tier.stats().hits, 1U);
}

TEST(MemoryTier, ReplacingEvictsOthersButNotItself) {
  MemoryTier tier({.maxBytes = 4096});
  const std::string payload(1000, 'x');
  const std::string larger(2500, 'y');
  for (const char* key : {"a", "b", "c"}) ASSERT_TRUE(tier.put(key, holding(payload), kAlways, 0));
  ASSERT_TRUE(tier.put("a", holding(larger), kAlways, 0));
  EXPECT_EQ(payloadOf(tier, "a"), larger);
  EXPECT_FALSE(tier.peek("b", 0));
  EXPECT_TRUE(tier.peek("c", 0));
  EXPECT_EQ(tier.stats().evictions, 1U);
  ASSERT_TRUE(tier.put("a", holding("small"), kAlways, 0));
  EXPECT_EQ(payloadOf(tier, "a"), "small");
  EXPECT_EQ(tier.stats().entries, 2U);
}

// The entry that is put may be a view of the one it replaces, or of one that is evicted for it.
TEST(MemoryTier, TakesViewsOfItsOwnEntries) {
  MemoryTier tier({.maxBytes = 4096});
  const std::string payload(1500, 'x');
  for (const char* key : {"a", "b"}) ASSERT_TRUE(tier.put(key, holding(payload), kAlways, 0));
  ASSERT_TRUE(tier.put("a", tier.peek("a", 0)->entry, kAlways, 0));
  EXPECT_EQ(payloadOf(tier, "a"), payload);
  ASSERT_TRUE(tier.put("c", tier.peek("b", 0)->entry, kAlways, 0));
  EXPECT_FALSE(tier.peek("b", 0));
  EXPECT_EQ(payloadOf(tier, "c"), payload);
}

TEST(MemoryTier, ErasesAndClears) {
  MemoryTier tier({});
  for (int i = 0; i < 5000; ++i) tier.put(std::to_string(i), holding("v"), kAlways, 0);
  EXPECT_TRUE(tier.erase("7"));
  EXPECT_FALSE(tier.erase("7"));
  EXPECT_EQ(tier.stats().deletes, 1U);
  EXPECT_EQ(payloadOf(tier, "7"), "(miss)");
  tier.clear();
  EXPECT_EQ(tier.stats().entries, 0U);
  EXPECT_EQ(tier.stats().bytes, 0U);
  EXPECT_EQ(payloadOf(tier, "8"), "(miss)");
  EXPECT_TRUE(tier.put("8", holding("again"), kAlways, 0));
  EXPECT_EQ(payloadOf(tier, "8"), "again");
  EXPECT_TRUE(tier.erase("8"));
  EXPECT_EQ(tier.stats().bytes, 0U);
}

TEST(MemoryTier, ExpireTakesTurnsUntilAllIsDropped) {
  MemoryTier tier({});
  constexpr int kEntries = 3000;
  for (int i = 0; i < kEntries; ++i) {
    tier.put(std::to_string(i), holding("v"), i % 3 == 0 ? kAlways : Deadlines{5, 5, 5}, 0);
  }
  EXPECT_EQ(tier.expire(4, SIZE_MAX), 0U);
  EXPECT_EQ(tier.expire(5, 0), 0U);
  std::size_t dropped = 0;
  for (int calls = 0; dropped < 2000 && calls < 1000; ++calls) {
    const std::size_t now = tier.expire(5, 10);
    EXPECT_LE(now, 10U);
    dropped += now;
  }
  EXPECT_EQ(dropped, 2000U);
  EXPECT_EQ(tier.stats().expirations, 2000U);
  EXPECT_EQ(tier.stats().entries, 1000U);
  EXPECT_EQ(tier.expire(kForever - 1, SIZE_MAX), 0U);
  EXPECT_EQ(tier.expire(kForever, SIZE_MAX), 1000U);
  EXPECT_EQ(tier.stats().bytes, 0U);
  EXPECT_EQ(tier.expire(5, SIZE_MAX), 0U);
  // A limit whose multiples do not fit in 64 bits is still a limit above all there is.
  for (const std::size_t limit : {SIZE_MAX, SIZE_MAX / 4 + 1, SIZE_MAX / 2 + 1}) {
    for (int i = 0; i < 100; ++i) tier.put(std::to_string(i), holding("v"), {5, 5, 5}, 0);
    EXPECT_EQ(tier.expire(5, limit), 100U) << limit;
  }
}

// Nobody has to call expire(): puts give back what is over.
TEST(MemoryTier, PutsSweep) {
  MemoryTier tier({});
  for (int i = 0; i < 2000; ++i) tier.put(std::to_string(i), holding("v"), {5, 5, 5}, 0);
  for (int i = 0; i < 2000; ++i) tier.put("new" + std::to_string(i), holding("v"), kAlways, 5);
  EXPECT_EQ(tier.stats().entries, 2000U);
  EXPECT_EQ(tier.stats().expirations, 2000U);
}

TEST(MemoryTier, ResetsCountersOnly) {
  MemoryTier tier({.maxBytes = 5000});
  tier.put("k", holding("v"), kAlways, 0);
  tier.find("k", 0);
  tier.find("x", 0);
  const MemoryStats before = tier.stats();
  tier.resetStats();
  const MemoryStats after = tier.stats();
  EXPECT_EQ(after.entries, 1U);
  EXPECT_EQ(after.bytes, before.bytes);
  EXPECT_EQ(after.maxBytes, 5000U);
  EXPECT_EQ(
      after.hits + after.misses + after.sets + after.deletes + after.evictions + after.expirations + after.rejects, 0U);
}

// Counts what it is told, and chooses the newest.
class Recorder final : public EvictionPolicy {
 public:
  struct Log {
    std::vector<Slot> slots;
    int resized = 0;
    int touched = 0;
  };
  explicit Recorder(Log& log) : log_(&log) {}
  void added(Slot slot, std::uint64_t, std::size_t) override { log_->slots.push_back(slot); }
  void touched(Slot) override { ++log_->touched; }
  void resized(Slot, std::size_t) override { ++log_->resized; }
  void removed(Slot slot) override { std::erase(log_->slots, slot); }
  void clear() override { log_->slots.clear(); }
  Slot victim(Slot keep) override {
    for (auto at = log_->slots.rbegin(); at != log_->slots.rend(); ++at) {
      if (*at != keep) return *at;
    }
    return kNoSlot;
  }

 private:
  Log* log_;
};

TEST(MemoryTier, FollowsTheGivenPolicy) {
  Recorder::Log log;
  MemoryTier tier({.maxBytes = 4096}, std::make_unique<Recorder>(log));
  const std::string payload(1000, 'x');
  for (const char* key : {"a", "b", "c", "d"}) ASSERT_TRUE(tier.put(key, holding(payload), kAlways, 0));
  EXPECT_TRUE(tier.peek("a", 0));
  EXPECT_FALSE(tier.peek("c", 0));
  EXPECT_EQ(log.slots.size(), 3U);
  tier.find("a", 0);
  EXPECT_EQ(log.touched, 1);
  // A new value is no new key: the policy keeps what it knows.
  tier.put("a", holding("v"), kAlways, 0);
  EXPECT_EQ(log.resized, 1);
  EXPECT_EQ(log.slots.size(), 3U);
  tier.clear();
  EXPECT_TRUE(log.slots.empty());
}

}  // namespace
}  // namespace tiercel::test
