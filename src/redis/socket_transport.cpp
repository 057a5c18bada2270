#include "redis/socket_transport.h"

#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

namespace tiercel::redis {

namespace {

// What libuv counts in 32 bits.
constexpr std::size_t kMostPerBuffer = std::size_t{1} << 30;

// How long an address may be silent before the next one is tried too, ms: RFC 8305, section 8.
constexpr std::uint64_t kAttemptDelay = 250;

// Is the transport that began a request still waiting for it?
struct Ticket {
  SocketTransport* owner;
  std::shared_ptr<std::uint64_t> generation;
  std::uint64_t issued;

  [[nodiscard]] SocketTransport* holder() const { return *generation == issued ? owner : nullptr; }
};

}  // namespace

struct SocketTransport::Lookup {
  uv_getaddrinfo_t request{};
  Ticket ticket;
  LoopHandlesPtr loop;  // counted like a handle: the thread pool still has it after uv_cancel

  static void done(uv_getaddrinfo_t* request, int status, addrinfo* list) {
    const std::unique_ptr<Lookup> self(static_cast<Lookup*>(request->data));
    const std::unique_ptr<addrinfo, decltype(&uv_freeaddrinfo)> freeList(list, uv_freeaddrinfo);
    const LoopHandlesPtr loop = self->loop;
    if (SocketTransport* owner = self->ticket.holder()) {
      owner->lookup_ = nullptr;
      owner->resolved(status, list);
    }
    loop->closed();
  }
};

struct SocketTransport::ConnectRequest {
  uv_connect_t request{};
  Ticket ticket;
  Attempt* attempt = nullptr;  // of the owner, as long as the ticket is good

  static void done(uv_connect_t* request, int status) {
    const std::unique_ptr<ConnectRequest> self(static_cast<ConnectRequest*>(request->data));
    if (SocketTransport* owner = self->ticket.holder()) owner->connected(self->attempt, status);
  }
};

struct SocketTransport::WriteRequest {
  uv_write_t request{};
  Ticket ticket;
  OutputBuffer bytes;  // must stay where it is until the callback

