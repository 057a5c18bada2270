#include "fake_server.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <optional>

namespace tiercel::redis::testing {

namespace {

union AnyStream {
  uv_handle_t handle;
  uv_stream_t stream;
  uv_tcp_t tcp;
  uv_pipe_t pipe;
};

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) {
    if (!text.empty()) text += ' ';
    text += word;
  }
  return text;
}

// One line without its CR LF, off the front.
std::optional<std::string> line(const std::string& bytes, std::size_t& at) {
  const std::size_t end = bytes.find("\r\n", at);
  if (end == std::string::npos) return std::nullopt;
  std::string text = bytes.substr(at, end - at);
  at = end + 2;
  return text;
}

std::size_t number(const std::string& text) {
  std::size_t value = 0;
  std::from_chars(text.data() + 1, text.data() + text.size(), value);
  return value;
}

// One whole command off the front of `bytes` from `at` on.
std::optional<std::vector<std::string>> parse(const std::string& bytes, std::size_t& at) {
  std::size_t p = at;
  const auto head = line(bytes, p);
  if (!head) return std::nullopt;
  EXPECT_EQ(head->at(0), '*') << "the client sent what is no command";
  std::vector<std::string> words(number(*head));
  for (std::string& word : words) {
    const auto length = line(bytes, p);
    if (!length) return std::nullopt;
    EXPECT_EQ(length->at(0), '$') << "the client sent what is no command";
    const std::size_t size = number(*length);
    if (bytes.size() < p + size + 2) return std::nullopt;
    word = bytes.substr(p, size);
    EXPECT_EQ(bytes.substr(p + size, 2), "\r\n");
    p += size + 2;
  }
  at = p;
  return words;
}

}  // namespace

struct FakeServer::Client {
  AnyStream socket;
  FakeServer* server;
  std::string bytes;
  std::array<char, 1 << 16> buffer;

  void close() {
    server = nullptr;
    uv_close(&socket.handle, [](uv_handle_t* handle) { delete static_cast<Client*>(handle->data); });
  }
};

FakeServer::FakeServer(uv_loop_t* loop, const std::string& path) : loop_(loop), unix_(!path.empty()) {
  auto* socket = new AnyStream{};
  socket->handle.data = this;
  if (unix_) {
    EXPECT_EQ(uv_pipe_init(loop, &socket->pipe, 0), 0);
    EXPECT_EQ(uv_pipe_bind(&socket->pipe, path.c_str()), 0);
  } else {
    sockaddr_in address{};
    EXPECT_EQ(uv_ip4_addr("127.0.0.1", 0, &address), 0);
    EXPECT_EQ(uv_tcp_init(loop, &socket->tcp), 0);
    EXPECT_EQ(uv_tcp_bind(&socket->tcp, reinterpret_cast<const sockaddr*>(&address), 0), 0);
  }
  socket->handle.data = this;
  EXPECT_EQ(uv_listen(&socket->stream, 16,
                      [](uv_stream_t* listener, int status) {
                        if (status == 0) static_cast<FakeServer*>(listener->data)->accept();
                      }),
            0);
  if (!unix_) {
    sockaddr_in bound{};
    int size = sizeof(bound);
    EXPECT_EQ(uv_tcp_getsockname(&socket->tcp, reinterpret_cast<sockaddr*>(&bound), &size), 0);
    port_ = ntohs(bound.sin_port);
  }
  listener_ = &socket->stream;
}

FakeServer::~FakeServer() {
  EXPECT_EQ(surprises_, std::vector<std::string>());
  stopListening();
  for (Client* client : clients_) client->close();
}

void FakeServer::stopListening() {
  if (listener_ == nullptr) return;
  uv_close(reinterpret_cast<uv_handle_t*>(listener_),
           [](uv_handle_t* handle) { delete reinterpret_cast<AnyStream*>(handle); });
  listener_ = nullptr;
}

void FakeServer::accept() {
  auto* client = new Client{};
  client->server = this;
  if (unix_) {
    uv_pipe_init(loop_, &client->socket.pipe, 0);
  } else {
    uv_tcp_init(loop_, &client->socket.tcp);
    uv_tcp_nodelay(&client->socket.tcp, 1);
  }
  client->socket.handle.data = client;
  ASSERT_EQ(uv_accept(listener_, &client->socket.stream), 0);
  ++connections_;
  clients_.push_back(client);
  client_ = client;
  resume();
  advance();
}

