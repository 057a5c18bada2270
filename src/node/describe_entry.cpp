#include "node/describe_entry.h"

#include "core/entry/entry_json.h"
#include "node/bound_functions.h"
#include "node/environment.h"
#include "node/values.h"

namespace tiercel::node {

napi_value describeEntry(napi_env env, napi_callback_info info) {
  const Call<Environment, 1> call(env, info);
  Scratch scratch;
  const auto bytes = bytesOf(env, call.args[0], scratch);
  const auto entry = bytes ? core::parseEntry(*bytes) : std::nullopt;
  return entry ? makeString(env, core::describeEntry(*entry)) : nullptr;
}

}  // namespace tiercel::node
