// Patterns as Redis has them (KEYS, SCAN MATCH): * ? [abc] [^a] [a-z] and \ to escape. Bytes, not characters.
#pragma once

#include <string_view>

namespace tiercel::core {

bool globMatches(std::string_view pattern, std::string_view text);

}  // namespace tiercel::core
