// What is said on a new connection before anybody's commands: HELLO 3 with AUTH and the client's name, SELECT, CLIENT
// SETINFO, CLIENT TRACKING; with RESP2 and AUTH for servers that refuse HELLO; without HELLO and CLIENT for proxies
// that close the connection when they read them.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <utility>

#include "redis/error.h"
#include "redis/output_buffer.h"
#include "redis/reply.h"

namespace tiercel::redis {

struct HandshakeOptions {
  std::string username;
  std::string password;
  // Both are asked for on every connection: see ConnectionObserver::onCredentialsNeeded.
  bool asksForCredentials = false;
  std::string clientName;
  std::string libraryVersion;
  int database = 0;
  bool tracking = false;
  int protocol = 3;  // 2: HELLO is not sent
};

class Handshake {
 public:
  enum class Progress : std::uint8_t { kWaiting, kSend, kDone, kFailed };

  explicit Handshake(const HandshakeOptions& options) : options_(options) {}

  // Writes the first commands.
  void begin(OutputBuffer& out);
  // Takes the next reply. kSend: more commands were written to `out`.
  Progress onReply(const Reply& reply, OutputBuffer& out);
  // The other side closed the connection before kDone: the next one begins without what it may not know. True: that may
  // have been the reason.
  bool closed();

  [[nodiscard]] int protocol() const { return protocol_; }
  [[nodiscard]] bool tracking() const { return tracking_; }
  // Whether the other side may be a proxy that knows few commands.
  [[nodiscard]] bool isPlain() const { return plain_ || options_.protocol == 2; }
  // True once when it has failed only to be tried once more: nothing is wrong with the server.
  [[nodiscard]] bool retriesAtOnce() const { return retriesAtOnce_; }
  [[nodiscard]] bool takeRetryAtOnce() { return std::exchange(retriesAtOnce_, false); }
  // Why it failed; the server's words, which never hold the password.
  [[nodiscard]] const std::string& error() const { return error_; }
  // The answer to HELLO that led to RESP2, likewise; empty when there was none.
  [[nodiscard]] const std::string& refusal() const { return refusal_; }

 private:
  enum class Step : std::uint8_t { kHello, kAuth, kSelect, kSetName, kSetInfo, kTracking, kPing };

  void send(OutputBuffer& out, Step step, std::initializer_list<std::string_view> words);
  void sendAuth(OutputBuffer& out, bool withUser);
  void sendRest(OutputBuffer& out);
  Progress take(Step step, const Reply& reply, OutputBuffer& out);
  Progress takeHello(const Reply& reply, OutputBuffer& out);
  Progress done();
  Progress failed(std::string_view what, std::string_view why);
  [[nodiscard]] std::string refused(std::string_view what, std::string_view why) const;
  [[nodiscard]] bool hasCredentials() const { return !options_.username.empty() || !options_.password.empty(); }

  const HandshakeOptions& options_;
  std::deque<Step> expected_;
  int protocol_ = 2;
  bool tracking_ = false;
  bool withUser_ = false;   // the AUTH that is under way names the user
  bool plain_ = false;      // on this connection: neither HELLO nor CLIENT, whatever the protocol
  bool plainNext_ = false;  // on the next one
  bool plainWorks_ = false;
  bool retriesAtOnce_ = false;
  int closedUponHello_ = 0;  // since it was found to work
  std::string doubtful_;     // an answer to HELLO that does not say that HELLO is what is wrong
  std::string error_;
  std::string refusal_;
};

}  // namespace tiercel::redis
