#include "core/random.h"

#include <pthread.h>

#include <atomic>
#include <bit>
#include <cstring>
#include <random>

namespace tiercel::core {

namespace {

// Grows in every forked child, so that it does not go on with its parent's numbers.
std::atomic<unsigned> forks{0};

// xoshiro256**, seeded by the operating system.
class Generator {
 public:
  std::uint64_t next() {
    if (forks_ != forks.load(std::memory_order_relaxed)) seed();
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
    static const int watching = pthread_atfork(nullptr, nullptr, [] { forks.fetch_add(1, std::memory_order_relaxed); });
    (void)watching;
    std::random_device device;
    for (std::uint64_t& word : state_) word = (std::uint64_t{device()} << 32) | device();
    state_[0] |= 1;  // all zeros would stay zeros
    forks_ = forks.load(std::memory_order_relaxed);
  }

  std::uint64_t state_[4] = {};
  unsigned forks_ = ~0U;
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