  static void done(uv_write_t* request, int status) {
    const std::unique_ptr<WriteRequest> self(static_cast<WriteRequest*>(request->data));
    if (SocketTransport* owner = self->ticket.holder()) owner->written(status);
  }
};

std::string nameOf(const Endpoint& endpoint) {
  if (!endpoint.path.empty()) return endpoint.path;
  const bool v6 = endpoint.host.find(':') != std::string::npos;
  return (v6 ? "[" + endpoint.host + "]" : endpoint.host) + ":" + std::to_string(endpoint.port);
}

SocketTransport::SocketTransport(LoopHandlesPtr loop, Endpoint endpoint, TransportListener& listener)
    : loop_(std::move(loop)), endpoint_(std::move(endpoint)), listener_(listener) {}

SocketTransport::~SocketTransport() { close(); }

uv_stream_t* SocketTransport::stream() const {
  return tcp_.isOpen() ? reinterpret_cast<uv_stream_t*>(tcp_.get()) : reinterpret_cast<uv_stream_t*>(pipe_.get());
}

void SocketTransport::connect() {
  close();
  if (!endpoint_.path.empty()) return connectPipe();

  addresses_.clear();
  nextAddress_ = 0;
  lastStatus_ = UV_EAI_NONAME;
  for (const std::string& address : endpoint_.addresses) addAddress(address);
  if (!addresses_.empty() || addAddress(endpoint_.host)) return connectNext();

  addrinfo hints{};
  hints.ai_family = endpoint_.family == 4 ? AF_INET : endpoint_.family == 6 ? AF_INET6 : AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  auto lookup = std::make_unique<Lookup>(Lookup{.ticket = {this, generation_, *generation_}, .loop = loop_});
  lookup->request.data = lookup.get();
  const int status = uv_getaddrinfo(loop_->loop(), &lookup->request, Lookup::done, endpoint_.host.c_str(),
                                    std::to_string(endpoint_.port).c_str(), &hints);
  if (status != 0) return lost(ErrorCode::kConnectFailed, "cannot resolve " + name(), status);
  loop_->opened();
  lookup_ = lookup.release();  // until Lookup::done adopts it
}

bool SocketTransport::addAddress(const std::string& text) {
  Address address{};
  if (uv_ip4_addr(text.c_str(), endpoint_.port, reinterpret_cast<sockaddr_in*>(&address)) != 0 &&
      uv_ip6_addr(text.c_str(), endpoint_.port, reinterpret_cast<sockaddr_in6*>(&address)) != 0) {
    return false;
  }
  addresses_.push_back(address);
  return true;
}

void SocketTransport::resolved(int status, const addrinfo* list) {
  if (status != 0) return lost(ErrorCode::kConnectFailed, "cannot resolve " + name(), status);
  for (; list != nullptr; list = list->ai_next) {
    Address address{};
    std::memcpy(&address, list->ai_addr, list->ai_addrlen);
    addresses_.push_back(address);
  }
  connectNext();
}

void SocketTransport::connectNext() {
  while (nextAddress_ < addresses_.size()) {
    const Address& address = addresses_[nextAddress_++];
    auto attempt = std::make_unique<Attempt>();
    const int opened =
        attempt->open(loop_, this, [](uv_loop_t* loop, uv_tcp_t* tcp) { return uv_tcp_init(loop, tcp); });
    if (opened != 0) {
      lastStatus_ = opened;
      break;
    }
    auto request = std::make_unique<ConnectRequest>(
        ConnectRequest{.ticket = {this, generation_, *generation_}, .attempt = attempt.get()});
    request->request.data = request.get();
    const int status = uv_tcp_connect(&request->request, attempt->get(), reinterpret_cast<const sockaddr*>(&address),
                                      ConnectRequest::done);
    if (status != 0) {
      lastStatus_ = status;
      continue;
    }
    (void)request.release();  // until ConnectRequest::done adopts it
    attempts_.push_back(std::move(attempt));
    applyRef();
    return awaitAttempt();
  }
  if (attempts_.empty()) lost(ErrorCode::kConnectFailed, "cannot connect to " + name(), lastStatus_);
}

void SocketTransport::awaitAttempt() {
  if (nextAddress_ == addresses_.size()) return;
  if (!nextAttempt_.isOpen()) {
    nextAttempt_.open(loop_, this, [](uv_loop_t* loop, uv_timer_t* timer) { return uv_timer_init(loop, timer); });
    // The sockets keep the process alive.
    uv_unref(nextAttempt_.base());
  }
  uv_timer_start(
      nextAttempt_.get(), [](uv_timer_t* timer) { static_cast<SocketTransport*>(timer->data)->connectNext(); },
      kAttemptDelay, 0);
}

void SocketTransport::connectPipe() {
  const int opened =
      pipe_.open(loop_, this, [](uv_loop_t* loop, uv_pipe_t* pipe) { return uv_pipe_init(loop, pipe, 0); });
  if (opened != 0) return lost(ErrorCode::kConnectFailed, "cannot connect to " + name(), opened);
  applyRef();
  auto request = std::make_unique<ConnectRequest>(ConnectRequest{.ticket = {this, generation_, *generation_}});
  request->request.data = request.get();
  uv_pipe_connect(&request.release()->request, pipe_.get(), endpoint_.path.c_str(), ConnectRequest::done);
}

void SocketTransport::connected(Attempt* attempt, int status) {
  if (status != 0) {
    if (attempt == nullptr) return lost(ErrorCode::kConnectFailed, "cannot connect to " + name(), status);
    lastStatus_ = status;
    std::erase_if(attempts_, [&](const std::unique_ptr<Attempt>& each) { return each.get() == attempt; });
    return connectNext();
  }
  if (attempt != nullptr) {
    ++*generation_;  // nobody waits for the other attempts
    tcp_.take(*attempt);
    attempts_.clear();
    nextAttempt_.close();
    uv_tcp_nodelay(tcp_.get(), 1);
    uv_tcp_keepalive(tcp_.get(), 1, 30);
  }
  connected_ = true;
  startReading();
  listener_.onTransportConnected();
}

void SocketTransport::startReading() {
  uv_read_start(
      stream(),
      [](uv_handle_t* handle, std::size_t /*suggested*/, uv_buf_t* buffer) {
        auto* self = static_cast<SocketTransport*>(handle->data);
        const bool reads = self->mayRead();
        *buffer = uv_buf_init(reads ? self->loop_->readBuffer() : nullptr, reads ? LoopHandles::kReadBuffer : 0);
      },
      [](uv_stream_t* stream, ssize_t size, const uv_buf_t* buffer) {
        auto* self = static_cast<SocketTransport*>(stream->data);
        if (size == UV_ENOBUFS) return;  // it was not to be read in this turn
        // libuv reads on in this turn only when there was as much as it could take.
        if (size < static_cast<ssize_t>(LoopHandles::kReadBuffer)) self->sliceBegan_ = 0;
        if (size > 0) {
          self->listener_.onTransportData(buffer->base, static_cast<std::size_t>(size));
        } else if (size < 0) {
          self->lost(ErrorCode::kConnectionLost, "connection to " + self->name() + " lost", static_cast<int>(size));
        }
      });
}

// libuv reads up to 32 times in a turn while there is more, and what is made of that holds up everybody else. What
// comes later than this is left for the next turn.
bool SocketTransport::mayRead() {
  constexpr std::uint64_t kSliceNanoseconds = 8'000'000;
  const std::uint64_t now = uv_hrtime();
  if (sliceBegan_ == 0) {
    sliceBegan_ = now;
  } else if (now - sliceBegan_ > kSliceNanoseconds) {
    sliceBegan_ = 0;
    return false;
  }
  return true;
}

void SocketTransport::write(OutputBuffer& buffer) {
  if (!connected_ || buffer.empty()) return;
  const uv_buf_t first = uv_buf_init(buffer.data(), static_cast<unsigned>(std::min(buffer.size(), kMostPerBuffer)));
  const int sent = uv_try_write(stream(), &first, 1);
  // An error of uv_try_write, other than "not now", comes again from uv_write, through its callback.
  if (sent > 0) buffer.consume(static_cast<std::size_t>(sent));
  if (buffer.empty()) return buffer.clear();

  auto request = std::make_unique<WriteRequest>(
      WriteRequest{.ticket = {this, generation_, *generation_}, .bytes = std::move(buffer)});
  request->request.data = request.get();
  std::vector<uv_buf_t> rest;
  for (std::size_t at = 0; at < request->bytes.size(); at += kMostPerBuffer) {
    const std::size_t size = std::min(request->bytes.size() - at, kMostPerBuffer);
    rest.push_back(uv_buf_init(request->bytes.data() + at, static_cast<unsigned>(size)));
  }
  writing_ = true;
  WriteRequest* raw = request.release();  // until WriteRequest::done adopts it
  const int status =
      uv_write(&raw->request, stream(), rest.data(), static_cast<unsigned>(rest.size()), WriteRequest::done);
  if (status != 0) {
    request.reset(raw);
    writing_ = false;
    // The reading side reports the end of the connection; reporting it from here would surprise our caller.
  }
}

std::size_t SocketTransport::backlog() const { return connected_ ? uv_stream_get_write_queue_size(stream()) : 0; }

void SocketTransport::written(int status) {
  writing_ = false;
  if (status == 0) return listener_.onTransportDrained();
  lost(ErrorCode::kConnectionLost, "connection to " + name() + " lost", status);
}

void SocketTransport::lost(ErrorCode code, const std::string& what, int status) {
  close();
  std::string message = what;
  if (status != 0) message += std::string(": ") + (status == UV_EOF ? "closed by the server" : uv_strerror(status));
  listener_.onTransportClosed({code, std::move(message)});
}

void SocketTransport::close() {
  ++*generation_;
  if (lookup_ != nullptr) {
    uv_cancel(reinterpret_cast<uv_req_t*>(&lookup_->request));
    lookup_ = nullptr;
  }
  attempts_.clear();
  nextAttempt_.close();
  tcp_.close();
  pipe_.close();
  connected_ = false;
  writing_ = false;
}

void SocketTransport::setRef(bool ref) {
  ref_ = ref;
  applyRef();
}

void SocketTransport::applyRef() {
  const auto apply = [this](uv_handle_t* handle) {
    if (handle == nullptr) return;
    if (ref_) {
      uv_ref(handle);
    } else {
      uv_unref(handle);
    }
  };
  apply(tcp_.base());
  apply(pipe_.base());
  for (const std::unique_ptr<Attempt>& attempt : attempts_) apply(attempt->base());
}

}  // namespace tiercel::redis
