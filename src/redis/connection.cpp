#include "redis/connection.h"

#include <algorithm>
#include <cmath>
#include <new>
#include <utility>

#include "core/random.h"
#include "redis/command_writer.h"
#include "redis/connection_batch.h"
#include "redis/server_words.h"

namespace tiercel::redis {

namespace {

// A long synchronous turn should not hold everything back: what is encoded so far leaves at this size.
constexpr std::size_t kFlushAt = std::size_t{64} << 10;

// With so few commands in flight the loop would fall asleep before their answers come: see ShortWait.
constexpr std::size_t kFew = 4;

// A connection that was ready for less time than this is not given up for a READONLY.
constexpr core::Millis kStayAfterReady = 1000;

// What RESP2 sends as an array where RESP3 pushes.
bool isMessage(const ReplyTree& tree) {
  if (tree.nodes.size() < 3 || tree.nodes[1].type != ReplyType::kString) return false;
  const std::string_view kind = tree.textOf(tree.nodes[1]);
  return kind == "message" || kind == "pmessage" || kind == "smessage" || kind.ends_with("subscribe");
}

// What a server speaks whose first bytes are no RESP.
const char* otherProtocol(std::string_view first) {
  if (first.starts_with("HTTP/")) return " (the server speaks HTTP)";
  // An alert, in any version.
  if (first.starts_with("\x15\x03")) return " (the server speaks TLS: set the option tls, or use rediss://)";
  return "";
}

// Short enough to need no memory itself.
constexpr const char* kNoMemory = "out of memory";

const Error kClosedError{ErrorCode::kClosed, "the client is closed"};

}  // namespace

// The answer to a CLIENT TRACKING that was sent after the handshake.
class Connection::TrackingReply final : public ReplyHandler {
 public:
  explicit TrackingReply(Connection& connection) : connection_(connection) {}
  void onReply(const Pending& /*pending*/, const Reply& reply) override { connection_.tracking_ = !reply.isError(); }
  void onFailed(const Pending& /*pending*/, const Error& /*error*/) override {}
  void onTimedOut(const Pending& /*pending*/) override {}

 private:
  Connection& connection_;
};

// The answer to a PING of ours.
class Connection::HeartbeatReply final : public ReplyHandler {
 public:
  explicit HeartbeatReply(Connection& connection) : connection_(connection) {}
  void onReply(const Pending& pending, const Reply& reply) override { connection_.onHeartbeat(pending, reply); }
  void onFailed(const Pending& /*pending*/, const Error& /*error*/) override {}
  void onTimedOut(const Pending& /*pending*/) override {}

