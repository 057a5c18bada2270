// JavaScript functions that are bound to a native object: calling one costs no unwrapping, and the object lives as long
// as any of its functions does.
#pragma once

#include <exception>
#include <initializer_list>
#include <memory>
#include <new>

#include "node/napi_setup.h"

namespace tiercel::node {

struct BoundFunction {
  const char* name;
  napi_callback callback;
};

// Throws what a native function could not finish as an error of JavaScript: `code` is OUT_OF_MEMORY or NATIVE_ERROR.
void throwNative(napi_env env, const char* code, const char* what) noexcept;

// The one way from JavaScript into native code: no C++ exception crosses the border.
template <napi_callback Function>
napi_value entry(napi_env env, napi_callback_info info) noexcept {
  try {
    return Function(env, info);
  } catch (const std::bad_alloc&) {
    throwNative(env, "OUT_OF_MEMORY", "tiercel: out of memory");
  } catch (const std::exception& error) {
    throwNative(env, "NATIVE_ERROR", error.what());
  } catch (...) {
    throwNative(env, "NATIVE_ERROR", "tiercel: unknown native error");
  }
  return nullptr;
}

template <napi_callback Function>
constexpr BoundFunction bound(const char* name) {
  return {name, entry<Function>};
}

// An object with these functions; `raw` is what napi_get_cb_info gives as data, `owner` is held by each of them.
Napi::Object bindFunctions(Napi::Env env, void* raw, const std::shared_ptr<void>& owner,
                           std::initializer_list<BoundFunction> functions);

// The arguments of a call of a bound function of a T: at most N of them, undefined where there are fewer.
template <class T, std::size_t N>
struct Call {
  Call(napi_env env, napi_callback_info info) {
    void* data = nullptr;
    napi_get_cb_info(env, info, &count, args, nullptr, &data);
    self = static_cast<T*>(data);
  }
  T* self = nullptr;
  std::size_t count = N;
  napi_value args[N] = {};
};

}  // namespace tiercel::node
