#include "redis/server_words.h"

#include <algorithm>

namespace tiercel::redis {

namespace {

// So much of a password tells too much, where a server repeats only the beginning. A shorter one may be a part of any
// word: it is taken out alone.
constexpr std::size_t kTelling = 4;

// As servers write what they put in quotes.
std::string escaped(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    result += c;
  }
  return result;
}

}  // namespace

std::string shown(std::string_view words, std::string_view secret) {
  std::string text(words.substr(0, words.find(", with args beginning with")));
  if (text.size() > kMostShown) text = text.substr(0, kMostShown) + "…";
  if (secret.size() < kTelling) {
    for (std::size_t at = 0; !secret.empty() && (at = text.find(secret, at)) != std::string::npos; at += 3) {
      text.replace(at, secret.size(), "***");
    }
    return text;
  }
  const std::size_t at = std::min(text.find(secret.substr(0, kTelling)),
                                  text.find(escaped(secret.substr(0, kTelling)).substr(0, kTelling)));
  return at == std::string::npos ? text : text.substr(0, at) + "***";
}

}  // namespace tiercel::redis
