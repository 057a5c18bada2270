#include "node/values.h"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include "node/utf16.h"

namespace tiercel::node {

namespace {

constexpr std::int64_t kMaxSafeInteger = (INT64_C(1) << 53) - 1;

// How many bytes are not ASCII.
std::size_t countWide(std::string_view text) {
  constexpr std::uint64_t kHighBits = UINT64_C(0x8080808080808080);
  const char* p = text.data();
  std::size_t left = text.size();
  std::size_t count = 0;
  for (; left >= 32; p += 32, left -= 32) {
    std::uint64_t words[4];
    std::memcpy(words, p, sizeof(words));
    if (((words[0] | words[1] | words[2] | words[3]) & kHighBits) == 0) continue;
    for (const std::uint64_t word : words) count += static_cast<std::size_t>(std::popcount(word & kHighBits));
  }
  for (; left > 0; ++p, --left) count += static_cast<unsigned char>(*p) >> 7;
  return count;
}

// What a call of Node-API made, if it did; without what it may have thrown.
napi_value made(napi_env env, napi_status status, const napi_value& value) {
  if (status == napi_ok) return value;
  bool pending = false;
  napi_value exception = nullptr;
  if (napi_is_exception_pending(env, &pending) == napi_ok && pending) {
    napi_get_and_clear_last_exception(env, &exception);
  }
  return nullptr;
}

constexpr std::size_t kKeptUnits = std::size_t{512} << 10;

// From this share of bytes that are not ASCII on, decoding here is faster than V8's decoder (measured).
constexpr std::size_t kDense = 16;

std::optional<std::string_view> typedArrayBytes(napi_env env, napi_value value) {
  bool is = false;
  if (napi_is_typedarray(env, value, &is) != napi_ok || !is) return std::nullopt;
  napi_typedarray_type type{};
  std::size_t length = 0;
  void* data = nullptr;
  if (napi_get_typedarray_info(env, value, &type, &length, &data, nullptr, nullptr) != napi_ok) return std::nullopt;
  if (type != napi_uint8_array && type != napi_uint8_clamped_array) return std::nullopt;
  return std::string_view(static_cast<const char*>(data), length);
}

// Where V8 has room for three bytes per UTF-16 unit, it writes without measuring first, which takes longer than the
// writing. Beyond this many units, the room would be too much to ask for.
constexpr std::size_t kUnmeasured = std::size_t{4} << 20;
constexpr std::size_t kUnitBytes = 3;

std::size_t unitsOf(napi_env env, napi_value string) {
  std::size_t units = 0;
  napi_get_value_string_latin1(env, string, nullptr, 0, &units);
  return units;
}

std::size_t measureUtf8(napi_env env, napi_value string) {
  std::size_t length = 0;
  napi_get_value_string_utf8(env, string, nullptr, 0, &length);
  return length;
}

// The string's bytes at `to`, which has room for `most` and a terminator. Returns how many they are.
std::size_t copyUtf8(napi_env env, napi_value string, char* to, std::size_t most) {
  std::size_t copied = 0;
  napi_get_value_string_utf8(env, string, to, most + 1, &copied);
  return copied;
}

}  // namespace

napi_value makeString(napi_env env, std::string_view utf8) {
  napi_value value = nullptr;
  const std::size_t wide = countWide(utf8);
  if (wide == 0) return made(env, napi_create_string_latin1(env, utf8.data(), utf8.size(), &value), value);
  if (wide > utf8.size() / kDense) {
    thread_local std::u16string decoded;
    const bool valid = decodeUtf8(utf8, decoded);
    if (valid) value = made(env, napi_create_string_utf16(env, decoded.data(), decoded.size(), &value), value);
    // One large text must not leave its room behind in every thread.
    if (decoded.capacity() > kKeptUnits) decoded = {};
    if (valid) return value;
  }
  return made(env, napi_create_string_utf8(env, utf8.data(), utf8.size(), &value), value);
}

napi_value makeBuffer(napi_env env, std::string_view bytes) {
  napi_value value = nullptr;
  return made(env, napi_create_buffer_copy(env, bytes.size(), bytes.data(), nullptr, &value), value);
}

napi_value makeInteger(napi_env env, std::int64_t value) {
  napi_value result = nullptr;
  if (value >= -kMaxSafeInteger && value <= kMaxSafeInteger) {
    napi_create_int64(env, value, &result);
  } else {
    napi_create_bigint_int64(env, value, &result);
  }
  return result;
}

bool appendArgument(napi_env env, napi_value value, redis::OutputBuffer& out) {
  char scratch[Scratch::kSize];
  std::size_t length = 0;
  if (napi_get_value_string_utf8(env, value, scratch, sizeof(scratch), &length) == napi_ok) {
    // One call for short strings. A longer one may have been cut, at a character of up to four bytes.
    if (length + 4 < sizeof(scratch)) {
      out.argument(std::string_view(scratch, length));
      return true;
    }
    const std::size_t units = unitsOf(env, value);
    const std::size_t most = units <= kUnmeasured ? units * kUnitBytes : measureUtf8(env, value);
    out.fillArgument(units, most, [&](char* to) { return copyUtf8(env, value, to, most); });
    return true;
  }
  if (const auto bytes = typedArrayBytes(env, value)) {
    out.argument(*bytes);
    return true;
  }
  napi_valuetype type = napi_undefined;
  napi_typeof(env, value, &type);
  if (type != napi_number && type != napi_bigint) return false;
  napi_value text = nullptr;
  if (napi_coerce_to_string(env, value, &text) != napi_ok) return false;
  return appendArgument(env, text, out);  // a bigint may have any number of digits
}

std::optional<std::string_view> bytesOf(napi_env env, napi_value value, Scratch& scratch) {
  std::size_t length = 0;
  if (napi_get_value_string_utf8(env, value, scratch.bytes, sizeof(scratch.bytes), &length) != napi_ok) {
    return typedArrayBytes(env, value);
  }
  if (length + 4 < sizeof(scratch.bytes)) return std::string_view(scratch.bytes, length);
  const std::size_t units = unitsOf(env, value);
  const std::size_t most = units <= kUnmeasured ? units * kUnitBytes : measureUtf8(env, value);
  scratch.longer.clear();
  scratch.longer.grown(copyUtf8(env, value, scratch.longer.room(most + 1), most));
  return scratch.longer.view();
}

std::int64_t integerOf(napi_env env, napi_value value, std::int64_t otherwise) {
  std::int64_t result = otherwise;
  if (value == nullptr || napi_get_value_int64(env, value, &result) != napi_ok) return otherwise;
  return result;
}

std::string stringProperty(const Napi::Object& object, const char* name) {
  const Napi::Value value = object.Get(name);
  return value.IsString() ? value.As<Napi::String>().Utf8Value() : std::string();
}

std::int64_t integerProperty(const Napi::Object& object, const char* name, std::int64_t otherwise) {
  const Napi::Value value = object.Get(name);
  return value.IsNumber() ? value.As<Napi::Number>().Int64Value() : otherwise;
}

bool booleanProperty(const Napi::Object& object, const char* name) {
  const Napi::Value value = object.Get(name);
  return value.IsBoolean() && value.As<Napi::Boolean>().Value();
}

Napi::FunctionReference functionProperty(const Napi::Object& object, const char* name) {
  const Napi::Value value = object.Get(name);
  return value.IsFunction() ? Napi::Persistent(value.As<Napi::Function>()) : Napi::FunctionReference();
}

Factories Factories::from(const Napi::Object& callbacks) {
  const auto function = [&](const char* name) { return functionProperty(callbacks, name); };
  return {function("array"), function("extend"), function("map"),
          function("set"),   function("error"),  function("bigNumber")};
}

void Factories::release() {
  array.Reset();
  extend.Reset();
  map.Reset();
  set.Reset();
  error.Reset();
  bigNumber.Reset();
}

namespace {

napi_value call(napi_env env, const Napi::FunctionReference& function, std::span<const napi_value> args) {
  napi_value undefined = nullptr;
  napi_value result = nullptr;
  napi_get_undefined(env, &undefined);
  return made(env, napi_call_function(env, undefined, function.Value(), args.size(), args.data(), &result), result);
}

napi_value call(napi_env env, const Napi::FunctionReference& function, napi_value argument) {
  if (argument == nullptr) return nullptr;
  return call(env, function, std::span<const napi_value>(&argument, 1));
}

// A function takes only so many arguments: longer arrays are made in pieces.
constexpr std::size_t kPiece = 8192;

napi_value makeArray(napi_env env, std::vector<napi_value>& values, Factories& factories) {
  const std::span<napi_value> all(values);
  napi_value array = call(env, factories.array, all.first(std::min(kPiece, all.size())));
  for (std::size_t at = kPiece; array != nullptr && at < all.size(); at += kPiece - 1) {
    all[at - 1] = array;  // the value there has been taken already
    if (call(env, factories.extend, all.subspan(at - 1, std::min(kPiece, all.size() - at + 1))) == nullptr)
      return nullptr;
  }
  return array;
}

napi_value makeScalar(napi_env env, const redis::Reply& reply, bool buffers, Factories& factories) {
  napi_value value = nullptr;
  switch (reply.type) {
    case redis::ReplyType::kString:
    case redis::ReplyType::kVerbatim:
      return buffers ? makeBuffer(env, reply.text) : makeString(env, reply.text);
    case redis::ReplyType::kStatus:
      return makeString(env, reply.text);
    case redis::ReplyType::kError:
      return call(env, factories.error, makeString(env, reply.text));
    case redis::ReplyType::kInteger:
      return makeInteger(env, reply.integer);
    case redis::ReplyType::kDouble:
      napi_create_double(env, reply.number, &value);
      return value;
    case redis::ReplyType::kBool:
      napi_get_boolean(env, reply.integer != 0, &value);
      return value;
    case redis::ReplyType::kBigNumber:
      return call(env, factories.bigNumber, makeString(env, reply.text));
    default:
      napi_get_null(env, &value);
      return value;
  }
}

// Builds the node at `index` and leaves `index` behind it.
napi_value makeNode(napi_env env, const redis::ReplyTree& tree, std::size_t& index, bool buffers,
                    Factories& factories) {
  const redis::ReplyNode& node = tree.nodes[index++];
  const bool isMap = node.type == redis::ReplyType::kMap;
  const bool isSet = node.type == redis::ReplyType::kSet;
  if (isMap || isSet || node.type == redis::ReplyType::kArray || node.type == redis::ReplyType::kPush) {
    std::vector<napi_value> values;
    values.reserve(node.length);
    for (std::uint32_t i = 0; i < node.length; ++i) {
      napi_value value = makeNode(env, tree, index, buffers, factories);
      if (value == nullptr) return nullptr;
      values.push_back(value);
    }
    napi_value array = makeArray(env, values, factories);
    if (isMap) return call(env, factories.map, array);
    return isSet ? call(env, factories.set, array) : array;
  }
  redis::Reply scalar{.type = node.type};
  if (node.type == redis::ReplyType::kDouble) {
    scalar.number = node.value.number;
  } else if (node.type == redis::ReplyType::kInteger || node.type == redis::ReplyType::kBool) {
    scalar.integer = node.value.integer;
  } else if (node.type != redis::ReplyType::kNil) {
    scalar.text = tree.textOf(node);
  }
  return makeScalar(env, scalar, buffers, factories);
}

}  // namespace

napi_value makeReply(napi_env env, const redis::Reply& reply, bool buffers, Factories& factories) {
  if (reply.tree == nullptr) return makeScalar(env, reply, buffers, factories);
  std::size_t index = 0;
  return makeNode(env, *reply.tree, index, buffers, factories);
}

}  // namespace tiercel::node
