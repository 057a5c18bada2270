// Where the arenas of a memory tier get their chunks: from the system, up to a limit that they share.
#pragma once

#include <atomic>
#include <cstddef>

namespace tiercel::core {

// Pages of the system. Tests put one that fails in its place.
class ChunkSource {
 public:
  ChunkSource() = default;
  virtual ~ChunkSource() = default;
  ChunkSource(const ChunkSource&) = delete;
  ChunkSource& operator=(const ChunkSource&) = delete;

  // At least 16-byte aligned; nullptr when there is no memory.
  virtual void* take(std::size_t bytes) noexcept;
  virtual void give(void* chunk, std::size_t bytes) noexcept;

  static ChunkSource& system();
};

// Thread-safe.
class ChunkPool {
 public:
  ChunkPool(ChunkSource& source, std::size_t limit) : source_(source), limit_(limit) {}

  // nullptr: over the limit, or no memory.
  void* take(std::size_t bytes) noexcept;
  void give(void* chunk, std::size_t bytes) noexcept;

  [[nodiscard]] std::size_t mapped() const { return mapped_.load(std::memory_order_relaxed); }
  // So much of the limit is used by others.
  void reserve(std::size_t bytes) noexcept { reserved_.store(bytes, std::memory_order_relaxed); }
  // Whether so much more is within the limit.
  [[nodiscard]] bool hasRoom(std::size_t bytes) const { return bytes <= limit() && mapped() <= limit() - bytes; }
  [[nodiscard]] bool isOver() const { return mapped() > limit(); }

 private:
  [[nodiscard]] std::size_t limit() const {
    const std::size_t reserved = reserved_.load(std::memory_order_relaxed);
    return reserved < limit_ ? limit_ - reserved : 0;
  }

  ChunkSource& source_;
  const std::size_t limit_;
  std::atomic<std::size_t> reserved_{0};
  std::atomic<std::size_t> mapped_{0};
};

}  // namespace tiercel::core
