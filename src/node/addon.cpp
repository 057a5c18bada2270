// The addon's entry point: runs once per environment.
#include "node/bound_functions.h"
#include "node/cache_store.h"
#include "node/environment.h"
#include "node/redis_client.h"

namespace {

Napi::Object init(Napi::Env env, Napi::Object exports) {
  const auto environment = tiercel::node::Environment::create(env);
  if (!environment) return exports;
  Napi::Object functions = tiercel::node::bindFunctions(
      env, environment.get(), environment,
      {{"createClient", tiercel::node::RedisClient::create}, {"createStore", tiercel::node::CacheStore::create}});
  functions.Set("version", TIERCEL_VERSION);
  return functions;
}

}  // namespace

NODE_API_MODULE(tiercel, init)
