#include "core/key_hash.h"

#include <cstring>

namespace tiercel::core {

namespace {

constexpr std::uint64_t kFirst = 0xa0761d6478bd642f;
constexpr std::uint64_t kSecond = 0xe7037ed1a0b428db;

// Folded 64 x 64 bit multiplication: every bit of both words reaches every bit of the result.
std::uint64_t fold(std::uint64_t a, std::uint64_t b) {
  __extension__ using Wide = unsigned __int128;
  const Wide product = static_cast<Wide>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

std::uint64_t word(const char* from, std::size_t bytes) {
  std::uint64_t value = 0;
  std::memcpy(&value, from, bytes);
  return value;
}

}  // namespace

std::uint64_t hashKey(std::string_view key, std::uint64_t seed) {
  const char* p = key.data();
  std::size_t left = key.size();
  std::uint64_t hash = fold(seed ^ kFirst, key.size() ^ kSecond);
  for (; left > 16; p += 16, left -= 16) hash = fold(word(p, 8) ^ kFirst, word(p + 8, 8) ^ hash);
  const std::size_t head = left < 8 ? left : 8;
  return fold(word(p, head) ^ kSecond ^ hash, word(p + head, left - head) ^ kFirst ^ hash);
}

}  // namespace tiercel::core
