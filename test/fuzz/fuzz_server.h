// As much of a Redis server as a cache tier can see: strings with expiries, the scripts of src/redis/cache_scripts.h,
// and client tracking, announced behind the answer to the command that changed something.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "fuzz_clock.h"
#include "fuzz_wire.h"
#include "redis/cache_scripts.h"

namespace tiercel::fuzz {

inline std::string bulk(std::string_view bytes) {
  return "$" + std::to_string(bytes.size()) + "\r\n" + std::string(bytes) + "\r\n";
}
inline std::string integer(std::int64_t value) { return ":" + std::to_string(value) + "\r\n"; }

class Server {
 public:
  bool tracks = false;          // CLIENT TRACKING ON
  bool refusesScripts = false;  // NOPERM for each EVAL
  bool full = false;            // OOM for whatever writes

  // Another client writes, or removes with an empty value.
  void change(const std::string& key, const std::string& value, std::int64_t keepFor) {
    if (value.empty()) {
      data_.erase(key);
    } else {
      data_[key] = {value, clockMilliseconds() + keepFor};
    }
    if (onChange) onChange(key, value);
    announce(key);
  }
  void flushAll() {
    data_.clear();
    tracked_.clear();
    if (tracks) out += ">2\r\n$10\r\ninvalidate\r\n_\r\n";
  }
  [[nodiscard]] std::string read(const std::string& key) {
    const auto at = data_.find(key);
    if (at == data_.end()) return "";
    if (at->second.until > clockMilliseconds()) return at->second.value;
    data_.erase(at);
    announce(key);
    return "";
  }
  // A connection was lost: what it tracked is forgotten.
  void forgetClient() {
    tracks = false;
    tracked_.clear();
    out.clear();
  }

  // Carries a command out; its answer, and the announcements behind it, are added to `out`.
  void run(const Words& words) {
    std::string pushes;
    std::swap(out, pushes);  // announce() writes behind the answer
    const std::string answer = answerTo(words);
    std::swap(out, pushes);
    out += answer + pushes;
  }

  std::string out;
  std::function<void(const std::string& key, const std::string& value)> onChange;

 private:
  struct Value {
    std::string value;
    std::int64_t until = 0;
  };

  void announce(const std::string& key) {
    if (tracked_.erase(key) > 0 && tracks) out += ">2\r\n$10\r\ninvalidate\r\n*1\r\n" + bulk(key);
  }
  void track(const std::string& key) {
    if (tracks) tracked_.insert(key);
  }
  std::int64_t left(const std::string& key) {
    const bool there = !read(key).empty();
    return there ? data_[key].until - clockMilliseconds() : -2;
  }
  std::string part(const std::string& key, std::size_t from, std::size_t to) {
    const std::string value = read(key);
    return from < value.size() ? value.substr(from, to + 1 - from) : "";
  }
  void overwrite(const std::string& key, std::size_t at, std::string_view bytes) {
    std::string& value = data_[key].value;
    value.resize(std::max(value.size(), at + bytes.size()), '\0');
    value.replace(at, bytes.size(), bytes);
    if (onChange) onChange(key, value);
    announce(key);
  }

  std::string answerTo(const Words& words) {
    constexpr std::string_view kNil = "_\r\n";
    const std::string& name = words[0];
    if (name == "HELLO") return "%1\r\n+proto\r\n:3\r\n";
    if (name == "CLIENT") {
      if (words[1] == "TRACKING") tracks = true;
      return "+OK\r\n";
    }
    if (name == "PING") return words.size() > 1 ? bulk(words[1]) : "+PONG\r\n";
    if (name == "EVAL" || name == "EVALSHA") return script(words);
    const std::string& key = words[1];
    if (name == "GET") {
      track(key);
      const std::string value = read(key);
      return value.empty() ? std::string(kNil) : bulk(value);
    }
    if (name == "MGET") {
      std::string all = "*" + std::to_string(words.size() - 1) + "\r\n";
      for (std::size_t i = 1; i < words.size(); ++i) {
        track(words[i]);
        const std::string value = read(words[i]);
        all += value.empty() ? std::string(kNil) : bulk(value);
      }
      return all;
    }
    if (name == "PTTL") {
      track(key);
      return integer(left(key));
    }
    if (name == "GETRANGE") {
      track(key);
      return bulk(part(key, std::stoul(words[2]), std::stoul(words[3])));
    }
    if (name == "UNLINK") {
      const bool there = !read(key).empty();
      if (there) change(key, "", 0);
      return integer(there ? 1 : 0);
    }
    if (full) return "-OOM command not allowed when used memory > 'maxmemory'.\r\n";
    if (name == "SET") {
      const bool onlyNew = words[3] == "NX";
      if (onlyNew && !read(key).empty()) return std::string(kNil);
      change(key, words[2], std::stoll(words.back()));
      return "+OK\r\n";
    }
    return ":1\r\n";  // the index of tags
  }

