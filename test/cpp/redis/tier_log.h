// Writes down what a cache tier tells, one line each, and keeps what of it outlives the call.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "redis/cache_tier.h"
#include "test_support.h"

namespace tiercel::redis::testing {

inline const char* nameOf(Found::Kind kind) {
  switch (kind) {
    case Found::Kind::kHit:
      return "hit";
    case Found::Kind::kMiss:
      return "miss";
    case Found::Kind::kCorrupt:
      return "corrupt";
    case Found::Kind::kOutdated:
      return "outdated";
    case Found::Kind::kAgain:
      return "again";
    case Found::Kind::kLeased:
      return "leased";
    case Found::Kind::kBusy:
      return "busy";
    case Found::Kind::kFailed:
      return "failed";
    case Found::Kind::kUncacheable:
      return "uncacheable";
  }
  return "?";
}

class TierLog final : public CacheTierObserver {
 public:
  std::uint32_t onSubmitted() noexcept override { return ++submitted; }
  // "many value (miss) (again)".
  void onFoundMany(std::uint32_t number, std::span<const Found> found) override {
    expectNext(number);
    std::string line = "many";
    for (const Found& one : found) {
      line += one.kind == Found::Kind::kHit    ? " " + std::string(one.entry.payload)
              : one.kind == Found::Kind::kMiss ? " (miss)"
                                               : " (again)";
    }
    log.push_back(std::move(line));
  }
  // "hit value"; with other flags than 0 "7 hit value". Only hits and failures have a payload of theirs.
  void onFound(std::uint32_t number, const Found& found, std::uint32_t flags) override {
    expectNext(number);
    std::string line = flags == 0 ? "" : std::to_string(flags) + " ";
    line += nameOf(found.kind);
    if (found.kind == Found::Kind::kHit || found.kind == Found::Kind::kFailed) {
      line += ' ' + std::string(found.entry.payload);
    }
    log.push_back(std::move(line));
    kind = found.kind;
    deadlines = found.deadlines;
    left = found.left;
    lease = found.lease;
    head.assign(found.head);
  }
  void onDone(std::uint32_t number, std::int64_t result) override {
    expectNext(number);
    log.push_back("done " + std::to_string(result));
  }
  void onOperationFailed(std::uint32_t number, const Error& error) override {
    expectNext(number);
    log.push_back(std::string("failure ") + errorName(error.code) +
                  (error.code == ErrorCode::kServer ? " " + error.message : ""));
  }
  void onOperationTimedOut(std::uint32_t /*number*/) override { log.emplace_back("timed out"); }
  void onWatched(std::string_view key) override { watched.emplace_back(key); }

  // What was written down since the last call.
  Strings take() { return std::exchange(log, {}); }

  // Operations are told in the order in which they were submitted, each once.
  void expectNext(std::uint32_t number) { EXPECT_EQ(number, ++told); }

  std::uint32_t submitted = 0;
  std::uint32_t told = 0;
  Strings log;
  Strings watched;
  // Of the newest onFound.
  Found::Kind kind = Found::Kind::kMiss;
  core::Deadlines deadlines;
  core::Millis left = 0;
  LeaseNumber lease = 0;
  std::string head;
};

inline core::Entry entryOf(std::string_view payload) {
  core::Entry entry;
  entry.freshFor = 60000;
  entry.staleFor = 70000;
  entry.keepFor = 80000;
  entry.payload = payload;
  return entry;
}

inline core::FillId idOf(char byte) {
  core::FillId id;
  id.fill(static_cast<std::uint8_t>(byte));
  return id;
}

}  // namespace tiercel::redis::testing
