// The hash spreads keys, depends on all of its input, and gives no key that collides under every seed.
#include "core/key_hash.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <unordered_set>
#include <vector>

#include "samples.h"

namespace tiercel::test {
namespace {

using core::hashKey;

std::string words(std::initializer_list<std::uint64_t> values) {
  std::string key;
  for (const std::uint64_t value : values) key.append(reinterpret_cast<const char*>(&value), sizeof(value));
  return key;
}

TEST(KeyHash, ReadsOnlyTheKey) {
  EXPECT_EQ(hashKey(std::string_view{}, 1), hashKey("", 1));
  Random random(1);
  for (std::size_t size = 0; size < 100; ++size) {
    const ExactBytes key(randomBytes(random, size));
    const std::string copy(key.view());
    EXPECT_EQ(hashKey(key.view(), 7), hashKey(copy, 7)) << size;
  }
}

TEST(KeyHash, DependsOnTheSeedAndTheLength) {
  std::unordered_set<std::uint64_t> seen;
  for (std::uint64_t seed = 0; seed < 1000; ++seed) seen.insert(hashKey("user:42", seed));
  for (std::size_t size = 0; size < 1000; ++size) seen.insert(hashKey(std::string(size, '\0'), 12345));
  EXPECT_EQ(seen.size(), 2000U);
}

// On average half of the result's bits turn with any bit of the key, at every length around the word sizes.
TEST(KeyHash, EveryBitReachesTheResult) {
  Random random(2);
  for (const std::size_t size : {1, 2, 3, 4, 7, 8, 9, 15, 16, 17, 31, 32, 33, 48, 50}) {
    for (std::size_t bit = 0; bit < size * 8; ++bit) {
      int turned = 0;
      constexpr int kRounds = 64;
      for (int i = 0; i < kRounds; ++i) {
        std::string key = randomBytes(random, size);
        const std::uint64_t before = hashKey(key, 99);
        key[bit / 8] = static_cast<char>(key[bit / 8] ^ (1 << (bit % 8)));
        turned += std::popcount(before ^ hashKey(key, 99));
      }
      ASSERT_NEAR(turned / double{kRounds}, 32, 5) << "size " << size << ", bit " << bit;
    }
  }
}

TEST(KeyHash, UsualKeysSpreadOverTheBuckets) {
  constexpr std::size_t kKeys = 1 << 17;
  constexpr std::size_t kBuckets = 1 << 12;
  for (const char* pattern : {"user:%zu", "%zu", "session:00000000%08zx", "https://example.com/products/%zu?page=1"}) {
    std::vector<int> buckets(kBuckets);
    std::unordered_set<std::uint64_t> seen;
    for (std::size_t i = 0; i < kKeys; ++i) {
      char key[64];
      const int size = std::snprintf(key, sizeof(key), pattern, i);
      const std::uint64_t hash = hashKey({key, static_cast<std::size_t>(size)}, 4711);
      ++buckets[hash & (kBuckets - 1)];
      seen.insert(hash);
    }
    EXPECT_EQ(seen.size(), kKeys) << pattern;
    constexpr double kExpected = double{kKeys} / kBuckets;
    double chiSquare = 0;
    for (const int count : buckets) chiSquare += (count - kExpected) * (count - kExpected) / kExpected;
    // kBuckets - 1 degrees of freedom: six standard deviations.
    EXPECT_NEAR(chiSquare, kBuckets, 6 * std::sqrt(2.0 * kBuckets)) << pattern;
  }
}

TEST(KeyHash, AllStringsOfTwoBytesDiffer) {
  std::unordered_set<std::uint64_t> seen;
  for (int a = 0; a < 256; ++a) {
    for (int b = 0; b < 256; ++b) {
      const char key[] = {static_cast<char>(a), static_cast<char>(b)};
      seen.insert(hashKey({key, 2}, 5));
    }
  }
  EXPECT_EQ(seen.size(), 65536U);
}

// What breaks multiply-and-fold hashes: a word that equals a constant makes a factor zero, whatever stands beside it,
// and two factors that change places give the same product.
TEST(KeyHash, NoKeysCollideUnderEverySeed) {
  const std::uint64_t constants[] = {0, 0xa0761d6478bd642f, 0xe7037ed1a0b428db, 0x8ebc6af09c88c6e3};
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const std::uint64_t secret = seed * 0x9e3779b97f4a7c15;
    std::unordered_set<std::uint64_t> seen;
    std::size_t keys = 0;
    for (const std::uint64_t constant : constants) {
      for (std::uint64_t other = 1; other <= 100; ++other) {
        for (const std::string& key : {words({constant, other, 0}), words({other, constant, 0}),
                                       words({constant, other}), words({other, constant})}) {
          seen.insert(hashKey(key, secret));
          ++keys;
        }
      }
    }
    EXPECT_EQ(seen.size(), keys);
    for (const std::uint64_t x : constants) {
      for (const std::uint64_t y : constants) {
        const std::uint64_t turn = x ^ y;
        if (turn == (111 ^ 222)) continue;
        EXPECT_NE(hashKey(words({111, 222}), secret), hashKey(words({222 ^ turn, 111 ^ turn}), secret));
      }
    }
  }
}

}  // namespace
}  // namespace tiercel::test
