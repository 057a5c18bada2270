// The leases that this connection holds, with the stamps that their tags had before the load began.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/coherence/mark_list.h"
#include "core/coherence/tag_table.h"
#include "core/entry/entry.h"
#include "core/found.h"
#include "core/numbered.h"

namespace tiercel::redis {

using core::kAnyTag;
using core::LeaseNumber;

struct HeldTag {
  std::string name;
  core::Stamp stamp{};
};

struct Lease {
  std::string key;
  core::FillId id{};
  std::vector<HeldTag> tags;
  core::MarkList marks;  // one per tag; of those that addTags() added, perhaps fewer
  std::optional<core::Stamp> any;
  bool storable = false;  // every stamp was known when the load began, and has a mark
};

class LeaseBook {
 public:
  explicit LeaseBook(core::TagTable& tags) : tags_(tags) {}

  LeaseNumber open(std::string_view key, const core::FillId& id, std::span<const core::TagCell> cells,
                   core::Millis now) {
    const LeaseNumber number = leases_.open();
    Lease& lease = *leases_.find(number);
    lease.key.assign(key);
    lease.id = id;
    lease.tags.clear();
    lease.marks.clear();
    lease.any.reset();
    lease.storable = true;
    for (const core::TagCell cell : cells) {
      const auto stamp = tags_.stamp(cell, now);
      const std::string name = tags_.name(cell);
      if (name == kAnyTag) {
        lease.any = stamp;
        continue;
      }
      // Another thread may have changed it between the two: without a mark nobody would see that.
      const auto mark = stamp ? tags_.markOf(cell, *stamp, now) : std::nullopt;
      if (!mark) {
        lease.storable = false;
        continue;
      }
      lease.tags.push_back({name, *stamp});
      lease.marks.add(tags_, *mark);
    }
    return number;
  }

  Lease* find(LeaseNumber number) { return leases_.find(number); }

  void close(LeaseNumber number) {
    Lease* lease = find(number);
    if (lease == nullptr) return;
    lease->marks.clear();
    leases_.close(number);
  }

 private:
  core::TagTable& tags_;
  core::Numbered<Lease> leases_;
};

}  // namespace tiercel::redis
