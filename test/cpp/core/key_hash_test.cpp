// The hash is SipHash-1-3; it spreads keys, and depends on all of its input.
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
using core::HashSeed;

HashSeed seedOf(std::uint64_t number) { return {.first = number, .second = ~number}; }

TEST(KeyHash, ReadsOnlyTheKey) {
  EXPECT_EQ(hashKey(std::string_view{}, seedOf(1)), hashKey("", seedOf(1)));
  Random random(1);
  for (std::size_t size = 0; size < 100; ++size) {
    const ExactBytes key(randomBytes(random, size));
    const std::string copy(key.view());
    EXPECT_EQ(hashKey(key.view(), seedOf(7)), hashKey(copy, seedOf(7))) << size;
  }
}

TEST(KeyHash, DependsOnTheSeedAndTheLength) {
  std::unordered_set<std::uint64_t> seen;
  for (std::uint64_t seed = 0; seed < 1000; ++seed) seen.insert(hashKey("user:42", seedOf(seed)));
  for (std::size_t size = 0; size < 1000; ++size) seen.insert(hashKey(std::string(size, '\0'), seedOf(12345)));
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
        const std::uint64_t before = hashKey(key, seedOf(99));
        key[bit / 8] = static_cast<char>(key[bit / 8] ^ (1 << (bit % 8)));
        turned += std::popcount(before ^ hashKey(key, seedOf(99)));
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
      const std::uint64_t hash = hashKey({key, static_cast<std::size_t>(size)}, seedOf(4711));
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
      seen.insert(hashKey({key, 2}, seedOf(5)));
    }
  }
  EXPECT_EQ(seen.size(), 65536U);
}

// Of the bytes 0, 1, 2, …, as CPython 3.11 hashes them, with the key of PYTHONHASHSEED=0 and of PYTHONHASHSEED=1.
TEST(KeyHash, IsSipHash13) {
  struct Known {
    std::size_t size;
    std::uint64_t withZeros;
    std::uint64_t withKey;
  };
  constexpr Known kKnown[] = {
      {1, 0x68a914128e01e473, 0xecd3e5afcecda4b9},  {7, 0x2f098ab0c751325a, 0xfd15e78052a69ddf},
      {8, 0xead411e67ebe2eea, 0xc0b5739e7e28dd01},  {15, 0xf30eb725bb91c9ea, 0xfa87985f39e97a53},
      {16, 0x8972188433a5c5b7, 0x12e9d283f9f37002}, {31, 0x169739443111d49b, 0xb8c17103f21d8810},
      {63, 0x385d3e39e5f37359, 0x542052345bc68274},
  };
  const HashSeed key{.first = 0xaed66ce184be2329, .second = 0xebe9bbf1f1499052};
  for (const Known& known : kKnown) {
    std::string bytes;
    for (std::size_t i = 0; i < known.size; ++i) bytes.push_back(static_cast<char>(i));
    EXPECT_EQ(hashKey(bytes, {}), known.withZeros) << known.size;
    EXPECT_EQ(hashKey(bytes, key), known.withKey) << known.size;
  }
}

}  // namespace
}  // namespace tiercel::test
