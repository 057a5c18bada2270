#include "simulate.h"

#include <queue>
#include <unordered_map>

#include "core/memory/eviction.h"

namespace tiercel::bench {

namespace {

using core::EvictionNode;
using core::kNoSlot;
using core::Slot;

// A key's number is its slot.
struct Nodes {
  std::vector<EvictionNode> nodes;

  EvictionNode& node(Slot slot) { return nodes[slot]; }
  static std::size_t weight(Slot /*slot*/) { return 1; }
  static std::uint32_t hash(Slot slot) {
    std::uint64_t mixed = (std::uint64_t{slot} + 1) * 0x9E3779B97F4A7C15U;
    mixed = (mixed ^ mixed >> 32) * 0xD6E8FEB86659FD93U;
    return static_cast<std::uint32_t>(mixed >> 32);
  }
};

constexpr std::uint32_t kNever = UINT32_MAX;

}  // namespace

Trace densified(const std::vector<std::uint32_t>& ids) {
  Trace trace;
  trace.accesses.reserve(ids.size());
  std::unordered_map<std::uint32_t, std::uint32_t> numbers;
  for (const std::uint32_t id : ids) {
    trace.accesses.push_back(numbers.try_emplace(id, static_cast<std::uint32_t>(numbers.size())).first->second);
  }
  trace.keys = static_cast<std::uint32_t>(numbers.size());
  return trace;
}

std::size_t hitsOfOurs(const Trace& trace, std::size_t entries) {
  Nodes nodes{std::vector<EvictionNode>(trace.keys)};
  std::vector<bool> resident(trace.keys);
  core::Eviction<Nodes> eviction(nodes);
  eviction.setCapacity(entries);
  std::size_t hits = 0;
  std::size_t used = 0;
  for (const std::uint32_t key : trace.accesses) {
    if (resident[key]) {
      ++hits;
      eviction.touched(key);
      continue;
    }
    resident[key] = true;
    ++used;
    eviction.added(key);
    while (used > entries) {
      const Slot victim = eviction.victim(kNoSlot);
      eviction.removed(victim);
      resident[victim] = false;
      --used;
    }
  }
  return hits;
}

// A Fenwick tree over the accesses marks the last access of every key: the marks after a key's own are the keys asked
// for since.
std::vector<std::size_t> hitsOfLru(const Trace& trace) {
  const std::size_t count = trace.accesses.size();
  std::vector<std::uint32_t> tree(count + 1);
  const auto mark = [&](std::size_t at, std::uint32_t by) {
    for (++at; at <= count; at += at & -at) tree[at] += by;
  };
  const auto marksBefore = [&](std::size_t at) {
    std::uint32_t marks = 0;
    for (; at > 0; at -= at & -at) marks += tree[at];
    return marks;
  };
  std::vector<std::uint32_t> last(trace.keys, kNever);
  std::vector<std::size_t> hits(std::size_t{trace.keys} + 1);
  std::uint32_t seen = 0;
  for (std::size_t now = 0; now < count; ++now) {
    const std::uint32_t key = trace.accesses[now];
    if (last[key] == kNever) {
      ++seen;
    } else {
      ++hits[seen - marksBefore(last[key])];
      mark(last[key], UINT32_MAX);
    }
    mark(now, 1);
    last[key] = static_cast<std::uint32_t>(now);
  }
  for (std::size_t entries = 1; entries < hits.size(); ++entries) hits[entries] += hits[entries - 1];
  return hits;
}

// Drops the key that is asked for last of all, the newcomer included.
std::size_t hitsOfOpt(const Trace& trace, std::size_t entries) {
  const std::size_t count = trace.accesses.size();
  std::vector<std::uint32_t> next(count);
  std::vector<std::uint32_t> upcoming(trace.keys, kNever);
  for (std::size_t now = count; now-- > 0;) {
    next[now] = upcoming[trace.accesses[now]];
    upcoming[trace.accesses[now]] = static_cast<std::uint32_t>(now);
  }
  // One element per access, keyed by the next one. Those of keys that were asked for since are behind the present.
  std::vector<bool> resident(trace.keys);
  std::priority_queue<std::pair<std::uint32_t, std::uint32_t>> farthest;
  std::size_t used = 0;
  std::size_t hits = 0;
  for (std::size_t now = 0; now < count; ++now) {
    const std::uint32_t key = trace.accesses[now];
    if (resident[key]) {
      ++hits;
    } else {
      resident[key] = true;
      ++used;
    }
    farthest.emplace(next[now], key);
    if (used > entries) {
      resident[farthest.top().second] = false;
      farthest.pop();
      --used;
    }
  }
  return hits;
}

}  // namespace tiercel::bench