void FakeServer::take(Client& client) {
  std::size_t at = 0;
  // The script may hang up in the middle.
  while (client.server != nullptr) {
    const auto words = parse(client.bytes, at);
    if (!words) break;
    command(*words);
  }
  client.bytes.erase(0, at);
}

std::string FakeServer::handshakeAnswer(const std::vector<std::string>& words) const {
  if (words[0] == "HELLO") {
    return hello == Hello::kResp3 ? "%2\r\n+server\r\n+fake\r\n+proto\r\n:3\r\n"
                                  : "-ERR unknown command 'HELLO', with args beginning with: '3'\r\n";
  }
  if (words[0] == "CLIENT" && words[1] == "TRACKING" && refuseTracking) return "-NOPERM not for you\r\n";
  if (words[0] == "CLIENT" || words[0] == "AUTH" || words[0] == "SELECT") return "+OK\r\n";
  return "";
}

void FakeServer::command(const std::vector<std::string>& words) {
  const std::string text = joined(words);
  if (hello != Hello::kSilent) {
    const std::string answer = handshakeAnswer(words);
    if (!answer.empty()) {
      handshakes_.push_back(text);
      return send(answer);
    }
  }
  received_.push_back(text);
  if (!steps_.empty()) {
    // An expected "SET a …" stands for everything that begins so: envelopes are not written out in scripts.
    const std::string& expected = steps_.front().text;
    const bool prefix = expected.ends_with("…");
    const bool same =
        prefix ? text.starts_with(expected.substr(0, expected.size() - std::strlen("…"))) : text == expected;
    if (!same) {
      surprises_.push_back("\"" + text.substr(0, 100) + "\" instead of \"" + expected + "\"");
      return;
    }
    steps_.pop_front();
    return advance();
  }
  if (otherwise) send(otherwise(text));
}

void FakeServer::script(std::vector<Step> steps) {
  for (Step& step : steps) steps_.push_back(std::move(step));
  advance();
}

void FakeServer::advance() {
  while (client_ != nullptr && !steps_.empty() && steps_.front().kind != Step::Kind::kExpect) {
    const Step step = std::move(steps_.front());
    steps_.pop_front();
    switch (step.kind) {
      case Step::Kind::kSend:
        send(step.text);
        break;
      case Step::Kind::kClose:
        return hangUp();  // what follows belongs to the next connection
      case Step::Kind::kStall:
        stall();
        break;
      case Step::Kind::kRun:
        step.run();
        break;
      case Step::Kind::kExpect:
        break;
    }
  }
}

void FakeServer::send(std::string_view bytes) {
  if (client_ == nullptr || bytes.empty()) return;
  struct Request {
    uv_write_t request;
    std::string bytes;
  };
  auto* request = new Request{{}, std::string(bytes)};
  request->request.data = request;
  uv_buf_t buffer = uv_buf_init(request->bytes.data(), static_cast<unsigned>(request->bytes.size()));
  // Tries at once: what a script sends is in the socket when the step is over, unless it is too much.
  uv_write(&request->request, &client_->socket.stream, &buffer, 1,
           [](uv_write_t* done, int) { delete static_cast<Request*>(done->data); });
}

void FakeServer::hangUp() {
  if (client_ == nullptr) return;
  std::erase(clients_, client_);
  std::exchange(client_, nullptr)->close();
}

void FakeServer::stall() {
  if (client_ != nullptr) uv_read_stop(&client_->socket.stream);
}

void FakeServer::resume() {
  if (client_ == nullptr) return;
  uv_read_start(
      &client_->socket.stream,
      [](uv_handle_t* handle, std::size_t, uv_buf_t* buffer) {
        auto& bytes = static_cast<Client*>(handle->data)->buffer;
        *buffer = uv_buf_init(bytes.data(), static_cast<unsigned>(bytes.size()));
      },
      [](uv_stream_t* stream, ssize_t size, const uv_buf_t* buffer) {
        auto* self = static_cast<Client*>(stream->data);
        if (size > 0) {
          ++self->server->reads_;
          self->bytes.append(buffer->base, static_cast<std::size_t>(size));
          self->server->take(*self);
        } else if (size < 0) {
          FakeServer* server = self->server;
          std::erase(server->clients_, self);
          if (server->client_ == self) server->client_ = nullptr;
          self->close();
        }
      });
}

}  // namespace tiercel::redis::testing
