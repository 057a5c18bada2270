// One connection to one server: connects, says hello, sends what was submitted in one write per loop turn, matches
// replies to commands, and comes back after a loss. Runs on the thread of its loop; no locks.
#pragma once

#include <uv.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/admission.h"
#include "core/clock.h"
#include "redis/error.h"
#include "redis/handshake.h"
#include "redis/output_buffer.h"
#include "redis/pending_queue.h"
#include "redis/reply_reader.h"
#include "redis/short_wait.h"
#include "redis/socket_transport.h"
#include "redis/transport.h"
#include "redis/uv_handle.h"

namespace tiercel::redis {

struct ConnectionOptions {
  Endpoint endpoint;
  HandshakeOptions handshake;
  core::Millis commandTimeout = 5000;  // 0: none
  core::Millis connectTimeout = 10000;
  core::Millis backoffMin = 50;
  core::Millis backoffMax = 10000;
  // So often the server is asked whether it is still there, and whether its answers are still those to what it was
  // asked. 0: never.
  core::Millis heartbeat = 5000;
  bool offlineQueue = true;                            // false: nothing waits for a connection
  std::size_t maxQueuedCommands = 10000;               // for a connection
  std::size_t maxQueuedBytes = std::size_t{64} << 20;  // for a connection, or for a server that is slow to read
};

// Counted always: plain additions.
struct ConnectionStats {
  std::uint64_t commands = 0;
  std::uint64_t replies = 0;
  std::uint64_t errors = 0;  // of the replies
  std::uint64_t timeouts = 0;
  std::uint64_t refused = 0;   // for want of room in the queue
  std::uint64_t bytesOut = 0;  // of the commands
  std::uint64_t bytesIn = 0;
  std::uint64_t connects = 0;
  std::uint64_t losses = 0;
  std::uint64_t pushes = 0;
};

// Makes what carries the bytes of a connection.
using TransportFactory = std::function<std::unique_ptr<Transport>(TransportListener&)>;

// Told about everything that is no reply. All calls but onBatch… come between onBatchBegin and onBatchEnd.
class ConnectionObserver {
 public:
  virtual ~ConnectionObserver() = default;
  virtual void onConnect() = 0;
  virtual void onReady() = 0;
  virtual void onClose(const Error& reason) = 0;
  virtual void onError(const Error& error) = 0;
  virtual void onReconnecting(int attempt, core::Millis delay) = 0;
  // Only with HandshakeOptions::asksForCredentials. Answered, at any time, by authenticate() or cannotAuthenticate().
  virtual void onCredentialsNeeded(std::uint32_t /*connection*/) {}
  // A message of a subscription, or whatever else the server says unasked; not the invalidations of tracking.
  virtual void onPush(const ReplyTree& push) = 0;
  // No more events, ever.
  virtual void onEnd() = 0;
  // Around every turn in which handlers or the observer are called. What is called in onBatchEnd may submit, close
  // and destroy as it likes.
  virtual void onBatchBegin() = 0;
  virtual void onBatchEnd() = 0;
};

// Told about client-side caching, in stream order with the replies.
class InvalidationListener {
 public:
  virtual ~InvalidationListener() = default;
  virtual void onInvalidate(std::string_view key) = 0;
  virtual void onInvalidateAll() = 0;
  // Whatever was read through this connection may have changed unseen.
  virtual void onTrackingLost() = 0;
  // The server has been heard of: silence until then does not mean that it is gone. 0: it has just failed to answer.
  virtual void onHeard(core::Millis trustedUntil) = 0;
};

struct CommitOptions {
  bool endless = false;                    // it may wait, and the heartbeat with it: BLPOP and its kin
  core::Millis waitsFor = core::kForever;  // of an endless one, how long at most; commandTimeout comes on top
  std::uint32_t confirmations = 0;         // see Pending
  bool joined = false;                     // see Pending; submitted in the same turn as the one before it
};

class Connection final : private TransportListener, private ReplySink {
 public:
  // A command that was sent behind at least so many others has its time from when so many are left, itself included.
  static constexpr std::size_t kCounted = 1000;

