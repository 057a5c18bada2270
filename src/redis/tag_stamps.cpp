#include "redis/tag_stamps.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "core/random.h"

namespace tiercel::redis {

using core::textOf;

TagStamps::TagStamps(Link& link, core::TagTable& tags, std::string prefix, core::Millis stampFor,
                     core::Millis maxStaleness)
    : link_(link),
      tags_(tags),
      prefix_(std::move(prefix)),
      stampFor_(std::to_string(stampFor)),
      renewBelow_(stampFor / 2),
      maxStaleness_(maxStaleness) {}

TagStamps::~TagStamps() {
  for (std::size_t i = 0; i < fetches_.size(); ++i) finish(i);
}

void TagStamps::ensure(std::span<const core::TagCell> cells, core::Millis now) {
  for (const core::TagCell cell : cells) {
    if (tags_.stamp(cell, now) || isUnderWay(cell)) continue;
    const std::string name = tags_.name(cell);
    std::size_t index = 0;
    while (index < fetches_.size() && fetches_[index].active) ++index;
    if (index == fetches_.size()) fetches_.emplace_back();
    CommandWriter writer(link_.connectionOf(name));
    OutputBuffer& out = writer.output();
    out.commandHeader(6);
    out.argument("SET");
    out.argument(prefix_, name);
    out.argument(textOf(core::randomFillId()));
    out.argument("NX");
    out.argument("PX");
    out.argument(stampFor_);
    end(writer, index, Step::kCreate);
    out.commandHeader(2);
    out.argument("PTTL");
    out.argument(prefix_, name);
    end(writer, index, Step::kLifetime);
    out.commandHeader(2);
    out.argument("GET");
    out.argument(prefix_, name);
    end(writer, index, Step::kStamp);
    writer.submit();
    tags_.addReference(cell);
    fetches_[index] = {.cell = cell, .ticket = tags_.ticket(cell), .active = true};
  }
}

void TagStamps::encodeReplacement(std::string_view name, OutputBuffer& out) {
  out.commandHeader(5);
  out.argument("SET");
  out.argument(prefix_, name);
  out.argument(textOf(core::randomFillId()));
  out.argument("PX");
  out.argument(stampFor_);
}

bool TagStamps::isUnderWay(core::TagCell cell) const {
  return std::any_of(fetches_.begin(), fetches_.end(), [&](const Fetch& fetch) {
    return fetch.active && fetch.cell == cell && tags_.ticket(cell) == fetch.ticket;
  });
}

void TagStamps::end(CommandWriter& writer, std::size_t fetch, Step step) {
  ReplyHandler& handler = *this;
  writer.end(handler, (std::uint64_t{fetch} << 8) | static_cast<std::uint8_t>(step));
}

void TagStamps::finish(std::size_t index) {
  if (!std::exchange(fetches_[index].active, false)) return;
  tags_.release(fetches_[index].cell);
}

void TagStamps::onReply(const Pending& pending, const Reply& reply) {
  const auto index = static_cast<std::size_t>(pending.data >> 8);
  const auto step = static_cast<Step>(pending.data & 0xff);
  if (step == Step::kCreate || step == Step::kRenew) return;
  const std::string name = tags_.name(fetches_[index].cell);
  Connection& connection = link_.connectionOf(name);
  if (step == Step::kLifetime) {
    const bool isOld = reply.type == ReplyType::kInteger && reply.integer < renewBelow_ && reply.integer > 0;
    if (!isOld || connection.admit(true) != Connection::Admission::kAdmitted) return;
    // Used for half its life: everything that carries it should not go at once one day.
    CommandWriter writer(connection);
    OutputBuffer& out = writer.output();
    out.commandHeader(3);
    out.argument("PEXPIRE");
    out.argument(prefix_, name);
    out.argument(stampFor_);
    end(writer, index, Step::kRenew);
    return writer.submit();
  }
  const Fetch& fetch = fetches_[index];
  const core::SourceId through = link_.sessionOf(name).source(maxStaleness_);
  if (reply.type == ReplyType::kString && reply.text.size() == core::kStampSize && through != core::kOwnSource) {
    core::Stamp stamp;
    std::memcpy(stamp.data(), reply.text.data(), stamp.size());
    tags_.learn(fetch.cell, stamp, through, fetch.ticket);
  } else if ((reply.type == ReplyType::kString || reply.isError()) &&
             connection.admit(true) == Connection::Admission::kAdmitted) {
    // Whatever it is, it is no stamp, and would keep everything that carries the tag from being stored.
    CommandWriter writer(connection);
    encodeReplacement(name, writer.output());
    end(writer, index, Step::kRenew);
    writer.submit();
  }
  finish(index);
}

void TagStamps::onFailed(const Pending& pending, const Error& /*error*/) {
  if (static_cast<Step>(pending.data & 0xff) == Step::kStamp) finish(static_cast<std::size_t>(pending.data >> 8));
}

}  // namespace tiercel::redis
