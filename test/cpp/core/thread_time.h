// The processor time of this thread: what a call costs, however busy the machine is.
#pragma once

#include <time.h>

#include <chrono>

namespace tiercel::test {

inline std::chrono::nanoseconds threadTime() {
  timespec time = {};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

}  // namespace tiercel::test
