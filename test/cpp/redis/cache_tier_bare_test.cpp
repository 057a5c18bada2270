// Reads for the value alone, one by one and together: without memory, nobody asks how long an entry lives that is fresh
// for as long as it is there.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "cache_tier_fixture.h"
#include "redis/cache_scripts.h"
#include "redis/cache_tier.h"

namespace tiercel::redis {
namespace {

using core::Entry;
using testing::bulk;
using testing::entryOf;
using testing::expect;
using testing::send;
using testing::stored;
using testing::Strings;

const std::string kNil = "_\r\n";

Entry plain(std::string_view payload) {
  Entry entry = entryOf(payload);
  entry.freshFor = entry.staleFor = entry.keepFor;
  return entry;
}

class CacheTierBare : public testing::CacheTierFixture {
 protected:
  void SetUp() override { tierOptions.memory = false; }
};

TEST_F(CacheTierBare, AsksForNoLifetime) {
  open();
  server->script({expect("GET p:a"), send(stored(plain("value")))});
  tier->read("a", 0, true);
  ASSERT_TRUE(logged(1));
  EXPECT_EQ(log.take(), Strings({"hit value"}));
  EXPECT_GT(log.deadlines.freshUntil, connection->now());
  server->script({expect("SET p:a …"), expect("GET p:a"), send(kNil + stored(plain("value")))});
  tier->acquire("a", {.leaseFor = 1000, .bare = true});
  ASSERT_TRUE(logged(1));
  EXPECT_EQ(log.take(), Strings({"hit value"}));
}

TEST_F(CacheTierBare, AsksWhenTheLifetimeDecides) {
  for (const bool acquires : {false, true}) {
    Entry outdated = plain("value");
    outdated.outdated = true;
    Entry failure = plain("value");
    failure.flags = core::entry_flags::kFailure;
    for (const Entry& entry : {entryOf("value"), outdated, failure}) {
      open();
      const auto ask = [&](bool bare) {
        const std::string answers = (bare ? "" : ":1000\r\n") + stored(entry);
        std::vector<testing::Step> steps;
        if (acquires) steps.push_back(expect("SET p:a …"));
        if (!bare) steps.push_back(expect("PTTL p:a"));
        steps.push_back(expect("GET p:a"));
        steps.push_back(send((acquires ? kNil : std::string()) + answers));
        server->script(steps);
        if (acquires) {
          tier->acquire("a", {.leaseFor = 1000, .bare = true});
        } else {
          tier->read("a", 0, true);
        }
        ASSERT_TRUE(logged(1));
      };
      ask(true);
      EXPECT_EQ(log.take(), Strings({"again"}));
      ask(false);
      EXPECT_NE(log.take(), Strings({"again"}));
      EXPECT_LE(log.left, 1000);
      end();
    }
  }
}

TEST_F(CacheTierBare, MemoryAsksAllTheSame) {
  tierOptions.memory = true;
  open();
  expectRead("a", ":50000\r\n" + stored(plain("value")));
  tier->read("a", 0, true);
  ASSERT_TRUE(logged(1));
  EXPECT_EQ(kept("a"), "value");
}

TEST_F(CacheTierBare, ReadsManyInOneCommand) {
  open();
  Entry outdated = plain("outdated");
  outdated.outdated = true;
  const std::vector<std::string> keys{"a", "none", "stale", "foreign", "b", "softened"};
  server->script({expect("MGET p:a p:none p:stale p:foreign p:b p:softened"),
                  send("*6\r\n" + stored(plain("one")) + kNil + stored(entryOf("windows")) + bulk("foreign") +
                       stored(plain("two")) + stored(outdated))});
  EXPECT_EQ(tier->readMany(keys), Connection::Admission::kAdmitted);
  ASSERT_TRUE(logged(1));
  EXPECT_EQ(log.take(), Strings({"many one (miss) (again) (again) two (again)"}));
  EXPECT_TRUE(tier->isIdle());
}

TEST_F(CacheTierBare, SaysWhyManyCannotBeRead) {
  open();
  const std::vector<std::string> keys{"a", "b"};
  for (const std::string answer : {"-NOPERM no\r\n", "*1\r\n_\r\n", "+OK\r\n", "*3\r\n_\r\n_\r\n_\r\n"}) {
    server->script({expect("MGET p:a p:b"), send(answer)});
    tier->readMany(keys);
    ASSERT_TRUE(logged(1)) << answer;
    EXPECT_TRUE(log.take()[0].starts_with("failure ")) << answer;
  }
}

// A tag that has changed makes a miss; one that is not known is asked for.
TEST_F(CacheTierBare, JudgesTheTagsOfMany) {
  open();
  const auto tagged = [](char stamp) {
    const std::vector<core::TagStamp> stamps{{"t:x", testing::stampOf(stamp)}};
    const std::string tags = core::encodeTags(stamps);
    Entry entry = plain("value");
    entry.tags = tags;
    return stored(entry);
  };
  const std::vector<std::string> keys{"a"};
  server->script({expect("MGET p:a"), send("*1\r\n" + tagged('1')), expect("SET p:t:x …"), expect("PTTL p:t:x"),
                  expect("GET p:t:x"), send(kNil + ":2592000000\r\n" + bulk(testing::stampText('1')))});
  tier->readMany(keys);
  ASSERT_TRUE(logged(1));
  EXPECT_EQ(log.take(), Strings({"many (again)"}));
  ASSERT_TRUE(loop.runUntil([&] { return connection->waiting() == 0; }));
  for (const auto& [stamp, expected] : {std::pair('1', "many value"), std::pair('0', "many (miss)")}) {
    server->script({expect("MGET p:a"), send("*1\r\n" + tagged(stamp))});
    tier->readMany(keys);
    ASSERT_TRUE(logged(1));
    EXPECT_EQ(log.take(), Strings({expected}));
  }
}

}  // namespace
}  // namespace tiercel::redis
