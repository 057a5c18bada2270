// Cache tiers between callers and a server that both do as they like: namespaces come and go with operations under way,
// connections are lost and ended, other clients change what is stored, and now and then the server answers nonsense.
// Every operation is told of exactly once and in order, nobody is told anything behind its end, and as long as the
// server is honest nobody is given what was replaced before he asked, nor finds in memory what is no longer stored.
#include <uv.h>

#include <array>
#include <charconv>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/entry/entry.h"
#include "core/shared_tiers.h"
#include "fuzz_clock.h"
#include "fuzz_input.h"
#include "fuzz_server.h"
#include "fuzz_wire.h"
#include "redis/cache_tier.h"

namespace tiercel::fuzz {
namespace {

using redis::CacheTier;
using redis::Connection;
using Tags = std::vector<std::string>;

constexpr std::size_t kMostOperations = 300;
constexpr std::size_t kMostTiers = 4;
constexpr std::array<const char*, 4> kKeys{"a", "b", "k:c", "long-key-that-fits-in-no-small-string"};
const std::array<Tags, 4> kTags{Tags{}, Tags{"t:x"}, Tags{"t:y"}, Tags{"t:x", "t:y", "t:z"}};

class Run;

// A namespace: the caller of a tier.
class Caller final : public redis::CacheTierObserver {
 public:
  Caller(Run& run, std::size_t number, bool memory);
  ~Caller() override { gone_ = true; }
  Caller(const Caller&) = delete;
  Caller& operator=(const Caller&) = delete;

  void act(std::uint8_t what, std::uint8_t how);
  [[nodiscard]] std::size_t unsettled() const { return asked_.size(); }
  [[nodiscard]] bool idle() const { return tier_.isIdle(); }

 private:
  struct Held {
    core::LeaseNumber number = 0;
    std::string key;
  };
  struct Asked {
    std::uint32_t number = 0;
    std::string key;
    std::uint64_t floor = 0;  // what was stored before that had been replaced when it was asked for
    bool timedOut = false;
  };
  std::uint32_t onSubmitted() noexcept override;
  void onFound(std::uint32_t number, const core::Found& found, std::uint32_t flags) override;
  void onFoundMany(std::uint32_t number, std::span<const core::Found> found) override;
  void onDone(std::uint32_t number, std::int64_t result) override;
  void onOperationFailed(std::uint32_t number, const redis::Error& error) override;
  void onOperationTimedOut(std::uint32_t number) override;
  void onWatched(std::string_view key) override;
  Asked settle(std::uint32_t number);
  void checkHit(const core::Found& found, const Asked& asked) const;
  void began(const core::Answer& admission, std::uint32_t before, const std::string& key);

  Run& run_;
  bool gone_ = false;
  std::uint32_t submitted_ = 0;
  std::deque<Asked> asked_;
  std::vector<Held> leases_;
  std::string head_;  // of what was found outdated
  std::string outdated_;
  CacheTier tier_;
};

class Run final : public redis::ConnectionObserver {
 public:
  explicit Run(uv_loop_t* loop) : loop_(std::make_shared<redis::LoopHandles>(loop)) {
    server_.onChange = [this](const std::string& full, const std::string& value) {
      const std::string key = full.substr(2);  // behind the prefix
      changed_[key] = ++changes_;
      if (const auto parsed = core::parseEntry(value)) storedAt_[versionOf(key, parsed->payload)] = changes_;
    };
  }
  void play(Input input);

 private:
  friend class Caller;

  class Wire final : public redis::Transport {
   public:
    Wire(Run& run, redis::TransportListener& listener) : listener(listener), run_(run) {}
    void connect() override { state = State::kConnecting; }
    void write(redis::OutputBuffer& buffer) override {
      if (state == State::kOpen) run_.sent(buffer.view());
      buffer.clear();
    }
    [[nodiscard]] bool isWriting() const override { return false; }
    [[nodiscard]] std::size_t backlog() const override { return 0; }
    void close() override { state = State::kClosed; }
    [[nodiscard]] std::string name() const override { return "wire"; }
    void setRef(bool /*ref*/) override {}
    enum class State : std::uint8_t { kClosed, kConnecting, kOpen };
    State state = State::kClosed;
    redis::TransportListener& listener;

