#include "core/metadata.h"

#include <nlohmann/json.hpp>

namespace tiercel::core {

namespace {

using Json = nlohmann::ordered_json;

std::string hex(const std::uint8_t* bytes, std::size_t size) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  text.reserve(size * 2);
  for (std::size_t i = 0; i < size; ++i) {
    text.push_back(kDigits[bytes[i] >> 4]);
    text.push_back(kDigits[bytes[i] & 15]);
  }
  return text;
}

const char* codecName(Codec codec) {
  switch (codec) {
    case Codec::kBytes:
      return "bytes";
    case Codec::kJson:
      return "json";
    case Codec::kMsgpack:
      return "msgpack";
    case Codec::kCustom:
      return "custom";
  }
  return "unknown";
}

// Nesting is bounded, because the parser and the destructor of a document recurse.
constexpr int kMaxDepth = 64;

}  // namespace

std::optional<std::string> metadataProblem(std::string_view json) {
  if (json.size() > kMaxMetadataBytes) {
    return "expected at most " + std::to_string(kMaxMetadataBytes) + " bytes of JSON, got " +
           std::to_string(json.size());
  }
  bool tooDeep = false;
  const auto watch = [&](int depth, Json::parse_event_t /*event*/, Json& /*parsed*/) {
    tooDeep = tooDeep || depth > kMaxDepth;
    return !tooDeep;
  };
  const Json parsed = Json::parse(json, watch, /*allow_exceptions=*/false);
  if (tooDeep) return "expected at most " + std::to_string(kMaxDepth) + " levels of nesting";
  if (parsed.is_discarded()) return "expected JSON, got what does not parse";
  if (!parsed.is_object()) return std::string("expected a JSON object, got a JSON ") + parsed.type_name();
  return std::nullopt;
}

std::string describeEntry(const Entry& entry) {
  Json json = {{"version", kEntryVersion},
               {"codec", codecName(entry.codec)},
               {"marker", entry.isMarker()},
               {"fillId", hex(entry.fillId.data(), entry.fillId.size())},
               {"created", entry.created},
               {"freshFor", entry.freshFor},
               {"staleFor", entry.staleFor},
               {"keepFor", entry.keepFor},
               {"loadTime", entry.loadTime},
               {"tags", Json::array()},
               {"metadata", nullptr},
               {"payloadBytes", entry.payload.size()}};
  TagReader tags(entry.tags);
  while (const auto tag = tags.next()) {
    json["tags"].push_back({{"name", tag->name}, {"stamp", hex(tag->stamp.data(), tag->stamp.size())}});
  }
  if (!entry.metadata.empty() && !metadataProblem(entry.metadata)) {
    json["metadata"] = Json::parse(entry.metadata, nullptr, /*allow_exceptions=*/false);
  }
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace tiercel::core
