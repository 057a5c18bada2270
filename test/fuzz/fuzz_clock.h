// The time of a fuzz target is the input's: libuv asks for it here, so that timeouts and backoff take no time of ours,
// and a finding can be repeated. To be included by one file of a program.
#pragma once

#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>
#include <ctime>

namespace tiercel::fuzz {

inline std::int64_t clockNanoseconds = 1000000000;

inline void passTime(std::int64_t milliseconds) { clockNanoseconds += milliseconds * 1000000; }
inline std::int64_t clockMilliseconds() { return clockNanoseconds / 1000000; }

}  // namespace tiercel::fuzz

extern "C" int clock_gettime(clockid_t clock, timespec* time) noexcept {
  if (clock != CLOCK_MONOTONIC && clock != CLOCK_MONOTONIC_COARSE) {
    return static_cast<int>(syscall(SYS_clock_gettime, clock, time));
  }
  time->tv_sec = tiercel::fuzz::clockNanoseconds / 1000000000;
  time->tv_nsec = tiercel::fuzz::clockNanoseconds % 1000000000;
  return 0;
}
