#include "core/entry/freshness.h"

#include <algorithm>

namespace tiercel::core {

namespace {

// Also keeps the deadlines in order, whatever the entry says.
Deadlines deadlinesAt(const Entry& entry, Millis now, Millis age) {
  const auto rest = [&](Millis duration) { return later(now, std::clamp<Millis>(duration, 0, kForever) - age); };
  const Millis goneAt = rest(entry.keepFor);
  const Millis staleUntil = std::min(rest(entry.staleFor), goneAt);
  return {.freshUntil = std::min(rest(entry.freshFor), staleUntil), .staleUntil = staleUntil, .goneAt = goneAt};
}

}  // namespace

Deadlines deadlinesFrom(const Entry& entry, Millis now) { return deadlinesAt(entry, now, 0); }

Deadlines deadlinesFrom(const Entry& entry, Millis now, Millis left) {
  const Millis keepFor = std::clamp<Millis>(entry.keepFor, 0, kForever);
  return deadlinesAt(entry, now, keepFor - std::clamp<Millis>(left, 0, keepFor));
}

Freshness freshnessAt(const Deadlines& deadlines, Millis now) {
  if (now < deadlines.freshUntil) return Freshness::kFresh;
  return now < deadlines.staleUntil ? Freshness::kStale : Freshness::kStaleError;
}

}  // namespace tiercel::core
