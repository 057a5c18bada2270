# Target `nlohmann_json::nlohmann_json`: the system's package, else version 3.11.3 from its repository, pinned by commit.
find_package(nlohmann_json 3.10 QUIET)
if(nlohmann_json_FOUND)
  message(STATUS "nlohmann_json: the system's ${nlohmann_json_VERSION}")
elseif(TIERCEL_CHECK)
  tiercel_missing("nlohmann_json" nlohmann-json3-dev)
else()
  include(FetchContent)
  FetchContent_Declare(
    nlohmann_json
    GIT_REPOSITORY https://github.com/nlohmann/json.git
    GIT_TAG 9cca280a4d0ccf0c08f47a99aa71d1b0e52f8d03 # v3.11.3
  )
  set(JSON_BuildTests OFF)
  FetchContent_MakeAvailable(nlohmann_json)
  message(STATUS "nlohmann_json: its repository (3.11.3)")
endif()
