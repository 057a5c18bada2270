// Time as the core sees it: milliseconds of a monotonic clock, handed in by the caller.
// The core never reads a clock itself, so tests can move time and no wall clock is compared with another's.
#pragma once

#include <cstdint>

namespace tiercel::core {

using Millis = std::int64_t;

// Far enough away to mean "never", and safe to add durations to.
inline constexpr Millis kForever = INT64_C(1) << 60;

}  // namespace tiercel::core
