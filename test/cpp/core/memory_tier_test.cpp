// What the memory tier does, one behaviour at a time.
#include "core/memory/memory_tier.h"

#include <gtest/gtest.h>

#include <utility>
#include <vector>

#include "memory_samples.h"

namespace tiercel::test {
namespace {

using namespace core;

TEST(MemoryTier, GivesBackTheEntry) {
  Tier tier;
  Random random(1);
  for (int i = 0; i < 500; ++i) {
    const OwnedEntry owned = randomEntry(random, i % 50 == 0 ? 200000 : 500);
    Entry entry = owned.entry();
    entry.keepFor %= Millis{1} << 39;
    entry.keepFor += entry.staleFor;
    entry.outdated = i % 3 == 0;
    if (i % 5 == 0) entry.keepFor = entry.staleFor = entry.freshFor += 1;
    const std::string key = randomBytes(random, below(random, 60));
    const Deadlines deadlines = deadlinesFrom(entry, 100);
    if (deadlines.goneAt <= 100) continue;
    ASSERT_TRUE(tier.put(key, entry, deadlines, 100));
    const auto hit = tier.find(key, 150);
    ASSERT_EQ(hit.has_value(), deadlines.goneAt > 150);
    if (!hit) continue;
    expectKept(hit->entry, entry);
    EXPECT_EQ(hit->entry.freshFor, entry.freshFor);
    EXPECT_EQ(hit->entry.staleFor, entry.staleFor);
    EXPECT_EQ(hit->entry.keepFor, entry.keepFor);
    EXPECT_EQ(hit->filledAt, 100);
    EXPECT_EQ(hit->deadlines.freshUntil, deadlines.freshUntil);
    EXPECT_EQ(hit->deadlines.staleUntil, deadlines.staleUntil);
    EXPECT_EQ(hit->deadlines.goneAt, deadlines.goneAt);
    EXPECT_EQ(hit->source, kOwnSource);
    EXPECT_TRUE(hit->tags.empty());
  }
}

TEST(MemoryTier, KnowsTheAgeOfWhatIsOlderThanItsClock) {
  Tier tier;
  Entry entry = holding("v");
  entry.freshFor = 10000;
  entry.staleFor = 20000;
  entry.keepFor = 30000;
  ASSERT_TRUE(tier.put("k", entry, deadlinesFrom(entry, 1000, 15000), 1000));
  const auto hit = tier.find("k", 1000);
  EXPECT_EQ(hit->filledAt, -14000);
  EXPECT_EQ(hit->entry.freshFor, 10000);
  EXPECT_EQ(hit->freshness, Freshness::kStale);
  EXPECT_EQ(hit->deadlines.staleUntil, 6000);
  EXPECT_EQ(hit->deadlines.goneAt, 16000);
}

TEST(MemoryTier, KeysAreBytes) {
  Tier tier;
  const std::string_view keys[] = {
      std::string_view(),        std::string_view("\0", 1), std::string_view("\0\0", 2), "\xfe", "\xff", "a",
      std::string_view("a\0", 2)};
  for (const std::string_view key : keys) EXPECT_TRUE(tier.put(key, holding(key), kAlways, 0));
  for (const std::string_view key : keys) EXPECT_EQ(payloadOf(tier, key), key);
  EXPECT_EQ(tier.stats().entries, std::size(keys));
}

TEST(MemoryTier, ExpiresAtItsDeadline) {
  Tier tier;
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

TEST(MemoryTier, ForgetsBeforeItsDeadlineWhatItMayNotKeep) {
  Tier tier;
  for (const bool oneWindow : {false, true}) {
    Entry entry = holding("v");
    entry.freshFor = 10000;
    entry.staleFor = entry.keepFor = oneWindow ? 10000 : 30000;
    const Deadlines deadlines = deadlinesFrom(entry, 1000, entry.keepFor - 4000);
    ASSERT_TRUE(tier.put("k", entry, deadlines, 1000, {.keepUntil = 1500}));
    const auto hit = tier.find("k", 1499);
    ASSERT_TRUE(hit);
    EXPECT_EQ(hit->filledAt, -3000);
    EXPECT_EQ(hit->deadlines.freshUntil, 7000);
    EXPECT_EQ(hit->deadlines.staleUntil, deadlines.staleUntil);
    EXPECT_EQ(hit->deadlines.goneAt, 1500);
    EXPECT_FALSE(tier.find("k", 1500));
    EXPECT_FALSE(tier.put("k", entry, deadlines, 1500, {.keepUntil = 1500}));
    // A shorter life than that is not made longer.
    ASSERT_TRUE(tier.put("k", entry, deadlines, 1000, {.keepUntil = 1'000'000}));
    EXPECT_EQ(tier.find("k", 1000)->deadlines.goneAt, deadlines.goneAt);
  }
}

TEST(MemoryTier, WhatIsOverIsNotKeptAndTakesTheOldOneWithIt) {
  Tier tier;
  tier.put("k", holding("old"), kAlways, 0);
  EXPECT_FALSE(tier.put("k", holding("new"), {0, 0, 50}, 50));
  EXPECT_EQ(payloadOf(tier, "k"), "(miss)");
  EXPECT_EQ(tier.stats().rejects, 0U);
}

TEST(MemoryTier, TooLargeIsRejectedAndTakesTheOldOneWithIt) {
  Tier tier({.maxBytes = 100000, .maxEntryBytes = 1000});
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
  Tier tier({.maxBytes = std::size_t{1} << 40});
  const char byte = 'x';
  const std::string_view endless(&byte, std::size_t{UINT32_MAX} + 1);
  for (std::string_view Entry::*part : {&Entry::metadata, &Entry::payload}) {
    Entry entry;
    entry.*part = endless;
    EXPECT_FALSE(tier.put("k", entry, kAlways, 0));
  }
  const std::string longKey(65536, 'k');
  EXPECT_FALSE(tier.put(longKey, holding("v"), kAlways, 0));
  EXPECT_TRUE(tier.put(longKey.substr(1), holding("v"), kAlways, 0));
  EXPECT_EQ(tier.stats().rejects, 3U);
}

TEST(MemoryTier, EvictsForRoom) {
  Tier tier({.maxBytes = 4096});
  const std::string payload(1000, 'x');
  for (const char* key : {"a", "b", "c"}) ASSERT_TRUE(tier.put(key, holding(payload), kAlways, 0));
  tier.put("d", holding(payload), kAlways, 0);
  EXPECT_EQ(tier.stats().entries, 3U);
  EXPECT_EQ(tier.stats().evictions + tier.stats().admissionRejects, 1U);
  EXPECT_LE(tier.stats().bytes, 4096U);
}

TEST(MemoryTier, ReplacingEvictsOthersButNotItself) {
  Tier tier({.maxBytes = 4096});
  const std::string payload(1000, 'x');
  const std::string larger(2500, 'y');
  for (const char* key : {"a", "b", "c"}) ASSERT_TRUE(tier.put(key, holding(payload), kAlways, 0));
  ASSERT_TRUE(tier.put("a", holding(larger), kAlways, 0));
  EXPECT_EQ(payloadOf(tier, "a"), larger);
  EXPECT_EQ(tier.stats().entries, 2U);
  EXPECT_EQ(tier.stats().evictions, 1U);
  ASSERT_TRUE(tier.put("a", holding("small"), kAlways, 0));
  EXPECT_EQ(payloadOf(tier, "a"), "small");
  EXPECT_EQ(tier.stats().entries, 2U);
}

TEST(MemoryTier, KeepsNoMoreEntriesThanItMay) {
  Tier tier({.maxEntries = 100});
  for (int i = 0; i < 10000; ++i) {
    tier.put(std::to_string(i), holding("v"), kAlways, 0);
    ASSERT_LE(tier.stats().entries, 100U);
  }
  EXPECT_EQ(tier.stats().entries, 100U);
  EXPECT_EQ(tier.stats().maxEntries, 100U);
}

// The entry that is put may be a view of the one it replaces, or of one that is evicted for it.
TEST(MemoryTier, TakesViewsOfItsOwnEntries) {
  Tier tier({.maxBytes = 4096});
  const std::string payload(1500, 'x');
  for (const char* key : {"a", "b"}) ASSERT_TRUE(tier.put(key, holding(payload), kAlways, 0));
  ASSERT_TRUE(tier.put("a", tier.peek("a", 0)->entry, kAlways, 0));
  EXPECT_EQ(payloadOf(tier, "a"), payload);
  ASSERT_TRUE(tier.put("a", tier.peek("b", 0)->entry, kAlways, 0));
  EXPECT_EQ(payloadOf(tier, "a"), payload);
}

TEST(MemoryTier, AnEntryMayBeAsLargeAsTheBudget) {
  for (const std::size_t budget : {std::size_t{100000}, std::size_t{4} << 20, std::size_t{64} << 20}) {
    Tier tier({.maxBytes = budget});
    const std::string large(budget - 8192, 'x');
    for (int i = 0; i < 2000; ++i) tier.put(std::to_string(i), holding(large.substr(0, 40000)), kAlways, 0);
    // A key that is known is not up for admission.
    ASSERT_TRUE(tier.put("large", holding("small"), kAlways, 0) || budget < 100001);
    EXPECT_TRUE(tier.put("large", holding(large), kAlways, 0));
    EXPECT_EQ(payloadOf(tier, "large").size(), large.size());
    EXPECT_LE(tier.stats().bytes, budget);
  }
}

TEST(MemoryTier, ErasesAndClears) {
  Tier tier;
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

// A hit shows what it showed, whatever becomes of the entry; its bytes count until it goes.
TEST(MemoryTier, AHitOutlivesItsEntry) {
  Tier tier({.maxBytes = 200000});
  const TagCell tag = tier.tags().acquire("tag");
  const TagMark mark = *tier.tags().mark(tag, 0);
  for (const std::size_t size : {std::size_t{10}, std::size_t{100000}}) {
    const std::string payload(size, 'p');
    ASSERT_TRUE(tier.put("k", holding(payload), kAlways, 0, {.tags = {&mark, 1}}));
    auto first = tier.find("k", 0);
    auto second = tier.peek("k", 0);
    ASSERT_TRUE(tier.put("k", holding("new"), kAlways, 0));
    const auto third = tier.find("k", 0);
    tier.clear();
    for (int i = 0; i < 100; ++i) tier.put(std::to_string(i), holding(std::string(50, 'n')), kAlways, 0);
    EXPECT_EQ(first->entry.payload, payload);
    EXPECT_EQ(first->tags[0].cell, tag);
    EXPECT_EQ(third->entry.payload, "new");
    tier.clear();
    EXPECT_GT(tier.stats().bytes, size);
    first.reset();
    EXPECT_EQ(second->entry.payload, payload);
    const auto moved = std::move(second);
    second.reset();
    EXPECT_EQ(moved->entry.payload, payload);
  }
  EXPECT_EQ(tier.stats().bytes, 0U);
  tier.tags().release(tag);
}

// Of the same size or another, looked at or not.
TEST(MemoryTier, ANewValueTakesThePlaceOfTheOld) {
  Tier tier;
  for (const std::size_t size : {100, 100, 104, 30, 20000, 20000, 300000, 300000, 5}) {
    const auto other = tier.find("k", 0);
    const std::string before = other ? std::string(other->entry.payload) : std::string();
    for (const Millis end : {Millis{500}, Millis{100000}, Millis{300}}) {
      const std::string payload(size, static_cast<char>('a' + end % 26));
      ASSERT_TRUE(tier.put("k", holding(payload), {end, end, end}, 0));
      EXPECT_EQ(payloadOf(tier, "k"), payload);
      EXPECT_EQ(tier.stats().entries, 1U);
    }
    if (other) {
      EXPECT_EQ(other->entry.payload, before);
    }
  }
  EXPECT_EQ(tier.expire(250, SIZE_MAX), 0U);
  EXPECT_EQ(tier.expire(400, SIZE_MAX), 1U);
  EXPECT_EQ(tier.stats().bytes, 0U);
}

// Rewritten again and again, it stays for as long as the last one said.
TEST(MemoryTier, AnEndThatIsPutOffIsKept) {
  Tier tier;
  for (Millis now = 0; now < 100000; now += 100) {
    ASSERT_TRUE(tier.put("k", holding("v"), {now + 1000, now + 1000, now + 1000}, now));
    EXPECT_EQ(tier.expire(now + 50, SIZE_MAX), 0U);
  }
  EXPECT_EQ(tier.expire(100800, SIZE_MAX), 0U);
  EXPECT_EQ(tier.expire(101100, SIZE_MAX), 1U);
}

Entry filled(std::string_view payload, std::uint8_t number) {
  Entry entry = holding(payload);
  entry.fillId = {number, 1, 2, 3, 4, 5, 6, 7, 8, 9};
  return entry;
}

constexpr std::uint64_t fillOf(std::uint8_t number) { return number | UINT64_C(0x050403020100); }

TEST(MemoryTier, KnowsWhetherAHitStillIsOne) {
  Tier tier;
  const TagCell cell = tier.tags().acquire("tag");
  const TagMark mark = *tier.tags().mark(cell, 0);
  const SourceId source = *tier.sources().open(kForever);
  const auto put = [&](std::uint8_t number) {
    return tier.put("k", filled("v", number), {10, 20, 30}, 0, {.source = source, .tags = {&mark, 1}});
  };
  ASSERT_TRUE(put(1));
  const std::uint64_t token = tier.find("k", 0)->token;
  EXPECT_NE(token, 0U);
  EXPECT_LT(token, UINT64_C(1) << 53);
  EXPECT_TRUE(tier.isStill(token, fillOf(1), 9));
  EXPECT_EQ(tier.stats().hits, 2U);
  EXPECT_FALSE(tier.isStill(token, fillOf(1), 10)) << "no longer fresh";
  EXPECT_FALSE(tier.isStill(token, fillOf(2), 0));
  EXPECT_FALSE(tier.isStill(token, 0, 0));
  EXPECT_FALSE(tier.isStill(0, fillOf(1), 0));
  EXPECT_FALSE(tier.isStill(UINT64_C(1) << 52, fillOf(1), 0));
  EXPECT_FALSE(tier.isStill(token | UINT32_MAX, fillOf(1), 0));
  EXPECT_TRUE(tier.isStill(token, fillOf(1), 0, [](const Standing& entry) { return entry.freshUntil == 10; }));
  EXPECT_FALSE(tier.isStill(token, fillOf(1), 0, [](const Standing&) { return false; }));
  EXPECT_EQ(tier.stats().hits, 3U);
  EXPECT_EQ(tier.stats().misses, 0U);
  ASSERT_TRUE(put(2));
  EXPECT_FALSE(tier.isStill(token, fillOf(1), 0)) << "replaced";
  const auto held = tier.find("k", 0);
  EXPECT_TRUE(tier.isStill(held->token, fillOf(2), 0));
  tier.sources().lost(source);
  EXPECT_FALSE(tier.isStill(held->token, fillOf(2), 0)) << "not trusted";
  ASSERT_TRUE(tier.put("k", filled("v", 3), {10, 20, 30}, 0, {.tags = {&mark, 1}}));
  EXPECT_FALSE(tier.isStill(held->token, fillOf(2), 0)) << "replaced while it is looked at";
  const std::uint64_t last = tier.find("k", 0)->token;
  EXPECT_TRUE(tier.isStill(last, fillOf(3), 0));
  tier.tags().invalidate("tag");
  EXPECT_FALSE(tier.isStill(last, fillOf(3), 0)) << "another generation";
  tier.tags().release(cell);
}

TEST(MemoryTier, WhatIsGoneIsNoHitWhateverIsInItsPlace) {
  for (const bool clears : {false, true}) {
    Tier tier;
    std::vector<std::uint64_t> tokens;
    std::vector<MemoryHit> held;
    Random random(1);
    for (int i = 0; i < 20000; ++i) {
      const std::string key = std::to_string(i);
      ASSERT_TRUE(tier.put(key, filled(std::string(below(random, 300), 'x'), 7), kAlways, 0));
      auto hit = tier.find(key, 0);
      tokens.push_back(hit->token);
      if (i % 10 == 0) held.push_back(std::move(*hit));
    }
    if (clears) tier.clear();
    for (int i = 0; i < 20000; ++i) tier.erase(std::to_string(i));
    for (const std::uint64_t token : tokens) ASSERT_FALSE(tier.isStill(token, fillOf(7), 0));
    for (int i = 0; i < 9000; ++i) tier.put("new" + std::to_string(i), holding(std::string(500, 'y')), kAlways, 0);
    for (const std::uint64_t token : tokens) ASSERT_FALSE(tier.isStill(token, fillOf(7), 0));
  }
}

// With a full pool the chunks that clear() gave up serve again, with the old blocks in them.
TEST(MemoryTier, ATokenOfBeforeAClearIsNoHitInAChunkThatServesAgain) {
  Tier tier({.maxBytes = std::size_t{64} << 20});
  std::vector<std::uint64_t> tokens;
  for (int i = 0; i < 3000; ++i) {
    const std::string key = "key:" + std::to_string(1000000 + i);
    if (!tier.put(key, filled(std::string(60000, 'o'), 7), kAlways, 0)) continue;
    if (const auto hit = tier.peek(key, 0)) tokens.push_back(hit->token);
  }
  ASSERT_GT(tokens.size(), 1000U);
  tier.clear();
  for (int i = 0; i < 900; ++i) {
    tier.put("new:" + std::to_string(1000000 + i), filled(std::string(60000, 'n'), 8), kAlways, 0);
    if (i % 20 != 0) continue;
    for (const std::uint64_t token : tokens) ASSERT_FALSE(tier.isStill(token, fillOf(7), 0));
  }
}

// So much that a thread gives it back; hits of before keep what they show, and nobody waits for room.
TEST(MemoryTier, ClearsMuchAtOnce) {
  CountingChunks chunks;
  {
    Tier tier({.maxBytes = std::size_t{48} << 20}, &chunks);
    const TagCell cell = tier.tags().acquire("tag");
    const TagMark mark = *tier.tags().mark(cell, 0);
    const std::string payload(1000, 'x');
    for (int round = 0; round < 5; ++round) {
      for (int i = 0; i < 42000; ++i) tier.put(std::to_string(i), holding(payload), kAlways, 0, {.tags = {&mark, 1}});
      EXPECT_GT(tier.stats().entries, 40000U);
      std::vector<MemoryHit> held;
      for (int i = 0; i < 42000; i += 1000) {
        if (auto hit = tier.find(std::to_string(i), 0)) held.push_back(std::move(*hit));
      }
      tier.clear();
      EXPECT_EQ(tier.stats().entries, 0U);
      EXPECT_FALSE(tier.find("7", 0));
      for (const MemoryHit& hit : held) EXPECT_EQ(hit.entry.payload, payload);
      if (round % 2 == 0) tier.clear();
    }
    tier.tags().release(cell);
  }
  EXPECT_EQ(chunks.mapped, 0U);
}

TEST(MemoryTier, ATicketIsVoidOnceItsKeyHasChanged) {
  Tier tier;
  const auto put = [&](Ticket ticket) { return tier.put("k", holding("late"), kAlways, 0, {.ticket = ticket}); };
  EXPECT_TRUE(put(tier.ticket("k")));
  const Ticket erased = tier.ticket("k");
  EXPECT_TRUE(tier.erase("k"));
  EXPECT_FALSE(put(erased));
  const Ticket erasedNothing = tier.ticket("k");
  EXPECT_FALSE(tier.erase("k"));
  EXPECT_FALSE(put(erasedNothing));
  EXPECT_FALSE(tier.peek("k", 0));

  const Ticket replaced = tier.ticket("k");
  EXPECT_TRUE(tier.put("k", holding("new"), kAlways, 0));
  EXPECT_FALSE(put(replaced));
  EXPECT_EQ(payloadOf(tier, "k"), "new");
  EXPECT_FALSE(tier.put("k", holding("over"), {0, 0, 0}, 0, {.ticket = replaced}));
  EXPECT_EQ(payloadOf(tier, "k"), "new");

  const Ticket cleared = tier.ticket("k");
  tier.clear();
  EXPECT_FALSE(put(cleared));
  const Ticket matched = tier.ticket("k");
  EXPECT_EQ(tier.eraseIf([](std::string_view) { return false; }), 0U);
  EXPECT_FALSE(put(matched));

  const Ticket twice = tier.ticket("k");
  tier.erase("another");
  EXPECT_TRUE(put(twice));
  EXPECT_FALSE(put(twice));
  EXPECT_EQ(tier.stats().rejects, 0U);
}

TEST(MemoryTier, WhatCameThroughALostSourceIsNoHit) {
  Tier tier;
  const SourceId source = *tier.sources().open(100);
  ASSERT_TRUE(tier.put("k", holding("v"), kAlways, 0, {.source = source}));
  ASSERT_TRUE(tier.put("own", holding("v"), kAlways, 0));
  EXPECT_EQ(tier.find("k", 99)->source, source);
  EXPECT_FALSE(tier.peek("k", 100));
  tier.sources().heard(source, 200);
  EXPECT_TRUE(tier.find("k", 100));
  tier.sources().lost(source);
  EXPECT_FALSE(tier.peek("k", 100));
  EXPECT_FALSE(tier.find("k", 100));
  EXPECT_EQ(tier.stats().invalid, 1U);
  EXPECT_EQ(tier.stats().misses, 1U);
  EXPECT_EQ(tier.stats().entries, 2U);
  EXPECT_TRUE(tier.find("own", 100));
}

// When Redis is out of reach: what is in doubt is shown to who asks for it, what is known to have changed is not.
TEST(MemoryTier, ShowsWhatItDistrustsOnDemand) {
  SourceTable sources;
  TagTable tags(sources, false);
  MemoryTier tier({}, sources, tags);
  const SourceId source = *sources.open(kForever);
  const TagCell cell = tags.acquire("tag");
  ASSERT_TRUE(tags.learn(cell, Stamp{1}, source, tags.ticket(cell)));
  const TagMark mark = *tags.mark(cell, 0);
  ASSERT_TRUE(tier.put("tagged", holding("v"), {5, 5, 10}, 0, {.source = source, .tags = {&mark, 1}}));
  ASSERT_TRUE(tier.put("plain", holding("v"), {5, 5, 10}, 0, {.source = source}));
  sources.lost(source);
  tags.doubtAll();
  for (const char* key : {"tagged", "plain"}) {
    EXPECT_FALSE(tier.find(key, 1));
    EXPECT_FALSE(tier.peek(key, 1));
    const auto hit = tier.peek(key, 9, true);
    ASSERT_TRUE(hit);
    EXPECT_EQ(hit->freshness, Freshness::kStaleError);
    EXPECT_FALSE(tier.peek(key, 10, true));
  }
  tags.invalidate("tag");
  EXPECT_FALSE(tier.peek("tagged", 1, true));
  EXPECT_TRUE(tier.peek("plain", 1, true));
  tags.release(cell);
}

TEST(MemoryTier, WhatItDistrustsGoesFirst) {
  Tier tier({.maxBytes = 1 << 20, .maxEntries = 100});
  const SourceId source = *tier.sources().open(kForever);
  for (int i = 0; i < 100; ++i) {
    tier.put(std::to_string(i), holding("v"), kAlways, 0, {.source = i >= 90 ? source : kOwnSource});
  }
  tier.sources().lost(source);
  for (int i = 90; i < 100; ++i) EXPECT_FALSE(tier.find(std::to_string(i), 0));
  for (int i = 100; i < 110; ++i) tier.put(std::to_string(i), holding("v"), kAlways, 0);
  int left = 0;
  for (int i = 90; i < 100; ++i) left += tier.peek(std::to_string(i), 0, true) ? 1 : 0;
  EXPECT_EQ(left, 0);
}

TEST(MemoryTier, WhatItTrustsAgainDoesNotGoFirst) {
  Tier tier({.maxBytes = 1 << 20, .maxEntries = 100});
  const SourceId source = *tier.sources().open(5);
  ASSERT_TRUE(tier.put("k", holding("v"), kAlways, 0, {.source = source}));
  for (int i = 1; i < 100; ++i) tier.put(std::to_string(i), holding("v"), kAlways, 0);
  EXPECT_FALSE(tier.find("k", 5));
  tier.sources().heard(source, 10);
  EXPECT_TRUE(tier.find("k", 5));
  tier.put("100", holding("v"), kAlways, 5);
  EXPECT_TRUE(tier.find("k", 5));
}

TEST(MemoryTier, AnInvalidatedTagMakesAMiss) {
  Tier tier;
  const TagCell cells[] = {tier.tags().acquire("a"), tier.tags().acquire("b")};
  const TagMark marks[] = {*tier.tags().mark(cells[0], 0), *tier.tags().mark(cells[1], 0)};
  const SourceId source = *tier.sources().open(kForever);
  Entry entry = holding("v");
  entry.metadata = "{}";
  ASSERT_TRUE(tier.put("both", entry, {5, 10, 20}, 0, {.source = source, .tags = marks}));
  ASSERT_TRUE(tier.put("one", holding("w"), kAlways, 0, {.tags = {marks, 1}}));
  const auto hit = tier.find("both", 0);
  ASSERT_TRUE(hit);
  ASSERT_EQ(hit->tags.size(), 2U);
  EXPECT_EQ(hit->tags[1].cell, cells[1]);
  EXPECT_EQ(hit->entry.metadata, "{}");
  EXPECT_EQ(hit->entry.payload, "v");
  EXPECT_EQ(hit->deadlines.goneAt, 20);
  tier.tags().invalidate("b");
  EXPECT_FALSE(tier.find("both", 0));
  EXPECT_FALSE(tier.peek("both", 0));
  EXPECT_TRUE(tier.find("one", 0));
  EXPECT_EQ(tier.stats().invalid, 1U);
  for (const TagCell cell : cells) tier.tags().release(cell);
}

TEST(MemoryTier, EntriesHoldReferencesToTheirTags) {
  Tier tier;
  const auto known = [&] { return tier.tags().size(); };
  const std::size_t most = TagTable::kMaxIdleCells;
  for (std::size_t i = 0; i < 3 * most; ++i) {
    const TagCell cell = tier.tags().acquire("tag" + std::to_string(i));
    const TagMark mark = *tier.tags().mark(cell, 0);
    ASSERT_TRUE(tier.put(std::to_string(i), holding("v"), kAlways, 0, {.tags = {&mark, 1}}));
    tier.tags().release(cell);
  }
  EXPECT_EQ(known(), 3 * most);
  tier.clear();
  EXPECT_LE(known(), most);
}

TEST(MemoryTier, ExpireDropsWhatIsOverWithinATick) {
  Tier tier;
  constexpr int kEntries = 3000;
  for (int i = 0; i < kEntries; ++i) {
    tier.put(std::to_string(i), holding("v"), i % 3 == 0 ? kAlways : Deadlines{500, 500, 500}, 0);
  }
  EXPECT_EQ(tier.expire(499, SIZE_MAX), 0U);
  EXPECT_EQ(tier.expire(600, 0), 0U);
  std::size_t dropped = 0;
  for (int calls = 0; dropped < 2000 && calls < 1000; ++calls) {
    const std::size_t now = tier.expire(600, 10);
    EXPECT_LE(now, 10U);
    dropped += now;
  }
  EXPECT_EQ(dropped, 2000U);
  EXPECT_EQ(tier.stats().expirations, 2000U);
  EXPECT_EQ(tier.stats().entries, 1000U);
  EXPECT_EQ(tier.expire(kForever - 1, SIZE_MAX), 0U);
}

TEST(MemoryTier, ExpiresDaysLater) {
  constexpr Millis kDay = 86400000;
  Tier tier;
  for (int day = 1; day <= 100; ++day) {
    tier.put(std::to_string(day), holding("v"), {day * kDay, day * kDay, day * kDay}, 0);
  }
  for (int day = 1; day <= 100; ++day) {
    EXPECT_EQ(tier.expire(day * kDay - 1, SIZE_MAX), 0U);
    EXPECT_EQ(tier.expire(day * kDay + 64, SIZE_MAX), 1U);
  }
  EXPECT_EQ(tier.stats().bytes, 0U);
}

// Nobody has to call expire(): puts give back what is over.
TEST(MemoryTier, PutsSweep) {
  Tier tier;
  for (int i = 0; i < 2000; ++i) tier.put(std::to_string(i), holding("v"), {5, 5, 5}, 0);
  for (int i = 0; i < 2000; ++i) tier.put("new" + std::to_string(i), holding("v"), kAlways, 1000);
  EXPECT_EQ(tier.stats().entries, 2000U);
  EXPECT_EQ(tier.stats().expirations, 2000U);
}

TEST(MemoryTier, ResetsCountersOnly) {
  Tier tier({.maxBytes = 5000});
  tier.put("k", holding("v"), kAlways, 0);
  tier.find("k", 0);
  tier.find("x", 0);
  const MemoryStats before = tier.stats();
  tier.resetStats();
  const MemoryStats after = tier.stats();
  EXPECT_EQ(after.entries, 1U);
  EXPECT_EQ(after.bytes, before.bytes);
  EXPECT_EQ(after.maxBytes, 5000U);
  EXPECT_EQ(after.hits + after.misses + after.sets + after.deletes + after.evictions + after.expirations +
                after.rejects + after.admissionRejects + after.invalid,
            0U);
}

}  // namespace
}  // namespace tiercel::test
