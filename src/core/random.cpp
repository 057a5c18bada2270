#include "core/random.h"

#include <pthread.h>
#include <sys/random.h>
#include <unistd.h>

#include <atomic>
#include <bit>
#include <chrono>
#include <cstring>

namespace tiercel::core {

namespace {

// Grows in every forked child, so that it does not go on with its parent's numbers.
std::atomic<unsigned> forks{0};

// Whether `forks` is kept; else every number has to ask for the process id. Constant after the first call.
bool forksAreWatched() {
  static const bool watched =
      pthread_atfork(nullptr, nullptr, [] { forks.fetch_add(1, std::memory_order_relaxed); }) == 0;
  return watched;
}

// xoshiro256**, seeded by the operating system.
class Generator {
 public:
  std::uint64_t next() {
    if (forks_ != forks.load(std::memory_order_relaxed) || (!watched_ && process_ != getpid())) seed();
    const std::uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
    const std::uint64_t shifted = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= shifted;
    state_[3] = std::rotl(state_[3], 45);
    return result;
  }

 private:
  void seed() {
    watched_ = forksAreWatched();
    process_ = getpid();
    forks_ = forks.load(std::memory_order_relaxed);
    // Without the system's generator (no such kernel, a sandbox) there is nothing to fail with: what tells processes,
    // threads and moments apart has to do.
    if (getentropy(state_, sizeof(state_)) != 0) {
      state_[0] ^= static_cast<std::uint64_t>(std::chrono::system_clock::now().time_since_epoch().count());
      state_[1] ^= static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
      state_[2] ^= static_cast<std::uint64_t>(process_) << 32;
      state_[3] ^= static_cast<std::uint64_t>(reinterpret_cast<std::uintptr_t>(this));
    }
    state_[0] |= 1;  // all zeros would stay zeros
  }

  std::uint64_t state_[4] = {};
  unsigned forks_ = ~0U;
  bool watched_ = false;
  pid_t process_ = 0;
};

Generator& generator() {
  thread_local Generator instance;
  return instance;
}

}  // namespace

FillId randomFillId() {
  FillId id;
  const std::uint64_t words[2] = {generator().next(), generator().next()};
  std::memcpy(id.data(), words, sizeof(words));
  return id;
}

double randomUnit() { return static_cast<double>(generator().next() >> 11) * 0x1.0p-53; }

}  // namespace tiercel::core