   private:
    Run& run_;
  };

  void onConnect() override {}
  void onReady() override {}
  void onClose(const redis::Error& /*reason*/) override {}
  void onError(const redis::Error& /*error*/) override {}
  void onReconnecting(int /*attempt*/, core::Millis /*delay*/) override {}
  void onPush(const redis::ReplyTree& /*push*/) override {}
  void onEnd() override { ended_ = true; }
  void onBatchBegin() override { inBatch_ = true; }
  void onBatchEnd() override {
    switch (std::exchange(atBatchEnd_, 0)) {
      case 1:
        connection_->destroy();
        break;
      case 2:
        connection_->close();
        break;
      case 3:
        // Not from inside of its own call: the binding lets go of a tier when nothing of it is on the stack.
        if (!callers_.empty() && !acting_) callers_.erase(callers_.begin());
        break;
      case 4:
        open(true);
        break;
      default:
        break;
    }
    inBatch_ = false;
  }

  void open(bool memory) {
    if (callers_.size() < kMostTiers && !ended_) callers_.push_back(std::make_unique<Caller>(*this, opened_++, memory));
  }

  // Commands are carried out when the server gets to them: what another client does comes in front or behind.
  void sent(std::string_view bytes) {
    forEachCommand(bytes, [&](Words words) { arrived_.push_back(std::move(words)); });
  }
  void serve(std::size_t most) {
    for (; most > 0 && !arrived_.empty(); --most) {
      const Words words = std::move(arrived_.front());
      arrived_.pop_front();
      server_.run(words);
    }
  }
  void deliver(std::size_t most, std::size_t piece) {
    while (most > 0 && !server_.out.empty() && wire_->state == Wire::State::kOpen) {
      const std::size_t size = std::min({piece, most, server_.out.size()});
      const std::vector<char> block(server_.out.begin(), server_.out.begin() + static_cast<std::ptrdiff_t>(size));
      server_.out.erase(0, size);
      most -= size;
      wire_->listener.onTransportData(block.data(), block.size());
    }
  }
  void lose() {
    if (wire_->state == Wire::State::kClosed) return;
    wire_->close();
    server_.forgetClient();
    arrived_.clear();
    wire_->listener.onTransportClosed({redis::ErrorCode::kConnectionLost, "lost"});
  }
  void opened() {
    if (wire_->state != Wire::State::kConnecting) return;
    wire_->state = Wire::State::kOpen;
    server_.forgetClient();
    arrived_.clear();
    wire_->listener.onTransportConnected();
  }
  void turn(std::int64_t milliseconds) {
    passTime(milliseconds);
    uv_run(loop_->loop(), UV_RUN_NOWAIT);
  }
  // Everything that is under way arrives.
  void settle() {
    for (int i = 0; i < 200 && (!arrived_.empty() || !server_.out.empty()); ++i) {
      serve(arrived_.size());
      deliver(SIZE_MAX, 4096);
      turn(0);
    }
  }

