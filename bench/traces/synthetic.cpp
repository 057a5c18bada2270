#include "synthetic.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace tiercel::bench {

namespace {

constexpr std::size_t kAccesses = 400'000;
constexpr std::uint32_t kOnce = 1U << 30;  // ids from here on are asked for once

class Random {
 public:
  std::uint32_t below(std::uint32_t limit) { return static_cast<std::uint32_t>((next() >> 32) * limit >> 32); }
  double unit() { return static_cast<double>(next() >> 11) * 0x1p-53; }

 private:
  std::uint64_t next() {
    std::uint64_t mixed = state_ += 0x9E3779B97F4A7C15U;
    mixed = (mixed ^ mixed >> 30) * 0xBF58476D1CE4E5B9U;
    mixed = (mixed ^ mixed >> 27) * 0x94D049BB133111EBU;
    return mixed ^ mixed >> 31;
  }

  std::uint64_t state_ = 42;
};

class Zipf {
 public:
  Zipf(std::uint32_t keys, double exponent) {
    double sum = 0;
    for (std::uint32_t rank = 1; rank <= keys; ++rank) sums_.push_back(sum += std::pow(rank, -exponent));
  }
  std::uint32_t draw(Random& random) const {
    const auto found = std::upper_bound(sums_.begin(), sums_.end(), random.unit() * sums_.back());
    return static_cast<std::uint32_t>(std::min<std::size_t>(found - sums_.begin(), sums_.size() - 1));
  }

 private:
  std::vector<double> sums_;
};

using Ids = std::vector<std::uint32_t>;

Ids zipf(double exponent) {
  Random random;
  const Zipf ranks(20'000, exponent);
  Ids ids(kAccesses);
  for (std::uint32_t& id : ids) id = ranks.draw(random);
  return ids;
}

// The popular keys become others: `by` ranks further every 1,000 accesses.
Ids shifting(std::uint32_t by) {
  Random random;
  const Zipf ranks(20'000, 0.9);
  Ids ids(kAccesses);
  for (std::size_t i = 0; i < ids.size(); ++i) {
    ids[i] = ranks.draw(random) + static_cast<std::uint32_t>(i / 1000) * by;
  }
  return ids;
}

// All popular keys are exchanged for others five times.
Ids phases() {
  Random random;
  const Zipf ranks(10'000, 1.0);
  Ids ids(kAccesses);
  for (std::size_t i = 0; i < ids.size(); ++i) {
    ids[i] = ranks.draw(random) + static_cast<std::uint32_t>(i / (kAccesses / 5)) * 10'000;
  }
  return ids;
}

// What was asked for lately is asked for again: LRU's own model. Depths in the stack are drawn from a Pareto
// distribution, and a share of the keys is new.
Ids recency(double share, double exponent, std::uint32_t depths) {
  Random random;
  const Zipf ranks(depths, exponent);
  Ids stack;  // newest last
  Ids ids(kAccesses / 2);
  std::uint32_t fresh = 0;
  for (std::uint32_t& id : ids) {
    const std::uint32_t depth = ranks.draw(random);
    if (depth >= stack.size() || random.unit() < share) {
      id = fresh++;
    } else {
      const auto at = stack.end() - 1 - depth;
      id = *at;
      stack.erase(at);
    }
    stack.push_back(id);
    if (stack.size() > depths * std::size_t{2}) stack.erase(stack.begin(), stack.begin() + depths);
  }
  return ids;
}

// A key is asked for a few times within a short while, and never again.
Ids bursts() {
  Random random;
  Ids live(600);
  std::uint32_t fresh = 0;
  for (std::uint32_t& id : live) id = fresh++;
  Ids ids(kAccesses);
  for (std::uint32_t& id : ids) {
    std::uint32_t& one = live[random.below(600)];
    id = one;
    if (random.below(4) == 0) one = fresh++;
  }
  return ids;
}

// Asked for twice in quick succession, then now and then by popularity.
Ids pairs() {
  Random random;
  const Zipf ranks(20'000, 0.8);
  Ids ids;
  Ids due(50, 0);
  while (ids.size() < kAccesses) {
    std::uint32_t& slot = due[random.below(50)];
    ids.push_back(slot);
    slot = ranks.draw(random);
    ids.push_back(slot);
  }
  return ids;
}

// Popular keys, and every 20,000 accesses a scan of 5,000 others.
Ids scans() {
  Random random;
  const Zipf ranks(10'000, 0.9);
  Ids ids;
  while (ids.size() < kAccesses) {
    for (int i = 0; i < 20'000; ++i) ids.push_back(ranks.draw(random));
    for (std::uint32_t i = 0; i < 5'000; ++i) ids.push_back(100'000 + i);
  }
  return ids;
}

Ids once() {
  Random random;
  const Zipf ranks(5'000, 0.9);
  Ids ids(kAccesses);
  std::uint32_t fresh = kOnce;
  for (std::uint32_t& id : ids) id = random.below(2) == 0 ? fresh++ : ranks.draw(random);
  return ids;
}

Ids loops(std::initializer_list<std::uint32_t> lengths) {
  Random random;
  std::vector<std::uint32_t> at(lengths.size());
  Ids ids(kAccesses);
  for (std::uint32_t& id : ids) {
    const std::uint32_t one = random.below(static_cast<std::uint32_t>(lengths.size()));
    const std::uint32_t length = lengths.begin()[one];
    id = one * 100'000 + at[one];
    at[one] = (at[one] + 1) % length;
  }
  return ids;
}

// A loop, then LRU's own model, then popularity, in turns.
Ids mixture() {
  const Ids first = loops({1500});
  const Ids second = recency(0.1, 0.9, 3'000);
  const Ids third = zipf(0.9);
  constexpr std::size_t kPart = 50'000;
  Ids ids;
  for (std::size_t part = 0; part < 3; ++part) {
    ids.insert(ids.end(), first.begin() + part * kPart, first.begin() + (part + 1) * kPart);
    for (std::size_t i = 0; i < kPart; ++i) ids.push_back(second[part * kPart + i] + 1'000'000);
    for (std::size_t i = 0; i < kPart; ++i) ids.push_back(third[part * kPart + i] + 2'000'000);
  }
  return ids;
}

struct Named {
  std::string_view name;
  Ids (*make)();
};

constexpr Named kTraces[] = {
    {"zipf-0.7", [] { return zipf(0.7); }},
    {"zipf-0.9", [] { return zipf(0.9); }},
    {"zipf-1.1", [] { return zipf(1.1); }},
    {"shift-slow", [] { return shifting(2); }},
    {"shift-fast", [] { return shifting(50); }},
    {"phases", phases},
    {"recency-steep", [] { return recency(0.2, 1.1, 4'000); }},
    {"recency-even", [] { return recency(0.05, 0.6, 4'000); }},
    {"recency-flat", [] { return recency(0.1, 0.0, 1'500); }},
    {"bursts", bursts},
    {"pairs", pairs},
    {"scans", scans},
    {"once", once},
    {"loop-1100", [] { return loops({1'100}); }},
    {"loops",
     [] {
       return loops({200, 900, 3'000});
     }},
    {"mixture", mixture},
};

}  // namespace

std::vector<std::uint32_t> syntheticTrace(std::string_view name) {
  for (const Named& trace : kTraces) {
    if (trace.name == name) return trace.make();
  }
  return {};
}

std::vector<std::string_view> syntheticNames() {
  std::vector<std::string_view> names;
  for (const Named& trace : kTraces) names.push_back(trace.name);
  return names;
}

}  // namespace tiercel::bench
