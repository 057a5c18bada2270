#include "redis/handshake.h"

#include <initializer_list>
#include <string_view>

namespace tiercel::redis {

void Handshake::send(OutputBuffer& out, Step step, std::initializer_list<std::string_view> words) {
  out.commandHeader(words.size());
  for (const std::string_view word : words) out.argument(word);
  expected_.push_back(step);
}

void Handshake::begin(OutputBuffer& out) {
  expected_.clear();
  error_.clear();
  protocol_ = 2;
  tracking_ = false;
  if (options_.password.empty()) {
    send(out, Step::kHello, {"HELLO", "3"});
  } else {
    const std::string_view user = options_.username.empty() ? std::string_view("default") : options_.username;
    send(out, Step::kHello, {"HELLO", "3", "AUTH", user, options_.password});
  }
}

// Behind the answer to HELLO, because what may be asked depends on it.
void Handshake::sendRest(OutputBuffer& out) {
  if (options_.database != 0) send(out, Step::kSelect, {"SELECT", std::to_string(options_.database)});
  if (!options_.clientName.empty()) send(out, Step::kSetName, {"CLIENT", "SETNAME", options_.clientName});
  send(out, Step::kSetInfo, {"CLIENT", "SETINFO", "LIB-NAME", "tiercel"});
  if (!options_.libraryVersion.empty()) {
    send(out, Step::kSetInfo, {"CLIENT", "SETINFO", "LIB-VER", options_.libraryVersion});
  }
  if (options_.tracking && protocol_ == 3) send(out, Step::kTracking, {"CLIENT", "TRACKING", "ON"});
}

Handshake::Progress Handshake::onReply(const Reply& reply, OutputBuffer& out) {
  if (expected_.empty()) return failed("handshake", "an answer that nobody asked for");
  const Step step = expected_.front();
  expected_.pop_front();
  const Progress progress = take(step, reply, out);
  if (progress != Progress::kWaiting) return progress;
  return expected_.empty() ? Progress::kDone : Progress::kWaiting;
}

Handshake::Progress Handshake::take(Step step, const Reply& reply, OutputBuffer& out) {
  switch (step) {
    case Step::kHello:
      if (!reply.isError()) {
        if (reply.type != ReplyType::kMap && reply.type != ReplyType::kArray) {
          return failed("HELLO", "an answer that says nothing about the server");
        }
        protocol_ = 3;
        sendRest(out);
        return Progress::kSend;
      }
      // Only an old server's "I do not know HELLO" or "not that protocol" means RESP2. Everything else (wrong password,
      // too many clients) is an answer.
      if (!reply.text.starts_with("ERR unknown command") && !reply.text.starts_with("NOPROTO")) {
        return failed("HELLO", reply.text);
      }
      if (!options_.password.empty()) {
        if (options_.username.empty()) {
          send(out, Step::kAuth, {"AUTH", options_.password});
        } else {
          send(out, Step::kAuth, {"AUTH", options_.username, options_.password});
        }
      }
      sendRest(out);
      return Progress::kSend;
    case Step::kAuth:
      return reply.isError() ? failed("AUTH", reply.text) : Progress::kWaiting;
    case Step::kSelect:
      return reply.isError() ? failed("SELECT", reply.text) : Progress::kWaiting;
    case Step::kSetName:
    case Step::kSetInfo:  // unknown before Redis 7.2, and of no consequence
      // In RESP2 the first answer that tells of a password that is missing.
      return reply.isError() && reply.text.starts_with("NOAUTH") ? failed("CLIENT", reply.text) : Progress::kWaiting;
    case Step::kTracking:  // without it the memory tier trusts its entries for a shorter time
      tracking_ = !reply.isError();
      return Progress::kWaiting;
  }
  return Progress::kWaiting;
}

Handshake::Progress Handshake::failed(std::string_view what, std::string_view why) {
  // A server that does not know the command repeats its arguments, and with them the password.
  error_ = std::string(what) + " was refused: " + std::string(why.substr(0, why.find(", with args beginning with")));
  const std::string& secret = options_.password;
  for (std::size_t at = 0; !secret.empty() && (at = error_.find(secret, at)) != std::string::npos; at += 3) {
    error_.replace(at, secret.size(), "***");
  }
  return Progress::kFailed;
}

}  // namespace tiercel::redis
