// Patterns as Redis has them. (That a server agrees about random ones is a test of the redis layer.)
#include "core/glob.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace tiercel::test {
namespace {

using core::globMatches;

TEST(Glob, MatchesAsDocumented) {
  const struct {
    std::string_view pattern;
    std::string_view text;
    bool matches;
  } cases[] = {
      {"", "", true},
      {"", "a", false},
      {"a", "", false},
      {"abc", "abc", true},
      {"abc", "abd", false},
      {"abc", "abcd", false},
      {"abcd", "abc", false},
      // any number of bytes
      {"*", "", true},
      {"*", "anything:at all", true},
      {"**", "", true},
      {"a*", "a", true},
      {"a*", "ba", false},
      {"*a", "bca", true},
      {"*a", "ab", false},
      {"a*c", "abbbc", true},
      {"a*c", "abbb", false},
      {"*a*b*", "xaybz", true},
      {"*a*b*", "xbya", false},
      {"a***b", "ab", true},
      {"user:*:name", "user:1:2:name", true},
      {"*ab", "aab", true},
      {"*aab", "aaab", true},
      {"a*b*c", "abcbcb", false},
      // one byte
      {"?", "", false},
      {"?", "a", true},
      {"?", "ab", false},
      {"a?c", "abc", true},
      {"??", "\xc3\xa4", true},
      {"?", "\xc3\xa4", false},
      {"*?", "", false},
      {"?*", "a", true},
      // one of a set
      {"[abc]", "b", true},
      {"[abc]", "d", false},
      {"[abc]", "", false},
      {"h[ae]llo", "hallo", true},
      {"h[ae]llo", "hillo", false},
      {"[abc", "b", true},
      {"[abc", "d", false},
      {"[abc", "bc", false},
      {"[", "[", false},
      {"[", "a", false},
      {"[]", "]", false},
      {"[]a]", "a]", false},
      {"a[b]*", "abc", true},
      {"*[b]", "aab", true},
      {"[*]", "*", true},
      {"[*]", "a", false},
      {"[?]", "a", false},
      // none of a set
      {"[^abc]", "d", true},
      {"[^abc]", "b", false},
      {"[^a", "b", true},
      {"[^a", "a", false},
      {"[^]", "a", true},
      {"[^]", "]", true},
      {"[^", "a", true},
      {"[a^]", "^", true},
      {"h[^e]llo", "hello", false},
      // a range
      {"[a-c]", "b", true},
      {"[a-c]", "d", false},
      {"[c-a]", "b", true},
      {"[^a-c]", "b", false},
      {"[^a-c]", "d", true},
      {"[0-9a-f]", "e", true},
      {"[0-9a-f]", "g", false},
      {"[a-]", "a", true},
      {"[a-]", "]", true},
      {"[-a]", "-", true},
      {"[a-", "-", true},
      {"[a-", "b", false},
      {"[\x80-\xff]", "\xc3", true},
      {"[\x80-\xff]", "a", false},
      {"[a-\xff]", "\xc3", true},
      // escapes
      {"\\*", "*", true},
      {"\\*", "a", false},
      {"\\?", "?", true},
      {"\\[a]", "[a]", true},
      {"\\\\", "\\", true},
      {"a\\b", "ab", true},
      {"\\", "\\", true},
      {"a\\", "a\\", true},
      {"a\\", "a", false},
      {"[\\]]", "]", true},
      {"[\\]]", "\\", false},
      {"[\\-a]", "-", true},
      {"[a\\-c]", "b", false},
      {"[a\\-c]", "-", true},
      {"[\\^a]", "^", true},
      {"[a\\", "\\", true},
      {"*\\*", "abc*", true},
      {"*\\*", "abc", false},
      // bytes that end no string
      {std::string_view("a\0*", 3), std::string_view("a\0b", 3), true},
      {std::string_view("a\0b", 3), std::string_view("a\0c", 3), false},
      {"a", std::string_view("a\0", 2), false},
  };
  for (const auto& [pattern, text, matches] : cases) {
    EXPECT_EQ(globMatches(pattern, text), matches) << pattern << " on " << text;
  }
}

// Where a naive matcher takes longer than the universe has been there.
TEST(Glob, IsNeverWorseThanPatternTimesText) {
  std::string pattern;
  for (int i = 0; i < 200; ++i) pattern += "a*";
  const std::string text(20000, 'a');
  EXPECT_TRUE(globMatches(pattern, text));
  EXPECT_FALSE(globMatches(pattern + "b", text));
  EXPECT_FALSE(globMatches("*a*a*a*a*a*a*a*a*a*a*[^a]", text));
}

}  // namespace
}  // namespace tiercel::test
