#include "redis/handshake.h"

#include <cctype>
#include <initializer_list>
#include <string_view>
#include <utility>

#include "redis/server_words.h"

namespace tiercel::redis {

namespace {

// Answers to HELLO that would be the same, or worse, without it.
bool isFinal(std::string_view error) {
  for (const std::string_view word :
       {"WRONGPASS", "LOADING", "MASTERDOWN", "DENIED", "BUSY", "TRYAGAIN", "CLUSTERDOWN", "MISCONF", "UNAVAILABLE"}) {
    if (error.starts_with(word)) return true;
  }
  return error.find("max number of clients") != std::string_view::npos;
}

// Answers that say that it is HELLO, or how it was said, that is not known. Others may be those of a proxy without a
// server at the time.
bool isAboutHello(std::string_view error) {
  std::string text(error.substr(0, kMostShown));
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  for (const char* word : {"hello", "command", "syntax", "argument", "proto", "noperm", "noauth"}) {
    if (text.find(word) != std::string::npos) return true;
  }
  return false;
}

}  // namespace

void Handshake::send(OutputBuffer& out, Step step, std::initializer_list<std::string_view> words) {
  out.commandHeader(words.size());
  for (const std::string_view word : words) out.argument(word);
  expected_.push_back(step);
}

void Handshake::begin(OutputBuffer& out) {
  expected_.clear();
  error_.clear();
  refusal_.clear();
  protocol_ = 2;
  tracking_ = false;
  plain_ = std::exchange(plainNext_, false);
  if (isPlain()) {
    if (hasCredentials()) return sendAuth(out, !options_.username.empty());
    return sendRest(out);
  }
  if (hasCredentials()) {
    const std::string_view user = options_.username.empty() ? std::string_view("default") : options_.username;
    send(out, Step::kHello, {"HELLO", "3", "AUTH", user, options_.password});
  } else {
    send(out, Step::kHello, {"HELLO", "3"});
  }
}

bool Handshake::closed() {
  if (options_.protocol == 2) return false;
  if (plain_) {
    plainWorks_ = false;
    return false;
  }
  // Twice, so that it is no coincidence where a balancer takes turns between a server and one that is away.
  plainNext_ = !plainWorks_ || ++closedUponHello_ > 1;
  return true;
}

void Handshake::sendAuth(OutputBuffer& out, bool withUser) {
  withUser_ = withUser;
  if (withUser) {
    send(out, Step::kAuth, {"AUTH", options_.username, options_.password});
  } else {
    send(out, Step::kAuth, {"AUTH", options_.password});
  }
}

// Behind the answer to HELLO or AUTH, because what may be asked depends on it.
void Handshake::sendRest(OutputBuffer& out) {
  if (options_.database != 0) send(out, Step::kSelect, {"SELECT", std::to_string(options_.database)});
  if (!options_.clientName.empty() && !plain_) send(out, Step::kSetName, {"CLIENT", "SETNAME", options_.clientName});
  // Without CLIENT SETINFO: something must show that there is a server, and that it wants no password.
  if (isPlain()) return send(out, Step::kPing, {"PING"});
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
  return expected_.empty() ? done() : Progress::kWaiting;
}

// That a connection was closed may also mean that a proxy had no server at the time. RESP2 is settled for when it has
// worked, and the HELLOs after that were the end of their connections again.
Handshake::Progress Handshake::done() {
  closedUponHello_ = 0;
  doubtful_.clear();
  if (plain_ && !std::exchange(plainWorks_, true)) {
    retriesAtOnce_ = true;
    error_ = "the connection was closed upon HELLO and works without it: HELLO is tried once more";
    return Progress::kFailed;
  }
  if (!plain_) plainWorks_ = false;
  return Progress::kDone;
}

Handshake::Progress Handshake::takeHello(const Reply& reply, OutputBuffer& out) {
  if (!reply.isError()) {
    if (reply.type != ReplyType::kMap && reply.type != ReplyType::kArray) {
      return failed("HELLO", "an answer that says nothing about the server");
    }
    protocol_ = 3;
    sendRest(out);
    return Progress::kSend;
  }
  if (isFinal(reply.text)) return failed("HELLO", reply.text);
  // Servers and proxies have many words for not knowing HELLO, and some ask for a password that HELLO had: with RESP2,
  // AUTH decides.
  const bool asksForPassword = reply.text.starts_with("NOAUTH");
  if (asksForPassword && !hasCredentials()) return failed("HELLO", reply.text);
  if (!isAboutHello(reply.text) && doubtful_ != reply.text.substr(0, kMostShown)) {
    doubtful_ = reply.text.substr(0, kMostShown);
    return failed("HELLO", reply.text);
  }
  refusal_ = refused("HELLO", reply.text);
  if (hasCredentials()) {
    sendAuth(out, !options_.username.empty());
  } else {
    sendRest(out);
  }
  return Progress::kSend;
}

Handshake::Progress Handshake::take(Step step, const Reply& reply, OutputBuffer& out) {
  switch (step) {
    case Step::kHello:
      return takeHello(reply, out);
    case Step::kAuth:
      if (!reply.isError()) {
        sendRest(out);
        return Progress::kSend;
      }
      // Before Redis 6 there are no users, and whoever knows the password is the default one.
      if (withUser_ && reply.text.starts_with("ERR wrong number of arguments")) {
        sendAuth(out, false);
        return Progress::kSend;
      }
      return failed("AUTH", reply.text);
    case Step::kSelect:
      return reply.isError() ? failed("SELECT", reply.text) : Progress::kWaiting;
    case Step::kSetName:
    case Step::kSetInfo:  // unknown before Redis 7.2, and of no consequence
      // In RESP2 the first answer that tells of a password that is missing.
      return reply.isError() && reply.text.starts_with("NOAUTH") ? failed("CLIENT", reply.text) : Progress::kWaiting;
    case Step::kPing:
      // Some proxies know not even this one.
      return reply.isError() && reply.text.find("unknown command") == std::string_view::npos &&
                     !reply.text.starts_with("NOPERM")
                 ? failed("PING", reply.text)
                 : Progress::kWaiting;
    case Step::kTracking:  // without it the memory tier trusts its entries for a shorter time
      tracking_ = !reply.isError();
      return Progress::kWaiting;
  }
  return Progress::kWaiting;
}

Handshake::Progress Handshake::failed(std::string_view what, std::string_view why) {
  error_ = refused(what, why);
  return Progress::kFailed;
}

std::string Handshake::refused(std::string_view what, std::string_view why) const {
  return std::string(what) + " was refused: " + shown(why, options_.password);
}

}  // namespace tiercel::redis
