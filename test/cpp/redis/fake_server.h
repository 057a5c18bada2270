// A scripted server on the loop of the test: says what the script says, and remembers what it was sent.
#pragma once

#include <uv.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tiercel::redis::testing {

// One step of a script. What follows an expect() is done when that command has come.
struct Step {
  enum class Kind : std::uint8_t { kExpect, kSend, kClose, kStall, kRun };
  Kind kind;
  std::string text;
  std::function<void()> run;
};
inline Step expect(std::string command) { return {Step::Kind::kExpect, std::move(command), {}}; }
inline Step send(std::string bytes) { return {Step::Kind::kSend, std::move(bytes), {}}; }
inline Step hangUp() { return {Step::Kind::kClose, {}, {}}; }
inline Step stall() { return {Step::Kind::kStall, {}, {}}; }  // reads no more on this connection
inline Step run(std::function<void()> what) { return {Step::Kind::kRun, {}, std::move(what)}; }

class FakeServer {
 public:
  enum class Hello : std::uint8_t {
    kResp3,   // answers the whole handshake
    kResp2,   // the same, as a server that does not know HELLO
    kSilent,  // leaves HELLO, and what follows, to the script
  };

  // An empty path: port 0 of 127.0.0.1.
  explicit FakeServer(uv_loop_t* loop, const std::string& path = "");
  ~FakeServer();
  FakeServer(const FakeServer&) = delete;
  FakeServer& operator=(const FakeServer&) = delete;

  [[nodiscard]] std::uint16_t port() const { return port_; }

  Hello hello = Hello::kResp3;
  bool refuseTracking = false;
  // Answers commands that come when the script is over; the words joined with spaces. "" is no answer.
  std::function<std::string(const std::string&)> otherwise;

  void script(std::vector<Step> steps);
  [[nodiscard]] bool scriptDone() const { return steps_.empty(); }

  // To the newest connection, outside of the script.
  void send(std::string_view bytes);
  void hangUp();
  void stall();
  void resume();
  // Takes no more connections: the next one is refused.
  void stopListening();

  [[nodiscard]] std::size_t connections() const { return connections_; }
  // Commands that were not part of a handshake that the server answered by itself.
  [[nodiscard]] const std::vector<std::string>& received() const { return received_; }
  [[nodiscard]] const std::vector<std::string>& handshakes() const { return handshakes_; }
  // How often something was read, handshakes included.
  [[nodiscard]] std::size_t reads() const { return reads_; }
  // What came but was not what the script expected.
  [[nodiscard]] const std::vector<std::string>& surprises() const { return surprises_; }

 private:
  struct Client;
  void accept();
  void take(Client& client);
  void command(const std::vector<std::string>& words);
  std::string handshakeAnswer(const std::vector<std::string>& words) const;
  void advance();

  uv_loop_t* loop_;
  uv_stream_t* listener_ = nullptr;  // freed by its close callback, like the clients
  Client* client_ = nullptr;
  std::vector<Client*> clients_;
  bool unix_;
  std::uint16_t port_ = 0;
  std::size_t connections_ = 0;
  std::size_t reads_ = 0;
  std::deque<Step> steps_;
  std::vector<std::string> received_;
  std::vector<std::string> handshakes_;
  std::vector<std::string> surprises_;
};

}  // namespace tiercel::redis::testing
