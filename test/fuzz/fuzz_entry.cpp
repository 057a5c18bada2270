// The entry envelope: bytes that parse are bytes that we could have written, and describing them is safe. As a checksum
// keeps most inputs out, the input is read in three ways: as an envelope, as what stands in one, and as metadata.
#include <cstring>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/entry.h"
#include "core/metadata.h"
#include "fuzz_input.h"

namespace tiercel::fuzz {
namespace {

// From a block of its own, so that reading past it is seen. Whether it parsed.
bool check(std::string_view bytes) {
  const std::vector<char> block(bytes.begin(), bytes.end());
  const auto entry = core::parseEntry({block.data(), block.size()});
  if (!entry) return false;
  require(entry->freshFor <= entry->staleFor && entry->staleFor <= entry->keepFor, "durations are in order");
  require(core::encodeEntry(*entry) == bytes, "what parses encodes to the same bytes");
  std::vector<core::TagStamp> tags;
  core::TagReader reader(entry->tags);
  while (const auto tag = reader.next()) tags.push_back(*tag);
  require(core::encodeTags(tags) == entry->tags, "every byte of the tags belongs to one");
  require(nlohmann::json::parse(core::describeEntry(*entry)).is_object(), "a description is a JSON object");
  return true;
}

core::Millis duration(Input& input) {
  core::Millis value = 0;
  std::memcpy(&value, input.bytes(5).data(), input.empty() ? 0 : 5);
  return value;
}

void checkFields(Input input) {
  core::Entry entry;
  entry.codec = static_cast<core::Codec>(input.byte());
  entry.flags = input.byte();
  entry.created = duration(input);
  entry.freshFor = duration(input);
  entry.staleFor = entry.freshFor + duration(input);
  entry.keepFor = entry.staleFor + duration(input);
  entry.tags = input.bytes(input.byte());
  entry.metadata = input.bytes(input.byte());
  entry.payload = input.all();
  const std::string bytes = core::encodeEntry(entry);
  const bool parsed = check(bytes);
  if (entry.tags.empty() && entry.flags <= core::entry_flags::kKnown && entry.codec <= core::Codec::kMsgpack) {
    require(parsed, "what is right is read");
  }
  if (!bytes.empty()) require(!check(std::string_view(bytes).substr(0, bytes.size() - 1)), "half an entry is none");
}

}  // namespace
}  // namespace tiercel::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tiercel;
  fuzz::Input input(data, size);
  const std::uint8_t way = input.byte() % 3;
  if (way == 0) {
    fuzz::check(input.all());
  } else if (way == 1) {
    fuzz::checkFields(input);
  } else {
    const std::string_view json = input.all();
    const bool good = !core::metadataProblem(json).has_value();
    const auto document = nlohmann::json::parse(json, nullptr, false);
    if (good) fuzz::require(document.is_object(), "good metadata is a JSON object");
  }
  return 0;
}
