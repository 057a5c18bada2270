// The addon's entry point: runs once per environment.
#include "node/bound_functions.h"
#include "node/cache_store.h"
#include "node/describe_entry.h"
#include "node/environment.h"
#include "node/redis_client.h"

namespace {

Napi::Object init(Napi::Env env, Napi::Object exports) {
  const auto environment = tiercel::node::Environment::create(env);
  if (!environment) return exports;
  Napi::Object functions = Napi::Object::New(env);
  tiercel::node::bindFunctions(functions, environment.get(), environment,
                               {tiercel::node::bound<tiercel::node::RedisClient::create>("createClient"),
                                tiercel::node::bound<tiercel::node::CacheStore::create>("createStore"),
                                tiercel::node::bound<tiercel::node::describeEntry>("describeEntry")});
  functions.Set("storeMethods", tiercel::node::CacheStore::methodsOf(env));
  functions.Set("version", TIERCEL_VERSION);
  return functions;
}

}  // namespace

NODE_API_MODULE(tiercel, init)
