// Random bytes for fill ids and stamps, and random numbers for jitter.
#pragma once

#include <cstdint>

#include "core/entry/entry.h"

namespace tiercel::core {

// A 16-byte id that no other process produces: from the operating system's generator at the first use in a thread,
// then from a fast generator seeded with it.
FillId randomFillId();

// Uniform in [0, 1).
double randomUnit();

}  // namespace tiercel::core
