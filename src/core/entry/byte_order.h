// Little-endian integers of N bytes, at any address.
#pragma once

#include <cstddef>
#include <cstdint>

namespace tiercel::core {

template <std::size_t N>
std::uint64_t loadLittle(const char* from) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < N; ++i) value |= std::uint64_t{static_cast<unsigned char>(from[i])} << (8 * i);
  return value;
}

template <std::size_t N>
void storeLittle(char* to, std::uint64_t value) {
  for (std::size_t i = 0; i < N; ++i) to[i] = static_cast<char>(value >> (8 * i));
}

}  // namespace tiercel::core
