// An envelope of Redis as text for the inspector.
#pragma once

#include "node/napi_setup.h"

namespace tiercel::node {

// describeEntry(bytes) => JSON, see core/entry/entry_json.h; undefined for bytes that are no entry.
napi_value describeEntry(napi_env env, napi_callback_info info);

}  // namespace tiercel::node
