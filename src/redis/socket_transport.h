// TCP and Unix sockets on a libuv loop: resolves without blocking, tries every address, reads into one buffer.
// The addresses of a name are tried side by side, the next one after a while without an answer (RFC 8305).
#pragma once

#include <uv.h>

#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "redis/transport.h"
#include "redis/uv_handle.h"

namespace tiercel::redis {

struct Endpoint {
  std::string host = "127.0.0.1";
  std::uint16_t port = 6379;
  int family = 0;    // 4 or 6: only addresses of this kind of what host is resolved to
  std::string path;  // of a Unix socket; then host and port do not count
  // Numeric ones, tried in this order. None, as everywhere but in tests: those that host is resolved to.
  std::vector<std::string> addresses;
};

// host:port, or the path.
std::string nameOf(const Endpoint& endpoint);

class SocketTransport final : public Transport {
 public:
  SocketTransport(LoopHandlesPtr loop, Endpoint endpoint, TransportListener& listener);
  ~SocketTransport() override;

  void connect() override;
  void write(OutputBuffer& buffer) override;
  [[nodiscard]] bool isWriting() const override { return writing_; }
  [[nodiscard]] std::size_t backlog() const override;
  void close() override;
  [[nodiscard]] std::string name() const override { return nameOf(endpoint_); }
  void setRef(bool ref) override;

 private:
  struct Lookup;
  struct ConnectRequest;
  struct WriteRequest;
  using Address = sockaddr_storage;
  using Attempt = UvHandle<uv_tcp_t>;

  bool addAddress(const std::string& text);
  void resolved(int status, const addrinfo* list);
  void connectNext();
  void awaitAttempt();
  void connectPipe();
  // attempt: nullptr for a Unix socket
  void connected(Attempt* attempt, int status);
  void written(int status);
  void startReading();
  bool mayRead();
  void lost(ErrorCode code, const std::string& what, int status);
  [[nodiscard]] uv_stream_t* stream() const;
  void applyRef();

  LoopHandlesPtr loop_;
  Endpoint endpoint_;
  TransportListener& listener_;
  UvHandle<uv_tcp_t> tcp_;
  UvHandle<uv_pipe_t> pipe_;
  std::vector<Address> addresses_;
  std::size_t nextAddress_ = 0;
  std::vector<std::unique_ptr<Attempt>> attempts_;  // that have not been answered
  int lastStatus_ = 0;                              // of those that have failed
  UvHandle<uv_timer_t> nextAttempt_;
  Lookup* lookup_ = nullptr;  // freed by its callback
  // Requests in flight outlive this object when it is closed: they know by the generation that nobody waits any more.
  std::shared_ptr<std::uint64_t> generation_ = std::make_shared<std::uint64_t>(0);
  std::uint64_t sliceBegan_ = 0;  // when the reads began that may follow each other in one turn; 0: none has
  bool connected_ = false;
  bool writing_ = false;
  bool ref_ = true;
};

}  // namespace tiercel::redis
