#include "core/key_hash.h"

#include <bit>
#include <cstring>

#include "core/random.h"

namespace tiercel::core {

namespace {

// Of a message block, and at the end.
constexpr int kBlockRounds = 1;
constexpr int kFinalRounds = 3;

struct State {
  std::uint64_t v0;
  std::uint64_t v1;
  std::uint64_t v2;
  std::uint64_t v3;

  void rounds(int count) {
    for (int i = 0; i < count; ++i) {
      v0 += v1;
      v2 += v3;
      v1 = std::rotl(v1, 13) ^ v0;
      v3 = std::rotl(v3, 16) ^ v2;
      v0 = std::rotl(v0, 32);
      v2 += v1;
      v0 += v3;
      v1 = std::rotl(v1, 17) ^ v2;
      v3 = std::rotl(v3, 21) ^ v0;
      v2 = std::rotl(v2, 32);
    }
  }

  void absorb(std::uint64_t block) {
    v3 ^= block;
    rounds(kBlockRounds);
    v0 ^= block;
  }
};

std::uint64_t load(const char* from) {
  std::uint64_t block = 0;
  std::memcpy(&block, from, sizeof(block));
  if constexpr (std::endian::native == std::endian::big) block = __builtin_bswap64(block);
  return block;
}

// The bytes behind the last whole block, and the size in the topmost byte.
std::uint64_t lastBlock(const char* from, std::size_t left, std::size_t size) {
  std::uint64_t block = std::uint64_t{size} << 56;
  for (std::size_t i = 0; i < left; ++i) block |= std::uint64_t{static_cast<unsigned char>(from[i])} << (8 * i);
  return block;
}

}  // namespace

HashSeed randomHashSeed() {
  const FillId random = randomFillId();
  HashSeed seed;
  static_assert(sizeof(seed) == sizeof(random));
  std::memcpy(&seed, random.data(), sizeof(seed));
  return seed;
}

std::uint64_t hashKey(std::string_view key, const HashSeed& seed) {
  // "somepseudorandomlygeneratedbytes"
  State state{.v0 = seed.first ^ 0x736f6d6570736575,
              .v1 = seed.second ^ 0x646f72616e646f6d,
              .v2 = seed.first ^ 0x6c7967656e657261,
              .v3 = seed.second ^ 0x7465646279746573};
  const char* at = key.data();
  std::size_t left = key.size();
  for (; left >= sizeof(std::uint64_t); at += sizeof(std::uint64_t), left -= sizeof(std::uint64_t)) {
    state.absorb(load(at));
  }
  state.absorb(lastBlock(at, left, key.size()));
  state.v2 ^= 0xff;
  state.rounds(kFinalRounds);
  return state.v0 ^ state.v1 ^ state.v2 ^ state.v3;
}

}  // namespace tiercel::core
