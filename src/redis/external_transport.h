// Bytes that somebody else carries: a TLS socket of Node's, say. The host opens, sends and shuts; what it receives, it
// feeds in.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "redis/transport.h"

namespace tiercel::redis {

// What carries the bytes. Called from the loop, never from inside a call of ExternalTransport's own.
class TransportHost {
 public:
  virtual ~TransportHost() = default;
  // Opens a connection; then calls opened(), or failed().
  virtual void openTransport() = 0;
  // Takes the bytes; false: there is a backlog, drained() follows when it is gone.
  virtual bool sendTransport(std::string_view bytes) = 0;
  virtual void shutTransport() = 0;
  virtual void refTransport(bool ref) = 0;
  // Bytes that were taken and have not left; 0 when that cannot be told.
  virtual std::size_t backlogTransport() { return 0; }
};

class ExternalTransport final : public Transport {
 public:
  ExternalTransport(TransportHost& host, TransportListener& listener) : host_(host), listener_(listener) {}

  void connect() override {
    close();
    open_ = true;
    host_.openTransport();
  }
  void write(OutputBuffer& buffer) override {
    if (!open_ || buffer.empty()) return;
    // Out of the way first: what the host runs may bring new commands, into the same buffer.
    OutputBuffer leaving = std::move(buffer);
    writing_ = !host_.sendTransport(leaving.view()) && open_;
    if (!buffer.empty()) return;
    leaving.clear();
    buffer = std::move(leaving);
  }
  [[nodiscard]] bool isWriting() const override { return writing_; }
  [[nodiscard]] std::size_t backlog() const override { return open_ ? host_.backlogTransport() : 0; }
  void close() override {
    writing_ = false;
    if (!open_) return;
    open_ = false;
    host_.shutTransport();
  }
  void setRef(bool ref) override { host_.refTransport(ref); }

  // From the host. What comes after close() is not passed on.
  void opened() {
    if (open_) listener_.onTransportConnected();
  }
  void fed(const char* data, std::size_t size) {
    if (open_ && size > 0) listener_.onTransportData(data, size);
  }
  void drained() {
    if (!open_ || !writing_) return;
    writing_ = false;
    listener_.onTransportDrained();
  }
  void failed(ErrorCode code, std::string message) {
    if (!open_) return;
    close();
    listener_.onTransportClosed({code, std::move(message)});
  }

 private:
  TransportHost& host_;
  TransportListener& listener_;
  bool open_ = false;
  bool writing_ = false;
};

}  // namespace tiercel::redis
