// Ids that no other thread or forked process has, and numbers that are uniform.
#include "core/random.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <set>
#include <thread>
#include <vector>

namespace tiercel::test {
namespace {

using core::FillId;
using core::randomFillId;
using core::randomUnit;

constexpr int kIds = 1000;

std::vector<FillId> takeIds() {
  std::vector<FillId> ids(kIds);
  for (FillId& id : ids) id = randomFillId();
  return ids;
}

TEST(Random, IdsDifferAcrossThreads) {
  std::vector<std::vector<FillId>> taken(4);
  std::vector<std::thread> threads;
  for (auto& ids : taken) threads.emplace_back([&ids] { ids = takeIds(); });
  for (std::thread& thread : threads) thread.join();
  std::set<FillId> all;
  for (const auto& ids : taken) all.insert(ids.begin(), ids.end());
  EXPECT_EQ(all.size(), taken.size() * kIds);
}

// The ids that a forked child sends home; with a child of its own before, if asked for.
std::vector<FillId> idsOfChild(bool grandchild) {
  int ends[2];
  if (pipe(ends) != 0) return {};
  const pid_t child = fork();
  if (child == 0) {
    if (grandchild && fork() != 0) {
      int status = 0;
      wait(&status);
      _exit(0);
    }
    const std::vector<FillId> ids = takeIds();
    const std::size_t bytes = ids.size() * sizeof(FillId);
    _exit(write(ends[1], ids.data(), bytes) == static_cast<ssize_t>(bytes) ? 0 : 1);
  }
  close(ends[1]);
  std::vector<FillId> ids(kIds);
  std::size_t got = 0;
  for (ssize_t n = 1; n > 0; got += static_cast<std::size_t>(n)) {
    n = read(ends[0], reinterpret_cast<char*>(ids.data()) + got, ids.size() * sizeof(FillId) - got);
    if (n <= 0) break;
  }
  close(ends[0]);
  int status = 1;
  waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(got, ids.size() * sizeof(FillId));
  return ids;
}

TEST(Random, ForkedProcessesShareNoIds) {
  randomFillId();  // the state that a child inherits
  std::set<FillId> all;
  for (const bool grandchild : {false, false, true, true}) {
    const auto ids = idsOfChild(grandchild);
    all.insert(ids.begin(), ids.end());
  }
  const auto own = takeIds();
  all.insert(own.begin(), own.end());
  EXPECT_EQ(all.size(), 5U * kIds);
}

TEST(Random, UnitIsUniform) {
  constexpr int kDraws = 100000;
  int tenths[10] = {};
  for (int i = 0; i < kDraws; ++i) {
    const double unit = randomUnit();
    ASSERT_GE(unit, 0.0);
    ASSERT_LT(unit, 1.0);
    ++tenths[static_cast<int>(unit * 10)];
  }
  for (const int count : tenths) EXPECT_NEAR(count, kDraws / 10, 6 * std::sqrt(kDraws * 0.09));
}

TEST(Random, EveryBitOfAnIdTurns) {
  int ones[128] = {};
  for (int i = 0; i < 4000; ++i) {
    const FillId id = randomFillId();
    for (int bit = 0; bit < 128; ++bit) ones[bit] += id[bit / 8] >> (bit % 8) & 1;
  }
  for (const int count : ones) EXPECT_NEAR(count, 2000, 7 * std::sqrt(1000));
}

}  // namespace
}  // namespace tiercel::test
