// The allocations of the test binary, counted and made to fail on demand: operator new is replaced by allocations.cpp.
#pragma once

#include <cstddef>

namespace tiercel::test {

// What operator new has handed out and not got back, as the allocator accounts for it.
std::size_t allocatedBytes();

// While one of these lives, the allocation number `successes` of this thread (from 0) fails, and every later one.
class FailingAllocations {
 public:
  explicit FailingAllocations(int successes);
  ~FailingAllocations();
  FailingAllocations(const FailingAllocations&) = delete;
  FailingAllocations& operator=(const FailingAllocations&) = delete;

  // Whether one has failed yet.
  [[nodiscard]] bool failed() const;
};

}  // namespace tiercel::test
