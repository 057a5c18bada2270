// The optional metadata of an entry: a small JSON object that says what the payload is (HTTP status and headers, key
// parts for a dashboard). Opaque to the tiers; this file is for whoever has to read or check it in C++.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/entry/entry.h"

namespace tiercel::core {

inline constexpr std::size_t kMaxMetadataBytes = std::size_t{1} << 20;

// A reason why `json` cannot be the metadata of an entry, for a person to read; std::nullopt when it can.
std::optional<std::string> metadataProblem(std::string_view json);

// An entry described as one JSON object, for tools and bug reports: everything but the payload, which is given as its
// length. Fill id and stamps are in hex.
std::string describeEntry(const Entry& entry);

}  // namespace tiercel::core
