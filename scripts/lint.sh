#!/usr/bin/env bash
# Every check that runs no test: ESLint, Prettier, the types of lib/, clang-format, clang-tidy. Goes on after a failure.
# usage: lint.sh [--quick | --tidy]   --quick: without clang-tidy, which takes minutes; --tidy: that alone
source "$(dirname "$0")/lib/common.sh"
part=${1:-}
case $part in '' | --quick | --tidy) ;; *) die "usage: lint.sh [--quick | --tidy]" ;; esac

cpp_files() { find src test/cpp test/fuzz bench -name '*.cpp' -o -name '*.h' | sort; }

clang_format() { cpp_files | xargs clang-format --dry-run -Werror; }

# Needs the compile commands of the GoogleTest build; without them clang-tidy would take those of another build.
clang_tidy() {
  if [ ! -e build/cpp/compile_commands.json ]; then
    cmake -S . -B build/cpp -DTIERCEL_TESTS=ON -DCMAKE_BUILD_TYPE=Release || return 1
  fi
  find src/core src/redis -name '*.cpp' | sort | xargs -n 1 -P "$(cores)" clang-tidy -p build/cpp --quiet
}

failed=0
if [ "$part" != --tidy ]; then
  check ESLint eslint . --max-warnings 0 || failed=1
  check Prettier prettier --check . || failed=1
  # By its path: more than one TypeScript is installed, and each has a program tsc.
  check 'types of lib' node node_modules/typescript/bin/tsc -p tsconfig.json || failed=1
  if command -v clang-format >/dev/null; then check clang-format clang_format || failed=1; else say "skipped clang-format: not installed"; fi
fi
if [ "$part" != --quick ]; then
  if command -v clang-tidy >/dev/null; then check clang-tidy clang_tidy || failed=1; else say "skipped clang-tidy: not installed"; fi
fi
exit "$failed"
