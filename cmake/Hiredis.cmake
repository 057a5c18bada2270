# Target `hiredis_reader`: the RESP reader of hiredis (read, sds, alloc), found as <hiredis/read.h>.
# The system's hiredis when it is 1.1 or newer (older ones know no RESP3), else the 1.2.0 sources that the development
# dependency redis-fast-driver carries, else hiredis 1.4.1 from its repository, pinned by commit.
set(TIERCEL_HIREDIS "auto" CACHE STRING "Where hiredis comes from: auto, system, npm or fetch")
set(_npm_hiredis ${CMAKE_CURRENT_SOURCE_DIR}/node_modules/redis-fast-driver/deps)

set(_hiredis_dir "")
set(_hiredis_from "")
if(TIERCEL_HIREDIS MATCHES "^(auto|system)$")
  find_package(PkgConfig QUIET)
  if(PkgConfig_FOUND)
    pkg_check_modules(SYSTEM_HIREDIS QUIET IMPORTED_TARGET hiredis>=1.1)
  endif()
  if(SYSTEM_HIREDIS_FOUND)
    find_library(SYSTEM_HIREDIS_ARCHIVE NAMES libhiredis.a HINTS ${SYSTEM_HIREDIS_LIBRARY_DIRS} ${SYSTEM_HIREDIS_LIBDIR})
  endif()
  if(SYSTEM_HIREDIS_ARCHIVE)
    set(_hiredis_from "the system's ${SYSTEM_HIREDIS_VERSION}")
  elseif(TIERCEL_HIREDIS STREQUAL "system")
    message(FATAL_ERROR "hiredis: TIERCEL_HIREDIS=system, but pkg-config finds no hiredis 1.1 or newer with its archive")
  endif()
endif()
if(NOT _hiredis_from AND TIERCEL_HIREDIS MATCHES "^(auto|npm)$")
  if(EXISTS ${_npm_hiredis}/hiredis/read.c)
    set(_hiredis_dir ${_npm_hiredis})
    set(_hiredis_from "the sources in node_modules/redis-fast-driver (1.2.0)")
  elseif(TIERCEL_HIREDIS STREQUAL "npm")
    message(FATAL_ERROR "hiredis: TIERCEL_HIREDIS=npm, but node_modules/redis-fast-driver is missing: run `npm ci`")
  endif()
endif()
if(NOT _hiredis_from)
  include(FetchContent)
  FetchContent_Declare(
    hiredis_sources
    GIT_REPOSITORY https://github.com/redis/hiredis.git
    GIT_TAG 616f2286ba5503f74ae96e720623fa11dbc690af # v1.4.1
    SOURCE_DIR ${CMAKE_BINARY_DIR}/_deps/include/hiredis)
  FetchContent_GetProperties(hiredis_sources)
  if(NOT hiredis_sources_POPULATED)
    FetchContent_Populate(hiredis_sources) # not MakeAvailable: we want three files of it, not its build
  endif()
  set(_hiredis_dir ${CMAKE_BINARY_DIR}/_deps/include)
  set(_hiredis_from "its repository (1.4.1)")
endif()
message(STATUS "hiredis: ${_hiredis_from}")

if(_hiredis_dir)
  add_library(hiredis_reader STATIC ${_hiredis_dir}/hiredis/read.c ${_hiredis_dir}/hiredis/sds.c
                                    ${_hiredis_dir}/hiredis/alloc.c)
  target_include_directories(hiredis_reader SYSTEM PUBLIC ${_hiredis_dir})
  # -fwrapv: 1.2.0 adds to lengths that it has not checked yet.
  target_compile_options(hiredis_reader PRIVATE -fvisibility=hidden -fwrapv -w)
else()
  add_library(hiredis_reader INTERFACE)
  # The archive, never the shared library: the addon must load where there is none.
  target_include_directories(hiredis_reader SYSTEM INTERFACE ${SYSTEM_HIREDIS_INCLUDE_DIRS})
  target_link_libraries(hiredis_reader INTERFACE ${SYSTEM_HIREDIS_ARCHIVE})
endif()
