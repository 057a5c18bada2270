// Conversion between JavaScript values and bytes. The hot half of the binding: raw Node-API, no arrays read or built
// element by element, objects made by JavaScript factories.
#pragma once

#include <optional>
#include <string_view>

#include "core/entry/entry.h"
#include "node/napi_setup.h"
#include "redis/output_buffer.h"
#include "redis/reply.h"

namespace tiercel::node {

// All that make a value return nullptr when there can be none: a string longer than V8 has, a Set or a Map with too
// many elements, no memory. No exception is pending then.

// UTF-8 to a string; pure ASCII takes the fast way.
napi_value makeString(napi_env env, std::string_view utf8);
napi_value makeBuffer(napi_env env, std::string_view bytes);
napi_value makeInteger(napi_env env, std::int64_t value);  // a BigInt beyond 2^53

// Appends a string, Uint8Array, number or bigint as one argument of a command. false: it is none of these.
bool appendArgument(napi_env env, napi_value value, redis::OutputBuffer& out);

// The bytes of a string (as UTF-8) or Uint8Array. Short strings land in `scratch`, which must outlive the view.
struct Scratch {
  static constexpr std::size_t kSize = 1024;
  char bytes[kSize];
  redis::OutputBuffer longer;
};
std::optional<std::string_view> bytesOf(napi_env env, napi_value value, Scratch& scratch);

std::int64_t integerOf(napi_env env, napi_value value, std::int64_t otherwise = 0);
std::string stringProperty(const Napi::Object& object, const char* name);
std::int64_t integerProperty(const Napi::Object& object, const char* name, std::int64_t otherwise = 0);
bool booleanProperty(const Napi::Object& object, const char* name);
// Empty when there is none. In a worker that is being terminated nothing can be read, and to go on with what
// node-addon-api then returns would end the process.
Napi::FunctionReference functionProperty(const Napi::Object& object, const char* name);

// Functions of the JavaScript layer that make what Node-API makes slowly, or in the wrong realm. Handed over per
// client, because one addon serves several realms (Jest).
struct Factories {
  Napi::FunctionReference array;      // (...values) => values
  Napi::FunctionReference extend;     // (array, ...values): appends them
  Napi::FunctionReference map;        // (array of keys and values) => Map
  Napi::FunctionReference set;        // (array) => Set
  Napi::FunctionReference error;      // (message) => RedisError
  Napi::FunctionReference bigNumber;  // (digits) => BigInt

  static Factories from(const Napi::Object& callbacks);
  void release();
};

// A reply as a value; strings as Buffers when asked.
napi_value makeReply(napi_env env, const redis::Reply& reply, bool buffers, Factories& factories);

}  // namespace tiercel::node
