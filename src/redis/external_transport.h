// Bytes that somebody else carries: a TLS socket of Node's, say. The host opens, sends and shuts; what it receives, it
// feeds in.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>

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
  ExternalTransport(TransportHost& host, TransportListener& listener, std::string name)
      : host_(host), listener_(listener), name_(std::move(name)) {}

  void connect() override {
    close();
    open_ = true;
    reached_ = false;
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
  [[nodiscard]] std::string name() const override { return name_; }
  [[nodiscard]] bool isEncrypted() const override { return true; }
  [[nodiscard]] std::string_view awaited() const override {
    return reached_ ? "the TLS handshake was not answered: is it a TLS port?" : std::string_view();
  }
  void setRef(bool ref) override { host_.refTransport(ref); }

  // From the host. What comes after close() is not passed on.
  // The server has taken the connection; what is between it and opened() is up to the host.
  void reached() { reached_ = true; }
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
  void failed(ErrorCode code, const std::string& message) {
    if (!open_) return;
    close();
    listener_.onTransportClosed({code, name_ + ": " + message});
  }

 private:
  TransportHost& host_;
  TransportListener& listener_;
  std::string name_;
  bool reached_ = false;
  bool open_ = false;
  bool writing_ = false;
};

}  // namespace tiercel::redis
