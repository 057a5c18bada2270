#include "redis/server_words.h"

#include <gtest/gtest.h>

#include <string>

namespace tiercel::redis {
namespace {

TEST(ServerWords, NothingIsShownFromThePasswordOn) {
  EXPECT_EQ(shown("ERR what: AUTH default secret SETNAME", "secret"), "ERR what: AUTH default ***");
  EXPECT_EQ(shown("ERR AUTH default longsecretpa...", "longsecretpassword"), "ERR AUTH default ***");
  EXPECT_EQ(shown(R"(ERR AUTH default "s3\"cret")", "s3\"cret"), "ERR AUTH default \"***");
  EXPECT_EQ(shown(R"(ERR AUTH default "\"\"\"\"\"")", R"(""""")"), "ERR AUTH default \"***");
  EXPECT_EQ(shown("ERR unknown command 'HELLO', with args beginning with: '3' 'AUTH'", "secret"),
            "ERR unknown command 'HELLO'");
}

TEST(ServerWords, AShortPasswordIsTakenOutAlone) {
  EXPECT_EQ(shown("ERR AUTH default abc d abc", "abc"), "ERR AUTH default *** d ***");
}

TEST(ServerWords, WithoutAPasswordAllIsShown) {
  EXPECT_EQ(shown("WRONGPASS invalid username-password pair"), "WRONGPASS invalid username-password pair");
  EXPECT_EQ(shown(""), "");
}

TEST(ServerWords, OfManyWordsTheBeginningIsShown) {
  EXPECT_EQ(shown(std::string(kMostShown, 'x')), std::string(kMostShown, 'x'));
  EXPECT_EQ(shown(std::string(100'000, 'x')), std::string(kMostShown, 'x') + "…");
}

}  // namespace
}  // namespace tiercel::redis
