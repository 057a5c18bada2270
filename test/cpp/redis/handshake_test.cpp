#include "redis/handshake.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace tiercel::redis {
namespace {

using Progress = Handshake::Progress;

Reply ok() { return {.type = ReplyType::kStatus, .text = "OK"}; }
Reply error(std::string_view text) { return {.type = ReplyType::kError, .text = text}; }
Reply hello() {
  static ReplyTree tree{.nodes = {{.type = ReplyType::kMap}}, .text = {}};
  return {.type = ReplyType::kMap, .tree = &tree};
}

// A command as it goes over the wire.
std::string wire(std::initializer_list<std::string_view> words) {
  OutputBuffer out;
  out.commandHeader(words.size());
  for (const std::string_view word : words) out.argument(word);
  return std::string(out.view());
}

std::string drain(OutputBuffer& out) {
  std::string text(out.view());
  out.clear();
  return text;
}

const std::string kLibName = wire({"CLIENT", "SETINFO", "LIB-NAME", "tiercel"});

TEST(Handshake, SpeaksResp3) {
  const HandshakeOptions options{
      .username = {}, .password = {}, .clientName = "me", .libraryVersion = "1.2.3", .database = 4, .tracking = true};
  Handshake handshake(options);
  OutputBuffer out;
  handshake.begin(out);
  EXPECT_EQ(drain(out), wire({"HELLO", "3"}));
  EXPECT_EQ(handshake.onReply(hello(), out), Progress::kSend);
  EXPECT_EQ(handshake.protocol(), 3);
  EXPECT_EQ(drain(out), wire({"SELECT", "4"}) + wire({"CLIENT", "SETNAME", "me"}) + kLibName +
                            wire({"CLIENT", "SETINFO", "LIB-VER", "1.2.3"}) + wire({"CLIENT", "TRACKING", "ON"}));
  for (int i = 0; i < 4; ++i) EXPECT_EQ(handshake.onReply(ok(), out), Progress::kWaiting) << i;
  EXPECT_FALSE(handshake.tracking());
  EXPECT_EQ(handshake.onReply(ok(), out), Progress::kDone);
  EXPECT_TRUE(handshake.tracking());
  EXPECT_TRUE(out.empty());
}

TEST(Handshake, SaysNoMoreThanItMust) {
  const HandshakeOptions options;
  Handshake handshake(options);
  OutputBuffer out;
  handshake.begin(out);
  drain(out);
  EXPECT_EQ(handshake.onReply(hello(), out), Progress::kSend);
  EXPECT_EQ(drain(out), kLibName);
  EXPECT_EQ(handshake.onReply(error("ERR unknown subcommand 'SETINFO'"), out), Progress::kDone);
  EXPECT_FALSE(handshake.tracking());
}

TEST(Handshake, AuthenticatesWithHello) {
  OutputBuffer out;
  const HandshakeOptions both{.username = "anna", .password = "secret", .clientName = {}, .libraryVersion = {}};
  Handshake(both).begin(out);
  EXPECT_EQ(drain(out), wire({"HELLO", "3", "AUTH", "anna", "secret"}));
  const HandshakeOptions alone{.username = {}, .password = "secret", .clientName = {}, .libraryVersion = {}};
  Handshake(alone).begin(out);
  EXPECT_EQ(drain(out), wire({"HELLO", "3", "AUTH", "default", "secret"}));
}

TEST(Handshake, FallsBackToResp2) {
  for (const std::string_view text :
       {"ERR unknown command `HELLO`, with args beginning with: `3`, ", "ERR unknown command 'HELLO'",
        "NOPROTO unsupported protocol version", "unsupported command 'HELLO'", "ERR unsupported command `hello`",
        "NOPERM this user has no permissions to run the 'hello' command", "ERR syntax error",
        "ERR wrong number of arguments for 'hello' command", "command 'HELLO' is not allowed",
        "NOAUTH Authentication required."}) {
    for (const bool user : {false, true}) {
      const HandshakeOptions options{.username = user ? "anna" : "",
                                     .password = "secret",
                                     .clientName = "me",
                                     .libraryVersion = {},
                                     .database = 2,
                                     .tracking = true};
      Handshake handshake(options);
      OutputBuffer out;
      handshake.begin(out);
      drain(out);
      EXPECT_EQ(handshake.onReply(error(text), out), Progress::kSend) << text;
      const std::string auth = user ? wire({"AUTH", "anna", "secret"}) : wire({"AUTH", "secret"});
      EXPECT_EQ(drain(out), auth);
      EXPECT_EQ(handshake.onReply(ok(), out), Progress::kSend);
      EXPECT_EQ(drain(out), wire({"SELECT", "2"}) + wire({"CLIENT", "SETNAME", "me"}) + kLibName);
      for (int i = 0; i < 2; ++i) EXPECT_EQ(handshake.onReply(ok(), out), Progress::kWaiting) << i;
      EXPECT_EQ(handshake.onReply(ok(), out), Progress::kDone);
      EXPECT_EQ(handshake.protocol(), 2);
      EXPECT_FALSE(handshake.tracking());
    }
  }
}

TEST(Handshake, FallsBackToResp2WithoutAPassword) {
  const HandshakeOptions options;
  Handshake handshake(options);
  OutputBuffer out;
  handshake.begin(out);
  drain(out);
  EXPECT_EQ(handshake.onReply(error("ERR unknown command 'HELLO'"), out), Progress::kSend);
  EXPECT_EQ(drain(out), kLibName);
  EXPECT_EQ(handshake.onReply(error("ERR unknown subcommand"), out), Progress::kDone);
  EXPECT_EQ(handshake.protocol(), 2);
}

TEST(Handshake, FailsWithTheServersWords) {
  const HandshakeOptions options{.username = {}, .password = "secret", .clientName = {}, .libraryVersion = {}};
  for (const std::string text :
       {"WRONGPASS invalid username-password pair or user is disabled.", "ERR max number of clients reached",
        "DENIED Redis is running in protected mode", "LOADING Redis is loading the dataset in memory"}) {
    Handshake handshake(options);
    OutputBuffer out;
    handshake.begin(out);
    drain(out);
    EXPECT_EQ(handshake.onReply(error(text), out), Progress::kFailed);
    EXPECT_NE(handshake.error().find(text), std::string::npos) << handshake.error();
    EXPECT_EQ(handshake.error().find("secret"), std::string::npos);
    EXPECT_TRUE(out.empty());
  }
}

TEST(Handshake, FailsWhenAPasswordIsWantedAndThereIsNone) {
  const HandshakeOptions options;
  Handshake handshake(options);
  OutputBuffer out;
  handshake.begin(out);
  EXPECT_EQ(handshake.onReply(error("NOAUTH HELLO must be called with AUTH"), out), Progress::kFailed);
  EXPECT_EQ(handshake.error(), "HELLO was refused: NOAUTH HELLO must be called with AUTH");
}

TEST(Handshake, TellsWhyItSpeaksResp2) {
  const HandshakeOptions options{.username = {}, .password = "secret", .clientName = {}, .libraryVersion = {}};
  Handshake handshake(options);
  OutputBuffer out;
  handshake.begin(out);
  EXPECT_EQ(handshake.refusal(), "");
  handshake.onReply(error("ERR no HELLO AUTH default secret here"), out);
  EXPECT_EQ(handshake.refusal(), "HELLO was refused: ERR no HELLO AUTH default ***");
  handshake.begin(out);
  EXPECT_EQ(handshake.refusal(), "");
}

TEST(Handshake, AUserWithoutAPassword) {
  const HandshakeOptions options{.username = "anna", .password = {}, .clientName = {}, .libraryVersion = {}};
  Handshake handshake(options);
  OutputBuffer out;
  handshake.begin(out);
  EXPECT_EQ(drain(out), wire({"HELLO", "3", "AUTH", "anna", ""}));
}

TEST(Handshake, ServersWithoutUsersAreGivenThePasswordAlone) {
  const HandshakeOptions options{.username = "anna", .password = "secret", .clientName = {}, .libraryVersion = {}};
  Handshake handshake(options);
  OutputBuffer out;
  handshake.begin(out);
  handshake.onReply(error("ERR unknown command 'HELLO'"), out);
  drain(out);
  const Reply tooMany = error("ERR wrong number of arguments for 'auth' command");
  EXPECT_EQ(handshake.onReply(tooMany, out), Progress::kSend);
  EXPECT_EQ(drain(out), wire({"AUTH", "secret"}));
  EXPECT_EQ(handshake.onReply(tooMany, out), Progress::kFailed) << "once";
}

TEST(Handshake, Resp2FromTheStart) {
  const HandshakeOptions options{.username = {},
                                 .password = "secret",
                                 .clientName = "me",
                                 .libraryVersion = "1.2.3",
                                 .database = 2,
                                 .tracking = true,
                                 .protocol = 2};
  Handshake handshake(options);
  OutputBuffer out;
  handshake.begin(out);
  EXPECT_EQ(drain(out), wire({"AUTH", "secret"}));
  EXPECT_EQ(handshake.onReply(ok(), out), Progress::kSend);
  EXPECT_EQ(drain(out), wire({"SELECT", "2"}) + wire({"CLIENT", "SETNAME", "me"}) + wire({"PING"}));
  for (int i = 0; i < 2; ++i) EXPECT_EQ(handshake.onReply(ok(), out), Progress::kWaiting) << i;
  EXPECT_EQ(handshake.onReply(ok(), out), Progress::kDone);
  EXPECT_EQ(handshake.protocol(), 2);
  handshake.closed();
  handshake.begin(out);
  EXPECT_EQ(drain(out), wire({"AUTH", "secret"})) << "there is nothing else to leave out";
}

TEST(Handshake, Resp2FromTheStartWithoutAPassword) {
  HandshakeOptions options;
  options.protocol = 2;
  Handshake handshake(options);
  OutputBuffer out;
  handshake.begin(out);
  EXPECT_EQ(drain(out), wire({"PING"}));
  EXPECT_EQ(handshake.onReply(error("NOAUTH Authentication required."), out), Progress::kFailed);
  EXPECT_EQ(handshake.error(), "PING was refused: NOAUTH Authentication required.");
  for (const std::string_view text : {"ERR max number of clients reached", "DENIED protected mode", "ERR what"}) {
    handshake.begin(out);
    EXPECT_EQ(handshake.onReply(error(text), out), Progress::kFailed) << text;
  }
  for (const std::string_view text : {"ERR unknown command 'PING'", "NOPERM no permissions to run 'ping'"}) {
    handshake.begin(out);
    EXPECT_EQ(handshake.onReply(error(text), out), Progress::kDone) << text;
  }
}

TEST(Handshake, WordsThatDoNotNameHelloAreDoubtedOnce) {
  const HandshakeOptions options;
  Handshake handshake(options);
  OutputBuffer out;
  for (const std::string_view text : {"BUSY backend restarting", "TRYAGAIN", "CLUSTERDOWN"}) {
    for (int i = 0; i < 3; ++i) {
      handshake.begin(out);
      EXPECT_EQ(handshake.onReply(error(text), out), Progress::kFailed) << text;
    }
  }
  handshake.begin(out);
  EXPECT_EQ(handshake.onReply(error("ERR no upstream host"), out), Progress::kFailed);
  handshake.begin(out);
  EXPECT_EQ(handshake.onReply(error("ERR not today"), out), Progress::kFailed) << "something else";
  handshake.begin(out);
  EXPECT_EQ(handshake.onReply(error("ERR not today"), out), Progress::kSend) << "the same again";
}

TEST(Handshake, DoesWithoutHelloWhenItIsClosedUpon) {
  const HandshakeOptions options{
      .username = {}, .password = {}, .clientName = "me", .libraryVersion = "1.2.3", .database = 0, .tracking = true};
  Handshake handshake(options);
  OutputBuffer out;
  const std::string hello3 = wire({"HELLO", "3"});
  const std::string plain = wire({"PING"});
  const auto begun = [&] {
    handshake.begin(out);
    return drain(out);
  };
  EXPECT_EQ(begun(), hello3);
  handshake.closed();
  EXPECT_EQ(begun(), plain);
  EXPECT_EQ(handshake.onReply(ok(), out), Progress::kFailed) << "there may have been no server at the time";
  EXPECT_NE(handshake.error().find("tried once more"), std::string::npos) << handshake.error();
  EXPECT_TRUE(handshake.takeRetryAtOnce());
  EXPECT_FALSE(handshake.takeRetryAtOnce());
  EXPECT_EQ(begun(), hello3);
  handshake.closed();
  EXPECT_EQ(begun(), hello3) << "twice, where a balancer takes turns";
  handshake.closed();
  EXPECT_EQ(begun(), plain);
  EXPECT_EQ(handshake.onReply(ok(), out), Progress::kDone);
  EXPECT_EQ(handshake.protocol(), 2);
  EXPECT_TRUE(handshake.isPlain());
  // After a loss: whoever is there now may know HELLO.
  EXPECT_EQ(begun(), hello3);
  handshake.closed();
  EXPECT_EQ(begun(), hello3);
  handshake.closed();
  EXPECT_EQ(begun(), plain);
  handshake.closed();
  EXPECT_EQ(begun(), hello3);
  handshake.closed();
  EXPECT_EQ(begun(), plain);
  EXPECT_EQ(handshake.onReply(ok(), out), Progress::kFailed) << "it was away altogether";
}

TEST(Handshake, FailsWhenResp2RefusesThePassword) {
  const HandshakeOptions options{.username = {}, .password = "secret", .clientName = {}, .libraryVersion = {}};
  Handshake handshake(options);
  OutputBuffer out;
  handshake.begin(out);
  handshake.onReply(error("ERR unknown command 'HELLO'"), out);
  EXPECT_EQ(handshake.onReply(error("ERR invalid password"), out), Progress::kFailed);
  EXPECT_EQ(handshake.error(), "AUTH was refused: ERR invalid password");
}

TEST(Handshake, FailsWhenTheDatabaseIsRefused) {
  const HandshakeOptions options{
      .username = {}, .password = {}, .clientName = {}, .libraryVersion = {}, .database = 99};
  Handshake handshake(options);
  OutputBuffer out;
  handshake.begin(out);
  handshake.onReply(hello(), out);
  EXPECT_EQ(handshake.onReply(error("ERR DB index is out of range"), out), Progress::kFailed);
  EXPECT_EQ(handshake.error(), "SELECT was refused: ERR DB index is out of range");
}

TEST(Handshake, DoesWithoutTrackingWhenItIsRefused) {
  const HandshakeOptions options{
      .username = {}, .password = {}, .clientName = {}, .libraryVersion = {}, .database = 0, .tracking = true};
  Handshake handshake(options);
  OutputBuffer out;
  handshake.begin(out);
  handshake.onReply(hello(), out);
  EXPECT_EQ(handshake.onReply(ok(), out), Progress::kWaiting);
  EXPECT_EQ(handshake.onReply(error("NOPERM this user has no permissions"), out), Progress::kDone);
  EXPECT_EQ(handshake.protocol(), 3);
  EXPECT_FALSE(handshake.tracking());
}

TEST(Handshake, FailsAtAnAnswerThatNobodyAskedFor) {
  const HandshakeOptions options;
  Handshake handshake(options);
  OutputBuffer out;
  handshake.begin(out);
  handshake.onReply(hello(), out);
  EXPECT_EQ(handshake.onReply(ok(), out), Progress::kDone);
  EXPECT_EQ(handshake.onReply(ok(), out), Progress::kFailed);
}

TEST(Handshake, BeginsAnew) {
  HandshakeOptions options{
      .username = {}, .password = {}, .clientName = {}, .libraryVersion = {}, .database = 0, .tracking = true};
  Handshake handshake(options);
  OutputBuffer out;
  handshake.begin(out);
  handshake.onReply(hello(), out);
  handshake.onReply(ok(), out);
  ASSERT_EQ(handshake.onReply(ok(), out), Progress::kDone);
  ASSERT_TRUE(handshake.tracking());
  drain(out);
  handshake.begin(out);  // after a loss, and against a server that was downgraded
  EXPECT_EQ(drain(out), wire({"HELLO", "3"}));
  EXPECT_FALSE(handshake.tracking());
  handshake.onReply(error("ERR unknown command 'HELLO'"), out);
  EXPECT_EQ(drain(out), kLibName);
  EXPECT_EQ(handshake.onReply(ok(), out), Progress::kDone);
  EXPECT_EQ(handshake.protocol(), 2);
  EXPECT_FALSE(handshake.tracking());
}

}  // namespace
}  // namespace tiercel::redis
