#include "redis/pending_queue.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <deque>

namespace tiercel::redis {
namespace {

void expectSame(const PendingQueue& queue, const std::deque<std::uint64_t>& model) {
  ASSERT_EQ(queue.size(), model.size());
  ASSERT_EQ(queue.empty(), model.empty());
  if (!model.empty()) {
    ASSERT_EQ(queue.front().data, model.front());
  }
  for (std::size_t i = 0; i < model.size(); ++i) ASSERT_EQ(queue.at(i).data, model[i]) << i;
}

TEST(PendingQueue, IsFirstInFirstOut) {
  PendingQueue queue;
  EXPECT_TRUE(queue.empty());
  queue.push({.data = 1, .deadline = 10, .bytes = 100});
  queue.push({.data = 2, .deadline = 20, .bytes = 200});
  EXPECT_EQ(queue.size(), 2U);
  EXPECT_EQ(queue.front().data, 1U);
  EXPECT_EQ(queue.at(1).deadline, 20);
  EXPECT_EQ(queue.at(1).bytes, 200U);
  queue.pop();
  EXPECT_EQ(queue.front().data, 2U);
  queue.pop();
  EXPECT_TRUE(queue.empty());
}

// Growth with the oldest at every place of the ring of 64, and so with every way of being wrapped.
TEST(PendingQueue, GrowsWhileWrapped) {
  for (std::uint64_t start = 0; start <= 64; ++start) {
    PendingQueue queue;
    for (std::uint64_t i = 0; i < start; ++i) {
      queue.push({.data = i});
      queue.pop();
    }
    std::deque<std::uint64_t> model;
    for (std::uint64_t i = 0; i < 200; ++i) {  // past 64 and 128
      queue.push({.data = i});
      model.push_back(i);
      if (i == 63 || i == 64 || i == 128) expectSame(queue, model);
    }
    expectSame(queue, model);
    for (std::uint64_t i = 0; i < 200; ++i) {
      ASSERT_EQ(queue.front().data, i) << "started at " << start;
      queue.pop();
    }
    EXPECT_TRUE(queue.empty());
  }
}

TEST(PendingQueue, StaysRightThroughManyTurns) {
  PendingQueue queue;
  std::deque<std::uint64_t> model;
  std::uint64_t next = 0;
  for (int round = 0; round < 500; ++round) {
    for (int i = 0; i < (round * 7) % 31; ++i) {
      queue.push({.data = next});
      model.push_back(next++);
    }
    for (int i = 0; i < (round * 11) % 29 && !model.empty(); ++i) {
      queue.pop();
      model.pop_front();
    }
    expectSame(queue, model);
  }
}

class Counter final : public ReplyHandler {
 public:
  void onReply(const Pending& /*pending*/, const Reply& /*reply*/) override { ++answered; }
  void onFailed(const Pending& /*pending*/, const Error& /*error*/) override {}
  void onTimedOut(const Pending& /*pending*/) override {}
  int answered = 0;
};

TEST(PendingQueue, CountsTheCommandsOfEachHandler) {
  PendingQueue queue;
  Counter one;
  Counter two;
  for (int i = 0; i < 100; ++i) queue.push({.handler = i % 4 == 0 ? &one : &two});
  EXPECT_EQ(one.outstanding(), 25U);
  EXPECT_EQ(two.outstanding(), 75U);
  queue.take().answer({});
  EXPECT_EQ(one.outstanding(), 24U);
  EXPECT_EQ(one.answered, 1);
  while (!queue.empty()) queue.pop();
  EXPECT_EQ(one.outstanding(), 0U);
  EXPECT_EQ(two.outstanding(), 0U);
}

// The answers to its commands are dropped; the places stay.
TEST(PendingQueue, AHandlerThatIsDestroyedIsToldNothing) {
  PendingQueue queue;
  Counter stays;
  {
    Counter goes;
    queue.push({.handler = &goes, .data = 1});
    queue.push({.handler = &stays, .data = 2});
    queue.push({.handler = &goes, .data = 3});
  }
  ASSERT_EQ(queue.size(), 3U);
  for (std::uint64_t data = 1; data <= 3; ++data) {
    const Pending pending = queue.take();
    EXPECT_EQ(pending.data, data);
    pending.answer({});
  }
  EXPECT_EQ(stays.answered, 1);
}

TEST(PendingQueue, AHandlerMayLiveLongerThanTheQueue) {
  Counter counter;
  {
    PendingQueue queue;
    queue.push({.handler = &counter});
    EXPECT_EQ(counter.outstanding(), 1U);
  }
  EXPECT_EQ(counter.outstanding(), 0U);
}

}  // namespace
}  // namespace tiercel::redis
