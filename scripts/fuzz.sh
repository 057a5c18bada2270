#!/usr/bin/env bash
# Builds the libFuzzer targets with ASan and UBSan, and runs each for a bounded time, one after the other.
# usage: fuzz.sh [SECONDS]   (per target; default: 20)
# What is found along the way is kept in .cache/fuzz; what broke is left there too, and named.
source "$(dirname "$0")/lib/common.sh"

seconds=${1:-20}
case $seconds in '' | *[!0-9]* | 0*) die "usage: fuzz.sh [SECONDS]" ;; esac
if ! command -v clang >/dev/null || ! command -v clang++ >/dev/null; then
  say "skipped fuzzing: clang is not installed"
  exit 0
fi
if ! ls "$(clang -print-resource-dir)"/lib/*/libclang_rt.fuzzer*.a >/dev/null 2>&1; then
  say "skipped fuzzing: clang has no libFuzzer here (on Debian: libclang-rt-14-dev, or that of your clang)"
  exit 0
fi

dir=build/fuzz
quietly .cache/logs/fuzz-configure.log cmake -S . -B "$dir" -DTIERCEL_FUZZ=ON -DCMAKE_BUILD_TYPE=Debug \
  -DTIERCEL_SANITIZE=address,undefined -DCMAKE_C_COMPILER=clang -DCMAKE_CXX_COMPILER=clang++ \
  "-DCMAKE_CXX_FLAGS_DEBUG=-g1 -O1" "-DCMAKE_C_FLAGS_DEBUG=-g1 -O1" || die "CMake could not configure $dir"
quietly .cache/logs/fuzz-build.log cmake --build "$dir" -j "$(cores)" || die "the fuzz targets did not compile"

export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_leaks=1:detect_stack_use_after_return=1}
export UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1}
failed=0
for target in reply entry connection cache_tier; do
  found=.cache/fuzz/$target
  log=.cache/logs/fuzz-$target.log
  mkdir -p "$found"
  code=0
  quietly "$log" "$dir/test/fuzz/fuzz_$target" -max_total_time="$seconds" -max_len=4096 -timeout=10 -rss_limit_mb=1024 \
    -malloc_limit_mb=256 -print_final_stats=1 -artifact_prefix=".cache/fuzz/$target-" "$found" "test/fuzz/corpus/$target" ||
    code=$?
  runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
  if [ "$code" -eq 0 ]; then
    say "ok      fuzz_$target (${runs:-0} inputs in $seconds s)"
  else
    say "FAILED  fuzz_$target: the input is .cache/fuzz/$target-…, the report $log"
    failed=1
  fi
done
exit "$failed"
