// Until when an entry may be used, and how fresh it is until then.
#pragma once

#include <cstdint>

#include "core/clock.h"
#include "core/entry/entry.h"

namespace tiercel::core {

// Until when an entry may be used, on the clock that the caller hands in. freshUntil <= staleUntil <= goneAt.
struct Deadlines {
  Millis freshUntil = 0;
  Millis staleUntil = 0;
  Millis goneAt = 0;
};

// Deadlines of an entry that was filled just now, or of one with `left` ms to live in Redis (PTTL): its age is then
// keepFor - left, measured by the server alone.
Deadlines deadlinesFrom(const Entry& entry, Millis now);
Deadlines deadlinesFrom(const Entry& entry, Millis now, Millis left);

enum class Freshness : std::uint8_t {
  kFresh,
  kStale,       // may be served while somebody revalidates it (staleWhileRevalidate)
  kStaleError,  // may be served only when the loader fails (staleIfError)
};

Freshness freshnessAt(const Deadlines& deadlines, Millis now);

}  // namespace tiercel::core