  std::string entry(const std::string& key, std::uint8_t how) {
    core::Entry entry;
    const std::string payload = key + "=" + std::to_string(++version_);
    entry.fillId.fill(static_cast<std::uint8_t>(version_));
    entry.fillId[0] = static_cast<std::uint8_t>(version_ >> 8);
    entry.payload = payload;
    entry.freshFor = 100 * (1 + how % 7);
    entry.staleFor = entry.keepFor = entry.freshFor + 200;
    if ((how & 8) != 0) entry.flags = core::entry_flags::kMarker;
    if ((how & 16) != 0 && entry.flags == 0) entry.flags = core::entry_flags::kFailure;
    entry.outdated = (how & 32) != 0;
    return core::encodeEntry(entry);
  }
  void somebodyElse(std::uint8_t how, Input& input) {
    const std::string key = kKeys[input.byte() % kKeys.size()];
    const std::string full = "p:" + key;
    switch (how % 6) {
      case 0:
      case 1:
        return server_.change(full, entry(key, 0), 5000);
      case 2:
        return server_.change(full, "", 0);
      case 3:
        return server_.change(full, entry(key, input.byte()), 1 + input.byte() * 10);
      case 4:
        return server_.change("p:" + std::string(input.byte() % 2 == 0 ? "t:x" : "n"),
                              std::string(16, static_cast<char>(input.byte() | 1)), 100000);
      default:
        return server_.flushAll();
    }
  }
  // What is stored under a key now: the number in its payload, 0 when there is no entry.
  std::uint64_t stored(const std::string& key) {
    const std::string value = server_.read("p:" + key);
    const auto parsed = core::parseEntry(value);
    return parsed ? versionOf(key, parsed->payload) : 0;
  }
  static std::uint64_t versionOf(const std::string& key, std::string_view payload) {
    if (!payload.starts_with(key + "=")) return 0;
    std::uint64_t version = 0;
    std::from_chars(payload.data() + key.size() + 1, payload.data() + payload.size(), version);
    return version;
  }
  // With nothing under way, memory holds nothing but what is stored.
  void compare() {
    if (lied_ || !connection_->isTracking() || connection_->waiting() > 0) return;
    if (!server_.out.empty() || !arrived_.empty()) return;
    for (const char* key : kKeys) {
      const std::uint64_t now = stored(key);
      if (!server_.out.empty()) return;  // its expiry is being announced
      const auto hit = shared_.memory.peek(key, connection_->now());
      if (!hit) continue;
      require(versionOf(key, hit->entry.payload) == now, "memory has what is stored");
    }
  }
  void act(Caller& caller, std::uint8_t what, std::uint8_t how) {
    acting_ = true;
    caller.act(what, how);
    acting_ = false;
  }
  void step(Input& input);

