// The memory tier against a plain map, over random operations and a clock that moves.
#include <gtest/gtest.h>

#include <unordered_map>
#include <utility>

#include "core/memory_tier.h"
#include "samples.h"

namespace tiercel::test {
namespace {

using namespace core;

struct Kept {
  OwnedEntry owned;
  Deadlines deadlines;
};

class Model {
 public:
  Model(std::size_t maxBytes, std::size_t maxEntryBytes, std::uint64_t keys, std::uint64_t seed)
      : tier_({.maxBytes = maxBytes, .maxEntryBytes = maxEntryBytes}), keys_(keys), random_(seed) {}

  void run(int operations) {
    for (int i = 0; i < operations; ++i) {
      step();
      const MemoryStats stats = tier_.stats();
      ASSERT_LE(stats.bytes, stats.maxBytes);
      if (i % 4096 == 0) compare();
      if (::testing::Test::HasFailure()) return;
    }
    compare();
  }

  [[nodiscard]] MemoryStats stats() const { return tier_.stats(); }
  [[nodiscard]] std::uint64_t unexplained() const { return unexplained_; }

 private:
  std::string key() {
    // Few of them often: so that entries are replaced and touched, too.
    const std::uint64_t number = below(random_, below(random_, 2) == 0 ? keys_ / 16 + 1 : keys_);
    return std::string(number % 40, 'k') + std::to_string(number);
  }

  void step() {
    const std::string key = this->key();
    const std::uint64_t dice = below(random_, 10000);
    if (dice < 3000) {
      put(key);
    } else if (dice < 4000) {
      check(key, std::as_const(tier_).peek(key, now_));
    } else if (dice < 4700) {
      erase(key);
    } else if (dice < 5300) {
      tier_.expire(now_, below(random_, 50));
    } else if (dice < 6100) {
      now_ += static_cast<Millis>(below(random_, 40));
    } else if (dice < 6101) {
      tier_.clear();
      map_.clear();
    } else {
      const auto hit = tier_.find(key, now_);
      check(key, hit);
      if (!hit) map_.erase(key);
    }
  }

  void erase(const std::string& key) {
    const auto known = map_.find(key);
    const bool erased = tier_.erase(key);
    ASSERT_TRUE(!erased || known != map_.end());
    if (known == map_.end()) return;
    if (!erased && now_ < known->second.deadlines.goneAt) ++unexplained_;
    map_.erase(known);
  }

  void put(const std::string& key) {
    Kept kept{randomEntry(random_, below(random_, 20) == 0 ? 3000 : 200), {}};
    const Millis fresh = now_ + static_cast<Millis>(below(random_, 100));
    const Millis stale = fresh + static_cast<Millis>(below(random_, 100));
    kept.deadlines = {fresh, stale,
                      below(random_, 4) == 0 ? kForever : stale + static_cast<Millis>(below(random_, 2000))};
    const MemoryStats before = tier_.stats();
    const bool put = tier_.put(key, kept.owned.entry(), kept.deadlines, now_);
    if (put) {
      map_.insert_or_assign(key, std::move(kept));
      // What was just put is there.
      check(key, std::as_const(tier_).peek(key, now_));
      ASSERT_TRUE(std::as_const(tier_).peek(key, now_));
    } else {
      ASSERT_TRUE(tier_.stats().rejects == before.rejects + 1 || kept.deadlines.goneAt <= now_);
      ASSERT_FALSE(std::as_const(tier_).peek(key, now_));
      map_.erase(key);
    }
  }

  // A hit is what was put last, and in time. A miss is over, or was evicted.
  void check(const std::string& key, const std::optional<MemoryHit>& hit) {
    const auto known = map_.find(key);
    if (!hit) {
      if (known != map_.end() && now_ < known->second.deadlines.goneAt) ++unexplained_;
      return;
    }
    ASSERT_NE(known, map_.end()) << key;
    const Deadlines& deadlines = known->second.deadlines;
    ASSERT_LT(now_, deadlines.goneAt);
    ASSERT_EQ(hit->deadlines.goneAt, deadlines.goneAt);
    ASSERT_EQ(hit->freshness, now_ < deadlines.freshUntil   ? Freshness::kFresh
                              : now_ < deadlines.staleUntil ? Freshness::kStale
                                                            : Freshness::kStaleError);
    expectSame(hit->entry, known->second.owned.entry());
  }

  void compare() {
    std::size_t found = 0;
    std::size_t over = 0;
    for (const auto& [key, kept] : map_) {
      const auto hit = std::as_const(tier_).peek(key, now_);
      check(key, hit);
      found += hit ? 1 : 0;
      over += now_ >= kept.deadlines.goneAt ? 1 : 0;
    }
    // Nothing else is in there: but for entries that are over and not dropped yet.
    ASSERT_GE(tier_.stats().entries, found);
    ASSERT_LE(tier_.stats().entries, found + over);
  }

  MemoryTier tier_;
  std::unordered_map<std::string, Kept> map_;
  std::uint64_t keys_;
  Random random_;
  Millis now_ = 0;
  std::uint64_t unexplained_ = 0;  // misses of what is not over
};

TEST(MemoryModel, WithRoomForAllItIsTheMap) {
  Model model(std::size_t{1} << 30, 0, 5000, 1);
  model.run(200000);
  EXPECT_EQ(model.unexplained(), 0U);
  EXPECT_EQ(model.stats().evictions, 0U);
  EXPECT_EQ(model.stats().rejects, 0U);
  EXPECT_GT(model.stats().expirations, 1000U);
  EXPECT_GT(model.stats().hits, 10000U);
}

TEST(MemoryModel, WithinATightBudgetItNeverLies) {
  Model model(60000, 2500, 5000, 2);
  model.run(200000);
  EXPECT_GT(model.stats().evictions, 1000U);
  EXPECT_GT(model.stats().rejects, 100U);
  EXPECT_GT(model.stats().expirations, 100U);
  EXPECT_GT(model.stats().hits, 1000U);
}

TEST(MemoryModel, WithRoomForAFewItNeverLies) {
  for (const std::size_t maxBytes : {0, 100, 400, 2000, 8000}) {
    Model model(maxBytes, 0, 100, 3 + maxBytes);
    model.run(20000);
  }
}

}  // namespace
}  // namespace tiercel::test
