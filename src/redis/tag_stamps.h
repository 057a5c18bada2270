// Keeps the table of tags in step with the stamps in Redis: fetches what is not known, and makes what does not exist. A
// tag is a key that holds 16 random bytes; see src/core/coherence/tag_table.h.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/coherence/tag_table.h"
#include "redis/command_writer.h"
#include "redis/link.h"

namespace tiercel::redis {

class TagStamps final : private ReplyHandler {
 public:
  // prefix: of the keys in Redis. stampFor: how long a stamp lives; far longer than any entry. maxStaleness: how long
  // one is trusted when the server announces no changes.
  TagStamps(Link& link, core::TagTable& tags, std::string prefix, core::Millis stampFor, core::Millis maxStaleness);
  ~TagStamps() override;
  TagStamps(const TagStamps&) = delete;
  TagStamps& operator=(const TagStamps&) = delete;

  // Asks for the stamps that are not known, and makes those that do not exist. Whatever is submitted behind it finds
  // them known when its own answer comes. The caller has been admitted.
  void ensure(std::span<const core::TagCell> cells, core::Millis now);

  // Encodes the replacement of a stamp; the caller submits it.
  void encodeReplacement(std::string_view name, OutputBuffer& out);

  using ReplyHandler::outstanding;

 private:
  struct Fetch {
    core::TagCell cell = 0;
    core::TagTicket ticket = 0;
    bool active = false;
  };
  enum class Step : std::uint8_t { kCreate, kLifetime, kStamp, kRenew };

  void onReply(const Pending& pending, const Reply& reply) override;
  void onFailed(const Pending& pending, const Error& error) override;
  void onTimedOut(const Pending& /*pending*/) override {}
  void end(CommandWriter& writer, std::size_t fetch, Step step);
  [[nodiscard]] bool isUnderWay(core::TagCell cell) const;
  void finish(std::size_t index);

  Link& link_;
  core::TagTable& tags_;
  std::string prefix_;
  std::string stampFor_;
  core::Millis renewBelow_;
  core::Millis maxStaleness_;
  std::vector<Fetch> fetches_;  // a few at most: tags are fetched once per connection
};

}  // namespace tiercel::redis
