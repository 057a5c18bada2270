// A mutex for sections of a hundred nanoseconds: taken and given back with one atomic instruction each, 4 bytes.
#pragma once

#include <atomic>
#include <cstdint>

namespace tiercel::core {

// For std::lock_guard and std::unique_lock.
class StripeLock {
 public:
  void lock() noexcept {
    std::uint32_t free = kFree;
    if (!state_.compare_exchange_strong(free, kHeld, std::memory_order_acquire, std::memory_order_relaxed)) wait();
  }
  void unlock() noexcept {
    if (state_.exchange(kFree, std::memory_order_release) == kAwaited) state_.notify_one();
  }

 private:
  static constexpr std::uint32_t kFree = 0;
  static constexpr std::uint32_t kHeld = 1;
  static constexpr std::uint32_t kAwaited = 2;  // held, and somebody sleeps
  static constexpr int kSpins = 100;

  void wait() noexcept {
    for (int i = 0; i < kSpins; ++i) {
      std::uint32_t free = kFree;
      if (state_.load(std::memory_order_relaxed) == kFree &&
          state_.compare_exchange_weak(free, kHeld, std::memory_order_acquire, std::memory_order_relaxed)) {
        return;
      }
    }
    // Whoever wakes up takes it as awaited, since others may sleep still.
    while (state_.exchange(kAwaited, std::memory_order_acquire) != kFree) {
      state_.wait(kAwaited, std::memory_order_relaxed);
    }
  }

  std::atomic<std::uint32_t> state_{kFree};
};

}  // namespace tiercel::core
