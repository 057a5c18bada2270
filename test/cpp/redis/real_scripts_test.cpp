// The scripts of src/redis/cache_scripts.h on a real server: what each does to a key and answers, and that whoever ran
// it hears of the next change.
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "real_server_fixture.h"

namespace tiercel::redis {
namespace {

using core::Entry;
using testing::entryOf;
using testing::idOf;
using Words = std::vector<std::string>;

const std::string kMine(16, 'm');
const std::string kTheirs(16, 't');
const std::string kNobody(16, '\0');

// Writes down which keys the server announces.
class Announced final : public InvalidationListener {
 public:
  void onInvalidate(std::string_view key) override { keys.emplace_back(key); }
  void onInvalidateAll() override {}
  void onTrackingLost() override {}
  void onHeard(core::Millis /*trustedUntil*/) override {}
  testing::Strings keys;
};

std::string value(std::string_view payload = "value") {
  Entry entry = entryOf(payload);
  entry.fillId = idOf('f');
  return core::encodeEntry(entry);
}
std::string flagged(std::uint16_t flags, char lease) {
  Entry entry = entryOf("");
  entry.flags = flags;
  entry.fillId = entry.leaseId = idOf(lease);
  return core::encodeEntry(entry);
}
std::string marker(char lease) { return flagged(core::entry_flags::kMarker, lease); }
std::string leasedValue(char lease, core::Millis until) {
  Entry entry = entryOf("value");
  entry.leaseId = lease == 0 ? core::FillId{} : idOf(lease);
  entry.leaseUntil = until;
  return core::encodeEntry(entry);
}

class RealServerScripts : public testing::RealServerFixture {
 protected:
  void TearDown() override { ask(*connection, {"UNLINK", key}); }

  std::string eval(Script which, const Words& arguments) {
    Words words{"EVAL", std::string(kScriptSources[static_cast<std::size_t>(which)]), "1", key};
    words.insert(words.end(), arguments.begin(), arguments.end());
    return ask(*connection, words);
  }
  void put(const std::string& bytes) { ASSERT_EQ(ask(*connection, {"SET", key, bytes, "PX", "50000"}), "+OK"); }
  // What is under the key; "_": nothing.
  std::string got() { return ask(*connection, {"GET", key}); }
  std::string gotBytes() {
    const std::string answer = got();
    return answer.starts_with('$') ? answer.substr(1) : answer;
  }
  std::int64_t number(const Words& words) {
    const std::string answer = ask(*connection, words);
    return answer.starts_with(':') ? std::stoll(answer.substr(1)) : -100;
  }
  std::int64_t left() { return number({"PTTL", key}); }
  core::Millis serverTime() {
    const std::string answer = ask(*connection, {"TIME"});  // *[$seconds $microseconds]
    const std::size_t blank = answer.find(" $");
    return std::stoll(answer.substr(3, blank - 3)) * 1000 + std::stoll(answer.substr(blank + 2)) / 1000;
  }

