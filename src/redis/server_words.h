// What is shown of the words of a server: as much as explains something, and no password.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace tiercel::redis {

// Bytes. The words become part of the errors of all commands that wait.
constexpr std::size_t kMostShown = 500;

// secret: a password that was sent. A server that does not know the command repeats its arguments, whole or the
// beginning of them: from the password on, nothing is shown.
[[nodiscard]] std::string shown(std::string_view words, std::string_view secret = {});

}  // namespace tiercel::redis
