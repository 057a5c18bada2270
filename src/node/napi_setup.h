// The settings of Node-API and node-addon-api, in one place. Include this instead of <napi.h> or <node_api.h>.
#pragma once

// The highest version that Node 20 loads; all later ones support it.
#define NAPI_VERSION 9
// A failed call leaves a pending JavaScript exception; nothing is thrown in C++.
#define NAPI_DISABLE_CPP_EXCEPTIONS
#define NODE_ADDON_API_DISABLE_DEPRECATED
// While an environment shuts down nothing can be thrown into it; do not abort for it.
#define NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS

#include <napi.h>
