#include "redis/reply_reader.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "heap.h"
#include "test_support.h"

namespace tiercel::redis {
namespace {

using testing::describe;
using testing::heapInUse;
using testing::Strings;

class Sink final : public ReplySink {
 public:
  void onReply(const Reply& reply) override { log.push_back(describe(reply)); }
  void onPush(const ReplyTree& push) override { log.push_back("push " + describe(push)); }
  Strings log;
};

struct Outcome {
  Strings log;
  std::string error;
  bool operator==(const Outcome&) const = default;
};

std::ostream& operator<<(std::ostream& out, const Outcome& outcome) {
  for (const std::string& entry : outcome.log) out << entry.substr(0, 200) << '\n';
  return out << "error: " << outcome.error;
}

// The pieces between the cuts, each from a block of its own so that reading past one is seen.
Outcome read(std::string_view input, const std::vector<std::size_t>& cuts, const ReplyReader::Limits& limits = {}) {
  Sink sink;
  ReplyReader reader(sink, limits);
  std::size_t from = 0;
  for (std::size_t i = 0; i <= cuts.size(); ++i) {
    const std::size_t to = i < cuts.size() ? cuts[i] : input.size();
    const std::vector<char> piece(input.begin() + static_cast<std::ptrdiff_t>(from),
                                  input.begin() + static_cast<std::ptrdiff_t>(to));
    if (!reader.feed(piece.data(), piece.size())) {
      EXPECT_FALSE(reader.error().empty());
      EXPECT_FALSE(reader.feed("+OK\r\n", 5)) << "nothing can be read behind an error";
      break;
    }
    EXPECT_TRUE(reader.error().empty());
    from = to;
  }
  return {std::move(sink.log), reader.error()};
}

// The same result whole, in two pieces cut anywhere, and byte by byte.
Outcome readEveryWay(std::string_view input) {
  const Outcome whole = read(input, {});
  std::vector<std::size_t> all;
  for (std::size_t cut = 1; cut < input.size(); ++cut) {
    EXPECT_EQ(read(input, {cut}), whole) << "cut at " << cut;
    all.push_back(cut);
  }
  EXPECT_EQ(read(input, all), whole) << "byte by byte";
  return whole;
}

void expectReplies(std::string_view input, const Strings& expected) {
  const Outcome outcome = readEveryWay(input);
  EXPECT_EQ(outcome.log, expected) << input;
  EXPECT_EQ(outcome.error, "") << input;
}

void expectError(std::string_view input, std::string_view part) {
  const Outcome outcome = readEveryWay(input);
  EXPECT_NE(outcome.error.find(part), std::string::npos) << input << ": " << outcome.error;
  EXPECT_EQ(outcome.log, Strings()) << input;
}

TEST(ReplyReader, ReadsScalars) {
  expectReplies("+OK\r\n", {"+OK"});
  expectReplies("+\r\n", {"+"});
  expectReplies("-ERR no\r\n", {"-ERR no"});
  expectReplies(":0\r\n", {":0"});
  expectReplies(":-12\r\n", {":-12"});
  expectReplies(":9223372036854775807\r\n", {":9223372036854775807"});
  expectReplies(":-9223372036854775808\r\n", {":-9223372036854775808"});
  expectReplies("$5\r\nhello\r\n", {"$hello"});
  expectReplies("$0\r\n\r\n", {"$"});
  expectReplies("$4\r\n\r\n\r\n\r\n", {"$\r\n\r\n"});
  expectReplies(std::string_view("$3\r\na\0b\r\n", 9), {std::string("$a\0b", 4)});
}

TEST(ReplyReader, ReadsNulls) {
  expectReplies("$-1\r\n", {"_"});
  expectReplies("*-1\r\n", {"_"});
  expectReplies("_\r\n", {"_"});
  expectReplies("*3\r\n$-1\r\n*-1\r\n_\r\n", {"*[_ _ _]"});
}

TEST(ReplyReader, ReadsTheScalarsOfResp3) {
  expectReplies(",1.5\r\n,-0.25\r\n,10\r\n", {",1.5", ",-0.25", ",10"});
  expectReplies(",inf\r\n,-inf\r\n,nan\r\n", {",inf", ",-inf", ",nan"});
  expectReplies("#t\r\n#f\r\n", {"#1", "#0"});
  expectReplies("(3492890328409238509324850943850943825024385\r\n(-1\r\n",
                {"(3492890328409238509324850943850943825024385", "(-1"});
  expectReplies("=8\r\ntxt:text\r\n=4\r\nmkd:\r\n", {"=text", "="});
}

TEST(ReplyReader, ReadsAggregates) {
  expectReplies("*0\r\n", {"*[]"});
  expectReplies("%0\r\n", {"%[]"});
  expectReplies("~0\r\n", {"~[]"});
  expectReplies("*2\r\n$1\r\na\r\n:1\r\n", {"*[$a :1]"});
  expectReplies("%2\r\n+a\r\n:1\r\n+b\r\n,2.5\r\n", {"%[+a :1 +b ,2.5]"});
  expectReplies("~2\r\n#t\r\n(12\r\n", {"~[#1 (12]"});
  expectReplies("*2\r\n=7\r\ntxt:abc\r\n$0\r\n\r\n", {"*[=abc $]"});
}

TEST(ReplyReader, ReadsNestedAggregates) {
  expectReplies("*3\r\n*2\r\n:1\r\n*1\r\n+x\r\n%1\r\n+k\r\n~2\r\n$2\r\nab\r\n_\r\n*0\r\n",
                {"*[*[:1 *[+x]] %[+k ~[$ab _]] *[]]"});
  expectReplies("*1\r\n*1\r\n*1\r\n*1\r\n:7\r\n+next\r\n", {"*[*[*[*[:7]]]]", "+next"});
}

TEST(ReplyReader, ReadsErrorsInsideArrays) {
  expectReplies("*3\r\n+OK\r\n-WRONGTYPE not that\r\n:1\r\n", {"*[+OK -WRONGTYPE not that :1]"});
}

TEST(ReplyReader, TellsPushesApart) {
  expectReplies(">2\r\n$10\r\ninvalidate\r\n*2\r\n$1\r\na\r\n$2\r\nbc\r\n", {"push >[$invalidate *[$a $bc]]"});
  expectReplies(">2\r\n+invalidate\r\n_\r\n", {"push >[+invalidate _]"});
  expectReplies(">2\r\n$10\r\ninvalidate\r\n*-1\r\n", {"push >[$invalidate _]"});
  expectReplies("+a\r\n>1\r\n:1\r\n+b\r\n", {"+a", "push >[:1]", "+b"});
  expectReplies(">0\r\n+b\r\n", {"push >[]", "+b"});
}

TEST(ReplyReader, KeepsRepliesInOrder) {
  expectReplies("+a\r\n$1\r\nb\r\n*1\r\n+c\r\n:4\r\n*0\r\n_\r\n", {"+a", "$b", "*[+c]", ":4", "*[]", "_"});
}

TEST(ReplyReader, RefusesWhatIsNoResp) {
  expectError("hello\r\n", "Protocol error");
  expectError("\r\n", "Protocol error");
  expectError("HTTP/1.1 400 Bad Request\r\n\r\n", "Protocol error");
  expectError(":abc\r\n", "integer");
  expectError(":9223372036854775808\r\n", "integer");
  expectError(":\r\n", "integer");
  expectError(",abc\r\n", "double");
  expectError("#x\r\n", "bool");
  expectError("_x\r\n", "nil");
  expectError("(12a\r\n", "bignum");
  expectError("=3\r\ntxt\r\n", "erbatim");
  expectError("=8\r\ntextabcd\r\n", "erbatim");
  expectError("$abc\r\n", "length");
  expectError("$\r\n", "length");
  expectError("$-2\r\n", "range");
  expectError("*-2\r\n", "range");
  expectError("*x\r\n", "length");
  expectError("%-2\r\n", "range");
  expectError("*2\r\n+a\r\nx", "Protocol error");
}

TEST(ReplyReader, HandsOnWhatCameBeforeAnError) {
  const Outcome outcome = readEveryWay("+a\r\n:1\r\n?\r\n+never\r\n");
  EXPECT_EQ(outcome.log, Strings({"+a", ":1"}));
  EXPECT_NE(outcome.error, "");
}

TEST(ReplyReader, LimitsNesting) {
  // The same limit as that of hiredis.
  std::string deep;
  std::string text;
  for (int i = 0; i < 1024; ++i) {
    deep += "*1\r\n";
    text += "*[";
  }
  EXPECT_EQ(read(deep + ":1\r\n", {}).log, Strings({text + ":1" + std::string(1024, ']')}));
  EXPECT_EQ(read(deep + ":1\r\n", {2, 777, 2048}).log, Strings({text + ":1" + std::string(1024, ']')}));
  for (const std::string_view last : {"*1\r\n:1\r\n", "*0\r\n"}) {
    const Outcome outcome = read(deep + std::string(last), {});
    EXPECT_NE(outcome.error.find("nested deeper than 1024"), std::string::npos) << outcome.error;
    EXPECT_EQ(outcome.log, Strings());
  }
  std::string endless;
  for (int i = 0; i < 100000; ++i) endless += "*1\r\n";
  EXPECT_NE(read(endless, {}).error.find("nested"), std::string::npos);
}

TEST(ReplyReader, LimitsLines) {
  const ReplyReader::Limits limits{.maxDepth = 32, .maxLine = 100, .maxBulk = 1000};
  EXPECT_EQ(read("+" + std::string(100, 'x') + "\r\n", {}, limits).error, "");
  for (const std::string_view type : {"+", "-", ":", ",", "(", "$", "*", "%", "=", "_"}) {
    const std::string line = std::string(type) + std::string(20000, '1');
    EXPECT_NE(read(line, {}, limits).error.find("longer than 100"), std::string::npos) << type;
  }
}

// A carriage return alone ends no line, and so must not end the counting either.
TEST(ReplyReader, LimitsLinesThatHoldACarriageReturn) {
  for (const std::string head : {"+\r", "-ERR\r", "$\r", "$5\r", "=1\r", "*1\r", "*2\r\n$1\r\na\r\n+\r"}) {
    Sink sink;
    ReplyReader reader(sink, {.maxDepth = 32, .maxLine = std::size_t{64} << 10, .maxBulk = 1000});
    ASSERT_TRUE(reader.feed(head.data(), head.size()));
    const std::string piece(std::size_t{16} << 10, '1');
    int pieces = 0;
    while (pieces < 64 && reader.feed(piece.data(), piece.size())) ++pieces;
    EXPECT_LE(pieces, 5) << testing::describeNumber(pieces);
    EXPECT_NE(reader.error(), "");
  }
}

TEST(ReplyReader, LimitsBulks) {
  expectError("$9999999999\r\n", "longer than");
  expectError("$536870913\r\n", "longer than");
  expectError("=536870913\r\n", "longer than");
  expectError("*1\r\n$99999999999\r\n", "longer than");
  expectError("$99999999999999999999999999\r\n", "");
  EXPECT_NE(read("$99999999999999999999999999\r\n", {}).error, "");
  const ReplyReader::Limits limits{.maxDepth = 32, .maxLine = 100, .maxBulk = 10};
  EXPECT_EQ(read("$10\r\n0123456789\r\n", {4}, limits).log, Strings({"$0123456789"}));
  EXPECT_NE(read("$11\r\n", {}, limits).error.find("longer than 10"), std::string::npos);
}

TEST(ReplyReader, TakesNoMemoryForWhatIsOnlyAnnounced) {
  const std::size_t before = heapInUse();
  for (const std::string input : {"*4294967295\r\n", "*1000000000\r\n:1\r\n", "$536870912\r\nabc", "~4294967295\r\n",
                                  ">4294967295\r\n", "%2147483647\r\n"}) {
    Sink sink;
    ReplyReader reader(sink);
    EXPECT_TRUE(reader.feed(input.data(), input.size())) << input;
    EXPECT_LT(heapInUse(), before + (std::size_t{1} << 20)) << input;
    EXPECT_EQ(sink.log, Strings());
  }
  for (const std::string input :
       {"*4294967296\r\n", "%4294967295\r\n", "*9223372036854775807\r\n", "*99999999999\r\n"}) {
    const Outcome outcome = readEveryWay(input);
    EXPECT_NE(outcome.error, "") << input;
  }
  EXPECT_LT(heapInUse(), before + (std::size_t{1} << 20));
}

TEST(ReplyReader, ReadsALongBulkInPieces) {
  std::string payload(std::size_t{5} << 20, '\0');
  for (std::size_t i = 0; i < payload.size(); ++i) payload[i] = static_cast<char>(i * 2654435761U >> 13);
  const std::string input = "*2\r\n+before\r\n$" + std::to_string(payload.size()) + "\r\n" + payload + "\r\n$" +
                            std::to_string(payload.size()) + "\r\n" + payload + "\r\n+after\r\n";
  std::vector<std::size_t> cuts;
  for (std::size_t cut = std::size_t{64} << 10; cut < input.size(); cut += std::size_t{64} << 10) cuts.push_back(cut);
  const Outcome outcome = read(input, cuts);
  EXPECT_EQ(outcome.error, "");
  ASSERT_EQ(outcome.log.size(), 3U);
  EXPECT_TRUE(outcome.log[0] == "*[+before $" + payload + "]");
  EXPECT_TRUE(outcome.log[1] == "$" + payload);
  EXPECT_EQ(outcome.log[2], "+after");
}

TEST(ReplyReader, ReadsManySmallRepliesInOneFeed) {
  std::string input;
  Strings expected;
  for (int i = 0; i < 20000; ++i) {
    input += i % 3 == 0 ? ":" + std::to_string(i) + "\r\n" : i % 3 == 1 ? "$2\r\nab\r\n" : "*1\r\n+x\r\n";
    expected.push_back(i % 3 == 0 ? ":" + std::to_string(i) : i % 3 == 1 ? "$ab" : "*[+x]");
  }
  const Outcome outcome = read(input, {});
  EXPECT_EQ(outcome.error, "");
  EXPECT_TRUE(outcome.log == expected);
}

// Whatever comes and however it is cut: no crash, the same result, and an error only once.
TEST(ReplyReader, SurvivesGarbage) {
  const unsigned seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  const auto below = [&](std::size_t end) { return std::uniform_int_distribution<std::size_t>(0, end - 1)(random); };
  const std::vector<std::string> parts = {"+",      "-",     ":",      "$",      "*",    "%",      "~",      ">",
                                          "#",      ",",     "_",      "(",      "=",    "\r\n",   "\r",     "\n",
                                          "1",      "2",     "3",      "-1",     "10",   "$1\r\n", "*2\r\n", ":1\r\n",
                                          "+a\r\n", "_\r\n", "#t\r\n", ">2\r\n", "txt:", "x"};
  for (int round = 0; round < 3000; ++round) {
    std::string input;
    for (std::size_t i = 1 + below(40); i > 0; --i) {
      input += below(10) == 0 ? std::string(1, static_cast<char>(below(256))) : parts[below(parts.size())];
    }
    std::vector<std::size_t> cuts;
    for (std::size_t i = below(6); i > 0; --i) cuts.push_back(below(input.size() + 1));
    std::sort(cuts.begin(), cuts.end());
    const Outcome whole = read(input, {});
    ASSERT_EQ(read(input, cuts), whole) << ::testing::PrintToString(input);
  }
}

// Text lies in one string behind the nodes; what is no text has none, whatever its value says.
// Every way of cutting them is tried: see readEveryWay.
TEST(ReplyReader, SkipsAttributes) {
  expectReplies("|1\r\n+ttl\r\n:3600\r\n$1\r\nA\r\n", {"$A"});
  expectReplies("|2\r\n+a\r\n*2\r\n:1\r\n%1\r\n+x\r\n_\r\n$1\r\nb\r\n#t\r\n*2\r\n:1\r\n:2\r\n", {"*[:1 :2]"});
  expectReplies("|0\r\n+OK\r\n", {"+OK"});
  expectReplies("|0\r\n*0\r\n", {"*[]"});
  expectReplies("|1\r\n+a\r\n:1\r\n|1\r\n+b\r\n:2\r\n%1\r\n+k\r\n:1\r\n", {"%[+k :1]"});
  expectReplies("|1\r\n+a\r\n:1\r\n>2\r\n+message\r\n+m\r\n:7\r\n", {"push >[+message +m]", ":7"});
  expectReplies("+x\r\n|1\r\n+a\r\n-ERR not an answer\r\n_\r\n+y\r\n", {"+x", "_", "+y"});
}

TEST(ReplyReader, AnAttributeWithoutAnAnswerIsNone) {
  expectReplies("|1\r\n+a\r\n:1\r\n", {});
  expectReplies("|0\r\n", {});
}

// There is no null push and no null attribute: taken for an answer, each would shift all that follow.
TEST(ReplyReader, RefusesPushesAndAttributesOfNothing) {
  expectError(">-1\r\n+OK\r\n", "without a length");
  expectError("|-1\r\n*1\r\n:1\r\n", "without a length");
  expectReplies("|1\r\n+a\r\n*-1\r\n+OK\r\n", {"+OK"});
}

TEST(ReplyReader, LimitsWhatAnAggregateHolds) {
  const ReplyReader::Limits limits{.maxReply = 1000};
  const auto endless = [&](std::string_view announced, std::string_view element) {
    std::string input(announced);
    for (int i = 0; i < 2000; ++i) input += element;
    return input;
  };
  for (const std::string_view element : {":1\r\n", "$-1\r\n", "*0\r\n", "%0\r\n", "$3\r\nabc\r\n", "*1\r\n:1\r\n"}) {
    const Outcome outcome = read(endless("*4294967295\r\n", element), {}, limits);
    EXPECT_EQ(outcome.log, Strings()) << element;
    EXPECT_EQ(outcome.error, "Protocol error, reply is larger than 1000 bytes") << element;
  }
  // Attributes and pushes as well; many replies are no large reply.
  EXPECT_NE(read(endless("|4000\r\n", ":1\r\n"), {}, limits).error, "");
  EXPECT_NE(read(endless(">4000\r\n", ":1\r\n"), {}, limits).error, "");
  EXPECT_EQ(read(endless("", "*1\r\n:1\r\n"), {}, limits).log.size(), 2000U);
}

TEST(ReplyTree, HasTextOnlyWhereThereIsSome) {
  ReplyTree tree;
  tree.text = "abc";
  ReplyNode node{.type = ReplyType::kString, .length = 2};
  node.value.offset = 1;
  EXPECT_EQ(tree.textOf(node), "bc");
  node.type = ReplyType::kArray;
  EXPECT_EQ(tree.textOf(node), "");
  node = {.type = ReplyType::kInteger};
  node.value.integer = 1000;
  EXPECT_EQ(tree.textOf(node), "");
  node.value.integer = -1;
  EXPECT_EQ(tree.textOf(node), "");
}

}  // namespace
}  // namespace tiercel::redis
