// How much of the heap is in use, with and without AddressSanitizer.
#pragma once

#include <cstddef>

#if defined(__SANITIZE_ADDRESS__)
#define TIERCEL_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define TIERCEL_ASAN 1
#endif
#endif
#ifdef TIERCEL_ASAN
// Of sanitizer/allocator_interface.h, which does not come with every gcc.
extern "C" std::size_t __sanitizer_get_current_allocated_bytes();
#else
#include <malloc.h>
#endif

namespace tiercel::redis::testing {

inline std::size_t heapInUse() {
#ifdef TIERCEL_ASAN
  return __sanitizer_get_current_allocated_bytes();
#else
  const struct mallinfo2 info = mallinfo2();
  return info.uordblks + info.hblkhd;
#endif
}

}  // namespace tiercel::redis::testing
