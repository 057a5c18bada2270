// A lease knows of every tag whether it has changed since the load began, or nothing may be stored under it.
#include "redis/lease_book.h"

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <cstring>
#include <thread>

#include "core/coherence/source_table.h"

namespace tiercel::redis {
namespace {

struct LeaseBookTest : testing::Test {
  core::SourceTable sources;
  core::TagTable tags{sources, false};
  core::SourceId source = sources.open(core::kForever).value_or(core::kOwnSource);
  core::TagCell cell = tags.acquire("t:x");
  LeaseBook book{tags};

  ~LeaseBookTest() override { tags.release(cell); }

  void learn(std::uint32_t number) {
    core::Stamp stamp{};
    std::memcpy(stamp.data(), &number, sizeof(number));
    tags.learn(cell, stamp, source, tags.ticket(cell));
  }
};

TEST_F(LeaseBookTest, HasAMarkOfEveryTag) {
  learn(1);
  const LeaseNumber number = book.open("k", {}, std::array{cell}, 0);
  const Lease& lease = *book.find(number);
  EXPECT_TRUE(lease.storable);
  ASSERT_EQ(lease.tags.size(), 1U);
  ASSERT_EQ(lease.marks.size(), 1U);
  EXPECT_TRUE(tags.valid(lease.marks.view()[0], 0));
  tags.invalidate("t:x");
  EXPECT_FALSE(tags.valid(lease.marks.view()[0], 0));
  book.close(number);
}

TEST_F(LeaseBookTest, IsNotStorableWithoutItsStamps) {
  const LeaseNumber number = book.open("k", {}, std::array{cell}, 0);
  EXPECT_FALSE(book.find(number)->storable);
  book.close(number);
}

TEST_F(LeaseBookTest, AnotherThreadChangesTheTagMeanwhile) {
  int storable = 0;
  int refused = 0;
  {
    const std::jthread other([this](const std::stop_token& stop) {
      for (std::uint32_t i = 2; !stop.stop_requested(); ++i) {
        learn(i);
        tags.invalidate("t:x");
      }
    });
    // The other thread may be kept from running for as long as the machine has other work.
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    const auto bothSeen = [&] { return storable > 100 && refused > 100; };
    for (int i = 0; i < 300'000 || (!bothSeen() && std::chrono::steady_clock::now() < until); ++i) {
      const LeaseNumber number = book.open("k", {}, std::array{cell}, 0);
      const Lease& lease = *book.find(number);
      if (lease.storable) {
        ++storable;
        ASSERT_EQ(lease.marks.size(), lease.tags.size());
      } else {
        ++refused;
      }
      book.close(number);
    }
  }
  EXPECT_GT(storable, 100);
  EXPECT_GT(refused, 100);
}

}  // namespace
}  // namespace tiercel::redis
