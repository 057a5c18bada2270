#include "allocations.h"

#include <malloc.h>

#include <atomic>
#include <cstdlib>
#include <new>

namespace tiercel::test {

namespace {

constexpr std::size_t kAllocatorHeader = 8;
std::atomic<std::size_t> allocated{0};
thread_local int successesLeft = -1;  // negative: nothing fails
thread_local bool anyFailed = false;

}  // namespace

std::size_t allocatedBytes() { return allocated.load(std::memory_order_relaxed); }

FailingAllocations::FailingAllocations(int successes) {
  anyFailed = false;
  successesLeft = successes;
}
FailingAllocations::~FailingAllocations() { successesLeft = -1; }
bool FailingAllocations::failed() const { return anyFailed; }

void* allocate(std::size_t size, std::size_t alignment = 0) noexcept {
  if (successesLeft == 0) {
    anyFailed = true;
    return nullptr;
  }
  if (successesLeft > 0) --successesLeft;
  void* memory = alignment == 0 ? std::malloc(size == 0 ? 1 : size) : std::aligned_alloc(alignment, size);
  if (memory != nullptr) {
    allocated.fetch_add(malloc_usable_size(memory) + kAllocatorHeader, std::memory_order_relaxed);
  }
  return memory;
}

void release(void* memory) noexcept {
  if (memory == nullptr) return;
  allocated.fetch_sub(malloc_usable_size(memory) + kAllocatorHeader, std::memory_order_relaxed);
  std::free(memory);
}

}  // namespace tiercel::test

// All forms, or a sanitizer's own would meet ours in a mismatched pair.
void* operator new(std::size_t size) {
  if (void* memory = tiercel::test::allocate(size)) return memory;
  throw std::bad_alloc();
}
void* operator new[](std::size_t size) { return operator new(size); }
void* operator new(std::size_t size, const std::nothrow_t&) noexcept { return tiercel::test::allocate(size); }
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept { return tiercel::test::allocate(size); }
void* operator new[](std::size_t size, std::align_val_t alignment) {
  if (void* memory = tiercel::test::allocate(size, static_cast<std::size_t>(alignment))) return memory;
  throw std::bad_alloc();
}
void operator delete[](void* memory, std::align_val_t) noexcept { tiercel::test::release(memory); }
void operator delete[](void* memory, std::size_t, std::align_val_t) noexcept { tiercel::test::release(memory); }
void operator delete(void* memory) noexcept { tiercel::test::release(memory); }
void operator delete[](void* memory) noexcept { tiercel::test::release(memory); }
void operator delete(void* memory, std::size_t) noexcept { tiercel::test::release(memory); }
void operator delete[](void* memory, std::size_t) noexcept { tiercel::test::release(memory); }
void operator delete(void* memory, const std::nothrow_t&) noexcept { tiercel::test::release(memory); }
void operator delete[](void* memory, const std::nothrow_t&) noexcept { tiercel::test::release(memory); }
