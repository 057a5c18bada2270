// Sources: trusted until their deadline, never again once lost, and numbers that nobody confuses.
#include "core/coherence/source_table.h"

#include <gtest/gtest.h>

#include <set>
#include <vector>

#include "allocations.h"
#include "on_threads.h"

namespace tiercel::test {
namespace {

using namespace core;

constexpr std::size_t kAllNumbers = 65535;

TEST(SourceTable, OwnSourceIsTrustedAlways) {
  SourceTable sources;
  EXPECT_TRUE(sources.trusted(kOwnSource, 0));
  EXPECT_TRUE(sources.trusted(kOwnSource, INT64_MAX));
  sources.lost(kOwnSource);
  sources.heard(kOwnSource, -5);
  EXPECT_TRUE(sources.trusted(kOwnSource, kForever));
}

TEST(SourceTable, TrustEndsAtTheDeadlineAndIsRenewed) {
  SourceTable sources;
  const SourceId source = *sources.open(100);
  EXPECT_NE(source, kOwnSource);
  EXPECT_TRUE(sources.trusted(source, 99));
  EXPECT_FALSE(sources.trusted(source, 100));
  sources.heard(source, 200);
  EXPECT_TRUE(sources.trusted(source, 199));
  EXPECT_FALSE(sources.trusted(source, 200));
  sources.heard(source, INT64_MIN);  // no time of a caller's is taken for "lost"
  EXPECT_FALSE(sources.trusted(source, 0));
  sources.heard(source, 300);
  EXPECT_TRUE(sources.trusted(source, 299));
}

TEST(SourceTable, NothingBringsBackALostOne) {
  SourceTable sources;
  const SourceId source = *sources.open(kForever);
  const SourceId other = *sources.open(kForever);
  sources.lost(source);
  EXPECT_FALSE(sources.trusted(source, 0));
  sources.heard(source, kForever);
  EXPECT_FALSE(sources.trusted(source, 0));
  EXPECT_TRUE(sources.trusted(other, 0));
}

TEST(SourceTable, NumbersThatWereNeverOpenedAreNotTrusted) {
  SourceTable sources;
  for (const SourceId source : {1, 1023, 1024, 65535}) {
    sources.heard(source, kForever);
    sources.lost(source);
    EXPECT_FALSE(sources.trusted(source, 0)) << source;
  }
  EXPECT_EQ(sources.open(1), SourceId{1});
  sources.heard(2, kForever);  // its chunk exists now
  EXPECT_FALSE(sources.trusted(2, 0));
  EXPECT_EQ(sources.open(1), SourceId{2});
}

TEST(SourceTable, EachNumberOnceUntilARestart) {
  SourceTable sources;
  std::set<SourceId> seen;
  for (std::size_t i = 0; i < kAllNumbers; ++i) {
    const auto source = sources.open(kForever);
    ASSERT_TRUE(source);
    ASSERT_TRUE(seen.insert(*source).second);
    if (*source != 7 && *source != 40000) sources.lost(*source);
  }
  EXPECT_FALSE(sources.open(kForever));
  EXPECT_FALSE(seen.contains(kOwnSource));

  // The two that live keep their numbers and their trust.
  sources.restart();
  EXPECT_FALSE(sources.trusted(1, 0));
  for (std::size_t i = 0; i < kAllNumbers - 2; ++i) {
    const auto source = sources.open(5);
    ASSERT_TRUE(source);
    ASSERT_TRUE(*source != 7 && *source != 40000);
  }
  EXPECT_FALSE(sources.open(5));
  EXPECT_TRUE(sources.trusted(7, kForever - 1));
  EXPECT_TRUE(sources.trusted(40000, kForever - 1));
  EXPECT_FALSE(sources.trusted(8, 5));
}

TEST(SourceTable, WhatIsLostDuringARestartWaitsForTheNext) {
  SourceTable sources;
  const SourceId early = *sources.open(kForever);
  const SourceId late = *sources.open(kForever);
  sources.lost(early);
  sources.restart([&] {
    sources.heard(early, kForever);
    EXPECT_FALSE(sources.trusted(early, 0));
    sources.lost(early);  // once more, which must not keep its number from being used again
    sources.lost(late);
  });
  EXPECT_EQ(sources.open(kForever), early);
  EXPECT_EQ(sources.open(kForever), SourceId(late + 1));
  EXPECT_FALSE(sources.trusted(late, 0));
  sources.restart();
  EXPECT_EQ(sources.open(kForever), late);
}

TEST(SourceTable, WithoutMemoryNothingIsOpened) {
  SourceTable sources;
  {
    const FailingAllocations failing(0);
    EXPECT_THROW((void)sources.open(kForever), std::bad_alloc);
  }
  EXPECT_FALSE(sources.trusted(1, 0));
  EXPECT_EQ(sources.open(kForever), SourceId{1});
}

TEST(SourceTable, ThreadsGetNumbersOfTheirOwn) {
  SourceTable sources;
  std::vector<std::vector<SourceId>> opened(kThreads);
  onThreads(kThreads, [&](int index) {
    for (int i = 0; i < 1000; ++i) opened[static_cast<std::size_t>(index)].push_back(*sources.open(kForever));
  });
  std::set<SourceId> all;
  for (const auto& some : opened) all.insert(some.begin(), some.end());
  EXPECT_EQ(all.size(), std::size_t{kThreads} * 1000);
}

// One thread hears of a source while another finds it lost: lost has the last word.
TEST(SourceTable, LostWinsAgainstHeard) {
  SourceTable sources;
  for (int round = 0; round < 500; ++round) {
    const SourceId source = *sources.open(1);
    onThreads(3, [&](int index) {
      if (index == 0) return sources.lost(source);
      for (int i = 0; i < 50; ++i) {
        sources.heard(source, kForever);
        (void)sources.trusted(source, 0);
      }
    });
    ASSERT_FALSE(sources.trusted(source, 0));
  }
}

}  // namespace
}  // namespace tiercel::test
