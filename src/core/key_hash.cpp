#include "core/key_hash.h"

#include <cstring>

namespace tiercel::core {

namespace {

constexpr std::uint64_t kFirst = 0xa0761d6478bd642f;
constexpr std::uint64_t kSecond = 0xe7037ed1a0b428db;
constexpr std::uint64_t kThird = 0x8ebc6af09c88c6e3;

// Folded 64 x 64 bit multiplication: every bit of both words reaches every bit of the result.
std::uint64_t fold(std::uint64_t a, std::uint64_t b) {
  __extension__ using Wide = unsigned __int128;
  const Wide product = static_cast<Wide>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

std::uint64_t byteAt(const char* at) { return static_cast<unsigned char>(*at); }

template <typename Word>
std::uint64_t load(const char* from) {
  Word value;
  std::memcpy(&value, from, sizeof(value));
  return value;
}

}  // namespace

// A word of the key meets a multiplication only behind a secret, on either side: a factor that a stranger can turn into
// zero, or two factors that he can swap, would give keys that collide under every seed.
std::uint64_t hashKey(std::string_view key, std::uint64_t seed) {
  const std::uint64_t secret = seed ^ kFirst;
  std::uint64_t hash = fold(seed ^ kSecond, kThird);
  const char* p = key.data();
  std::size_t left = key.size();
  for (; left > 16; p += 16, left -= 16) {
    hash = fold(load<std::uint64_t>(p) ^ secret, load<std::uint64_t>(p + 8) ^ hash);
  }
  // The last 0 to 16 bytes as two words that may overlap; the size below keeps them apart.
  std::uint64_t a = 0;
  std::uint64_t b = 0;
  if (left >= 8) {
    a = load<std::uint64_t>(p);
    b = load<std::uint64_t>(p + left - 8);
  } else if (left >= 4) {
    a = load<std::uint32_t>(p);
    b = load<std::uint32_t>(p + left - 4);
  } else if (left > 0) {
    a = byteAt(p) << 16 | byteAt(p + left / 2) << 8 | byteAt(p + left - 1);
  }
  return fold(kThird ^ key.size(), fold(a ^ secret, b ^ hash));
}

}  // namespace tiercel::core
