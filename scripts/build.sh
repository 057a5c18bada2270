#!/usr/bin/env bash
# Builds the addon, build/Release/tiercel.node, unless it is newer than its sources.
source "$(dirname "$0")/lib/common.sh"

binary=build/Release/tiercel.node
if [ -e "$binary" ]; then
  changed=$(find src cmake CMakeLists.txt package.json -newer "$binary" -print -quit)
  [ -z "$changed" ] && exit 0
fi

say "build: compiling the addon"
CMAKE_BUILD_PARALLEL_LEVEL=$(cores)
export CMAKE_BUILD_PARALLEL_LEVEL
quietly .cache/logs/addon.log cmake-js build || die "the addon did not compile"
# The linker leaves a binary alone that would not change.
touch "$binary"
