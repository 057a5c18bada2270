// Runs the same work on several threads that begin at once.
#pragma once

#include <latch>
#include <thread>
#include <vector>

namespace tiercel::test {

inline constexpr int kThreads = 8;

template <typename Work>
void onThreads(int count, const Work& work) {
  std::latch begin(count);
  std::vector<std::jthread> threads;
  for (int index = 0; index < count; ++index) {
    threads.emplace_back([&, index] {
      begin.arrive_and_wait();
      work(index);
    });
  }
}

}  // namespace tiercel::test
