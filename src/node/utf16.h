// UTF-8 to UTF-16, for text that is mostly not ASCII: V8's own decoder takes several times as long.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace tiercel::node {

// Decodes into `out`. false: it is not valid UTF-8, and how to repair that is left to V8.
inline bool decodeUtf8(std::string_view utf8, std::u16string& out) {
  out.resize(utf8.size());  // never fewer units than bytes are needed
  const auto* p = reinterpret_cast<const unsigned char*>(utf8.data());
  const auto* end = p + utf8.size();
  char16_t* to = out.data();
  const auto isTail = [](unsigned char byte) { return (byte & 0xC0) == 0x80; };
  while (p < end) {
    const std::uint32_t first = *p;
    if (first < 0x80) {
      *to++ = static_cast<char16_t>(first);
      ++p;
    } else if (first < 0xE0) {
      if (first < 0xC2 || end - p < 2 || !isTail(p[1])) return false;
      *to++ = static_cast<char16_t>((first & 0x1F) << 6 | (p[1] & 0x3F));
      p += 2;
    } else if (first < 0xF0) {
      if (end - p < 3 || !isTail(p[1]) || !isTail(p[2])) return false;
      const std::uint32_t code = (first & 0x0F) << 12 | (p[1] & 0x3FU) << 6 | (p[2] & 0x3FU);
      if (code < 0x800 || (code >= 0xD800 && code < 0xE000)) return false;
      *to++ = static_cast<char16_t>(code);
      p += 3;
    } else {
      if (end - p < 4 || !isTail(p[1]) || !isTail(p[2]) || !isTail(p[3])) return false;
      const std::uint32_t code = (first & 0x07) << 18 | (p[1] & 0x3FU) << 12 | (p[2] & 0x3FU) << 6 | (p[3] & 0x3FU);
      if (first > 0xF4 || code < 0x10000 || code > 0x10FFFF) return false;
      *to++ = static_cast<char16_t>(0xD800 + ((code - 0x10000) >> 10));
      *to++ = static_cast<char16_t>(0xDC00 + ((code - 0x10000) & 0x3FF));
      p += 4;
    }
  }
  out.resize(static_cast<std::size_t>(to - out.data()));
  return true;
}

}  // namespace tiercel::node
