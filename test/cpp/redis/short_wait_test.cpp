// Waiting awake ends by itself, and is given up where it does not pay.
#include "redis/short_wait.h"

#include <gtest/gtest.h>

#include <cstddef>

#include "connection_fixture.h"

namespace tiercel::redis {
namespace {

class ShortWaitTest : public ::testing::Test {
 protected:
  ShortWaitTest() {
    uv_timer_init(loop.get(), &later);
    uv_timer_start(
        &later, [](uv_timer_t*) {}, 60000, 0);
    wait.open(loop.handles());
    uv_run(loop.get(), UV_RUN_NOWAIT);  // a new loop is awake for reasons of its own
  }
  ~ShortWaitTest() override { uv_close(reinterpret_cast<uv_handle_t*>(&later), nullptr); }

  // The loop would not fall asleep.
  bool awake() { return uv_backend_timeout(loop.get()) == 0; }
  // Turns the loop until it would.
  void fallAsleep() {
    for (int turns = 0; awake(); ++turns) {
      ASSERT_LT(turns, 100000);
      uv_run(loop.get(), UV_RUN_NOWAIT);
    }
  }

  testing::TestLoop loop;
  uv_timer_t later{};
  ShortWait wait;
};

TEST_F(ShortWaitTest, EndsByItselfOrWithTheAnswer) {
  EXPECT_FALSE(awake());
  wait.begin();
  EXPECT_TRUE(awake());
  wait.end();
  EXPECT_FALSE(awake());
  wait.end();
  wait.begin();
  fallAsleep();
}

TEST_F(ShortWaitTest, StopsWhereItDoesNotPayAndTriesAgainNowAndThen) {
  std::size_t tried = 0;
  for (int i = 0; i < 2000; ++i) {
    wait.begin();
    tried += awake() ? 1 : 0;
    fallAsleep();
  }
  EXPECT_GT(tried, 4U);
  EXPECT_LT(tried, 40U);
  // Probes that pay bring it back.
  for (int i = 0; i < 3000; ++i) {
    wait.begin();
    wait.end();
  }
  wait.begin();
  EXPECT_TRUE(awake());
  wait.end();
}

TEST_F(ShortWaitTest, DoesNothingWhenClosed) {
  wait.begin();
  wait.close();
  wait.begin();
  wait.end();
  uv_run(loop.get(), UV_RUN_NOWAIT);
  EXPECT_EQ(loop.handles()->open(), 0U);
}

using ShortWaitOfAConnection = testing::ConnectionFixture;

TEST_F(ShortWaitOfAConnection, DoesNotKeepTheLoopTurningForASilentServer) {
  openReady();
  std::size_t turns = 0;
  UvHandle<uv_prepare_t> counter;
  counter.open(loop.handles(), &turns,
               [](uv_loop_t* raw, uv_prepare_t* handle) { return uv_prepare_init(raw, handle); });
  uv_prepare_start(counter.get(), [](uv_prepare_t* handle) { ++*static_cast<std::size_t*>(handle->data); });
  submit(1, "GET a");
  loop.runFor(100);
  EXPECT_LT(turns, 2000U) << "it would be some hundred thousand";
  EXPECT_EQ(server->received().size(), 1U);
  connection->destroy();
}

}  // namespace
}  // namespace tiercel::redis
