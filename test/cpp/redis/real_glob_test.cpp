// Patterns are matched in memory as the server matches them: KEYS is asked about random ones.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "core/glob.h"
#include "real_server_fixture.h"

namespace tiercel::redis {
namespace {

using RealServerGlob = testing::RealServerFixture;

std::string randomText(std::mt19937_64& random, std::string_view alphabet, std::size_t most) {
  std::string text(random() % (most + 1), ' ');
  for (char& byte : text) byte = alphabet[random() % alphabet.size()];
  return text;
}

TEST_F(RealServerGlob, MatchesAsTheServerDoes) {
  std::mt19937_64 random(7);
  const auto connection = open();
  const std::string start = "glob" + std::to_string(getpid()) + ".";
  std::vector<std::string> keys;
  std::vector<std::string> command{"MSET"};
  for (int i = 0; i < 300; ++i) {
    keys.push_back(start + randomText(random, "aabbc-]^\\", 6));
    command.insert(command.end(), {keys.back(), "x"});
  }
  std::sort(keys.begin(), keys.end());
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  ASSERT_EQ(ask(*connection, command), "+OK");
  std::size_t matched = 0;
  for (int round = 0; round < 3000; ++round) {
    // The closing bracket is frequent, so that there are sets as well as what looks like one.
    const std::string pattern = start + randomText(random, "aabbc-]]]^[[[**?\\", 10);
    const std::string answer = ask(*connection, {"KEYS", pattern});
    std::multiset<std::string> theirs;
    std::size_t at = 2;  // *[$key $key]
    while (at < answer.size() - 1) {
      const std::size_t end = std::min(answer.find(" $", at), answer.size() - 1);
      theirs.insert(answer.substr(at + 1, end - at - 1));
      at = end + 1;
    }
    std::multiset<std::string> ours;
    for (const std::string& key : keys) {
      if (core::globMatches(pattern, key)) ours.insert(key);
    }
    ASSERT_EQ(ours, theirs) << pattern;
    matched += theirs.size();
  }
  EXPECT_GT(matched, 10000U) << "patterns that match nothing say nothing";
  command.assign({"UNLINK"});
  command.insert(command.end(), keys.begin(), keys.end());
  ask(*connection, command);
}

}  // namespace
}  // namespace tiercel::redis
