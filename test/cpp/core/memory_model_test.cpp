// The memory tier against a plain map, over random operations and a clock that moves.
#include <gtest/gtest.h>

#include <unordered_map>
#include <utility>

#include "memory_samples.h"

namespace tiercel::test {
namespace {

using namespace core;

struct Kept {
  OwnedEntry owned;
  Deadlines deadlines;
};

class Model {
 public:
  Model(const MemoryOptions& options, std::uint64_t keys, std::uint64_t seed)
      : tier_(options), keys_(keys), random_(seed) {}

  void run(int operations) {
    for (int i = 0; i < operations; ++i) {
      step();
      if (i % 16 == 0) {
        const MemoryStats stats = tier_.stats();
        ASSERT_LE(stats.bytes, stats.maxBytes);
        ASSERT_TRUE(stats.maxEntries == 0 || stats.entries <= stats.maxEntries);
      }
      if (i % 16384 == 0) compare();
      if (::testing::Test::HasFailure()) return;
    }
    compare();
    tier_.clear();
    EXPECT_EQ(tier_.stats().bytes, 0U);
  }

  [[nodiscard]] MemoryStats stats() const { return tier_.stats(); }
  [[nodiscard]] std::uint64_t unexplained() const { return unexplained_; }
  [[nodiscard]] std::uint64_t refusedTickets() const { return refusedTickets_; }

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
    } else if (dice < 4600) {
      erase(key);
    } else if (dice < 4700) {
      takeTicket(key);
    } else if (dice < 5300) {
      tier_.expire(now_, below(random_, 50));
    } else if (dice < 6100) {
      now_ += static_cast<Millis>(below(random_, 40));
    } else if (dice < 6101) {
      clear();
    } else if (dice < 6102) {
      eraseSome();
    } else {
      const auto hit = tier_.find(key, now_);
      check(key, hit);
      if (!hit) map_.erase(key);
    }
  }

  void takeTicket(const std::string& key) {
    ticketed_ = key;
    ticket_ = tier_.ticket(key);
    isVoid_ = false;
  }

  void change(const std::string& key) {
    if (key == ticketed_) isVoid_ = true;
  }

  void clear() {
    isVoid_ = true;
    tier_.clear();
    map_.clear();
  }

  void eraseSome() {
    isVoid_ = true;
    const auto matches = [](std::string_view key) { return key.size() % 7 == 0; };
    std::size_t most = 0;
    for (auto at = map_.begin(); at != map_.end();) {
      if (!matches(at->first)) {
        ++at;
        continue;
      }
      ++most;
      at = map_.erase(at);
    }
    ASSERT_LE(tier_.eraseIf(matches), most);
  }

  void erase(const std::string& key) {
    change(key);
    const auto known = map_.find(key);
    const bool erased = tier_.erase(key);
    ASSERT_TRUE(!erased || known != map_.end());
    if (known == map_.end()) return;
    if (!erased && now_ < known->second.deadlines.goneAt) ++unexplained_;
    map_.erase(known);
  }

  void put(const std::string& usual) {
    const bool ticketed = !ticketed_.empty() && below(random_, 20) == 0;
    const std::string& key = ticketed ? ticketed_ : usual;
    Kept kept{randomEntry(random_, below(random_, 20) == 0 ? 3000 : 200), {}};
    kept.owned.fields.outdated = below(random_, 5) == 0;
    const Millis fresh = now_ + static_cast<Millis>(below(random_, 100));
    const Millis stale = fresh + static_cast<Millis>(below(random_, 100));
    kept.deadlines = {fresh, stale,
                      below(random_, 4) == 0 ? kForever : stale + static_cast<Millis>(below(random_, 2000))};
    const MemoryStats before = tier_.stats();
    PutOptions options;
    if (ticketed) options.ticket = ticket_;
    const bool put = tier_.put(key, kept.owned.entry(), kept.deadlines, now_, options);
    if (ticketed && isVoid_) {
      ++refusedTickets_;
      ASSERT_FALSE(put);
      check(key, std::as_const(tier_).peek(key, now_));
      return;
    }
    if (ticketed && !put && tier_.stats().rejects == before.rejects && kept.deadlines.goneAt > now_) return;
    change(key);
    if (put) {
      map_.insert_or_assign(key, std::move(kept));
      // What was just put is there.
      check(key, std::as_const(tier_).peek(key, now_));
      ASSERT_TRUE(std::as_const(tier_).peek(key, now_));
    } else {
      const MemoryStats after = tier_.stats();
      ASSERT_TRUE(after.rejects + after.admissionRejects == before.rejects + before.admissionRejects + 1 ||
                  kept.deadlines.goneAt <= now_);
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
    expectKept(hit->entry, known->second.owned.entry());
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

  Tier tier_;
  std::unordered_map<std::string, Kept> map_;
  std::uint64_t keys_;
  Random random_;
  Millis now_ = 0;
  std::uint64_t unexplained_ = 0;  // misses of what is not over
  std::uint64_t refusedTickets_ = 0;
  std::string ticketed_;
  Ticket ticket_ = 0;
  bool isVoid_ = false;  // certainly; keys of the same group are not followed
};

TEST(MemoryModel, WithRoomForAllItIsTheMap) {
  Model model({.maxBytes = std::size_t{1} << 30}, 5000, 1);
  model.run(300000);
  EXPECT_EQ(model.unexplained(), 0U);
  EXPECT_EQ(model.stats().evictions, 0U);
  EXPECT_EQ(model.stats().rejects, 0U);
  EXPECT_GT(model.stats().expirations, 1000U);
  EXPECT_GT(model.stats().hits, 10000U);
  EXPECT_GT(model.refusedTickets(), 100U);
}

TEST(MemoryModel, WithinATightBudgetItNeverLies) {
  Model model({.maxBytes = 60000, .maxEntryBytes = 2500}, 5000, 2);
  model.run(300000);
  EXPECT_GT(model.stats().evictions, 1000U);
  EXPECT_GT(model.stats().rejects, 100U);
  EXPECT_GT(model.stats().expirations, 100U);
  EXPECT_GT(model.stats().hits, 1000U);
}

TEST(MemoryModel, WithFewEntriesItNeverLies) {
  Model model({.maxEntries = 300}, 5000, 3);
  model.run(300000);
  EXPECT_GT(model.stats().evictions, 1000U);
  EXPECT_EQ(model.stats().rejects, 0U);
}

TEST(MemoryModel, WithRoomForAFewItNeverLies) {
  for (const std::size_t maxBytes : {0, 100, 400, 2000, 8000}) {
    Model model({.maxBytes = maxBytes}, 100, 4 + maxBytes);
    model.run(20000);
  }
}

}  // namespace
}  // namespace tiercel::test
