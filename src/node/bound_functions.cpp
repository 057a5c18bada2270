#include "node/bound_functions.h"

#include <stdexcept>
#include <utility>

namespace tiercel::node {

void throwNative(napi_env env, const char* code, const char* what) noexcept {
  bool pending = false;
  if (napi_is_exception_pending(env, &pending) == napi_ok && pending) return;
  napi_throw_error(env, code, what);
}

namespace {

// Frees what it keeps when JavaScript collects the object that it belongs to.
void release(napi_env /*env*/, void* data, void* /*hint*/) {
  const std::unique_ptr<std::shared_ptr<void>> held(static_cast<std::shared_ptr<void>*>(data));
}

}  // namespace

void bindFunctions(Napi::Object object, void* raw, const std::shared_ptr<void>& owner,
                   std::initializer_list<BoundFunction> functions) {
  const Napi::Env env = object.Env();
  for (const BoundFunction& function : functions) {
    napi_value value = nullptr;
    if (napi_create_function(env, function.name, NAPI_AUTO_LENGTH, function.callback, raw, &value) != napi_ok) continue;
    auto held = std::make_unique<std::shared_ptr<void>>(owner);
    const napi_status status = napi_add_finalizer(env, value, held.get(), release, nullptr, nullptr);
    if (status == napi_ok) (void)held.release();  // until the finalizer adopts it
    object.Set(function.name, Napi::Value(env, value));
  }
}

Napi::Object methods(Napi::Env env, std::initializer_list<BoundFunction> functions) {
  Napi::Object object = Napi::Object::New(env);
  bindFunctions(object, nullptr, nullptr, functions);
  return object;
}

void adopt(Napi::Object object, std::shared_ptr<void> owner) {
  auto held = std::make_unique<std::shared_ptr<void>>(std::move(owner));
  if (napi_wrap(object.Env(), object, held.get(), release, nullptr, nullptr) != napi_ok) {
    throw std::invalid_argument("an object that is adopted already");
  }
  (void)held.release();  // until the finalizer adopts it
}

void* adopted(napi_env env, napi_value object) {
  void* held = nullptr;
  if (napi_unwrap(env, object, &held) != napi_ok) throw std::invalid_argument("a method of another object");
  return static_cast<std::shared_ptr<void>*>(held)->get();
}

}  // namespace tiercel::node
