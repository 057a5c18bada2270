// JavaScript functions of a native object. Bound ones: calling one costs no unwrapping, and the object lives as long as
// any of them does; each costs the heap some 800 bytes. Methods: one set for all objects of a kind, which find theirs
// by `this`.
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

// Adds the functions to an object; `raw` is what napi_get_cb_info gives as data, `owner` is held by each of them.
void bindFunctions(Napi::Object object, void* raw, const std::shared_ptr<void>& owner,
                   std::initializer_list<BoundFunction> functions);

// An object with these functions as methods: a prototype for those that adopt() makes.
Napi::Object methods(Napi::Env env, std::initializer_list<BoundFunction> functions);
// From now on the methods that are called on this object are for `owner`.
void adopt(Napi::Object object, std::shared_ptr<void> owner);
// What adopt() was given. Throws std::invalid_argument for an object that it was not called with.
void* adopted(napi_env env, napi_value object);

// The arguments of a call of a function of a T: at most N of them, undefined where there are fewer.
template <class T, std::size_t N>
struct Call {
  Call(napi_env env, napi_callback_info info) {
    void* data = nullptr;
    napi_value object = nullptr;
    napi_get_cb_info(env, info, &count, args, &object, &data);
    self = static_cast<T*>(data != nullptr ? data : adopted(env, object));
  }
  T* self = nullptr;
  std::size_t count = N;
  napi_value args[N] = {};
};

}  // namespace tiercel::node
