// The seam between the protocol and whatever carries its bytes: a socket of libuv, or bytes fed from outside (TLS).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "redis/error.h"
#include "redis/output_buffer.h"

namespace tiercel::redis {

class TransportListener {
 public:
  virtual ~TransportListener() = default;
  virtual void onTransportConnected() = 0;
  virtual void onTransportData(const char* data, std::size_t size) = 0;
  // Everything that was handed to write() has left.
  virtual void onTransportDrained() = 0;
  // The connection, or the attempt at one, is over. Not called after close(). The error has the transport's name.
  virtual void onTransportClosed(const Error& error) = 0;
};

class Transport {
 public:
  virtual ~Transport() = default;
  virtual void connect() = 0;
  // Takes all bytes out of the buffer. Must not be called while isWriting().
  virtual void write(OutputBuffer& buffer) = 0;
  [[nodiscard]] virtual bool isWriting() const = 0;
  // Bytes that were taken and have not left; 0 when that cannot be told.
  [[nodiscard]] virtual std::size_t backlog() const = 0;
  // Ends at once, silently; connect() may be called again.
  virtual void close() = 0;
  // Where it leads, for errors.
  [[nodiscard]] virtual std::string name() const = 0;
  [[nodiscard]] virtual bool isEncrypted() const { return false; }
  // What an attempt waits for that takes long; empty when that is the server's taking the connection.
  [[nodiscard]] virtual std::string_view awaited() const { return {}; }
  // Whether an open connection keeps the loop alive.
  virtual void setRef(bool ref) = 0;
};

}  // namespace tiercel::redis
