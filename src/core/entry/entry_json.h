// An entry as JSON, for people and tools (Cache.inspect). Nothing on the way of a read or a write uses this.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/entry/entry.h"

namespace tiercel::core {

// The metadata of an entry is a small JSON object, opaque to the tiers: of an HTTP response, status and header fields.
inline constexpr std::size_t kMaxMetadataBytes = std::size_t{1} << 20;

// A reason why `json` cannot be the metadata of an entry, for a person to read; std::nullopt when it can.
std::optional<std::string> metadataProblem(std::string_view json);

// An entry described as one JSON object: everything but the payload, which is given as its length. Durations in
// milliseconds; fill id, lease and stamps in hex; metadata that is no JSON object as null.
std::string describeEntry(const Entry& entry);

}  // namespace tiercel::core
