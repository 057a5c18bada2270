#include "core/memory/chunk_pool.h"

#include <new>

#if __has_include(<sys/mman.h>)
#include <sys/mman.h>
#define TIERCEL_HAS_MMAP 1
#else
#define TIERCEL_HAS_MMAP 0
#endif

namespace tiercel::core {

// Not from malloc: it keeps what it gets back, and the budget is about what the process takes.
void* ChunkSource::take(std::size_t bytes) noexcept {
#if TIERCEL_HAS_MMAP
  void* chunk = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return chunk == MAP_FAILED ? nullptr : chunk;
#else
  return ::operator new (bytes, std::align_val_t{16}, std::nothrow);
#endif
}

void ChunkSource::give(void* chunk, std::size_t bytes) noexcept {
#if TIERCEL_HAS_MMAP
  munmap(chunk, bytes);
#else
  static_cast<void>(bytes);
  ::operator delete (chunk, std::align_val_t{16});
#endif
}

ChunkSource& ChunkSource::system() {
  static ChunkSource source;
  return source;
}

void* ChunkPool::take(std::size_t bytes) noexcept {
  const std::size_t most = limit();
  if (bytes > most) return nullptr;
  const std::size_t before = mapped_.fetch_add(bytes, std::memory_order_relaxed);
  void* chunk = before > most - bytes ? nullptr : source_.take(bytes);
  if (chunk == nullptr) mapped_.fetch_sub(bytes, std::memory_order_relaxed);
  return chunk;
}

void ChunkPool::give(void* chunk, std::size_t bytes) noexcept {
  source_.give(chunk, bytes);
  mapped_.fetch_sub(bytes, std::memory_order_relaxed);
}

}  // namespace tiercel::core
