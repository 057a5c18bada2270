// What a connection writes, taken apart into commands; and the loop that a target runs on.
#pragma once

#include <uv.h>

#include <charconv>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "fuzz_input.h"

namespace tiercel::fuzz {

using Words = std::vector<std::string>;

// What a connection sends is always whole commands.
template <typename Take>
void forEachCommand(std::string_view bytes, const Take& take) {
  const auto line = [&] {
    const std::size_t end = bytes.find("\r\n");
    require(end != std::string_view::npos, "whole lines are sent");
    const std::string_view text = bytes.substr(0, end);
    bytes.remove_prefix(end + 2);
    return text;
  };
  const auto number = [](std::string_view digits) {
    std::size_t value = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), value);
    return value;
  };
  while (!bytes.empty()) {
    Words words(number(line().substr(1)));
    for (std::string& word : words) {
      const std::size_t size = number(line().substr(1));
      require(bytes.size() >= size + 2, "whole commands are sent");
      word = bytes.substr(0, size);
      bytes.remove_prefix(size + 2);
    }
    take(std::move(words));
  }
}

// One for all inputs; its time is that of fuzz_clock.h.
inline uv_loop_t* updatedLoop() {
  static uv_loop_t* const loop = [] {
    static uv_loop_t only;
    uv_loop_init(&only);
    return &only;
  }();
  uv_update_time(loop);
  return loop;
}

}  // namespace tiercel::fuzz
