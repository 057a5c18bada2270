# Targets `libuv_headers` and, for the tests, `libuv`. The addon only needs the headers: the functions are Node's own.
# Headers of 1.44 or newer: the ABI is stable within libuv 1, and we call nothing younger than 1.44.
find_path(LIBUV_INCLUDE_DIR uv.h PATHS ${TIERCEL_UV_INCLUDE_DIR} /usr/include /usr/include/node /usr/local/include/node)
if(NOT LIBUV_INCLUDE_DIR)
  tiercel_missing("uv.h (or set TIERCEL_UV_INCLUDE_DIR to Node's include/node)" libuv1-dev)
  return()
endif()
add_library(libuv_headers INTERFACE)
target_include_directories(libuv_headers SYSTEM INTERFACE ${LIBUV_INCLUDE_DIR})

if(TIERCEL_TESTS OR TIERCEL_FUZZ)
  find_library(LIBUV_LIBRARY NAMES uv uv_a)
  if(NOT LIBUV_LIBRARY)
    tiercel_missing("the library libuv" libuv1-dev)
    return()
  endif()
  add_library(libuv INTERFACE)
  target_link_libraries(libuv INTERFACE libuv_headers ${LIBUV_LIBRARY} pthread dl)
endif()
