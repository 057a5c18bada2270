#include "redis/uv_handle.h"

#include <gtest/gtest.h>

#include "test_support.h"

namespace tiercel::redis {
namespace {

using testing::TestLoop;

int initTimer(uv_loop_t* loop, uv_timer_t* timer) { return uv_timer_init(loop, timer); }

TEST(UvHandle, IsClosedUntilOpened) {
  const UvHandle<uv_timer_t> handle;
  EXPECT_FALSE(handle.isOpen());
  EXPECT_EQ(handle.get(), nullptr);
  EXPECT_EQ(handle.base(), nullptr);
}

TEST(UvHandle, IsCountedUntilItsCloseCallback) {
  TestLoop loop;
  UvHandle<uv_timer_t> handle;
  int owner = 0;
  ASSERT_EQ(handle.open(loop.handles(), &owner, initTimer), 0);
  EXPECT_TRUE(handle.isOpen());
  EXPECT_EQ(handle.get()->data, &owner);
  EXPECT_EQ(loop.handles()->open(), 1U);
  handle.close();
  EXPECT_FALSE(handle.isOpen());
  EXPECT_EQ(loop.handles()->open(), 1U) << "libuv still has it";
  handle.close();  // again: nothing
  EXPECT_TRUE(loop.runUntil([&] { return loop.handles()->open() == 0; }));
}

TEST(UvHandle, OutlivesItsOwner) {
  TestLoop loop;
  {
    UvHandle<uv_timer_t> handle;
    ASSERT_EQ(handle.open(loop.handles(), nullptr, initTimer), 0);
  }
  EXPECT_EQ(loop.handles()->open(), 1U);
  EXPECT_TRUE(loop.runUntil([&] { return loop.handles()->open() == 0; }));
}

TEST(UvHandle, ClosesTheOldOneWhenOpenedAgain) {
  TestLoop loop;
  UvHandle<uv_timer_t> handle;
  ASSERT_EQ(handle.open(loop.handles(), nullptr, initTimer), 0);
  uv_timer_t* first = handle.get();
  ASSERT_EQ(handle.open(loop.handles(), nullptr, initTimer), 0);
  EXPECT_NE(handle.get(), first);
  EXPECT_EQ(loop.handles()->open(), 2U);
  EXPECT_TRUE(loop.runUntil([&] { return loop.handles()->open() == 1; }));
}

TEST(UvHandle, IsNotOpenWhenInitFails) {
  TestLoop loop;
  UvHandle<uv_timer_t> handle;
  EXPECT_EQ(handle.open(loop.handles(), nullptr, [](uv_loop_t*, uv_timer_t*) { return int{UV_ENOMEM}; }), UV_ENOMEM);
  EXPECT_FALSE(handle.isOpen());
  EXPECT_EQ(loop.handles()->open(), 0U);
}

TEST(LoopHandles, TellsAtOnceWhenNothingIsOpen) {
  TestLoop loop;
  int told = 0;
  loop.handles()->whenIdle([&] { ++told; });
  EXPECT_EQ(told, 1);
}

TEST(LoopHandles, TellsOnceWhenTheLastHandleIsClosed) {
  TestLoop loop;
  int told = 0;
  UvHandle<uv_timer_t> first;
  UvHandle<uv_timer_t> second;
  ASSERT_EQ(first.open(loop.handles(), nullptr, initTimer), 0);
  ASSERT_EQ(second.open(loop.handles(), nullptr, initTimer), 0);
  loop.handles()->whenIdle([&] { ++told; });
  first.close();
  ASSERT_TRUE(loop.runUntil([&] { return loop.handles()->open() == 1; }));
  EXPECT_EQ(told, 0);
  second.close();
  ASSERT_TRUE(loop.runUntil([&] { return loop.handles()->open() == 0; }));
  EXPECT_EQ(told, 1);
  ASSERT_EQ(first.open(loop.handles(), nullptr, initTimer), 0);
  first.close();
  ASSERT_TRUE(loop.runUntil([&] { return loop.handles()->open() == 0; }));
  EXPECT_EQ(told, 1);
}

}  // namespace
}  // namespace tiercel::redis
