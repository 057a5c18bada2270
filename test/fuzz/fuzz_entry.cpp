// The entry envelope: bytes that parse are bytes that we could have written, and describing them is safe. As a checksum
// keeps most inputs out, the input is read in three ways: as an envelope, as what stands in one, and as metadata.
#include <algorithm>
#include <cstring>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/entry/entry.h"
#include "core/entry/entry_json.h"
#include "fuzz_input.h"

namespace tiercel::fuzz {
namespace {

// From a block of its own, so that reading past it is seen. Whether it parsed.
bool check(std::string_view bytes) {
  const std::vector<char> block(bytes.begin(), bytes.end());
  const auto entry = core::parseEntry({block.data(), block.size()});
  if (!entry) return false;
  require(entry->freshFor <= entry->staleFor && entry->staleFor <= entry->keepFor, "durations are in order");
  std::string expected(bytes);
  // The two bytes behind the lease are read leniently: any but 0 means outdated, and the last means nothing.
  expected[core::kOutdatedOffset] = expected[core::kOutdatedOffset] == 0 ? 0 : 1;
  expected[core::kOutdatedOffset + 1] = 0;
  require(core::encodeEntry(*entry) == expected, "what parses encodes to the same bytes");
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

// Scripts rewrite the bytes of the lease in place: the entry stays one, and says the same but for those.
void checkScripts(std::string_view bytes, std::uint8_t byte) {
  const auto before = core::parseEntry(bytes);
  std::string rewritten(bytes);
  for (std::size_t at = core::kLeaseOffset; at < core::kEntryHeaderSize; ++at) rewritten[at] = static_cast<char>(byte);
  const auto after = core::parseEntry(rewritten);
  require(after.has_value(), "a lease in a header leaves an entry");
  require(check(rewritten), "and one that can be written");
  require(after->outdated == (byte != 0) && after->leaseId.front() == byte, "what was rewritten is what is read");
  require(after->fillId == before->fillId && after->keepFor == before->keepFor && after->payload == before->payload &&
              after->flags == before->flags && after->tags == before->tags,
          "nothing else has changed");
}

void checkFields(Input input) {
  core::Entry entry;
  entry.codec = static_cast<core::Codec>(input.byte());
  entry.flags = input.byte();
  const std::uint8_t byte = input.byte();
  const std::string_view lease = input.bytes(core::kFillIdSize);
  std::copy(lease.begin(), lease.end(), entry.leaseId.begin());
  entry.leaseUntil = duration(input);
  entry.outdated = (input.byte() & 1) != 0;
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
  if (parsed) {
    require(core::parseEntry(bytes)->leaseId == entry.leaseId, "the lease is read as it was written");
    checkScripts(bytes, byte);
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