  enum class State : std::uint8_t { kIdle, kConnecting, kHandshake, kReady, kBackoff, kClosed };
  using Admission = core::Admission;

  // transport: nothing takes a socket of the loop.
  Connection(LoopHandlesPtr loop, ConnectionOptions options, ConnectionObserver& observer,
             const TransportFactory& transport = nullptr);
  ~Connection() override;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Begins to connect in the next loop turn.
  void start();

  // Sending commands: ask admit(), and write them with a CommandWriter (redis/command_writer.h).
  // failFast: rather than wait for a connection that was lost, could not be had, or does not answer, say kUnavailable.
  // Without offlineQueue nobody waits for one, not even for the first.
  // When too much waits for a connection, what has waited longest fails to make room; when as much as maxQueuedBytes
  // has waited since an earlier turn of the loop for a server that is slow to read, kQueueFull.
  // joined: the group that it belongs to was admitted with its first command.
  [[nodiscard]] Admission admit(bool failFast, bool joined = false);

  // Writes now what would be written at the end of the loop turn.
  void flush();
  // For callers that see that answers have come out of place: ends this connection in the next turn.
  void failSoon(const char* reason);

  // Ends when the answers that are due have come; what still waits for a connection fails. Then onEnd.
  void close();
  // Ends at once: every command fails, then onEnd.
  void destroy();
  // The environment is going away: the same without telling anybody.
  void abandon();

  // Answers to onReconnecting: the attempt is made after this time, or there is none, and everything fails with the
  // reason of the last. Nothing happens at other times.
  void reconnectAfter(core::Millis delay);
  void giveUp();

  // The answers to onCredentialsNeeded. Nothing happens when the connection that asked is gone.
  void authenticate(std::uint32_t connection, std::string username, std::string password);
  void cannotAuthenticate(std::uint32_t connection, const std::string& reason);

  void setRef(bool ref);
  void addInvalidationListener(InvalidationListener& listener);
  void removeInvalidationListener(InvalidationListener& listener);
  [[nodiscard]] const std::vector<InvalidationListener*>& invalidationListeners() const {
    return invalidationListeners_;
  }
  // Turns client tracking on, now and after every reconnect. Without NOLOOP: with it, a server of version 7 says
  // nothing of what it drops from its table while this connection's own commands run.
  void requestTracking();

  [[nodiscard]] State state() const { return state_; }
  [[nodiscard]] bool isReady() const { return state_ == State::kReady; }
  [[nodiscard]] bool isTracking() const { return tracking_; }
  [[nodiscard]] int protocol() const { return protocol_; }
  [[nodiscard]] core::Millis now() const { return static_cast<core::Millis>(uv_hrtime() / 1000000); }
  [[nodiscard]] const ConnectionStats& stats() const { return stats_; }
  [[nodiscard]] std::size_t waiting() const { return pending_.size(); }
  // Bytes that were not handed to the transport yet.
  [[nodiscard]] std::size_t unsent() const { return out_.size(); }
  // Commands timed out, and no answer has come in time since.
  [[nodiscard]] bool isUnresponsive() const { return unresponsive_; }
  // Why there is no connection; empty when there is one.
  [[nodiscard]] std::string reason() const;
  [[nodiscard]] uv_loop_t* loop() const { return loop_->loop(); }

 private:
  friend class CommandWriter;
  class Batch;
  class TrackingReply;
  class HeartbeatReply;

  void onTransportConnected() override;
  void onTransportData(const char* data, std::size_t size) override;
  void onTransportDrained() override;
  void onTransportClosed(const Error& error) override;
  void onReply(const Reply& reply) override;
  void onPush(const ReplyTree& push) override;

  // `mark` is out_.size() from before the command was encoded.
  [[nodiscard]] Pending pendingOf(std::size_t mark, ReplyHandler& handler, std::uint64_t data,
                                  const CommitOptions& how) const;
  void enqueue(const Pending& pending) noexcept;
  void submitted() noexcept;
  void endTurn();

