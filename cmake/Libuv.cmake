# Targets `libuv_headers` and, for the tests, `libuv`. The addon only needs the headers: the functions are Node's own.
# Headers of 1.44 or newer: the ABI is stable within libuv 1, and we call nothing younger than 1.44.
find_path(LIBUV_INCLUDE_DIR uv.h PATHS ${TIERCEL_UV_INCLUDE_DIR} /usr/include /usr/include/node /usr/local/include/node)
if(NOT LIBUV_INCLUDE_DIR)
  message(FATAL_ERROR "libuv: uv.h was not found; install libuv1-dev, or set TIERCEL_UV_INCLUDE_DIR to Node's include/node")
endif()
add_library(libuv_headers INTERFACE)
target_include_directories(libuv_headers SYSTEM INTERFACE ${LIBUV_INCLUDE_DIR})

if(TIERCEL_TESTS OR TIERCEL_FUZZ)
  find_library(LIBUV_LIBRARY NAMES uv uv_a)
  if(NOT LIBUV_LIBRARY)
    message(FATAL_ERROR "libuv: the library was not found; install libuv1-dev")
  endif()
  add_library(libuv INTERFACE)
  target_link_libraries(libuv INTERFACE libuv_headers ${LIBUV_LIBRARY} pthread dl)
endif()