 private:
  Connection& connection_;
};

Connection::Connection(LoopHandlesPtr loop, ConnectionOptions options, ConnectionObserver& observer,
                       const TransportFactory& transport)
    : loop_(std::move(loop)),
      options_(std::move(options)),
      observer_(observer),
      handshake_(options_.handshake),
      trackingReply_(std::make_unique<TrackingReply>(*this)),
      heartbeatReply_(std::make_unique<HeartbeatReply>(*this)),
      nonce_(static_cast<std::uint64_t>(core::randomUnit() * (UINT64_C(1) << 48))) {
  TransportListener& listener = *this;
  transport_ = transport ? transport(listener) : std::make_unique<SocketTransport>(loop_, options_.endpoint, listener);
}

Connection::~Connection() { abandon(); }

void Connection::start() {
  if (state_ != State::kIdle) return;
  prepare_.open(loop_, this, [](uv_loop_t* loop, uv_prepare_t* handle) { return uv_prepare_init(loop, handle); });
  stateTimer_.open(loop_, this, [](uv_loop_t* loop, uv_timer_t* handle) { return uv_timer_init(loop, handle); });
  deadlineTimer_.open(loop_, this, [](uv_loop_t* loop, uv_timer_t* handle) { return uv_timer_init(loop, handle); });
  heartbeatTimer_.open(loop_, this, [](uv_loop_t* loop, uv_timer_t* handle) { return uv_timer_init(loop, handle); });
  shortWait_.open(loop_);
  // None of these keeps a process alive: the socket does, as long as there is something to wait for.
  uv_unref(prepare_.base());
  uv_unref(deadlineTimer_.base());
  uv_unref(heartbeatTimer_.base());
  state_ = State::kBackoff;
  startStateTimer(0);
}

void Connection::startStateTimer(core::Millis delay) {
  uv_timer_start(
      stateTimer_.get(),
      [](uv_timer_t* timer) {
        auto* self = static_cast<Connection*>(timer->data);
        const Batch batch(*self);
        if (self->state_ == State::kBackoff) {
          self->connect();
        } else if (self->state_ == State::kReady) {
          self->fail(ErrorCode::kProtocol, self->failSoon_ == nullptr ? "" : self->failSoon_);
        } else {
          const std::string awaited = self->awaited();
          const std::string why = awaited.empty() ? "" : " (" + awaited + ")";
          self->fail(ErrorCode::kConnectFailed, "no connection within the connect timeout" + why);
        }
      },
      static_cast<std::uint64_t>(delay), 0);
}

void Connection::connect() {
  state_ = State::kConnecting;
  if (options_.connectTimeout > 0) startStateTimer(options_.connectTimeout);
  transport_->setRef(ref_);
  transport_->connect();
}

Connection::Admission Connection::admit(bool failFast, bool joined) {
  if (closing_ || state_ == State::kClosed || state_ == State::kIdle) return Admission::kClosed;
  if (joined) return Admission::kAdmitted;
  const bool usable = state_ == State::kReady && draining_.empty();
  if (!usable && !options_.offlineQueue) return Admission::kUnavailable;
  if (failFast && (unresponsive_ || (attempted_ && !usable))) return Admission::kUnavailable;
  // A bulk load of one turn is no sign of a slow server: only what it has not taken since an earlier turn is.
  const bool hasRoom = usable ? !transport_->isWriting() || carriedOver_ < options_.maxQueuedBytes : makeRoom();
  if (!hasRoom) {
    ++stats_.refused;
    return Admission::kQueueFull;
  }
  // Those who were told may have closed it.
  return closing_ ? Admission::kClosed : Admission::kAdmitted;
}

// Whether one more command may wait for a connection. Those who have waited longest have most likely given up: they go
// first.
bool Connection::makeRoom() {
  const auto full = [this] { return queued() >= options_.maxQueuedCommands || out_.size() >= options_.maxQueuedBytes; };
  if (!full()) return true;
  if (inFlight_ > 0) return false;
  const Batch batch(*this);
  while (full() && !pending_.empty()) {
    ++stats_.refused;
    failFirstQueued({ErrorCode::kQueueFull, "too many commands wait for a connection"});
  }
  return true;
}

// With nothing in flight: the command that has waited longest, and those that belong with it.
void Connection::failFirstQueued(const Error& error) {
  const Pending pending = take();
  out_.consume(pending.bytes);
  pending.fail(error);
  failJoined(error);
}

Pending Connection::take() {
  const Pending pending = pending_.take();
  if (pending.timedOut) --timedOut_;
  if (pending.endless && pending.allowed == 0) --forever_;
  return pending;
}

void Connection::failJoined(const Error& error) {
  while (!pending_.empty() && pending_.front().joined) {
    const Pending pending = take();
    out_.consume(pending.bytes);
    pending.fail(error);
  }
}

Pending Connection::pendingOf(std::size_t mark, ReplyHandler& handler, std::uint64_t data,
                              const CommitOptions& how) const {
  core::Millis allowed = options_.commandTimeout;
  if (how.endless) allowed = how.waitsFor >= core::kForever || allowed == 0 ? 0 : allowed + how.waitsFor;
  allowed = std::min<core::Millis>(allowed, UINT32_MAX);
  core::Millis deadline = core::kForever;
  if (allowed > 0) {
    // The loop's time may be that of before a long synchronous turn. Of what is sent, flush() sets the deadline anew.
    deadline = (state_ == State::kReady ? static_cast<core::Millis>(uv_now(loop_->loop())) : now()) + allowed;
  }
  return {.handler = &handler,
          .data = data,
          .deadline = deadline,
          .bytes = static_cast<std::uint32_t>(out_.size() - mark),
          .allowed = static_cast<std::uint32_t>(allowed),
          .confirmations = how.confirmations,
          .joined = how.joined,
          .endless = how.endless};
}

// There is room in the queue.
void Connection::enqueue(const Pending& pending) noexcept {
  pending_.push(pending);
  if (pending.endless && pending.allowed == 0) ++forever_;
  ++stats_.commands;
  stats_.bytesOut += pending.bytes;
  subscriber_ = subscriber_ || pending.confirmations > 0;
  // A timer that runs was set for an older command, and sets itself anew when it fires.
  if (pending.deadline < armedFor_ && deadlineTimer_.isOpen()) {
    armedFor_ = pending.deadline;
    startDeadlineTimer(std::max<core::Millis>(0, armedFor_ - static_cast<core::Millis>(uv_now(loop_->loop()))));
  }
}

void Connection::submitted() noexcept {
  if (state_ != State::kReady) return;
  if (out_.size() >= kFlushAt && !transport_->isWriting()) {
    flush();
  } else {
    markDirty();
  }
}

void Connection::markDirty() {
  if (uv_is_active(prepare_.base()) != 0) return;
  uv_prepare_start(prepare_.get(), [](uv_prepare_t* prepare) { static_cast<Connection*>(prepare->data)->endTurn(); });
}

void Connection::endTurn() {
  uv_prepare_stop(prepare_.get());
  flush();
  carriedOver_ = out_.size();
}

void Connection::flush() {
  if (state_ != State::kReady || transport_->isWriting() || out_.empty() || !draining_.empty()) return;
  if (failSoon_ != nullptr) return;
  uv_prepare_stop(prepare_.get());
  carriedOver_ = 0;
  // The time that a command has for its answer begins when it leaves: a long synchronous turn is not the server's
  // fault.
  if (options_.commandTimeout > 0) {
    const core::Millis now = this->now();
    for (std::size_t i = inFlight_; i < pending_.size(); ++i) {
      if (pending_.at(i).allowed > 0) pending_.at(i).deadline = now + pending_.at(i).allowed;
    }
  }
  inFlight_ = pending_.size();
  try {
    transport_->write(out_);
  } catch (const std::bad_alloc&) {
    // A part of it may have left. Whoever submitted it is told as of a lost connection, not from inside of the call.
    return failSoon("there is no memory to send what was asked for");
  }
  if (inFlight_ <= kFew) shortWait_.begin();
}

void Connection::failSoon(const char* reason) {
  if (state_ != State::kReady || failSoon_ != nullptr) return;
  failSoon_ = reason;
  startStateTimer(0);
}

void Connection::onTransportDrained() {
  if (state_ == State::kReady) flush();
}

void Connection::onTransportConnected() {
  const Batch batch(*this);
  state_ = State::kHandshake;
  reader_ = std::make_unique<ReplyReader>(static_cast<ReplySink&>(*this));
  silent_ = true;
  deferredFailure_.clear();
  draining_.clear();
  pingSent_ = 0;
  probeAgain_ = false;
  subscriber_ = false;
  for (std::size_t i = 0; i < pending_.size(); ++i) subscriber_ = subscriber_ || pending_.at(i).confirmations > 0;
  ++stats_.connects;
  observer_.onConnect();
  handshakeOut_.clear();
  credentialsAwaited_ = options_.handshake.asksForCredentials;
  if (!credentialsAwaited_) return sayHello();
  observer_.onCredentialsNeeded(++credentialsAsked_);
}

void Connection::sayHello() {
  handshake_.begin(handshakeOut_);
  transport_->write(handshakeOut_);
}

void Connection::authenticate(std::uint32_t connection, std::string username, std::string password) {
  if (state_ != State::kHandshake || connection != credentialsAsked_) return;
  if (!std::exchange(credentialsAwaited_, false)) return;
  const Batch batch(*this);
  options_.handshake.username = std::move(username);
  options_.handshake.password = std::move(password);
  sayHello();
}

void Connection::cannotAuthenticate(std::uint32_t connection, const std::string& reason) {
  if (state_ != State::kHandshake || connection != credentialsAsked_) return;
  if (!std::exchange(credentialsAwaited_, false)) return;
  const Batch batch(*this);
  fail(ErrorCode::kConnectFailed, reason);
}

void Connection::onTransportData(const char* data, std::size_t size) {
  const Batch batch(*this);
  stats_.bytesIn += size;
  silent_ = false;
  lastData_ = static_cast<core::Millis>(uv_now(loop_->loop()));
  // Without a heartbeat nobody asks on behalf of those who do not wait: anything at all will do.
  if (options_.heartbeat == 0) unresponsive_ = false;
  shortWait_.end();
  if (state_ == State::kReady) heard();
  bool ok = true;
  try {
    ok = reader_->feed(data, size);
  } catch (const std::bad_alloc&) {
    deferredFailure_ = kNoMemory;
  }
  if (state_ == State::kHandshake && !handshakeOut_.empty() && !transport_->isWriting()) {
    transport_->write(handshakeOut_);
  }
  if (!deferredFailure_.empty()) {
    const auto code = state_ == State::kHandshake ? ErrorCode::kConnectFailed : ErrorCode::kProtocol;
    fail(code, deferredFailure_);
  } else if (!ok) {
    const std::string_view first(data, size);
    fail(ErrorCode::kProtocol, reader_->error() + (state_ == State::kHandshake ? otherProtocol(first) : ""));
  } else if (!draining_.empty() && inFlight_ == 0) {
    fail(ErrorCode::kConnectionLost, draining_);
  } else if (closing_) {
    finishClosing();
  } else if (std::exchange(probeAgain_, false) && state_ == State::kReady && pingSent_ == 0) {
    ping();
  }
}

void Connection::onReply(const Reply& reply) {
  if (!deferredFailure_.empty()) return;  // the connection is lost; this only waits for the parser to return
  if (state_ == State::kHandshake) return handshakeReply(reply);
  if (inFlight_ == 0 && !(subscriber_ && protocol_ == 2 && reply.tree != nullptr && isMessage(*reply.tree))) {
    deferredFailure_ = "the server sent an answer that nobody asked for";
    // Servers explain themselves this way before they hang up.
    if (reply.isError()) deferredFailure_ += ": " + shown(reply.text);
    return;
  }
  if (reply.isError()) {
    ++stats_.errors;
    // The master that this was has become a replica: the name may lead to the new one by now. Not at once again,
    // though, when it does not.
    if (reply.text.starts_with("READONLY") && lastData_ - readySince_ > kStayAfterReady) {
      draining_ = "the server has become a replica";
    }
  } else if (subscriber_ && protocol_ == 2 && reply.tree != nullptr && isMessage(*reply.tree)) {
    return onPush(*reply.tree);
  }
  settle(reply);
}

void Connection::settle(const Reply& reply) {
  const Pending pending = take();
  --inFlight_;
  ++stats_.replies;
  if (inFlight_ >= kCounted) {
    Pending& next = pending_.at(kCounted - 1);
    if (next.allowed > 0) next.deadline = static_cast<core::Millis>(uv_now(loop_->loop())) + next.allowed;
  }
  // A late answer shows that the server lives, not that it is worth waiting for.
  if (!pending.timedOut) unresponsive_ = false;
  try {
    pending.answer(reply);
  } catch (const std::bad_alloc&) {
    deferredFailure_ = kNoMemory;
    pending.fail({ErrorCode::kConnectionLost, deferredFailure_});
  }
}

void Connection::handshakeReply(const Reply& reply) {
  if (credentialsAwaited_) {
    deferredFailure_ = "the server answered before it was asked";
    return;
  }
  switch (handshake_.onReply(reply, handshakeOut_)) {
    case Handshake::Progress::kWaiting:
    case Handshake::Progress::kSend:
      return;
    case Handshake::Progress::kDone:
      // Answers to what has not been sent yet.
      if (!handshakeOut_.empty()) {
        deferredFailure_ = "the server answered before it was asked";
        return;
      }
      return becomeReady();
    case Handshake::Progress::kFailed:
      deferredFailure_ = handshake_.error();
  }
}

void Connection::becomeReady() {
  uv_timer_stop(stateTimer_.get());
  state_ = State::kReady;
  protocol_ = handshake_.protocol();
  tracking_ = handshake_.tracking();
  attempts_ = 0;
  attempted_ = true;
  everReady_ = true;
  lastError_.clear();
  lastData_ = static_cast<core::Millis>(uv_now(loop_->loop()));
  readySince_ = lastData_;
  heard();
  if (options_.heartbeat > 0) {
    uv_timer_start(
        heartbeatTimer_.get(), [](uv_timer_t* timer) { static_cast<Connection*>(timer->data)->beat(); },
        static_cast<std::uint64_t>(options_.heartbeat), static_cast<std::uint64_t>(options_.heartbeat));
  }
  if (options_.handshake.tracking && protocol_ == 3 && !tracking_) sendTracking();
  observer_.onReady();
  if (!out_.empty()) markDirty();
  // A server that took too long to say hello may take too long for everything: it is asked at nobody's expense first.
  if (std::exchange(doubted_, false) && options_.heartbeat > 0) {
    unresponsive_ = true;
    ping();
  }
}

void Connection::onPush(const ReplyTree& push) {
  ++stats_.pushes;
  if (state_ == State::kReady && isConfirmation(push)) return;
  if (push.nodes.size() < 3 || push.textOf(push.nodes[1]) != "invalidate") return observer_.onPush(push);
  if (push.nodes[2].type == ReplyType::kNil) {
    for (InvalidationListener* listener : invalidationListeners_) listener->onInvalidateAll();
    return;
  }
  for (std::size_t i = 3; i < push.nodes.size(); ++i) {
    if (!isText(push.nodes[i].type)) continue;  // no key
    const std::string_view key = push.textOf(push.nodes[i]);
    for (InvalidationListener* listener : invalidationListeners_) listener->onInvalidate(key);
  }
}

// The push that answers a SUBSCRIBE or its kin. Pushes and replies come in the order of their commands.
bool Connection::isConfirmation(const ReplyTree& push) {
  if (inFlight_ == 0 || pending_.front().confirmations == 0 || push.nodes.size() < 2) return false;
  if (!push.textOf(push.nodes[1]).ends_with("subscribe")) return false;
  if (--pending_.front().confirmations == 0) settle({.type = ReplyType::kStatus, .text = "OK"});
  return true;
}

void Connection::onTransportClosed(const Error& error) {
  const Batch batch(*this);
  if (state_ != State::kHandshake || credentialsAwaited_) return lose(error);
  const bool findsOut = handshake_.closed();
  std::string hint = handshake_.refusal();
  if (silent_ && !transport_->isEncrypted()) hint = "it said nothing; a server that wants TLS does so";
  lose(hint.empty() ? error : Error{error.code, error.message + " (" + hint + ")"}, findsOut);
}

// What an attempt to connect waits for; empty when that is the server's taking the connection.
std::string Connection::awaited() const {
  if (state_ != State::kHandshake) return std::string(transport_->awaited());
  return credentialsAwaited_ ? "the password has not come" : "the server takes the connection and says nothing";
}

std::string Connection::reason() const {
  if (state_ == State::kReady || state_ == State::kClosed || !lastError_.empty()) return lastError_;
  const std::string awaited = this->awaited();
  return transport_->name() + (awaited.empty() ? " has not answered" : ": " + awaited);
}

void Connection::fail(ErrorCode code, std::string_view reason) {
  lose({code, transport_->name() + ": " + std::string(reason)}, handshake_.retriesAtOnce());
}

void Connection::lose(const Error& error, bool findsOut) {
  if (state_ == State::kClosed) return;
  const bool wasReady = std::exchange(everReady_, false);
  transport_->close();
  if (heartbeatTimer_.isOpen()) uv_timer_stop(heartbeatTimer_.get());
  trackingLost();
  attempted_ = true;
  findsOut_ = findsOut;
  unresponsive_ = false;
  failSoon_ = nullptr;
  draining_.clear();
  if (wasReady) ++stats_.losses;
  lastError_ = error.message;
  state_ = State::kBackoff;
  carriedOver_ = 0;
  failInFlight({ErrorCode::kConnectionLost, error.message});
  // Of a group whose beginning has left, answered or not, the rest must not follow on another connection.
  failJoined({ErrorCode::kConnectionLost, error.message});
  if (wasReady) observer_.onClose(error);
  observer_.onError(error);
  // Behind that, because it is their reason.
  expireQueued(static_cast<core::Millis>(uv_now(loop_->loop())));
  if (closing_) finishClosing();
  if (state_ != State::kClosed) backOff();
}

void Connection::trackingLost() {
  tracking_ = false;
  for (InvalidationListener* listener : invalidationListeners_) listener->onTrackingLost();
}

// A silence is noticed by the second beat at the latest, and the question about it has a command's time.
void Connection::heard() {
  const core::Millis until = options_.heartbeat > 0 ? lastData_ + 2 * options_.heartbeat +
                                                          std::max(options_.heartbeat / 2, options_.commandTimeout)
                                                    : core::kForever;
  for (InvalidationListener* listener : invalidationListeners_) listener->onHeard(until);
}

void Connection::backOff() {
  if (handshake_.takeRetryAtOnce()) {
    startStateTimer(0);
    return observer_.onReconnecting(attempts_, 0);
  }
  const double most = static_cast<double>(options_.backoffMax);
  const double grown = static_cast<double>(options_.backoffMin) * std::pow(2.0, std::min(attempts_, 30));
  const double delay = std::min(most, grown) * (0.5 + core::randomUnit() / 2);
  ++attempts_;
  const auto rounded = std::max<core::Millis>(1, static_cast<core::Millis>(delay));
  startStateTimer(rounded);
  observer_.onReconnecting(attempts_, rounded);
}

void Connection::reconnectAfter(core::Millis delay) {
  if (state_ == State::kBackoff) startStateTimer(delay);
}

void Connection::giveUp() {
  if (state_ != State::kBackoff) return;
  const Batch batch(*this);
  closing_ = true;
  end({ErrorCode::kConnectFailed, lastError_});
}

void Connection::failInFlight(const Error& error) {
  for (; inFlight_ > 0; --inFlight_) {
    const Pending pending = take();
    pending.fail(error);
  }
}

void Connection::failQueued(const Error& error) {
  while (!pending_.empty()) {
    const Pending pending = take();
    pending.fail(error);
  }
  out_.clear();
}

void Connection::close() {
  if (closing_ || state_ == State::kClosed) return;
  const Batch batch(*this);
  if (state_ == State::kReady) flush();
  closing_ = true;
  finishClosing();
}

void Connection::finishClosing() {
  // What was submitted before the first connection still has a chance, and what waits for the right first words. Nobody
  // waits for those that timed out, and those that may wait for ever are not waited for.
  const bool mayBeAnswered = state_ == State::kReady || !attempted_ || findsOut_;
  if (mayBeAnswered && pending_.size() > timedOut_ + forever_) return;
  end(kClosedError);
}

void Connection::destroy() {
  if (state_ == State::kClosed) return;
  const Batch batch(*this);
  closing_ = true;
  end(kClosedError);
}

void Connection::end(const Error& error) {
  if (state_ == State::kClosed) return;
  const bool wasReady = std::exchange(everReady_, false);
  transport_->close();
  trackingLost();
  state_ = State::kClosed;
  failInFlight(error);
  failQueued(error);
  out_ = {};  // its owner may keep a client that has ended for long
  prepare_.close();
  shortWait_.close();
  stateTimer_.close();
  deadlineTimer_.close();
  heartbeatTimer_.close();
  if (wasReady) observer_.onClose(error);
  observer_.onEnd();
}

void Connection::abandon() {
  transport_->close();
  prepare_.close();
  shortWait_.close();
  stateTimer_.close();
  deadlineTimer_.close();
  heartbeatTimer_.close();
  state_ = State::kClosed;
  closing_ = true;
}

void Connection::setRef(bool ref) {
  ref_ = ref;
  transport_->setRef(ref);
  if (!stateTimer_.isOpen()) return;
  if (ref) {
    uv_ref(stateTimer_.base());
  } else {
    uv_unref(stateTimer_.base());
  }
}

void Connection::addInvalidationListener(InvalidationListener& listener) {
  invalidationListeners_.push_back(&listener);
}

void Connection::removeInvalidationListener(InvalidationListener& listener) {
  std::erase(invalidationListeners_, &listener);
}

void Connection::requestTracking() {
  if (std::exchange(options_.handshake.tracking, true)) return;
  if (state_ == State::kReady && protocol_ == 3) sendTracking();
}

void Connection::sendTracking() {
  CommandWriter writer(*this);
  // In front of whatever still waits would be better, but what waits is matched by its place; nothing is tracked, and
  // so nothing is kept in memory for long, until the answer is here.
  writer.output().commandHeader(3);
  writer.output().argument("CLIENT");
  writer.output().argument("TRACKING");
  writer.output().argument("ON");
  writer.end(*trackingReply_, 0);
  writer.submit();
}

}  // namespace tiercel::redis