  redis::LoopHandlesPtr loop_;
  core::ProcessTier shared_{core::TierOptions{.memory = {.maxBytes = std::size_t{1} << 20}}};
  Server server_;
  Wire* wire_ = nullptr;
  std::unique_ptr<Connection> connection_;
  std::vector<std::unique_ptr<Caller>> callers_;
  std::deque<Words> arrived_;
  std::size_t opened_ = 0;
  std::size_t operations_ = 0;
  std::uint64_t version_ = 0;  // of payloads; each is written by one entry
  std::uint64_t changes_ = 0;
  std::map<std::string, std::uint64_t> changed_;     // when a key was, as the server saw it
  std::map<std::uint64_t, std::uint64_t> storedAt_;  // when a version was
  std::uint8_t atBatchEnd_ = 0;
  std::uint8_t inCallback_ = 0;  // what the next callback does
  bool inBatch_ = false;
  bool acting_ = false;
  bool ended_ = false;
  bool lied_ = false;  // from then on nothing is true
};

Caller::Caller(Run& run, std::size_t number, bool memory)
    : run_(run),
      tier_(*run.connection_, run.shared_,
            {.prefix = "p:",
             .namespaces = number % 2 == 0 ? Tags{"n"} : Tags{"n", "n:sub"},
             .maxStaleness = 50,
             .memory = memory},
            *this) {}

std::uint32_t Caller::onSubmitted() noexcept {
  asked_.push_back({.number = ++submitted_});
  return submitted_;
}

// Called behind each call, which may have made others fail to make room: an operation is on its way exactly when it was
// admitted.
void Caller::began(const core::Answer& admission, std::uint32_t before, const std::string& key) {
  if (!(admission == core::Admission::kAdmitted)) return require(submitted_ == before, "what is refused was not begun");
  require(submitted_ == before + 1, "what is admitted is on its way");
  asked_.back().key = key;
  asked_.back().floor = run_.changed_[key];
}

Caller::Asked Caller::settle(std::uint32_t number) {
  require(!gone_, "nobody is told behind its end");
  require(run_.inBatch_, "answers come in batches");
  require(!asked_.empty() && asked_.front().number == number, "operations are told of in order, each once");
  Asked asked = asked_.front();
  asked_.pop_front();
  return asked;
}

void Caller::checkHit(const core::Found& found, const Asked& asked) const {
  if (found.kind != core::Found::Kind::kHit || run_.lied_) return;
  const std::uint64_t version = Run::versionOf(asked.key, found.entry.payload);
  require(version > 0, "a hit is an entry of its key");
  require(run_.storedAt_[version] >= asked.floor, "nobody is given what was replaced before he asked");
}

void Caller::onFoundMany(std::uint32_t number, std::span<const core::Found> found) {
  const Asked asked = settle(number);
  require(found.size() == 3, "one for each key");
  checkHit(found[0], asked);
  checkHit(found[2], asked);
  run_.inCallback_ = 0;
}

void Caller::onFound(std::uint32_t number, const core::Found& found, std::uint32_t flags) {
  const Asked asked = settle(number);
  require(flags == number % 3, "the flags come back");
  if (found.kind == core::Found::Kind::kLeased) {
    require(found.lease != 0, "a lease has a number");
    if (leases_.size() < 16) leases_.push_back({found.lease, asked.key});
  }
  if (found.kind == core::Found::Kind::kOutdated) {
    head_ = found.head;
    outdated_ = asked.key;
  }
  checkHit(found, asked);
  // As the binding does: asks again at once.
  if (std::exchange(run_.inCallback_, 0) == 1 && found.kind == core::Found::Kind::kAgain) {
    const std::uint32_t before = submitted_;
    began(tier_.read(asked.key, (submitted_ + 1) % 3, false), before, asked.key);
  }
}

void Caller::onDone(std::uint32_t number, std::int64_t /*result*/) { settle(number); }
void Caller::onOperationFailed(std::uint32_t number, const redis::Error& error) {
  require(!error.message.empty(), "a failure has a reason");
  settle(number);
}
void Caller::onOperationTimedOut(std::uint32_t number) {
  for (Asked& asked : asked_) {
    if (asked.number != number) continue;
    require(!asked.timedOut, "a timeout is told of once");
    asked.timedOut = true;
    return;
  }
  require(false, "what times out is under way");
}
void Caller::onWatched(std::string_view key) {
  require(!gone_, "nobody is told behind its end");
  require(!key.empty(), "a key that is watched has a name");
}

void Caller::act(std::uint8_t what, std::uint8_t how) {
  if (run_.ended_ || ++run_.operations_ > kMostOperations) return;
  const std::string key = kKeys[how % kKeys.size()];
  const Tags& tags = kTags[how / 4 % kTags.size()];
  const std::uint32_t flags = (submitted_ + 1) % 3;
  const std::uint32_t before = submitted_;
  const core::Millis leaseFor = 50 + 100 * (how % 5);
  // Of a lease of ours, or of nobody's.
  const Held held = leases_.empty() ? Held{how, key} : leases_[how % leases_.size()];
  const core::LeaseNumber lease = held.number;
  const std::string bytes = run_.entry(what == 15 ? held.key : key, 0);
  core::Entry entry = *core::parseEntry(bytes);
  const auto done = [&] { std::erase_if(leases_, [&](const Held& one) { return one.number == lease; }); };
  switch (what) {
    case 0:
      if (how >= 192) return began(tier_.readMany(Tags{key, kKeys[0], key}), before, key);
      return began(tier_.read(key, flags, (how & 64) != 0), before, key);
    case 1:
      return began(tier_.acquire(key, {.leaseFor = leaseFor, .tags = tags, .flags = flags, .bare = (how & 64) != 0}),
                   before, key);
    case 2:
      return began(tier_.refresh(key, {leaseFor, tags, flags}), before, key);
    case 3:
      if (head_.empty()) return;
      return began(tier_.takeOver(outdated_, head_, {leaseFor, tags, flags}), before, outdated_);
    case 4:
      entry.flags = core::entry_flags::kFailure;
      done();
      return began(tier_.giveUp(lease, (how & 64) != 0 ? &entry : nullptr, how % 3 * 50), before, held.key);
    case 5:
      return began(tier_.held(lease), before, "");
    case 6:
      return began(tier_.renew(lease, leaseFor), before, "");
    case 7:
      done();
      tier_.drop(lease);
      return;
    case 8:
      (void)tier_.current(lease);
      (void)tier_.anyTagChanged(lease);
      tier_.addTags(lease, tags);
      return;
    case 9:
      if (!tier_.knowsTags(tags)) return began(tier_.prepare(tags), before, "");
      return began(tier_.write(key, entry, tags), before, key);
    case 10:
      return began(tier_.remove(key), before, key);
    case 11:
      return began(tier_.soften(key), before, key);
    case 12:
      return began(tier_.invalidateTags(tags.empty() ? Tags{"n"} : tags), before, "");
    case 13:
      return began(tier_.sweep(key, "t:x", std::string(16, 's')), before, key);
    case 14:
      tier_.unwatch(key);
      tier_.forget(key);
      return;
    default:
      done();
      return began(tier_.fill(lease, entry), before, held.key);
  }
}

void Run::step(Input& input) {
  constexpr std::array<std::string_view, 8> kNonsense{"+OK\r\n",
                                                      "_\r\n",
                                                      ":-7\r\n",
                                                      "-ERR no\r\n",
                                                      "$3\r\nabc\r\n",
                                                      "*2\r\n:1\r\n:2\r\n",
                                                      "%1\r\n+a\r\n+b\r\n",
                                                      "-NOSCRIPT none\r\n"};
  const std::uint8_t what = input.byte();
  const std::uint8_t how = what >> 4;
  switch (what & 15) {
    case 0:
    case 1:
    case 2:
    case 3:
    case 4: {
      const std::uint8_t which = input.byte();
      const std::uint8_t rest = input.byte();
      if (!callers_.empty()) act(*callers_[which % callers_.size()], how, rest);
    } break;
    case 5:
      serve(1 + how);
      break;
    case 6:
      deliver(1 + how * 16U, 1 + how);
      break;
    case 7:
      settle();
      compare();
      break;
    case 8:
      somebodyElse(how, input);
      break;
    case 9:
      turn(how * 9);
      break;
    case 10:
      turn(how * 120);
      break;
    case 11:
      if (how == 0) lose();
      if (how == 1) opened();
      if (how >= 2) {
        turn(100);
        opened();
        settle();
      }
      break;
    case 12:
      atBatchEnd_ = how % 8;  // 5 to 7: nothing
      break;
    case 13:  // a namespace comes, or goes with what it has under way
      if (how < 6) open(how % 2 == 0);
      if (how >= 6 && !callers_.empty())
        callers_.erase(callers_.begin() + how % static_cast<std::ptrdiff_t>(callers_.size()));
      break;
    case 14:
      if (how == 0) server_.refusesScripts = !server_.refusesScripts;
      if (how == 1) server_.full = !server_.full;
      if (how == 2) inCallback_ = 1;
      if (how == 3 && !ended_) connection_->flush();
      if (how == 4) compare();
      break;
    default:  // nonsense in the place of an answer
      if (arrived_.empty() || !connection_->isReady()) break;
      lied_ = true;
      arrived_.pop_front();
      server_.out += kNonsense[how % kNonsense.size()];
  }
}

void Run::play(Input input) {
  const std::uint8_t setup = input.byte();
  redis::ConnectionOptions options;
  options.commandTimeout = (setup & 1) != 0 ? 0 : 400;
  options.heartbeat = (setup & 2) != 0 ? 0 : 700;
  options.backoffMax = 100;
  options.maxQueuedCommands = 40;
  connection_ = std::make_unique<Connection>(loop_, options, *this, [this](redis::TransportListener& listener) {
    auto wire = std::make_unique<Wire>(*this, listener);
    wire_ = wire.get();
    return wire;
  });
  open((setup & 4) == 0);
  connection_->start();
  turn(1);
  if ((setup & 8) == 0) {
    opened();
    settle();
  }
  while (!input.empty()) step(input);
  if ((setup & 16) != 0) callers_.clear();  // in front of the connection, with whatever is under way
  connection_->destroy();
  require(ended_, "destroy() ends it");
  require(connection_->waiting() == 0, "nothing waits behind the end");
  for (const auto& caller : callers_) {
    require(caller->unsettled() == 0, "every operation is told of");
    require(caller->idle(), "nothing is under way behind the end");
  }
  callers_.clear();
  connection_.reset();
  uv_run(loop_->loop(), UV_RUN_NOWAIT);
  uv_run(loop_->loop(), UV_RUN_NOWAIT);
  require(loop_->open() == 0, "every handle is closed");
}

}  // namespace
}  // namespace tiercel::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  tiercel::fuzz::Run(tiercel::fuzz::updatedLoop()).play({data, size});
  return 0;
}
