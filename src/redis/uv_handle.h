// Owns a libuv handle. libuv needs the memory until its close callback, which comes after the owner is gone, so the
// handle lives in a box of its own that the callback frees. LoopHandles counts the boxes of a loop, so that an
// environment can wait until the last one is closed.
#pragma once

#include <uv.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <utility>

namespace tiercel::redis {

class LoopHandles {
 public:
  static constexpr std::size_t kReadBuffer = std::size_t{64} << 10;

  explicit LoopHandles(uv_loop_t* loop) : loop_(loop) {}
  [[nodiscard]] uv_loop_t* loop() const { return loop_; }
  [[nodiscard]] std::size_t open() const { return open_; }

  // Called once, when no handle is open any more; at once when that is so now.
  void whenIdle(std::function<void()> callback) {
    if (open_ == 0) {
      callback();
    } else {
      idle_ = std::move(callback);
    }
  }

  // Where the sockets of the loop read to, one after the other: what one has read is used up before the next reads.
  [[nodiscard]] char* readBuffer() {
    if (!readBuffer_) readBuffer_ = std::make_unique_for_overwrite<char[]>(kReadBuffer);
    return readBuffer_.get();
  }

  void opened() { ++open_; }
  void closed() {
    if (--open_ == 0 && idle_) std::exchange(idle_, nullptr)();
  }

 private:
  uv_loop_t* loop_;
  std::size_t open_ = 0;
  std::unique_ptr<char[]> readBuffer_;
  std::function<void()> idle_;
};

using LoopHandlesPtr = std::shared_ptr<LoopHandles>;

template <class Handle>
class UvHandle {
 public:
  UvHandle() = default;
  // `init` is called with (loop, handle) and returns libuv's status; `owner` becomes handle->data.
  template <class Init>
  int open(const LoopHandlesPtr& loop, void* owner, Init init) {
    close();
    auto box = std::make_unique<Box>();
    const int status = init(loop->loop(), &box->handle);
    if (status != 0) return status;
    box->loop = loop;
    box->handle.data = owner;
    loop->opened();
    box_ = box.release();  // until onClosed adopts it
    return 0;
  }
  // What `other` has; its owner stays the same.
  void take(UvHandle& other) {
    close();
    box_ = std::exchange(other.box_, nullptr);
  }
  ~UvHandle() { close(); }
  UvHandle(const UvHandle&) = delete;
  UvHandle& operator=(const UvHandle&) = delete;

  void close() {
    if (box_ == nullptr) return;
    Box* box = std::exchange(box_, nullptr);
    box->handle.data = box;
    uv_close(reinterpret_cast<uv_handle_t*>(&box->handle), onClosed);
  }

  [[nodiscard]] bool isOpen() const { return box_ != nullptr; }
  [[nodiscard]] Handle* get() const { return box_ == nullptr ? nullptr : &box_->handle; }
  [[nodiscard]] uv_handle_t* base() const { return reinterpret_cast<uv_handle_t*>(get()); }

 private:
  struct Box {
    Handle handle;
    LoopHandlesPtr loop;
  };
  static void onClosed(uv_handle_t* handle) {
    const std::unique_ptr<Box> box(static_cast<Box*>(handle->data));
    const LoopHandlesPtr loop = box->loop;
    loop->closed();
  }

  Box* box_ = nullptr;
};

}  // namespace tiercel::redis
