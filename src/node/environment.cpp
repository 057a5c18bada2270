#include "node/environment.h"

#include <utility>

namespace tiercel::node {

std::shared_ptr<Environment> Environment::create(Napi::Env env) {
  uv_loop_s* loop = nullptr;
  if (napi_get_uv_event_loop(env, &loop) != napi_ok) {
    Napi::Error::New(env, "tiercel: this environment has no libuv loop").ThrowAsJavaScriptException();
    return nullptr;
  }
  std::shared_ptr<Environment> self(new Environment(env));
  self->handles_ = std::make_shared<redis::LoopHandles>(loop);
  // The hook owns the environment from here on. It is an asynchronous one, because closing a handle takes a loop turn,
  // and a worker whose loop still has handles aborts the process.
  auto* owned = new std::shared_ptr<Environment>(self);
  napi_add_async_cleanup_hook(
      env,
      [](napi_async_cleanup_hook_handle hook, void* arg) {
        const std::unique_ptr<std::shared_ptr<Environment>> environment(
            static_cast<std::shared_ptr<Environment>*>(arg));
        (*environment)->teardown(hook);
      },
      owned, nullptr);
  return self;
}

void Environment::discharge(const std::shared_ptr<Resident>& resident) {
  discharged_ = resident;
  residents_.erase(resident);
}

void Environment::teardown(napi_async_cleanup_hook_handle hook) {
  const auto residents = std::exchange(residents_, {});
  for (const auto& resident : residents) resident->abandon();
  discharged_.reset();
  handles_->whenIdle([self = shared_from_this(), hook] { napi_remove_async_cleanup_hook(hook); });
}

}  // namespace tiercel::node
