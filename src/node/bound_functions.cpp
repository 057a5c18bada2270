#include "node/bound_functions.h"

namespace tiercel::node {

void throwNative(napi_env env, const char* code, const char* what) noexcept {
  bool pending = false;
  if (napi_is_exception_pending(env, &pending) == napi_ok && pending) return;
  napi_throw_error(env, code, what);
}

Napi::Object bindFunctions(Napi::Env env, void* raw, const std::shared_ptr<void>& owner,
                           std::initializer_list<BoundFunction> functions) {
  Napi::Object object = Napi::Object::New(env);
  for (const BoundFunction& function : functions) {
    napi_value value = nullptr;
    if (napi_create_function(env, function.name, NAPI_AUTO_LENGTH, function.callback, raw, &value) != napi_ok) continue;
    auto held = std::make_unique<std::shared_ptr<void>>(owner);
    const napi_status status = napi_add_finalizer(
        env, value, held.get(),
        [](napi_env /*env*/, void* data, void* /*hint*/) {
          const std::unique_ptr<std::shared_ptr<void>> adopted(static_cast<std::shared_ptr<void>*>(data));
        },
        nullptr, nullptr);
    if (status == napi_ok) (void)held.release();  // until the finalizer adopts it
    object.Set(function.name, Napi::Value(env, value));
  }
  return object;
}

}  // namespace tiercel::node
