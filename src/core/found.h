// What a tier says when it is asked for an entry, or for the lease of one.
#pragma once

#include <cstdint>
#include <string_view>

#include "core/clock.h"
#include "core/entry/entry.h"
#include "core/entry/freshness.h"

namespace tiercel::core {

using LeaseNumber = std::uint64_t;  // 0 is none; see Numbered

// What was found under a key, or came of asking for its lease. Views are valid until the call returns.
struct Found {
  enum class Kind : std::uint8_t {
    kHit,
    kMiss,
    kCorrupt,      // something that is no entry of ours
    kOutdated,     // an entry whose tags have changed; entry.fillId says which
    kAgain,        // what it takes to tell is on its way: ask again at once
    kLeased,       // `lease` is ours: load, and end it
    kBusy,         // somebody loads, for `left` ms at most
    kFailed,       // a load failed a moment ago; entry.payload says how, for `left` ms
    kUncacheable,  // a load has just ended without anything to keep
  };
  Kind kind = Kind::kMiss;
  Entry entry{};
  Deadlines deadlines{};  // of a hit
  Millis asOf = 0;        // when its deadlines were looked at, on their clock
  Millis left = 0;
  LeaseNumber lease = 0;
  std::string_view head{};  // the first bytes, for takeOver()
};

}  // namespace tiercel::core
