// tiercel_traces SIZE...                   hit ratios of a trace on the standard input: 32-bit ids, any byte order
// tiercel_traces --synthetic NAME SIZE...  of a trace made up here
// tiercel_traces --names                   the names of those
// Prints a line per size: size, accesses, hits of LRU, ours and OPT, and ns per access of ours.
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "simulate.h"
#include "synthetic.h"

namespace {

using tiercel::bench::Trace;

std::vector<std::uint32_t> readIds(std::FILE* file) {
  std::vector<std::uint32_t> ids;
  std::array<std::uint32_t, 16'384> buffer;
  while (const std::size_t count = std::fread(buffer.data(), sizeof(buffer[0]), buffer.size(), file)) {
    ids.insert(ids.end(), buffer.begin(), buffer.begin() + count);
  }
  return ids;
}

void compare(const Trace& trace, const std::vector<std::size_t>& lru, std::size_t entries) {
  using Clock = std::chrono::steady_clock;
  const Clock::time_point start = Clock::now();
  const std::size_t ours = tiercel::bench::hitsOfOurs(trace, entries);
  const std::chrono::duration<double, std::nano> took = Clock::now() - start;
  const std::size_t accesses = trace.accesses.size();
  std::printf("%zu %zu %zu %zu %zu %.0f\n", entries, accesses, lru[std::min(entries, lru.size() - 1)], ours,
              tiercel::bench::hitsOfOpt(trace, entries), took.count() / static_cast<double>(accesses));
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::string> arguments(argv + 1, argv + argc);
  if (arguments.size() == 1 && arguments[0] == "--names") {
    for (const std::string_view name : tiercel::bench::syntheticNames()) std::printf("%s\n", std::string(name).c_str());
    return 0;
  }
  const bool synthetic = arguments.size() > 1 && arguments[0] == "--synthetic";
  const std::vector<std::uint32_t> ids = synthetic ? tiercel::bench::syntheticTrace(arguments[1]) : readIds(stdin);
  if (synthetic) arguments.erase(arguments.begin(), arguments.begin() + 2);
  if (ids.empty() || arguments.empty()) {
    std::fprintf(stderr, "tiercel_traces: no accesses or no sizes\n");
    return 2;
  }
  const Trace trace = tiercel::bench::densified(ids);
  const std::vector<std::size_t> lru = tiercel::bench::hitsOfLru(trace);
  for (const std::string& size : arguments) {
    const std::size_t entries = std::strtoull(size.c_str(), nullptr, 10);
    if (entries == 0) {
      std::fprintf(stderr, "tiercel_traces: a size is a positive number of entries\n");
      return 2;
    }
    compare(trace, lru, entries);
  }
  return 0;
}
