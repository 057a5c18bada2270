// Commands on their way out, encoded as RESP, in one growing block of bytes.
#pragma once

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <string_view>
#include <utility>

namespace tiercel::redis {

class OutputBuffer {
 public:
  OutputBuffer() = default;
  OutputBuffer(OutputBuffer&& other) noexcept
      : data_(std::move(other.data_)),
        head_(std::exchange(other.head_, 0)),
        size_(std::exchange(other.size_, 0)),
        capacity_(std::exchange(other.capacity_, 0)) {}
  OutputBuffer& operator=(OutputBuffer&& other) noexcept {
    data_ = std::move(other.data_);
    head_ = std::exchange(other.head_, 0);
    size_ = std::exchange(other.size_, 0);
    capacity_ = std::exchange(other.capacity_, 0);
    return *this;
  }

  [[nodiscard]] char* data() { return data_.get() + head_; }
  [[nodiscard]] const char* data() const { return data_.get() + head_; }
  [[nodiscard]] std::size_t size() const { return size_ - head_; }
  [[nodiscard]] bool empty() const { return size_ == head_; }
  [[nodiscard]] std::string_view view() const { return {data(), size()}; }

  // Room for `bytes` more; grown(bytes) says how many of them were used.
  char* room(std::size_t bytes) {
    if (capacity_ - size_ < bytes) grow(bytes);
    return data_.get() + size_;
  }
  void grown(std::size_t bytes) { size_ += bytes; }

  void append(std::string_view bytes) {
    copy(room(bytes.size()), bytes);
    size_ += bytes.size();
  }

  // "*3\r\n": a command of so many parts follows.
  void commandHeader(std::size_t parts) { header('*', parts); }

  // "$3\r\nGET\r\n"
  void argument(std::string_view bytes) {
    char* at = room(bytes.size() + kHeader + 2);
    char* p = writeHeader(at, '$', bytes.size());
    copy(p, bytes);
    p += bytes.size();
    *p++ = '\r';
    *p++ = '\n';
    size_ += static_cast<std::size_t>(p - at);
  }
  // The same of two pieces that belong together.
  void argument(std::string_view first, std::string_view second) {
    char* p = openArgument(first.size() + second.size());
    copy(p, first);
    copy(p + first.size(), second);
    closeArgument(first.size() + second.size());
  }
  // For callers that fill the bytes in themselves: exactly `bytes` of them, then closeArgument(bytes).
  char* openArgument(std::size_t bytes) {
    header('$', bytes);
    return room(bytes + 2);
  }
  void closeArgument(std::size_t bytes) {
    char* p = data_.get() + size_ + bytes;
    p[0] = '\r';
    p[1] = '\n';
    size_ += bytes + 2;
  }
  // For callers that learn how many bytes there are by writing them: `guess` most likely, `most` at most. fill(char*)
  // writes them, and returns their number; behind them there is room for a terminator.
  template <typename Fill>
  void fillArgument(std::size_t guess, std::size_t most, Fill fill) {
    char* at = room(kHeader + most + 2);
    char* guessed = writeHeader(at, '$', guess);
    const std::size_t bytes = fill(guessed);
    char header[kHeader];
    const auto length = static_cast<std::size_t>(writeHeader(header, '$', bytes) - header);
    if (at + length != guessed) std::memmove(at + length, guessed, bytes);
    std::memcpy(at, header, length);
    size_ += length;
    closeArgument(bytes);
  }
  void argument(std::int64_t number) {
    char digits[24];
    const auto end = std::to_chars(digits, digits + sizeof(digits), number).ptr;
    argument(std::string_view(digits, static_cast<std::size_t>(end - digits)));
  }

  // Takes back everything behind `size`.
  void truncate(std::size_t size) { size_ = head_ + size; }
  // Takes `bytes` off the front; moves what is left only when there is room to win.
  void consume(std::size_t bytes) {
    if (bytes == 0) return;
    head_ += bytes;
    if (head_ < size_ - head_) return;
    std::memmove(data_.get(), data(), size());
    size_ -= head_;
    head_ = 0;
  }
  void clear() {
    head_ = 0;
    size_ = 0;
    if (capacity_ > kKeep) {
      data_.reset();
      capacity_ = 0;
    }
  }

 private:
  static constexpr std::size_t kHeader = 24;  // '$', 20 digits, CR LF
  static constexpr std::size_t kFirst = std::size_t{16} << 10;
  static constexpr std::size_t kKeep = std::size_t{1} << 20;  // an idle connection holds no more than this

  // memcpy may not be given a null pointer, not even for nothing; a view of nothing may hold one.
  static void copy(char* to, std::string_view bytes) {
    if (!bytes.empty()) std::memcpy(to, bytes.data(), bytes.size());
  }
  static char* writeHeader(char* p, char type, std::size_t count) {
    *p++ = type;
    if (count < 10) {
      *p++ = static_cast<char>('0' + count);
    } else {
      p = std::to_chars(p, p + 20, count).ptr;
    }
    *p++ = '\r';
    *p++ = '\n';
    return p;
  }
  void header(char type, std::size_t count) {
    char* at = room(kHeader);
    size_ += static_cast<std::size_t>(writeHeader(at, type, count) - at);
  }
  void grow(std::size_t bytes) {
    std::size_t next = capacity_ < kFirst ? kFirst : capacity_ * 2;
    if (next < size_ + bytes) next = size_ + bytes;
    // realloc, not a vector: growing must not touch, and zero, what is about to be overwritten.
    auto* moved = static_cast<char*>(std::realloc(data_.get(), next));
    if (moved == nullptr) throw std::bad_alloc();
    (void)data_.release();
    data_.reset(moved);
    capacity_ = next;
  }

  struct Free {
    void operator()(char* p) const { std::free(p); }
  };
  std::unique_ptr<char, Free> data_;
  std::size_t head_ = 0;  // what is in front of it was consumed
  std::size_t size_ = 0;  // head included
  std::size_t capacity_ = 0;
};

}  // namespace tiercel::redis
