#include "core/entry/entry_json.h"

#include <exception>
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
    case Codec::kText:
      return "text";
    case Codec::kMsgpack:
      return "msgpack";
    case Codec::kCustom:
      return "custom";
  }
  return "unknown";
}

const char* kindName(const Entry& entry) {
  if (entry.isMarker()) return "lease";
  if ((entry.flags & entry_flags::kFailure) != 0) return "failure";
  return entry.isValue() ? "value" : "uncacheable";
}

// Nesting is bounded, because whoever reads the document may recurse.
constexpr std::size_t kMaxDepth = 64;

// Watches the parser go by. No document is built: that of an ordered object takes time square in its keys.
class Checker final : public nlohmann::json_sax<Json> {
 public:
  [[nodiscard]] const char* outermost() const { return outermost_; }
  [[nodiscard]] bool tooDeep() const { return depth_ > kMaxDepth; }

  bool null() override { return scalar("null"); }
  bool boolean(bool) override { return scalar("boolean"); }
  bool number_integer(number_integer_t) override { return scalar("number"); }
  bool number_unsigned(number_unsigned_t) override { return scalar("number"); }
  bool number_float(number_float_t, const string_t&) override { return scalar("number"); }
  bool string(string_t&) override { return scalar("string"); }
  bool binary(binary_t&) override { return false; }  // never in text
  bool key(string_t&) override { return true; }
  bool start_object(std::size_t) override { return open("object"); }
  bool end_object() override { return close(); }
  bool start_array(std::size_t) override { return depth_ == 0 ? scalar("array") : open("array"); }
  bool end_array() override { return close(); }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) override { return false; }

 private:
  // A value that is no object: fine inside of one.
  bool scalar(const char* type) {
    if (depth_ == 0) outermost_ = type;
    return depth_ > 0;
  }
  bool open(const char* type) {
    if (depth_ == 0) outermost_ = type;
    return ++depth_ <= kMaxDepth;
  }
  bool close() {
    --depth_;
    return true;
  }

  std::size_t depth_ = 0;
  const char* outermost_ = "";
};

// What the parser takes for no part of the document, and JSON.parse does not: a byte order mark, and all that comes
// behind a zero byte.
bool hasForeignBytes(std::string_view json) {
  return json.starts_with("\xef\xbb\xbf") || json.find('\0') != std::string_view::npos;
}

std::optional<std::string> problemOf(std::string_view json) {
  if (json.size() > kMaxMetadataBytes) {
    return "expected at most " + std::to_string(kMaxMetadataBytes) + " bytes of JSON, got " +
           std::to_string(json.size());
  }
  constexpr const char* kNotJson = "expected JSON, got what does not parse";
  if (hasForeignBytes(json)) return kNotJson;
  Checker checker;
  if (Json::sax_parse(json, &checker)) return std::nullopt;
  const std::string_view outermost = checker.outermost();
  if (checker.tooDeep()) return "expected at most " + std::to_string(kMaxDepth) + " levels of nesting";
  if (outermost.empty() || outermost == "object") return kNotJson;
  return std::string("expected a JSON object, got a JSON ").append(outermost);
}

std::string jsonString(std::string_view text) {
  return Json(text).dump(-1, ' ', false, Json::error_handler_t::replace);
}

// Put together as text: the destructor of a document of the library allocates, and ends the process when it cannot.
std::string description(const Entry& entry) {
  std::string text = "{\"version\":" + std::to_string(kEntryVersion);
  const auto field = [&](const char* name, const std::string& json) {
    text.append(",\"").append(name).append("\":").append(json);
  };
  field("kind", jsonString(kindName(entry)));
  field("codec", jsonString(codecName(entry.codec)));
  field("fillId", jsonString(hex(entry.fillId.data(), entry.fillId.size())));
  field("created", std::to_string(entry.created));
  field("freshFor", std::to_string(entry.freshFor));
  field("staleFor", std::to_string(entry.staleFor));
  field("keepFor", std::to_string(entry.keepFor));
  field("loadTime", std::to_string(entry.loadTime));
  field("lease", entry.leaseId == FillId{} ? "null" : jsonString(hex(entry.leaseId.data(), entry.leaseId.size())));
  field("outdated", entry.outdated ? "true" : "false");
  std::string list;
  TagReader tags(entry.tags);
  while (const auto tag = tags.next()) {
    if (!list.empty()) list += ',';
    list += "{\"name\":" + jsonString(tag->name) +
            ",\"stamp\":" + jsonString(hex(tag->stamp.data(), tag->stamp.size())) + "}";
  }
  field("tags", "[" + list + "]");
  // The metadata as it is: checked, it is a JSON object already.
  const bool readable = !entry.metadata.empty() && !problemOf(entry.metadata);
  field("metadata", readable ? std::string(entry.metadata) : "null");
  field("payloadBytes", std::to_string(entry.payload.size()));
  return text + "}";
}

}  // namespace

// Without memory both answer with what needs none.
std::optional<std::string> metadataProblem(std::string_view json) {
  try {
    return problemOf(json);
  } catch (const std::exception&) {
    return "no memory left";
  }
}

std::string describeEntry(const Entry& entry) {
  try {
    return description(entry);
  } catch (const std::exception&) {
    return "{}";
  }
}

}  // namespace tiercel::core
