#include "redis/output_buffer.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>

namespace tiercel::redis {
namespace {

TEST(OutputBuffer, StartsEmpty) {
  OutputBuffer out;
  EXPECT_TRUE(out.empty());
  EXPECT_EQ(out.size(), 0U);
  EXPECT_EQ(out.view(), "");
}

TEST(OutputBuffer, EncodesCommands) {
  OutputBuffer out;
  out.commandHeader(3);
  out.argument("SET");
  out.argument("k");
  out.argument("");
  EXPECT_EQ(out.view(), "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$0\r\n\r\n");
}

TEST(OutputBuffer, TakesAViewOfNothing) {
  OutputBuffer out;
  out.append({});
  out.argument(std::string_view());
  out.argument({}, {});
  out.append({});
  EXPECT_EQ(out.view(), "$0\r\n\r\n$0\r\n\r\n");
  OutputBuffer empty;
  empty.consume(0);
  EXPECT_TRUE(empty.empty());
}

TEST(OutputBuffer, KeepsEveryByteOfAnArgument) {
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all += static_cast<char>(byte);
  OutputBuffer out;
  out.argument(all);
  EXPECT_EQ(out.view(), "$256\r\n" + all + "\r\n");
}

TEST(OutputBuffer, EncodesNumbers) {
  for (const std::int64_t number : {INT64_C(0), INT64_C(-1), INT64_C(9), INT64_C(10), INT64_MAX, INT64_MIN}) {
    OutputBuffer out;
    out.argument(number);
    const std::string digits = std::to_string(number);
    EXPECT_EQ(out.view(), "$" + std::to_string(digits.size()) + "\r\n" + digits + "\r\n");
  }
}

TEST(OutputBuffer, EncodesLengthsAroundTheDigits) {
  for (const std::size_t length : {9U, 10U, 99U, 100U, 16383U, 16384U, 16385U, 70000U}) {
    OutputBuffer out;
    out.commandHeader(length);
    const std::string text(length, 'x');
    out.argument(text);
    const std::string digits = std::to_string(length);
    EXPECT_EQ(out.view(), "*" + digits + "\r\n$" + digits + "\r\n" + text + "\r\n") << length;
  }
}

TEST(OutputBuffer, JoinsTwoPieces) {
  OutputBuffer out;
  out.argument("prefix:", "key");
  EXPECT_EQ(out.view(), "$10\r\nprefix:key\r\n");
}

TEST(OutputBuffer, LetsTheCallerFillAnArgument) {
  OutputBuffer out;
  char* p = out.openArgument(3);
  p[0] = 'a';
  p[1] = 'b';
  p[2] = 'c';
  out.closeArgument(3);
  EXPECT_EQ(out.view(), "$3\r\nabc\r\n");
}

TEST(OutputBuffer, TakesAnArgumentWhoseLengthShowsAfterwards) {
  // The guess has as many digits as the length, fewer, and more.
  for (const auto& [guess, bytes] : {std::pair<std::size_t, std::size_t>{12, 12}, {40, 90}, {40, 120}, {120, 40}}) {
    OutputBuffer out;
    out.argument("k");
    const std::string text(bytes, 'x');
    out.fillArgument(guess, bytes, [&](char* to) {
      std::memcpy(to, text.c_str(), bytes + 1);  // with the terminator
      return bytes;
    });
    out.argument("k");
    EXPECT_EQ(out.view(), "$1\r\nk\r\n$" + std::to_string(bytes) + "\r\n" + text + "\r\n$1\r\nk\r\n") << guess;
  }
}

// Every size around the growth of the block: the sanitizer watches its end.
TEST(OutputBuffer, GrowsWithoutLosingBytes) {
  OutputBuffer out;
  std::string expected;
  for (std::size_t i = 0; expected.size() < (std::size_t{1} << 18); ++i) {
    const std::string piece(i % 977, static_cast<char>('a' + i % 26));
    out.argument(piece);
    expected += "$" + std::to_string(piece.size()) + "\r\n" + piece + "\r\n";
  }
  EXPECT_EQ(out.view(), expected);
}

TEST(OutputBuffer, GivesRoomForMoreThanItsDouble) {
  OutputBuffer out;
  out.append("head");
  const std::size_t size = std::size_t{3} << 20;
  char* p = out.room(size);
  std::fill(p, p + size, 'z');
  out.grown(size);
  EXPECT_EQ(out.view(), "head" + std::string(size, 'z'));
}

TEST(OutputBuffer, TakesBackAndTakesOff) {
  OutputBuffer out;
  out.append("abcdef");
  out.truncate(4);
  EXPECT_EQ(out.view(), "abcd");
  out.consume(1);
  EXPECT_EQ(out.view(), "bcd");
  out.append("X");
  EXPECT_EQ(out.view(), "bcdX");
  out.consume(4);
  EXPECT_TRUE(out.empty());
}

TEST(OutputBuffer, IsEmptyAndUsableAfterClear) {
  OutputBuffer out;
  out.append("abc");
  out.clear();
  EXPECT_TRUE(out.empty());
  out.append("d");
  EXPECT_EQ(out.view(), "d");
}

TEST(OutputBuffer, GivesALargeBlockBack) {
  OutputBuffer out;
  out.append(std::string(std::size_t{2} << 20, 'x'));
  out.clear();
  EXPECT_EQ(out.data(), nullptr);
  out.append("again");
  EXPECT_EQ(out.view(), "again");
  const char* kept = out.data();
  out.clear();
  EXPECT_EQ(out.data(), kept) << "a small block is used again";
}

// What was taken off stays in front until there is room to win; nobody sees it.
TEST(OutputBuffer, GrowsAndTakesBackBehindWhatWasTakenOff) {
  OutputBuffer out;
  out.append("0123456789");
  out.consume(3);
  EXPECT_EQ(out.view(), "3456789");
  EXPECT_EQ(out.size(), 7U);
  const std::size_t mark = out.size();
  out.append(std::string(100000, 'x'));
  EXPECT_EQ(out.view().substr(0, 9), "3456789xx");
  EXPECT_EQ(out.size(), 100007U);
  out.truncate(mark);
  EXPECT_EQ(out.view(), "3456789");
  OutputBuffer other = std::move(out);
  EXPECT_EQ(other.view(), "3456789");
  other.consume(7);
  EXPECT_TRUE(other.empty());
  other.append("a");
  EXPECT_EQ(other.view(), "a");
  other.clear();
  EXPECT_TRUE(other.empty());
}

TEST(OutputBuffer, IsAQueueOfBytes) {
  OutputBuffer out;
  std::string expected;
  for (std::size_t i = 0; i < 3000; ++i) {
    const std::string piece(i % 37, static_cast<char>('a' + i % 26));
    out.append(piece);
    expected += piece;
    const std::size_t off = i * 7 % (expected.size() + 1) % 50;
    out.consume(off);
    expected.erase(0, off);
    ASSERT_EQ(out.view(), expected) << i;
  }
  out.consume(out.size());
  EXPECT_TRUE(out.empty());
}

TEST(OutputBuffer, Moves) {
  OutputBuffer from;
  from.append("abc");
  OutputBuffer to(std::move(from));
  EXPECT_EQ(to.view(), "abc");
  EXPECT_TRUE(from.empty());  // NOLINT(bugprone-use-after-move): it is meant to be used again
  from.append("new");
  EXPECT_EQ(from.view(), "new");
  EXPECT_EQ(to.view(), "abc");
  to = std::move(from);
  EXPECT_EQ(to.view(), "new");
}

}  // namespace
}  // namespace tiercel::redis