  const std::string key = prefix + "k";
  std::unique_ptr<Connection> connection = open();
};

TEST_F(RealServerScripts, FillNeedsItsLease) {
  for (const std::string& held : {marker('m'), leasedValue('m', 5)}) {
    put(held);
    EXPECT_GT(std::stoll(eval(Script::kFill, {kMine, value("new"), "60000"}).substr(1)), 59000);
    EXPECT_EQ(gotBytes(), value("new"));
  }
  for (const std::string& held : {marker('t'), value("theirs"), leasedValue('t', 5), std::string("foreign")}) {
    put(held);
    EXPECT_EQ(eval(Script::kFill, {kMine, value("new"), "60000"}), ":-3");
    EXPECT_EQ(gotBytes(), held);
  }
  ask(*connection, {"UNLINK", key});
  EXPECT_EQ(eval(Script::kFill, {kMine, value("new"), "60000"}), ":-3");
  EXPECT_EQ(got(), "_");
}

TEST_F(RealServerScripts, RefreshLeavesTheValueReadable) {
  put(value());
  const core::Millis before = serverTime();
  EXPECT_EQ(eval(Script::kRefresh, {kMine, "5000"}), ":1");
  const core::Millis after = serverTime();
  const std::string bytes = gotBytes();
  const auto entry = core::parseEntry(bytes);
  ASSERT_TRUE(entry);
  EXPECT_EQ(entry->payload, "value");
  EXPECT_EQ(entry->leaseId, idOf('m'));
  EXPECT_GE(entry->leaseUntil, before + 5000);
  EXPECT_LE(entry->leaseUntil, after + 5000);
  EXPECT_GT(left(), 45000) << "the entry lives no longer, and no shorter";
  EXPECT_LE(left(), 50000);
  EXPECT_EQ(eval(Script::kRefresh, {kTheirs, "5000"}), ":0") << "one at a time";
  EXPECT_EQ(gotBytes(), bytes);
}

TEST_F(RealServerScripts, RefreshKnowsAnEndedLeaseAFailureAndWhatIsNoValue) {
  put(leasedValue('t', serverTime() - 1));
  EXPECT_EQ(eval(Script::kRefresh, {kMine, "5000"}), ":1") << "a lease that is over";
  put(leasedValue(0, serverTime() + 5000));
  EXPECT_EQ(eval(Script::kRefresh, {kMine, "5000"}), ":2") << "a load failed a moment ago";
  put(leasedValue(0, serverTime() - 1));
  EXPECT_EQ(eval(Script::kRefresh, {kMine, "5000"}), ":1");
  for (const std::string& none : {marker('t'), flagged(core::entry_flags::kFailure, 't'), std::string("foreign")}) {
    put(none);
    EXPECT_EQ(eval(Script::kRefresh, {kMine, "5000"}), ":-1");
    EXPECT_EQ(gotBytes(), none);
  }
  ask(*connection, {"UNLINK", key});
  EXPECT_EQ(eval(Script::kRefresh, {kMine, "5000"}), ":-1");
  EXPECT_EQ(got(), "_");
}

TEST_F(RealServerScripts, RenewNeedsItsLease) {
  put(marker('m'));
  EXPECT_EQ(eval(Script::kRenew, {kMine, "3000"}), ":1");
  EXPECT_EQ(gotBytes(), marker('m'));
  EXPECT_LE(left(), 3000);
  EXPECT_GT(left(), 2000);

  put(leasedValue('m', 5));
  const core::Millis before = serverTime();
  EXPECT_EQ(eval(Script::kRenew, {kMine, "3000"}), ":1");
  const std::string bytes = gotBytes();
  const auto entry = core::parseEntry(bytes);
  ASSERT_TRUE(entry);
  EXPECT_EQ(entry->payload, "value");
  EXPECT_EQ(entry->leaseId, idOf('m'));
  EXPECT_GE(entry->leaseUntil, before + 3000);
  EXPECT_LE(entry->leaseUntil, serverTime() + 3000);
  EXPECT_GT(left(), 45000) << "the entry lives no longer, and no shorter";

  for (const std::string& held : {marker('t'), value("theirs"), leasedValue('t', 5), std::string("foreign")}) {
    put(held);
    EXPECT_EQ(eval(Script::kRenew, {kMine, "3000"}), ":0");
    EXPECT_EQ(gotBytes(), held);
    EXPECT_GT(left(), 45000);
  }
  ask(*connection, {"UNLINK", key});
  EXPECT_EQ(eval(Script::kRenew, {kMine, "3000"}), ":0");
  EXPECT_EQ(got(), "_");
}

TEST_F(RealServerScripts, TakeOverComparesWhatWasRead) {
  put(value());
  EXPECT_EQ(eval(Script::kTakeOver, {value().substr(0, 24), marker('m'), "5000"}), ":1");
  EXPECT_EQ(gotBytes(), marker('m'));
  EXPECT_LE(left(), 5000);
  EXPECT_EQ(eval(Script::kTakeOver, {value().substr(0, 24), marker('t'), "5000"}), ":0");
  EXPECT_EQ(gotBytes(), marker('m'));
  ask(*connection, {"UNLINK", key});
  EXPECT_EQ(eval(Script::kTakeOver, {value().substr(0, 24), marker('t'), "5000"}), ":0");
  EXPECT_EQ(got(), "_");
}

TEST_F(RealServerScripts, FailOfAMarker) {
  const std::string told = flagged(core::entry_flags::kFailure, 'z');
  put(marker('m'));
  EXPECT_EQ(eval(Script::kFail, {kMine, told, "1000"}), ":1");
  EXPECT_EQ(gotBytes(), told);
  EXPECT_LE(left(), 1000);
  for (const Words& silent : {Words{kMine, "", "1000"}, Words{kMine, told, "0"}, Words{kMine, "", "0"}}) {
    put(marker('m'));
    EXPECT_EQ(eval(Script::kFail, silent), ":1");
    EXPECT_EQ(got(), "_");
  }
  for (const std::string& other : {marker('t'), value(), told}) {
    put(other);
    EXPECT_EQ(eval(Script::kFail, {kMine, told, "1000"}), ":0");
    EXPECT_EQ(gotBytes(), other);
  }
}

TEST_F(RealServerScripts, FailOfARefreshKeepsTheValue) {
  put(leasedValue('m', serverTime() + 5000));
  const core::Millis before = serverTime();
  EXPECT_EQ(eval(Script::kFail, {kMine, flagged(core::entry_flags::kFailure, 'z'), "1000"}), ":1");
  std::string bytes = gotBytes();
  auto entry = core::parseEntry(bytes);
  ASSERT_TRUE(entry);
  EXPECT_EQ(entry->payload, "value");
  EXPECT_EQ(entry->leaseId, core::FillId{});
  EXPECT_GE(entry->leaseUntil, before + 1000);
  EXPECT_LE(entry->leaseUntil, serverTime() + 1000);
  EXPECT_GT(left(), 45000);
  EXPECT_EQ(eval(Script::kRefresh, {kTheirs, "5000"}), ":2");

  put(leasedValue('m', serverTime() + 5000));
  EXPECT_EQ(eval(Script::kFail, {kMine, "", "0"}), ":1");
  bytes = gotBytes();
  entry = core::parseEntry(bytes);
  ASSERT_TRUE(entry);
  EXPECT_EQ(entry->leaseUntil, 0);
  EXPECT_EQ(eval(Script::kRefresh, {kTheirs, "5000"}), ":1") << "at once";
}

TEST_F(RealServerScripts, SoftenLeavesACopyAndTakesTheLease) {
  put(leasedValue('m', serverTime() + 5000));
  EXPECT_EQ(eval(Script::kSoften, {}), ":1");
  const std::string bytes = gotBytes();
  const auto entry = core::parseEntry(bytes);
  ASSERT_TRUE(entry);
  EXPECT_TRUE(entry->outdated);
  EXPECT_EQ(entry->payload, "value");
  EXPECT_EQ(entry->leaseId, core::FillId{});
  EXPECT_EQ(entry->leaseUntil, 0);
  EXPECT_GT(left(), 45000);
  EXPECT_EQ(eval(Script::kFill, {kMine, value("new"), "60000"}), ":-3") << "the load was overtaken";
  for (const std::string& none : {marker('t'), flagged(core::entry_flags::kFailure, 't'), std::string("foreign")}) {
    put(none);
    EXPECT_EQ(eval(Script::kSoften, {}), ":0");
    EXPECT_EQ(got(), "_");
  }
  EXPECT_EQ(eval(Script::kSoften, {}), ":0");
}

TEST_F(RealServerScripts, HeldAsksAndChangesNothing) {
  put(marker('m'));
  EXPECT_EQ(eval(Script::kHeld, {kMine}), ":1");
  EXPECT_EQ(eval(Script::kHeld, {kTheirs}), ":0");
  EXPECT_EQ(gotBytes(), marker('m'));
  ask(*connection, {"UNLINK", key});
  EXPECT_EQ(eval(Script::kHeld, {kMine}), ":0");
}

TEST_F(RealServerScripts, SweepRemovesWhatCarriesTheTagWithAnotherStamp) {
  // One name looks like a stamp with a name behind it, and one holds what a pattern would.
  const std::string disguised = std::string(16, '1') + "t:x";
  const std::string tags = core::encodeTags(std::vector<core::TagStamp>{
      {disguised, idOf('5')}, {"t:x", idOf('1')}, {std::string_view("t:\0%y", 5), idOf('2')}});
  Entry entry = entryOf("t:payload");
  entry.tags = tags;
  const std::string bytes = core::encodeEntry(entry);
  const std::string odd("t:\0%y", 5);
  put(bytes);
  EXPECT_EQ(eval(Script::kSweep, {"t:x", std::string(16, '1')}), ":0");
  EXPECT_EQ(eval(Script::kSweep, {odd, std::string(16, '2')}), ":0");
  EXPECT_EQ(eval(Script::kSweep, {"t:payload", std::string(16, '3')}), ":0") << "it does not carry that tag";
  EXPECT_EQ(eval(Script::kSweep, {"t:", std::string(16, '3')}), ":0");
  EXPECT_EQ(gotBytes(), bytes);
  for (const std::string& tag : {std::string("t:x"), odd, disguised}) {
    put(bytes);
    EXPECT_EQ(eval(Script::kSweep, {tag, std::string(16, '3')}), ":1");
    EXPECT_EQ(got(), "_");
  }
  EXPECT_EQ(eval(Script::kSweep, {"t:x", std::string(16, '3')}), ":0");
  // What carries no tag, or is no value, is none of its business.
  for (const std::string& none : {value(), marker('t'), std::string("foreign")}) {
    put(none);
    EXPECT_EQ(eval(Script::kSweep, {"t:x", std::string(16, '3')}), ":0");
    EXPECT_EQ(gotBytes(), none);
  }
}

// A write makes the server forget who tracks a key: each script ends with a read of it.
TEST_F(RealServerScripts, TheNextChangeIsAnnounced) {
  const std::string told = flagged(core::entry_flags::kFailure, 'z');
  struct Case {
    const char* name;
    std::string before;  // under the key; empty: nothing
    Script script;
    Words arguments;
    const char* answer;  // nullptr: a time to live
  };
  const Case cases[] = {
      {"fill", marker('m'), Script::kFill, {kMine, value(), "60000"}, nullptr},
      {"fill, overtaken", marker('t'), Script::kFill, {kMine, value(), "60000"}, ":-3"},
      {"refresh", value(), Script::kRefresh, {kMine, "5000"}, ":1"},
      {"refresh, nothing there", "", Script::kRefresh, {kMine, "5000"}, ":-1"},
      {"take over", value(), Script::kTakeOver, {value().substr(0, 24), marker('m'), "5000"}, ":1"},
      {"take over, too late", value(), Script::kTakeOver, {std::string(24, 'x'), marker('m'), "5000"}, ":0"},
      {"fail, told", marker('m'), Script::kFail, {kMine, told, "1000"}, ":1"},
      {"fail, silent", marker('m'), Script::kFail, {kMine, "", "0"}, ":1"},
      {"fail of a refresh", leasedValue('m', 5), Script::kFail, {kMine, "", "1000"}, ":1"},
      {"soften", value(), Script::kSoften, {}, ":1"},
      {"held", marker('m'), Script::kHeld, {kMine}, ":1"},
      {"renew", marker('m'), Script::kRenew, {kMine, "1000"}, ":1"},
      {"renew of a refresh", leasedValue('m', 5), Script::kRenew, {kMine, "1000"}, ":1"},
  };
  const auto other = open();
  Announced announced;
  connection->addInvalidationListener(announced);
  connection->requestTracking();
  ASSERT_TRUE(loop.runUntil([&] { return connection->isTracking(); }));
  for (const Case& one : cases) {
    if (one.before.empty()) {
      ask(*other, {"UNLINK", key});
    } else {
      ask(*other, {"SET", key, one.before, "PX", "50000"});
    }
    got();  // tracked before, too: so its own write is announced
    announced.keys.clear();
    const std::string before = got();
    const std::string answer = eval(one.script, one.arguments);
    EXPECT_TRUE(one.answer == nullptr ? answer.size() > 3 && answer.starts_with(':') : answer == one.answer)
        << one.name << ": " << answer;
    // Behind its answer comes nothing more that the script led to. A renewal leaves the bytes of a marker as they are.
    const bool changed = got() != before || one.script == Script::kRenew;
    EXPECT_EQ(announced.keys, changed ? testing::Strings({key}) : testing::Strings()) << one.name << ": its own";
    announced.keys.clear();
    ask(*other, {"SET", key, "foreign", "PX", "50000"});
    EXPECT_TRUE(loop.runUntil([&] { return !announced.keys.empty(); })) << one.name;
    EXPECT_EQ(announced.keys, testing::Strings({key})) << one.name;
  }
  connection->removeInvalidationListener(announced);
}

}  // namespace
}  // namespace tiercel::redis
