// What is said on a new connection before anybody's commands: HELLO 3 with AUTH and the client's name, SELECT, CLIENT
// SETINFO, CLIENT TRACKING; with RESP2 and AUTH for servers that know no HELLO.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>

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
};

class Handshake {
 public:
  enum class Progress : std::uint8_t { kWaiting, kSend, kDone, kFailed };

  explicit Handshake(const HandshakeOptions& options) : options_(options) {}

  // Writes the first commands.
  void begin(OutputBuffer& out);
  // Takes the next reply. kSend: more commands were written to `out`.
  Progress onReply(const Reply& reply, OutputBuffer& out);

  [[nodiscard]] int protocol() const { return protocol_; }
  [[nodiscard]] bool tracking() const { return tracking_; }
  // Why it failed; the server's words, which never hold the password.
  [[nodiscard]] const std::string& error() const { return error_; }

 private:
  enum class Step : std::uint8_t { kHello, kAuth, kSelect, kSetName, kSetInfo, kTracking };

  void send(OutputBuffer& out, Step step, std::initializer_list<std::string_view> words);
  void sendRest(OutputBuffer& out);
  Progress take(Step step, const Reply& reply, OutputBuffer& out);
  Progress failed(std::string_view what, std::string_view why);

  const HandshakeOptions& options_;
  std::deque<Step> expected_;
  int protocol_ = 2;
  bool tracking_ = false;
  std::string error_;
};

}  // namespace tiercel::redis
