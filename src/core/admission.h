// Whether something was begun whose end is told later.
#pragma once

#include <cstdint>

namespace tiercel::core {

enum class Admission : std::uint8_t {
  kAdmitted,
  kClosed,       // there is nothing any more that could carry it out
  kQueueFull,    // too much waits to be sent
  kTooLarge,     // there is no memory for it
  kUnavailable,  // who would carry it out cannot be reached, or does not answer
};

}  // namespace tiercel::core
