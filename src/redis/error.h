// What can go wrong with a command or a connection: a code for programs and a text for people. Never holds a password.
#pragma once

#include <cstdint>
#include <string>

namespace tiercel::redis {

enum class ErrorCode : std::uint8_t {
  kConnectionLost,  // the connection ended before the answer came; the command may or may not have run
  kTimeout,         // no answer within commandTimeout; the command may or may not have run
  kClosed,          // the client was closed by its owner
  kQueueFull,       // too many commands or bytes wait for a connection
  kUnavailable,     // no connection, and the caller did not want to wait for one
  kConnectFailed,   // resolving, connecting or authenticating failed
  kProtocol,        // the server sent what is no RESP, or an answer that nobody asked for
  kTooLarge,        // the answer came, and is larger than the caller can be given
  kServer,          // an error reply; the text is the server's
};

// The stable name that JavaScript shows as `code` (for kServer the first word of the text is used instead).
constexpr const char* errorName(ErrorCode code) {
  switch (code) {
    case ErrorCode::kConnectionLost:
      return "CONNECTION_LOST";
    case ErrorCode::kTimeout:
      return "COMMAND_TIMEOUT";
    case ErrorCode::kClosed:
      return "CLIENT_CLOSED";
    case ErrorCode::kQueueFull:
      return "QUEUE_FULL";
    case ErrorCode::kUnavailable:
      return "UNAVAILABLE";
    case ErrorCode::kConnectFailed:
      return "CONNECT_FAILED";
    case ErrorCode::kProtocol:
      return "PROTOCOL_ERROR";
    case ErrorCode::kTooLarge:
      return "RESULT_TOO_LARGE";
    case ErrorCode::kServer:
      return "SERVER_ERROR";
  }
  return "ERROR";
}

struct Error {
  ErrorCode code;
  std::string message;
};

}  // namespace tiercel::redis
