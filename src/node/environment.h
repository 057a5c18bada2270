// What one Node environment (the main thread, or a worker) owns: its loop, and everything that must be ended before
// the environment can go. No globals: every worker has one of these.
#pragma once

#include <functional>
#include <memory>
#include <set>

#include "node/napi_setup.h"
#include "redis/uv_handle.h"

namespace tiercel::node {

// Something that works on the loop until it has ended.
class Resident {
 public:
  virtual ~Resident() = default;
  // The environment is going away. No JavaScript can run any more: close every handle, tell nobody.
  virtual void abandon() = 0;
};

class Environment : public std::enable_shared_from_this<Environment> {
 public:
  // nullptr, with an exception pending, when there is no loop to work on.
  static std::shared_ptr<Environment> create(Napi::Env env);

  [[nodiscard]] Napi::Env env() const { return env_; }
  [[nodiscard]] const redis::LoopHandlesPtr& handles() const { return handles_; }

  // Keeps a resident alive until it is discharged.
  void admit(std::shared_ptr<Resident> resident) { residents_.insert(std::move(resident)); }
  // May be called by the resident itself: it is let go at the next discharge, when nothing of it is on the stack.
  void discharge(const std::shared_ptr<Resident>& resident);

 private:
  explicit Environment(Napi::Env env) : env_(env) {}
  void teardown(napi_async_cleanup_hook_handle hook);

  Napi::Env env_;
  redis::LoopHandlesPtr handles_;
  std::set<std::shared_ptr<Resident>> residents_;
  std::shared_ptr<Resident> discharged_;
};

}  // namespace tiercel::node
