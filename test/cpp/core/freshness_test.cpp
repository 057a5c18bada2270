// Deadlines and what they say at a moment; arithmetic at the ends of the range.
#include "core/entry/freshness.h"

#include <gtest/gtest.h>

#include "samples.h"

namespace tiercel::test {
namespace {

using namespace core;

Entry lasting(Millis fresh, Millis stale, Millis keep) {
  Entry entry;
  entry.freshFor = fresh;
  entry.staleFor = stale;
  entry.keepFor = keep;
  return entry;
}

void expectDeadlines(const Deadlines& actual, Millis fresh, Millis stale, Millis gone) {
  EXPECT_EQ(actual.freshUntil, fresh);
  EXPECT_EQ(actual.staleUntil, stale);
  EXPECT_EQ(actual.goneAt, gone);
}

TEST(Freshness, CountsFromTheFill) { expectDeadlines(deadlinesFrom(lasting(10, 20, 30), 1000), 1010, 1020, 1030); }

TEST(Freshness, TakesTheAgeFromWhatIsLeftInRedis) {
  const Entry entry = lasting(10, 20, 30);
  expectDeadlines(deadlinesFrom(entry, 1000, 30), 1010, 1020, 1030);
  expectDeadlines(deadlinesFrom(entry, 1000, 25), 1005, 1015, 1025);
  expectDeadlines(deadlinesFrom(entry, 1000, 15), 1000, 1005, 1015);
  expectDeadlines(deadlinesFrom(entry, 1000, 1), 1000, 1000, 1001);
  expectDeadlines(deadlinesFrom(entry, 1000, 0), 1000, 1000, 1000);
  expectDeadlines(deadlinesFrom(entry, 1000, -2), 1000, 1000, 1000);
  // More than it was given, after a PERSIST say: never longer than its own time.
  expectDeadlines(deadlinesFrom(entry, 1000, 99999), 1010, 1020, 1030);
}

TEST(Freshness, ChangesAtTheDeadlineItself) {
  const Deadlines deadlines{.freshUntil = 10, .staleUntil = 20, .goneAt = 30};
  EXPECT_EQ(freshnessAt(deadlines, 9), Freshness::kFresh);
  EXPECT_EQ(freshnessAt(deadlines, 10), Freshness::kStale);
  EXPECT_EQ(freshnessAt(deadlines, 19), Freshness::kStale);
  EXPECT_EQ(freshnessAt(deadlines, 20), Freshness::kStaleError);
}

// Any int64 anywhere: no overflow (UBSan watches), deadlines in order, and never before zero.
TEST(Freshness, SaturatesAndStaysInOrder) {
  const Millis values[] = {INT64_MIN,     -1,       0, 1, kMaxEntryDuration, kForever - 1, kForever, kForever + 1,
                           INT64_MAX - 1, INT64_MAX};
  const auto check = [](const Deadlines& deadlines) {
    EXPECT_LE(deadlines.freshUntil, deadlines.staleUntil);
    EXPECT_LE(deadlines.staleUntil, deadlines.goneAt);
    EXPECT_LE(deadlines.goneAt, kForever);
    EXPECT_GE(deadlines.freshUntil, 0);
  };
  for (const Millis now : values) {
    for (const Millis fresh : values) {
      for (const Millis keep : values) {
        const Entry entry = lasting(fresh, fresh, keep);
        check(deadlinesFrom(entry, now));
        for (const Millis left : values) check(deadlinesFrom(entry, now, left));
      }
    }
  }
  EXPECT_EQ(deadlinesFrom(lasting(kForever, kForever, kForever), 5).goneAt, kForever);
}

}  // namespace
}  // namespace tiercel::test
