// An array indexed by slot that grows by a chunk at a time: growing copies nothing, and takes no more than it needs.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "core/eviction_policy.h"

namespace tiercel::core {

template <typename T>
class SlotArray {
 public:
  static constexpr std::size_t kChunk = 1024;

  T& operator[](Slot slot) { return chunks_[slot / kChunk][slot % kChunk]; }
  const T& operator[](Slot slot) const { return chunks_[slot / kChunk][slot % kChunk]; }
  [[nodiscard]] std::size_t size() const { return size_; }

  // One more. May throw std::bad_alloc, and has then changed nothing.
  void grow() {
    if (size_ == chunks_.size() * kChunk) chunks_.push_back(std::make_unique<T[]>(kChunk));
    ++size_;
  }

  // Keeps the first chunk, so that a small table which comes and goes does not allocate each time.
  void clear() {
    if (chunks_.size() > 1) chunks_.erase(chunks_.begin() + 1, chunks_.end());
    for (std::size_t i = 0; i < size_ && i < kChunk; ++i) chunks_[0][i] = T{};
    size_ = 0;
  }

 private:
  std::vector<std::unique_ptr<T[]>> chunks_;
  std::size_t size_ = 0;
};

}  // namespace tiercel::core