  void connect();
  void sayHello();
  void handshakeReply(const Reply& reply);
  void becomeReady();
  // The error names where the connection leads: fail() adds that.
  // findsOut: it was lost because it is not known yet what the server understands; the next one may do.
  void lose(const Error& error, bool findsOut = false);
  void fail(ErrorCode code, std::string_view reason);
  [[nodiscard]] std::string awaited() const;
  void backOff();
  void end(const Error& error);
  void failInFlight(const Error& error);
  void failQueued(const Error& error);
  void failFirstQueued(const Error& error);
  void failJoined(const Error& error);
  void expire();
  void expireQueued(core::Millis now);
  void armDeadline();
  [[nodiscard]] core::Millis deadlineOf(std::size_t index) const;
  void startDeadlineTimer(core::Millis delay);
  void beat();
  void ping();
  void onHeartbeat(const Pending& pending, const Reply& reply);
  Pending take();
  bool makeRoom();
  bool isConfirmation(const ReplyTree& push);
  void settle(const Reply& reply);
  void startStateTimer(core::Millis delay);
  void markDirty();
  void sendTracking();
  void trackingLost();
  void heard();
  void finishClosing();
  [[nodiscard]] std::size_t queued() const { return pending_.size() - inFlight_; }

  LoopHandlesPtr loop_;
  ConnectionOptions options_;
  ConnectionObserver& observer_;
  std::unique_ptr<Transport> transport_;
  std::unique_ptr<ReplyReader> reader_;
  Handshake handshake_;
  std::unique_ptr<ReplyHandler> trackingReply_;
  std::unique_ptr<ReplyHandler> heartbeatReply_;

  State state_ = State::kIdle;
  bool closing_ = false;
  bool attempted_ = false;  // the first attempt is over, whatever came of it
  bool everReady_ = false;  // since the last loss
  bool findsOut_ = false;   // see lose()
  bool silent_ = true;      // on this connection the server has said nothing
  bool tracking_ = false;
  bool graceGiven_ = false;  // see expire()
  bool ref_ = true;
  bool subscriber_ = false;  // RESP2: messages come as plain arrays
  bool unresponsive_ = false;
  bool doubted_ = false;  // the connection that is being made was waited for in vain
  int protocol_ = 0;
  int attempts_ = 0;
  std::uint32_t credentialsAsked_ = 0;  // on which connection
  bool credentialsAwaited_ = false;
  int batchDepth_ = 0;
  std::string lastError_;
  std::string deferredFailure_;  // found while reading, acted upon after it
  std::string draining_;         // why this connection is given up as soon as nothing is in flight
  core::Millis lastData_ = 0;
  core::Millis readySince_ = 0;
  std::size_t stuckBacklog_ = 0;  // see expire()
  core::Millis pingSent_ = 0;     // 0: none is under way
  std::uint64_t nonce_ = 0;       // of the last PING
  bool probeAgain_ = false;       // the last PING was answered too late
  const char* failSoon_ = nullptr;
  ConnectionStats stats_;

  OutputBuffer out_;             // commands that were not handed to the transport yet
  std::size_t carriedOver_ = 0;  // bytes of it that were there when the loop last turned
  OutputBuffer handshakeOut_;
  std::vector<Pending> staged_;  // written, and not submitted yet: see CommandWriter
  PendingQueue pending_;         // in flight first, then queued
  std::size_t inFlight_ = 0;
  std::size_t timedOut_ = 0;                // how many of them are marked so
  std::size_t forever_ = 0;                 // how many of them may wait for ever
  core::Millis armedFor_ = core::kForever;  // when the deadline timer fires

  UvHandle<uv_prepare_t> prepare_;
  ShortWait shortWait_;
  UvHandle<uv_timer_t> stateTimer_;  // connect timeout, or backoff
  UvHandle<uv_timer_t> deadlineTimer_;
  UvHandle<uv_timer_t> heartbeatTimer_;
  std::vector<InvalidationListener*> invalidationListeners_;
};

}  // namespace tiercel::redis
