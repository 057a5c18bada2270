// Waits awake for an answer that is about to come. With few commands in flight on a near server, most of their time
// goes into falling asleep and being woken: a few turns of the loop without sleep take less time, and less CPU. The
// other handles of the loop get their turns all the while, and so does a server on the same core. Where it does not pay
// (a far server), it notices and stops, but for a probe now and then.
#pragma once

#include <uv.h>

#include <algorithm>
#include <cstdint>
#include <thread>

#include "redis/uv_handle.h"

namespace tiercel::redis {

class ShortWait {
 public:
  void open(const LoopHandlesPtr& loop) {
    idle_.open(loop, this, [](uv_loop_t* raw, uv_idle_t* handle) { return uv_idle_init(raw, handle); });
    uv_unref(idle_.base());  // it must not keep a process alive
  }
  void close() { idle_.close(); }

  // Commands have left, and few are in flight.
  void begin() {
    if (!idle_.isOpen()) return;
    if (worth_ <= 0 && ++since_ % kProbe != 0) return;
    until_ = uv_hrtime() + kLongest;
    uv_idle_start(idle_.get(), [](uv_idle_t* idle) {
      auto* self = static_cast<ShortWait*>(idle->data);
      std::this_thread::yield();  // to a server on the same core; nothing where nobody else wants it
      if (uv_hrtime() < self->until_) return;
      uv_idle_stop(idle);
      self->worth_ = std::max(self->worth_ - kLost, 0);
    });
  }

  // Something has come.
  void end() {
    if (!idle_.isOpen() || uv_is_active(idle_.base()) == 0) return;
    uv_idle_stop(idle_.get());
    worth_ = std::min(worth_ + kWon, kMost);
  }

 private:
  static constexpr std::uint64_t kLongest = 50000;  // ns: about what falling asleep and waking costs (measured)
  static constexpr int kWon = 1;
  static constexpr int kLost = 2;
  static constexpr int kMost = 16;
  static constexpr unsigned kProbe = 256;

  UvHandle<uv_idle_t> idle_;
  std::uint64_t until_ = 0;
  int worth_ = kMost / 2;
  unsigned since_ = 0;
};

}  // namespace tiercel::redis
