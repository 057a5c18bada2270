#include "core/glob.h"

#include <cstddef>
#include <optional>
#include <utility>

namespace tiercel::core {

namespace {

// Matches one byte against the set that begins behind '[' at `at`, and moves `at` behind its end. An unclosed set ends
// with the pattern, as in Redis.
bool setMatches(std::string_view pattern, std::size_t& at, unsigned char byte) {
  const bool negated = at < pattern.size() && pattern[at] == '^';
  if (negated) ++at;
  bool found = false;
  while (at < pattern.size() && pattern[at] != ']') {
    if (pattern[at] == '\\' && at + 1 < pattern.size()) {
      ++at;
      found = found || static_cast<unsigned char>(pattern[at]) == byte;
      ++at;
    } else if (at + 2 < pattern.size() && pattern[at + 1] == '-') {
      auto low = static_cast<unsigned char>(pattern[at]);
      auto high = static_cast<unsigned char>(pattern[at + 2]);
      if (low > high) std::swap(low, high);
      found = found || (byte >= low && byte <= high);
      at += 3;
    } else {
      found = found || static_cast<unsigned char>(pattern[at]) == byte;
      ++at;
    }
  }
  if (at < pattern.size()) ++at;  // the ']'
  return found != negated;
}

// Matches one byte against the element at `at`, and moves `at` behind it.
bool elementMatches(std::string_view pattern, std::size_t& at, char byte) {
  switch (pattern[at]) {
    case '?':
      ++at;
      return true;
    case '[':
      ++at;
      return setMatches(pattern, at, static_cast<unsigned char>(byte));
    case '\\':
      if (at + 1 < pattern.size()) ++at;
      [[fallthrough]];
    default:
      return pattern[at++] == byte;
  }
}

}  // namespace

// Only the last star is ever tried again: linear in practice, and never worse than pattern times text.
bool globMatches(std::string_view pattern, std::string_view text) {
  std::size_t at = 0;
  std::size_t read = 0;
  std::optional<std::pair<std::size_t, std::size_t>> star;  // behind it in the pattern; where it ends in the text
  while (read < text.size() || at < pattern.size()) {
    if (at < pattern.size() && pattern[at] == '*') {
      star = {++at, read};
      continue;
    }
    if (at < pattern.size() && read < text.size()) {
      std::size_t next = at;
      if (elementMatches(pattern, next, text[read])) {
        at = next;
        ++read;
        continue;
      }
    }
    if (!star || star->second >= text.size()) return false;
    read = ++star->second;
    at = star->first;
  }
  return true;
}

}  // namespace tiercel::core
