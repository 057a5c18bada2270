// Time as the core sees it: milliseconds of a monotonic clock, handed in by the caller.
// The core never reads a clock itself, so tests can move time and no wall clock is compared with another's.
#pragma once

#include <algorithm>
#include <cstdint>

namespace tiercel::core {

using Millis = std::int64_t;

// Far enough away to mean "never", and safe to add durations to.
inline constexpr Millis kForever = INT64_C(1) << 60;

// Saturates: times and durations may be anything that an int64 holds.
inline Millis later(Millis now, Millis duration) {
  now = std::max<Millis>(0, now);
  return duration >= kForever - now ? kForever : now + std::max<Millis>(0, duration);
}

}  // namespace tiercel::core
