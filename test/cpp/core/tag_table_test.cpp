// Tags: generations, stamps that arrive too late, cells that are reclaimed.
#include "core/coherence/tag_table.h"

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "allocations.h"
#include "on_threads.h"

namespace tiercel::test {
namespace {

using namespace core;

Stamp stampOf(std::uint32_t number) {
  Stamp stamp{};
  for (std::size_t i = 0; i < 4; ++i) stamp[i] = static_cast<std::uint8_t>(number >> (8 * i));
  return stamp;
}

struct TagTableTest : testing::Test {
  SourceTable sources;
  SourceId source = *sources.open(kForever);
  TagTable tags{sources, false};
  TagTable knownTags{sources, true};

  TagCell learned(std::string_view name, std::uint32_t stamp) {
    const TagCell cell = tags.acquire(name);
    EXPECT_TRUE(tags.learn(cell, stampOf(stamp), source, tags.ticket(cell)));
    return cell;
  }
};

TEST_F(TagTableTest, OneCellPerName) {
  const TagCell cell = tags.acquire("a");
  EXPECT_EQ(tags.acquire("a"), cell);
  EXPECT_NE(tags.acquire("b"), cell);
  EXPECT_EQ(tags.name(cell), "a");
  EXPECT_EQ(tags.size(), 2U);
}

TEST_F(TagTableTest, NothingIsKnownBeforeItIsLearned) {
  const TagCell cell = tags.acquire("a");
  EXPECT_FALSE(tags.mark(cell, 0));
  EXPECT_FALSE(tags.stamp(cell, 0));
  EXPECT_FALSE(tags.valid({cell, 0}, 0));
  ASSERT_TRUE(tags.learn(cell, stampOf(1), source, tags.ticket(cell)));
  const auto mark = tags.mark(cell, 0);
  ASSERT_TRUE(mark);
  EXPECT_TRUE(tags.valid(*mark, 0));
  EXPECT_EQ(tags.stamp(cell, 0), stampOf(1));
}

TEST_F(TagTableTest, TheSameStampAfterADoubtMakesEntriesValidAgain) {
  const TagCell cell = learned("a", 1);
  const TagMark mark = *tags.mark(cell, 0);
  tags.doubt("a");
  EXPECT_FALSE(tags.valid(mark, 0));
  EXPECT_FALSE(tags.mark(cell, 0));
  EXPECT_FALSE(tags.stamp(cell, 0));
  ASSERT_TRUE(tags.learn(cell, stampOf(1), source, tags.ticket(cell)));
  EXPECT_TRUE(tags.valid(mark, 0));
}

TEST_F(TagTableTest, AnotherStampBeginsANewGeneration) {
  const TagCell cell = learned("a", 1);
  const TagMark mark = *tags.mark(cell, 0);
  for (const bool doubted : {false, true}) {
    if (doubted) tags.doubt("a");
    ASSERT_TRUE(tags.learn(cell, stampOf(doubted ? 3 : 2), source, tags.ticket(cell)));
    EXPECT_FALSE(tags.valid(mark, 0));
    EXPECT_TRUE(tags.valid(*tags.mark(cell, 0), 0));
  }
  ASSERT_TRUE(tags.learn(cell, stampOf(1), source, tags.ticket(cell)));
  EXPECT_FALSE(tags.valid(mark, 0));
}

TEST_F(TagTableTest, AfterAnInvalidationNotEvenTheSameStampRevives) {
  const TagCell cell = learned("a", 1);
  const TagMark mark = *tags.mark(cell, 0);
  tags.invalidate("a");
  EXPECT_FALSE(tags.valid(mark, 0));
  EXPECT_FALSE(tags.mark(cell, 0));
  ASSERT_TRUE(tags.learn(cell, stampOf(1), source, tags.ticket(cell)));
  EXPECT_FALSE(tags.valid(mark, 0));
  EXPECT_TRUE(tags.valid(*tags.mark(cell, 0), 0));
}

// The answer of a GET that was under way when the tag changed says what was, not what is.
TEST_F(TagTableTest, StampsThatWereOvertakenAreIgnored) {
  const TagCell cell = tags.acquire("a");
  tags.acquire("b");
  const std::vector<void (*)(TagTable&)> changes = {
      [](TagTable& table) { table.doubt("a"); },
      [](TagTable& table) { table.invalidate("a"); },
      [](TagTable& table) { table.doubtAll(); },
  };
  for (const auto change : changes) {
    const TagTicket ticket = tags.ticket(cell);
    change(tags);
    EXPECT_FALSE(tags.learn(cell, stampOf(1), source, ticket));
    EXPECT_FALSE(tags.mark(cell, 0));
  }
  const TagTicket ticket = tags.ticket(cell);
  tags.doubt("b");
  tags.invalidate("b");
  tags.doubt("nobody has it");
  tags.invalidate("nobody has it");
  EXPECT_TRUE(tags.learn(cell, stampOf(1), source, ticket));
  EXPECT_TRUE(tags.learn(cell, stampOf(1), source, ticket));  // two GETs of two threads
}

TEST_F(TagTableTest, DoubtAllDoubtsEveryTag) {
  std::vector<TagMark> marks;
  std::vector<TagCell> cells;
  for (std::uint32_t i = 0; i < 3000; ++i) cells.push_back(learned(std::to_string(i), i));
  for (const TagCell cell : cells) marks.push_back(*tags.mark(cell, 0));
  tags.doubtAll();
  for (const TagMark& mark : marks) ASSERT_FALSE(tags.valid(mark, 0));
  ASSERT_TRUE(tags.learn(cells[2999], stampOf(2999), source, tags.ticket(cells[2999])));
  EXPECT_TRUE(tags.valid(marks[2999], 0));
}

TEST_F(TagTableTest, TrustInTheSourceIsPartOfKnowing) {
  const TagCell cell = learned("a", 1);
  const TagMark mark = *tags.mark(cell, 0);
  sources.heard(source, 100);
  EXPECT_TRUE(tags.valid(mark, 99));
  EXPECT_FALSE(tags.valid(mark, 100));
  EXPECT_FALSE(tags.mark(cell, 100));
  EXPECT_FALSE(tags.stamp(cell, 100));
  EXPECT_FALSE(tags.markOf(cell, stampOf(1), 100));
  sources.lost(source);
  EXPECT_FALSE(tags.valid(mark, 0));
  const SourceId next = *sources.open(kForever);
  ASSERT_TRUE(tags.learn(cell, stampOf(1), next, tags.ticket(cell)));
  EXPECT_TRUE(tags.valid(mark, 100));
}

TEST_F(TagTableTest, TheMarkOfAStamp) {
  const TagCell cell = learned("a", 1);
  const auto mark = tags.markOf(cell, stampOf(1), 0);
  ASSERT_TRUE(mark);
  EXPECT_TRUE(tags.valid(*mark, 0));
  EXPECT_FALSE(tags.markOf(cell, stampOf(2), 0));
  tags.doubt("a");
  EXPECT_FALSE(tags.markOf(cell, stampOf(1), 0));
  tags.invalidate("a");
  EXPECT_FALSE(tags.markOf(cell, stampOf(1), 0));
  EXPECT_FALSE(tags.markOf(tags.acquire("never learned"), Stamp{}, 0));
}

TEST_F(TagTableTest, KnownTablesNeedNoStamps) {
  const TagCell cell = knownTags.acquire("a");
  const TagCell other = knownTags.acquire("b");
  const TagMark otherMark = *knownTags.mark(other, 0);
  const std::vector<void (*)(TagTable&)> changes = {
      [](TagTable& table) { table.doubt("a"); },
      [](TagTable& table) { table.invalidate("a"); },
      [](TagTable& table) { table.doubtAll(); },
  };
  for (const auto change : changes) {
    const auto mark = knownTags.mark(cell, 0);
    ASSERT_TRUE(mark);
    EXPECT_TRUE(knownTags.valid(*mark, kForever));
    EXPECT_TRUE(knownTags.valid(otherMark, 0));
    change(knownTags);
    EXPECT_FALSE(knownTags.valid(*mark, 0));
  }
  EXPECT_FALSE(knownTags.valid(otherMark, 0));
  EXPECT_FALSE(knownTags.stamp(cell, 0));
  EXPECT_FALSE(knownTags.learn(cell, stampOf(1), source, knownTags.ticket(cell)));
}

TEST_F(TagTableTest, TagsWithoutReferencesAreRememberedUpToACap) {
  const TagCell kept = learned("kept", 1);
  const TagMark keptMark = *tags.mark(kept, 0);
  const TagCell first = learned("first", 2);
  const TagMark firstMark = *tags.mark(first, 0);
  const TagTicket firstTicket = tags.ticket(first);
  tags.release(first);
  EXPECT_EQ(tags.acquire("first"), first);
  EXPECT_TRUE(tags.valid(firstMark, 0));
  tags.release(first);
  for (std::size_t i = 0; i < TagTable::kMaxIdleCells; ++i) tags.release(tags.acquire("user:" + std::to_string(i)));
  EXPECT_EQ(tags.size(), TagTable::kMaxIdleCells + 1);
  EXPECT_TRUE(tags.valid(keptMark, 0));
  // Its cell serves another name now, for which nothing old may mean anything.
  const TagCell reused = tags.acquire("somebody else");
  ASSERT_EQ(reused, first);
  EXPECT_FALSE(tags.mark(reused, 0));
  EXPECT_FALSE(tags.learn(reused, stampOf(9), source, firstTicket));
  ASSERT_TRUE(tags.learn(reused, stampOf(2), source, tags.ticket(reused)));
  EXPECT_FALSE(tags.valid(firstMark, 0));
}

TEST_F(TagTableTest, ReclaimedCellsOfKnownTablesValidateNoOldMarks) {
  const TagCell first = knownTags.acquire("first");
  const TagMark mark = *knownTags.mark(first, 0);
  knownTags.release(first);
  for (std::size_t i = 0; i < TagTable::kMaxIdleCells; ++i) knownTags.release(knownTags.acquire(std::to_string(i)));
  EXPECT_EQ(knownTags.acquire("somebody else"), first);
  EXPECT_FALSE(knownTags.valid(mark, 0));
}

TEST_F(TagTableTest, TheOldestIdleCellGoesFirst) {
  for (const char* name : {"a", "b", "c"}) tags.release(tags.acquire(name));
  const TagCell cell = tags.acquire("a");  // out of the middle of nothing: it was the oldest
  tags.release(cell);                      // and is the newest now
  const TagCell oldest = tags.acquire("b");
  tags.release(tags.acquire("b"));
  tags.release(oldest);
  const TagCell c = tags.acquire("c");
  tags.release(c);  // order: a, b, c
  for (std::size_t i = 0; i < TagTable::kMaxIdleCells - 2; ++i) tags.release(tags.acquire(std::to_string(i)));
  EXPECT_EQ(tags.acquire("somebody else"), cell);
  EXPECT_EQ(tags.name(oldest), "b");
  EXPECT_EQ(tags.name(c), "c");
}

TEST_F(TagTableTest, TagsPerUserDoNotLeak) {
  std::size_t before = 0;
  for (int i = 0; i < 300000; ++i) {
    if (i == 20000) before = allocatedBytes();
    const TagCell cell = tags.acquire("a long name of a user that is on the heap: " + std::to_string(i));
    tags.addReference(cell);
    tags.release(cell);
    tags.release(cell);
  }
  EXPECT_EQ(tags.size(), TagTable::kMaxIdleCells);
  EXPECT_LT(allocatedBytes(), before + 100000);
}

TEST_F(TagTableTest, SaysWhatItTakes) {
  const std::size_t before = allocatedBytes();
  std::vector<TagCell> cells;
  for (int i = 0; i < 50000; ++i) cells.push_back(tags.acquire("user:" + std::to_string(i) + ":0123456789abcdef"));
  const auto taken = static_cast<double>(allocatedBytes() - before - cells.capacity() * sizeof(TagCell));
  // Allocators round differently: that of the sanitizers not at all.
  EXPECT_GE(static_cast<double>(tags.bytes()), 0.95 * taken);
  EXPECT_LE(static_cast<double>(tags.bytes()), 1.25 * taken);
}

// In an order that has nothing to do with that in which they came.
TEST_F(TagTableTest, GivesItsMemoryBackWhenNamesGo) {
  TagTable table(sources, true, 100);
  const std::size_t before = allocatedBytes();
  constexpr std::size_t kNames = 100000;
  std::vector<TagCell> cells;
  for (std::size_t i = 0; i < kNames; ++i)
    cells.push_back(table.acquire("a name on the heap, number " + std::to_string(i)));
  const TagMark mark = *table.mark(cells[7], 0);
  const std::size_t most = table.bytes();
  for (std::size_t i = 0; i < kNames; ++i) table.release(cells[i * 7919 % kNames]);
  EXPECT_EQ(table.size(), 100U);
  EXPECT_LT(table.bytes(), most / 8);
  EXPECT_LT(allocatedBytes() - before - cells.capacity() * sizeof(TagCell), most / 8);
  // The cells serve other names, for which nothing old means anything.
  for (std::size_t i = 0; i < kNames; ++i) {
    const TagCell cell = table.acquire("another name: " + std::to_string(i));
    EXPECT_FALSE(table.valid(mark, 0) && cell == mark.cell);
    ASSERT_EQ(table.name(cell), "another name: " + std::to_string(i));
  }
  EXPECT_FALSE(table.valid(mark, 0));
}

TEST_F(TagTableTest, FindsNamesWhileOthersComeAndGo) {
  TagTable table(sources, true, 0);
  std::vector<TagCell> cells(3000, 0);
  std::vector<bool> there(cells.size(), false);
  std::uint32_t random = 1;
  for (int round = 0; round < 200000; ++round) {
    random = random * 1664525 + 1013904223;
    const std::size_t i = (random >> 8) % cells.size();
    if (there[i]) {
      ASSERT_EQ(table.name(cells[i]), "n" + std::to_string(i));
      table.release(cells[i]);
    } else {
      cells[i] = table.acquire("n" + std::to_string(i));
    }
    there[i] = !there[i];
  }
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (!there[i]) continue;
    ASSERT_EQ(table.acquire("n" + std::to_string(i)), cells[i]);
  }
}

TEST_F(TagTableTest, LongNamesWithoutReferencesAreBounded) {
  const std::size_t before = allocatedBytes();
  for (int i = 0; i < 1000; ++i) tags.release(tags.acquire(std::to_string(i) + std::string(60000, 'x')));
  EXPECT_LT(tags.size(), 20U);
  EXPECT_LT(allocatedBytes(), before + 2 * TagTable::kMaxIdleNameBytes);
}

TEST_F(TagTableTest, AcquireWithoutMemoryChangesNothing) {
  const std::string prefix = "a name that is long enough to be on the heap: ";
  std::size_t size = 0;
  int failures = 0;
  for (int successes = 0; successes < 10; ++successes) {
    TagTable table(sources, true);
    const TagCell old = table.acquire("old");
    const TagMark mark = *table.mark(old, 0);
    for (std::size_t i = 1; i < 1024; ++i) table.acquire(prefix + std::to_string(i));  // the next one needs all
    const std::string name = prefix + "new";
    size = table.size();
    bool threw = false;
    {
      const FailingAllocations failing(successes);
      try {
        table.acquire(name);
      } catch (const std::bad_alloc&) {
        threw = true;
      }
    }
    EXPECT_EQ(table.size(), threw ? size : size + 1);
    const TagCell cell = table.acquire(name);
    EXPECT_EQ(table.name(cell), name);
    EXPECT_EQ(table.acquire(name), cell);
    EXPECT_EQ(table.acquire("old"), old);
    EXPECT_TRUE(table.valid(mark, 0));
    if (!threw) break;
    ++failures;
  }
  EXPECT_GE(failures, 3);
}

TEST_F(TagTableTest, ReleasingAndLookingNeedNoMemory) {
  std::vector<TagCell> cells;
  for (std::size_t i = 0; i < TagTable::kMaxIdleCells + 10; ++i) cells.push_back(learned(std::to_string(i), 1));
  const TagMark mark = *tags.mark(cells.back(), 0);
  const FailingAllocations failing(0);
  for (const TagCell cell : cells) tags.release(cell);
  EXPECT_EQ(tags.acquire(std::string_view("4000")), cells[4000]);
  EXPECT_TRUE(tags.valid(mark, 0));
  tags.doubt("4000");
  tags.invalidate("4000");
  tags.doubtAll();
  EXPECT_FALSE(failing.failed());
}

// Threads take and give back the same few names, so that cells are idle, acquired and reclaimed at once.
TEST_F(TagTableTest, ThreadsShareCells) {
  std::atomic<int> wrong{0};
  onThreads(kThreads, [&](int index) {
    for (int i = 0; i < 6000; ++i) {
      const std::string name = "shared:" + std::to_string((i + index) % 5);
      const TagCell cell = tags.acquire(name);
      tags.addReference(cell);
      if (tags.name(cell) != name) ++wrong;
      tags.release(cell);
      tags.release(tags.acquire(std::to_string(index) + ":" + std::to_string(i)));
      if (tags.name(cell) != name) ++wrong;
      tags.release(cell);
    }
  });
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(tags.size(), TagTable::kMaxIdleCells);
}

// One gives the last reference back while another acquires: the cell is idle once, and only if nobody has it.
TEST_F(TagTableTest, AcquireRacesWithTheLastRelease) {
  const std::string large(TagTable::kMaxIdleNameBytes + 1, 'x');  // its release drives out all that is idle
  const std::string shared(500000, 's');  // takes a while to be looked up: time for the release to come in between
  TagCell held = tags.acquire(shared);
  int wrong = 0;
  for (int round = 0; round < 200; ++round) {
    std::atomic<bool> acquiring{false};
    TagCell acquired = 0;
    onThreads(2, [&](int index) {
      if (index == 0) {
        acquiring = true;
        acquired = tags.acquire(shared);
      } else {
        while (!acquiring) std::this_thread::yield();
        for (volatile int pause = round * 10; pause > 0;) pause = pause - 1;
        tags.release(held);
      }
    });
    tags.release(tags.acquire(large));
    if (tags.name(acquired) != shared || tags.size() != 1) ++wrong;
    held = acquired;
  }
  EXPECT_EQ(wrong, 0);
}

TEST_F(TagTableTest, ThreadsGiveUpTheSameCell) {
  for (int round = 0; round < 60; ++round) {
    onThreads(kThreads, [&](int) {
      for (int i = 0; i < 200; ++i) tags.release(tags.acquire("shared"));
    });
    for (std::size_t i = 0; i <= TagTable::kMaxIdleCells; ++i) tags.release(tags.acquire(std::to_string(i)));
    ASSERT_EQ(tags.size(), TagTable::kMaxIdleCells);
  }
}

// What an invalidation ended is seen as ended by every thread that knows of the invalidation.
TEST_F(TagTableTest, NoThreadSeesAnOldMarkAsValid) {
  const TagCell cell = knownTags.acquire("a");
  std::atomic<std::uint32_t> ended{0};  // every generation up to this one
  std::atomic<int> wrong{0};
  onThreads(kThreads, [&](int index) {
    for (int i = 0; i < 20000; ++i) {
      if (index == 0) {
        const TagMark mark = *knownTags.mark(cell, 0);
        knownTags.invalidate("a");
        ended.store(mark.generation);
      } else {
        const std::uint32_t before = ended.load();
        if (before > 0 && knownTags.valid({cell, before}, 0)) ++wrong;
        const auto mark = knownTags.mark(cell, 0);
        if (before > 0 && mark->generation <= before) ++wrong;
      }
    }
  });
  EXPECT_EQ(wrong, 0);
}

// A model of Redis: the stamp is replaced, and then the tag is doubted, as a push would. Whoever reads a stamp takes a
// ticket first. In the end everybody has heard of everything, and what is known must be what Redis holds.
TEST_F(TagTableTest, ThreadsLearnNoStampThatIsOver) {
  const TagCell cell = tags.acquire("a");
  std::atomic<std::uint32_t> redis{1};
  std::atomic<std::uint32_t> announced{1};  // pushes for all stamps before this one have been handled
  std::atomic<int> wrong{0};
  onThreads(kThreads, [&](int index) {
    for (int i = 0; i < 5000; ++i) {
      if (index == 0) {
        const std::uint32_t next = redis.load() + 1;
        redis.store(next);
        i % 2 == 0 ? tags.doubt("a") : tags.doubtAll();
        announced.store(next);
      } else {
        const std::uint32_t oldest = announced.load();
        const TagTicket ticket = tags.ticket(cell);
        const std::uint32_t got = redis.load();
        if (i % 3 == 0) std::this_thread::yield();
        tags.learn(cell, stampOf(got), source, ticket);
        bool recent = false;
        const auto known = tags.stamp(cell, 0);
        for (std::uint32_t number = oldest, last = redis.load(); number <= last; ++number) {
          recent = recent || known == stampOf(number);
        }
        if (known && !recent) ++wrong;
      }
    }
  });
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(tags.stamp(cell, 0).value_or(stampOf(redis)), stampOf(redis));
}

}  // namespace
}  // namespace tiercel::test
