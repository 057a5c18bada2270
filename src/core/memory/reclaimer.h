// A thread that lives only while there is something to do: what would keep a caller for too long.
#pragma once

#include <atomic>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

namespace tiercel::core {

class Reclaimer {
 public:
  Reclaimer() = default;
  ~Reclaimer() {
    stop_.store(true, std::memory_order_relaxed);
    if (thread_.joinable()) thread_.join();
  }
  Reclaimer(const Reclaimer&) = delete;
  Reclaimer& operator=(const Reclaimer&) = delete;

  // Has work(stop) run from the beginning once more, by the thread; it should end soon when `stop` becomes true. false:
  // there is no thread to be had. All calls give the same work.
  template <class Work>
  bool wake(Work work) {
    const std::lock_guard lock(mutex_);
    again_ = true;
    if (running_) return true;
    if (thread_.joinable()) thread_.join();
    try {
      thread_ = std::thread([this, work = std::move(work)] {
        while (shallRun()) work(stop_);
      });
    } catch (const std::system_error&) {
      return false;
    }
    running_ = true;
    return true;
  }

 private:
  bool shallRun() {
    const std::lock_guard lock(mutex_);
    running_ = std::exchange(again_, false);
    return running_;
  }

  std::mutex mutex_;
  bool again_ = false;
  bool running_ = false;
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

}  // namespace tiercel::core
