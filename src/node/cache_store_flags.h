// What the files of CacheStore share: flags of JavaScript, and clocks.
#pragma once

#include <uv.h>

#include <chrono>
#include <cstdint>
#include <cstring>
#include <ctime>

#include "core/clock.h"
#include "core/entry/entry.h"
#include "core/entry/freshness.h"

namespace tiercel::node {

// Bits of the flags that JavaScript gives to those that read.
inline constexpr std::uint32_t kWhole = 1;   // always the whole hit, never the bare text
inline constexpr std::uint32_t kSilent = 2;  // peek only: no statistics, no effect on eviction
// acquire without Redis only: a failure that was told to others is in nobody's way.
inline constexpr std::uint32_t kOverFailure = 8;
// peek only, and silent: also what is there of a source that is trusted no longer.
inline constexpr std::uint32_t kDistrusted = 4;

// What JavaScript is told as the freshness of a fresh entry whose refreshAhead is due.
inline constexpr auto kAhead = static_cast<core::Freshness>(3);

inline core::Millis monotonicNow() { return static_cast<core::Millis>(uv_hrtime() / 1000000); }

// The same clock where a few milliseconds do not matter, at a fifth of the price. Behind by less than kCoarse.
inline constexpr core::Millis kCoarse = 20;
inline core::Millis coarseNow() {
#ifdef CLOCK_MONOTONIC_COARSE
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC_COARSE, &time);
  return core::Millis{time.tv_sec} * 1000 + time.tv_nsec / 1000000;
#else
  return monotonicNow();
#endif
}

inline core::Millis wallNow() {
  using namespace std::chrono;
  return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
}

// So much of the fill id as a JavaScript number holds: what two fills of one key share once in 2^48 times. Never 0.
inline double fillNumber(const core::Entry& entry) {
  std::uint64_t bits = 0;
  std::memcpy(&bits, entry.fillId.data(), sizeof(bits));
  return static_cast<double>((bits & ((UINT64_C(1) << 48) - 1)) | (UINT64_C(1) << 48));
}
inline constexpr double kMostFillNumber = 562949953421311;  // 2^49 - 1

}  // namespace tiercel::node
