#include "core/entry/json_array.h"

#include <string_view>

namespace tiercel::core {

namespace {

// RFC 8259, section 7: all else stands for itself.
void appendQuoted(std::string_view text, std::string& to) {
  constexpr char kDigits[] = "0123456789abcdef";
  constexpr unsigned char kFirstPlain = 0x20;
  to += '"';
  std::size_t from = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte >= kFirstPlain && byte != '"' && byte != '\\') continue;
    to += text.substr(from, i - from);
    from = i + 1;
    if (byte >= kFirstPlain) {
      to += {'\\', text[i]};
    } else {
      to += "\\u00";
      to += {kDigits[byte >> 4], kDigits[byte & 15]};
    }
  }
  to += text.substr(from);
  to += '"';
}

}  // namespace

bool appendJson(const Entry& entry, std::string& array) {
  if (!entry.metadata.empty()) return false;
  if (entry.codec == Codec::kJson) {
    array += entry.payload;
  } else if (entry.codec == Codec::kText) {
    appendQuoted(entry.payload, array);
  } else {
    return false;
  }
  return true;
}

}  // namespace tiercel::core
