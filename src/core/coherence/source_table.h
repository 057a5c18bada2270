// Through what something in memory was read: a connection that announces every change, for as long as it can be
// trusted. One number per session of a connection; shared by all threads of the process.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>

#include "core/clock.h"

namespace tiercel::core {

using SourceId = std::uint16_t;
// Of what never came from anywhere else: trusted always.
inline constexpr SourceId kOwnSource = 0;

class SourceTable {
 public:
  SourceTable();

  // A new source, trusted until `until`. std::nullopt: all numbers have been used; they may be used again after
  // restart(), when nothing in memory bears one of them any more. May throw std::bad_alloc, and has then opened
  // nothing.
  std::optional<SourceId> open(Millis until);

  // Makes the numbers of lost sources available again; one that is not lost keeps its number, whoever holds it. Between
  // the two `forget` drops what bears one, so that what a source leaves behind which is lost meanwhile stays dead: its
  // number is not among them. `forget` must not call open() or restart(). Without it the caller has seen to that.
  void restart(const std::function<void()>& forget = {});

  // It has been heard of: what was read through it may be served until then. Nothing brings back one that was lost.
  void heard(SourceId source, Millis until) noexcept;
  // What was read through it may be served no longer, and its number says nothing to whoever held it.
  void lost(SourceId source) noexcept;

  // The hot path: no lock.
  [[nodiscard]] bool trusted(SourceId source, Millis now) const noexcept {
    if (source == kOwnSource) return true;
    const std::atomic<Millis>* deadline = deadlineOf(source);
    return deadline != nullptr && now < deadline->load(std::memory_order_acquire);
  }

 private:
  static constexpr std::size_t kChunk = 1024;
  static constexpr std::size_t kNumbers = std::size_t{UINT16_MAX} + 1;

  using Chunk = std::array<std::atomic<Millis>, kChunk>;

  // nullptr: no number near it was ever handed out.
  [[nodiscard]] std::atomic<Millis>* deadlineOf(SourceId source) const noexcept {
    Chunk* chunk = chunks_[source / kChunk].load(std::memory_order_acquire);
    return chunk == nullptr ? nullptr : &(*chunk)[source % kChunk];
  }

  std::atomic<Millis>& provideDeadline(SourceId source);
  void replaceAll(Millis from, Millis by) noexcept;

  // Chunks are never moved or freed, so that trusted() needs no lock to follow a pointer.
  std::array<std::atomic<Chunk*>, kNumbers / kChunk> chunks_{};
  std::mutex mutex_;  // open() and restart()
  std::array<std::unique_ptr<Chunk>, kNumbers / kChunk> owned_;
  std::size_t next_ = 1;  // no number below it is free
};

}  // namespace tiercel::core
