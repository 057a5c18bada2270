// The values of several entries as one JSON array, which a reader parses in one go.
#pragma once

#include <string>

#include "core/entry/entry.h"

namespace tiercel::core {

// Appends the value as an element. false, and nothing is appended: it is no text or JSON, or has metadata.
bool appendJson(const Entry& entry, std::string& array);

}  // namespace tiercel::core
