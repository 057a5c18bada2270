#!/usr/bin/env bash
# Builds and runs the GoogleTest binaries of src/core and src/redis, without Node.
# usage: test-cpp.sh [release | sanitize | thread] [--build]   (default: release; --build: does not run them)
# thread: what threads share is in the core, and only its tests that run several are worth their time under TSan.
source "$(dirname "$0")/lib/common.sh"

variant=${1:-release} only_build=${2:-}
case $only_build in '' | --build) ;; *) die "usage: test-cpp.sh [release | sanitize | thread] [--build]" ;; esac
targets=() only=()
case $variant in
  # The benchmark programs are only compiled: what moves in the core must not break them unseen.
  release) dir=build/cpp options=(-DCMAKE_BUILD_TYPE=Release -DTIERCEL_SANITIZE= -DTIERCEL_BENCH=ON) ;;
  sanitize) dir=build/cpp-sanitize options=(-DCMAKE_BUILD_TYPE=Debug -DTIERCEL_SANITIZE=address,undefined) ;;
  thread)
    dir=build/cpp-thread options=(-DCMAKE_BUILD_TYPE=Debug -DTIERCEL_SANITIZE=thread)
    targets=(--target core_tests) only=(-R 'Thread|Lease|Tag|Source|Shared|Local|Race')
    ;;
  *) die "usage: test-cpp.sh [release | sanitize | thread]" ;;
esac

# Checks inside the tests, quick enough to run them all: asserts stay on, and a little optimisation.
quietly ".cache/logs/cpp-$variant-configure.log" cmake -S . -B "$dir" -DTIERCEL_TESTS=ON "${options[@]}" \
  "-DCMAKE_CXX_FLAGS_DEBUG=-g1 -O1" "-DCMAKE_C_FLAGS_DEBUG=-g1 -O1" || die "CMake could not configure $dir"
quietly ".cache/logs/cpp-$variant-build.log" cmake --build "$dir" -j "$(cores)" "${targets[@]}" || die "the C++ tests did not compile"
[ -z "$only_build" ] || exit 0

ASAN_OPTIONS=${ASAN_OPTIONS:-detect_leaks=1:detect_stack_use_after_return=1:strict_string_checks=1}
UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1}
export ASAN_OPTIONS UBSAN_OPTIONS
mkdir -p "${TIERCEL_TEST_RESULTS:=.cache/test-results}"
began=$SECONDS code=0
quietly ".cache/logs/ctest-$variant.log" node scripts/with-redis.js -- ctest --test-dir "$dir" "${only[@]}" --output-on-failure \
  --no-tests=error -j "$(cores)" --timeout 120 --output-junit "$PWD/$TIERCEL_TEST_RESULTS/ctest-$variant.xml" || code=$?
[ "$code" -ne 0 ] || tail -n 3 ".cache/logs/ctest-$variant.log" | grep 'Total Test time' || true
if [ "$code" -eq 0 ]; then say "ok      GoogleTest, $variant ($((SECONDS - began)) s)"; else say "FAILED  GoogleTest, $variant"; fi
exit "$code"
