// Many threads on one tier: whatever they do to each other's entries, a hit is whole and right. For ThreadSanitizer.
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <thread>

#include "memory_samples.h"

namespace tiercel::test {
namespace {

using namespace core;

constexpr int kThreads = 8;
constexpr int kKeys = 2000;

template <typename Work>
void together(const Work& work) {
  std::array<std::thread, kThreads> threads;
  for (int i = 0; i < kThreads; ++i) threads[static_cast<std::size_t>(i)] = std::thread(work, i);
  for (std::thread& thread : threads) thread.join();
}

// A payload says to which key it belongs, at both ends, and has the length that its number says.
std::string payloadFor(const std::string& key, std::uint64_t number) {
  return key + std::string(number % (number % 50 == 0 ? 20000 : 300), static_cast<char>('a' + number % 26)) + key;
}

bool isWhole(std::string_view key, std::string_view payload) {
  if (!payload.starts_with(key) || !payload.ends_with(key)) return false;
  const std::string_view middle = payload.substr(key.size(), payload.size() - 2 * key.size());
  return middle.find_first_not_of(middle.empty() ? 'a' : middle[0]) == std::string_view::npos;
}

class Worker {
 public:
  Worker(Tier& tier, std::atomic<Millis>& clock, int number)
      : tier_(tier), clock_(clock), random_(static_cast<std::uint64_t>(number)) {}

  void run(int operations) {
    for (int i = 0; i < operations; ++i) step();
  }

 private:
  void step() {
    const std::string key = "key" + std::to_string(below(random_, kKeys));
    const Millis now = clock_.load();
    const std::uint64_t dice = below(random_, 10000);
    if (dice < 3500) {
      put(key, now);
    } else if (dice < 8000) {
      auto hit = dice < 7000 ? tier_.find(key, now) : std::as_const(tier_).peek(key, now);
      EXPECT_TRUE(!hit || isWhole(key, hit->entry.payload)) << key;
      // Some are looked at for longer.
      if (dice < 5000) held_[below(random_, held_.size())] = std::move(hit);
    } else if (dice < 9000) {
      tier_.erase(key);
    } else if (dice < 9800) {
      tier_.expire(now, 20);
    } else if (dice < 9900) {
      clock_.fetch_add(5);
    } else if (dice < 9960) {
      tier_.tags().invalidate("tag");
    } else if (dice < 9970) {
      walk(now);
    } else if (dice < 9975) {
      tier_.eraseIf([](std::string_view found) { return found.ends_with("7"); });
    } else if (dice < 9977) {
      tier_.clear();
    } else {
      EXPECT_LE(tier_.stats().entries, static_cast<std::uint64_t>(kKeys));
    }
  }

  void put(const std::string& key, Millis now) {
    const Millis end = now + static_cast<Millis>(below(random_, 500));
    const std::string payload = payloadFor(key, random_());
    PutOptions options;
    TagMark mark;
    TagCell cell = 0;
    const bool tagged = below(random_, 4) == 0;
    if (tagged) {
      cell = tier_.tags().acquire("tag");
      mark = *tier_.tags().mark(cell, now);
      options.tags = {&mark, 1};
    }
    if (below(random_, 2) == 0) options.ticket = tier_.ticket(key);
    tier_.put(key, holding(payload), {end, end, end}, now, options);
    if (tagged) tier_.tags().release(cell);
  }

  void walk(Millis now) {
    int shown = 0;
    tier_.forEach(
        [&](std::string_view key, const MemoryHit& hit) {
          EXPECT_TRUE(isWhole(key, hit.entry.payload));
          return ++shown < 500;
        },
        now);
  }

  Tier& tier_;
  std::atomic<Millis>& clock_;
  Random random_;
  std::array<std::optional<MemoryHit>, 16> held_;
};

TEST(MemoryThreads, HitsAreWholeWhateverHappens) {
  for (const std::size_t budget : {std::size_t{64} << 20, std::size_t{300} << 10}) {
    Tier tier({.maxBytes = budget});
    std::atomic<Millis> clock{0};
    together([&](int number) { Worker(tier, clock, number).run(20000); });
    const MemoryStats stats = tier.stats();
    EXPECT_LE(stats.bytes, budget);
    EXPECT_GT(stats.hits, 100U);
    EXPECT_GT(stats.expirations, 100U);
    tier.clear();
    EXPECT_EQ(tier.stats().bytes, 0U);
    EXPECT_EQ(tier.stats().entries, 0U);
  }
}

// All put, none too much: the budget is one for all threads, and for all parts of the tier.
TEST(MemoryThreads, ShareOneBudget) {
  constexpr std::size_t kBudget = std::size_t{16} << 20;
  Tier tier({.maxBytes = kBudget, .maxEntries = 3000});
  together([&](int number) {
    Random random(static_cast<std::uint64_t>(number));
    for (int i = 0; i < 5000; ++i) {
      const std::string key = std::to_string(number) + ":" + std::to_string(i);
      tier.put(key, holding(payloadFor(key, random())), kAlways, 0);
    }
  });
  EXPECT_LE(tier.stats().bytes, kBudget);
  EXPECT_LE(tier.stats().entries, 3000U);
  EXPECT_GE(tier.stats().entries, 2000U);
}

// What is put with a ticket that was taken before an erase never comes back after it.
TEST(MemoryThreads, NoLateFillAfterAnErase) {
  Tier tier;
  std::atomic<int> version{0};
  std::atomic<bool> done{false};
  std::thread eraser([&] {
    for (int i = 1; i <= 20000; ++i) {
      version.store(i);
      tier.erase("k");
      const auto hit = tier.find("k", 0);
      ASSERT_TRUE(!hit || std::stoi(std::string(hit->entry.payload)) >= i);
    }
    done.store(true);
  });
  together([&](int) {
    while (!done.load()) {
      const Ticket ticket = tier.ticket("k");
      const std::string payload = std::to_string(version.load());
      tier.put("k", holding(payload), kAlways, 0, {.ticket = ticket});
    }
  });
  eraser.join();
}

}  // namespace
}  // namespace tiercel::test
