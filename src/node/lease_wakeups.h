// Wakes those who wait for a load in another thread: collects what ends there, and tells it on the loop of this one.
#pragma once

#include <uv.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "core/coherence/lease_table.h"
#include "redis/uv_handle.h"

namespace tiercel::node {

class LeaseWakeups final : public core::LeaseListener {
 public:
  // tell: called on the loop, with the tickets of the leases that have ended.
  LeaseWakeups(const redis::LoopHandlesPtr& loop, std::function<void(const std::vector<std::uint64_t>&)> tell)
      : tell_(std::move(tell)) {
    async_.open(loop, this, [](uv_loop_t* raw, uv_async_t* handle) {
      return uv_async_init(raw, handle, [](uv_async_t* async) { static_cast<LeaseWakeups*>(async->data)->deliver(); });
    });
    // Whoever waits has a timer that keeps the process.
    uv_unref(async_.base());
  }

  // Any thread. A ticket that finds no memory is covered by the timer of who waits.
  void onLeaseEnded(std::uint64_t ticket) noexcept override {
    const std::lock_guard lock(mutex_);
    if (!async_.isOpen()) return;
    try {
      ended_.push_back(ticket);
    } catch (const std::bad_alloc&) {
      return;
    }
    uv_async_send(async_.get());
  }

  void close() {
    const std::lock_guard lock(mutex_);
    async_.close();
    ended_.clear();
  }

 private:
  void deliver() {
    std::vector<std::uint64_t> ended;
    {
      const std::lock_guard lock(mutex_);
      ended.swap(ended_);
    }
    tell_(ended);
  }

  std::function<void(const std::vector<std::uint64_t>&)> tell_;
  std::mutex mutex_;
  redis::UvHandle<uv_async_t> async_;
  std::vector<std::uint64_t> ended_;
};

}  // namespace tiercel::node
