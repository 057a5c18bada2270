// The connection against the real thing.
#include <gtest/gtest.h>

#include <string>

#include "real_server_fixture.h"

namespace tiercel::redis {
namespace {

using testing::Recorder;
using testing::Strings;
using testing::submit;
using RealServer = testing::RealServerFixture;

TEST_F(RealServer, AnswersCommands) {
  Recorder recorder;
  const auto connection = open();
  EXPECT_EQ(connection->protocol(), 3);
  const std::string key = prefix + "k";
  std::string value(std::size_t{3} << 20, 'v');
  submit(*connection, recorder, 1, "SET " + key + " " + value + " PX 10000");
  submit(*connection, recorder, 2, "GET " + key);
  submit(*connection, recorder, 3, "LPUSH " + key + " x");
  submit(*connection, recorder, 4, "UNLINK " + key);
  submit(*connection, recorder, 5, "GET " + key);
  submit(*connection, recorder, 6, "HSET " + key + " a 1 b 2");
  submit(*connection, recorder, 7, "HGETALL " + key);
  submit(*connection, recorder, 8, "UNLINK " + key);
  submit(*connection, recorder, 9, "CLIENT GETNAME");
  ASSERT_TRUE(loop.runUntil([&] { return recorder.settled == 9; }));
  EXPECT_EQ(recorder.log[0], "1 +OK");
  EXPECT_TRUE(recorder.log[1] == "2 $" + value);
  EXPECT_TRUE(recorder.log[2].starts_with("3 -WRONGTYPE"));
  EXPECT_EQ(Strings(recorder.log.begin() + 3, recorder.log.end()),
            Strings({"4 :1", "5 _", "6 :2", "7 %[$a $1 $b $2]", "8 :1", "9 $tiercel-tests"}));
}

}  // namespace
}  // namespace tiercel::redis
