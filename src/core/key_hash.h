// Hashes keys: SipHash-1-3 (Aumasson and Bernstein, 2012), the hash of tables whose keys strangers choose. Without its
// seed nobody can find keys that collide.
#pragma once

#include <cstdint>
#include <string_view>

namespace tiercel::core {

struct HashSeed {
  std::uint64_t first = 0;
  std::uint64_t second = 0;
};

// Random: one for each table.
HashSeed randomHashSeed();

std::uint64_t hashKey(std::string_view key, const HashSeed& seed);

}  // namespace tiercel::core
