#!/usr/bin/env bash
# Lays out all code: Prettier for JavaScript, TypeScript and JSON, clang-format for C++.
source "$(dirname "$0")/lib/common.sh"

prettier --write --log-level warn .
find src test/cpp test/fuzz bench -name '*.cpp' -o -name '*.h' | xargs clang-format -i