  std::string script(const Words& words) {
    using redis::Script;
    std::size_t which = 0;
    while (which < redis::kScripts && words[1] != redis::kScriptSources[which]) ++which;
    if (refusesScripts) return "-NOPERM this user has no permissions to run the 'eval' command\r\n";
    if (full) return "-OOM command not allowed when used memory > 'maxmemory'.\r\n";
    const std::string& key = words[3];
    const auto keys = static_cast<std::size_t>(std::stoul(words[2]));
    const auto argument = [&](std::size_t at) { return words.at(2 + keys + at); };
    const std::string value = read(key);
    const bool entry = value.size() >= 88 && value[2] == 0;
    const std::string lease = value.size() >= 80 ? value.substr(64, 16) : "";
    const auto changed = [&](std::int64_t result) {
      track(key);
      return integer(result);
    };
    switch (static_cast<Script>(which)) {
      case Script::kStoreTagged: {
        std::string stored = argument(1);
        for (std::size_t i = 1; i < keys; ++i) {
          const std::string stamp = read(words.at(3 + i));
          if (stamp.size() != 16) return integer(-4);
          stored.replace(static_cast<std::size_t>(std::stoul(argument(2 + i))), 16, stamp);
        }
        change(key, stored, std::stoll(argument(2)));
        track(key);
        std::string told = "*" + std::to_string(keys) + "\r\n" + integer(left(key));
        for (std::size_t i = 1; i < keys; ++i) told += bulk(read(words.at(3 + i)));
        return told;
      }
      case Script::kFill:
        if (lease != argument(1)) return changed(-3);
        change(key, argument(2), std::stoll(argument(3)));
        return changed(left(key));
      case Script::kRefresh:
        if (!entry) return changed(-1);
        if (until(value) > clockMilliseconds()) return changed(lease == std::string(16, '\0') ? 2 : 0);
        overwrite(key, 64, argument(1) + time(clockMilliseconds() + std::stoll(argument(2))));
        return changed(1);
      case Script::kTakeOver:
        if (value.substr(0, 24) != argument(1)) return changed(0);
        change(key, argument(2), std::stoll(argument(3)));
        return changed(1);
      case Script::kFail:
        if (lease != argument(1)) return changed(0);
        if (!entry) {
          const bool told = argument(3) != "0" && !argument(2).empty();
          change(key, told ? argument(2) : "", told ? std::stoll(argument(3)) : 0);
        } else {
          overwrite(key, 64, std::string(16, '\0') + time(std::stoll(argument(3)) + clockMilliseconds()));
        }
        return changed(1);
      case Script::kSoften:
        if (!entry) {
          change(key, "", 0);
          return changed(0);
        }
        overwrite(key, 64, std::string(22, '\0') + '\1');
        return changed(1);
      case Script::kHeld:
        return changed(lease == argument(1) ? 1 : 0);
      case Script::kSweep:
        return changed(0);
      case Script::kRenew:
        if (lease != argument(1)) return changed(0);
        if (entry) {
          overwrite(key, 80, time(clockMilliseconds() + std::stoll(argument(2))));
        } else {
          change(key, value, std::stoll(argument(2)));
        }
        return changed(1);
    }
    return "-ERR unknown script\r\n";
  }
  static std::string time(std::int64_t at) {
    std::string bytes;
    for (int i = 0; i < 6; ++i) bytes += static_cast<char>(at >> (8 * i) & 255);
    return bytes;
  }
  static std::int64_t until(const std::string& value) {
    std::int64_t at = 0;
    for (int i = 5; i >= 0; --i) at = at * 256 + static_cast<unsigned char>(value[80 + static_cast<std::size_t>(i)]);
    return at;
  }

  std::map<std::string, Value> data_;
  std::set<std::string> tracked_;
};

}  // namespace tiercel::fuzz
