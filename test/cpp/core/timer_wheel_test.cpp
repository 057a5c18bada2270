// Nothing is due early, all is due in time, however far it is and however the clock jumps.
#include "core/memory/timer_wheel.h"

#include <gtest/gtest.h>

#include <vector>

#include "samples.h"

namespace tiercel::test {
namespace {

using namespace core;

struct Timers {
  struct Timer {
    WheelNode node;
    Millis goneAt = 0;
    bool in = false;
  };
  WheelNode& wheelNode(std::uint32_t slot) { return all[slot].node; }
  Millis goneAt(std::uint32_t slot) { return all[slot].goneAt; }

  void add(std::uint32_t slot, Millis goneAt) {
    all[slot].goneAt = goneAt;
    all[slot].in = true;
    wheel.add(slot);
  }
  void remove(std::uint32_t slot) {
    all[slot].in = false;
    wheel.remove(slot);
  }
  // All that is due; returns how many.
  int run(Millis now) {
    int count = 0;
    for (std::uint32_t due = 0; wheel.advance(now, due); ++steps) {
      if (due == TimerWheel<Timers>::kNone) continue;
      EXPECT_TRUE(all[due].in);
      EXPECT_LE(all[due].goneAt, now) << "early";
      all[due].in = false;
      ++count;
    }
    return count;
  }

  std::vector<Timer> all;
  TimerWheel<Timers> wheel{*this};
  std::uint64_t steps = 0;
};

Millis randomDelay(Random& random) {
  return static_cast<Millis>(random() >> (24 + below(random, 40)));  // from 0 to 34 years, all magnitudes
}

TEST(TimerWheel, IsNeverEarlyAndAtMostATickLate) {
  Random random(1);
  Timers timers;
  timers.all.resize(2000);
  Millis now = 0;
  std::uint64_t adds = 0;
  for (int i = 0; i < 300000; ++i) {
    const auto slot = static_cast<std::uint32_t>(below(random, timers.all.size()));
    if (timers.all[slot].in) {
      if (below(random, 2) == 0) timers.remove(slot);
    } else {
      timers.add(slot, now + randomDelay(random));
      ++adds;
    }
    if (below(random, 50) != 0) continue;
    now += below(random, 1000) == 0 ? randomDelay(random) % (Millis{1} << 33) : randomDelay(random) % 5000;
    timers.run(now);
    if (i % 100 != 0) continue;
    for (const auto& timer : timers.all) {
      ASSERT_TRUE(!timer.in || timer.goneAt > now - TimerWheel<Timers>::kTick);
    }
  }
  // At most once per level, and once when due.
  EXPECT_LE(timers.steps, adds * 6);
}

TEST(TimerWheel, KnowsDaysAndForever) {
  constexpr Millis kDay = 86400000;
  const Millis deadlines[] = {0,    1,         63,         64,           65,           4096,
                              kDay, 30 * kDay, 400 * kDay, 40000 * kDay, kForever - 1, kForever};
  Timers timers;
  timers.all.resize(std::size(deadlines));
  for (std::uint32_t i = 0; i < std::size(deadlines); ++i) timers.add(i, deadlines[i]);
  EXPECT_EQ(timers.run(0), 1);
  EXPECT_EQ(timers.run(64), 3);
  EXPECT_EQ(timers.run(kDay - 1), 2);
  EXPECT_EQ(timers.run(kDay + 63), 1);
  EXPECT_EQ(timers.run(30 * kDay - 1), 0);
  EXPECT_EQ(timers.run(30 * kDay + 63), 1);
  EXPECT_EQ(timers.run(401 * kDay), 1);
  EXPECT_EQ(timers.run(40000 * kDay - 1), 0);
  EXPECT_EQ(timers.run(40001 * kDay), 1);
  EXPECT_EQ(timers.run(kForever), 0);
  timers.remove(10);  // never in the wheel: nothing happens
  timers.remove(11);
}

TEST(TimerWheel, AClockThatGoesBackIsHarmless) {
  Timers timers;
  timers.all.resize(3);
  timers.add(0, 1000000);
  EXPECT_EQ(timers.run(900000), 0);
  timers.add(1, 500);
  timers.add(2, 899990);
  EXPECT_EQ(timers.run(100), 0);
  EXPECT_EQ(timers.run(899000), 0);
  EXPECT_EQ(timers.run(900000), 1);
  EXPECT_EQ(timers.run(900064), 1);
  EXPECT_EQ(timers.run(1000064), 1);
}

}  // namespace
}  // namespace tiercel::test
