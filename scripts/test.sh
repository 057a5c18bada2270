#!/usr/bin/env bash
# Sets the machine up, builds, runs tests and checks, and ends with `N passed, N failed`. Works in a fresh clone.
# usage: test.sh [all | quick | stress]
#   all     (npm test) unit, integration and package tests, GoogleTest, types, linters
#   quick   (npm run test:quick) unit and type tests, linters but clang-tidy
#   stress  (npm run test:stress) the rest: GoogleTest and the addon under sanitizers, fuzzing, the public suite of HTTP
#           caches, histories, random rounds, scale, clang-tidy
# Results for machines are left in .cache/test-results.
source "$(dirname "$0")/lib/common.sh"

mode=${1:-all}
case $mode in all | quick | stress) ;; *) die "usage: test.sh [all | quick | stress]" ;; esac
results=.cache/test-results
rm -rf "$results"
mkdir -p "$results"
# What takes longer than it may fails; here compilers and linters run beside the tests.
export TIERCEL_TEST_PATIENCE=${TIERCEL_TEST_PATIENCE:-5}
export TIERCEL_TEST_RESULTS=$results CI=${CI:-true}
# What the developer has in the environment must not reach the tests.
unset REDIS_URL REDIS_HOST REDIS_PORT REDIS_USERNAME REDIS_PASSWORD REDIS_DB REDIS_SERVER
# Three times as long as when Jest is run by itself: what it looks for is rare.
export TIERCEL_HISTORY_SECONDS=${TIERCEL_HISTORY_SECONDS:-60}

finish() { exec node scripts/lib/test-summary.js "$results"; }

# No step may keep a machine busy for ever: one that takes this long has failed, and is ended with all it started.
LIMIT=900

# step KIND NAME COMMAND...: runs it, and records its exit code for the summary.
step() {
  local kind=$1 name=$2 began=$SECONDS code=0
  shift 2
  timeout --kill-after=10 "$LIMIT" "$@" </dev/null || code=$?
  [ "$code" -ne 124 ] || say "FAILED  $name: not done after $LIMIT s"
  record "$kind" "$name" "$code" $((SECONDS - began))
  return "$code"
}

step prepare setup bash scripts/setup.sh test || finish
step prepare build bash scripts/build.sh || finish

# jest_step NAME ARGUMENTS...: with a private redis-server beside it.
jest_step() {
  local name=$1
  shift
  step jest "$name" node scripts/with-redis.js -- jest --ci --json --outputFile "$results/$name.json" "$@"
}

if [ "$mode" = quick ]; then
  # What needs a processor side by side.
  (bash scripts/lint.sh --quick && bash scripts/type-tests.sh) </dev/null >.cache/logs/beside-jest.log 2>&1 &
  beside=$!
  jest_step jest --testMatch '<rootDir>/test/unit/**/*.test.js'
  wait "$beside"
  cat .cache/logs/beside-jest.log >&2
  finish
fi

step prepare stage node scripts/stage-prebuild.js || finish

if [ "$mode" = all ]; then
  # What compiles and checks needs a processor and no clock, the tests of Jest the other way round: side by side, the
  # former at a lower priority.
  (
    nice -n 5 bash scripts/test-cpp.sh release --build
    nice -n 5 bash scripts/lint.sh --quick
    nice -n 5 bash scripts/type-tests.sh
  ) </dev/null >.cache/logs/beside-jest.log 2>&1 &
  beside=$!
  jest_step jest
  wait "$beside"
  cat .cache/logs/beside-jest.log >&2
  step ctest release bash scripts/test-cpp.sh release
  finish
fi

step ctest sanitize bash scripts/test-cpp.sh sanitize
step ctest thread bash scripts/test-cpp.sh thread
# One wants a processor, the other mostly waits for the seconds of HTTP to pass.
step fuzz fuzz bash scripts/fuzz.sh 10 &
fuzzing=$!
jest_step conformance --testMatch '<rootDir>/test/conformance/**/*.test.js'
wait "$fuzzing"
check 'addon under sanitizers' timeout --kill-after=10 "$LIMIT" bash scripts/test-addon-sanitize.sh
nice -n 5 bash scripts/lint.sh --tidy </dev/null >.cache/logs/beside-jest.log 2>&1 &
beside=$!
# One worker: these tests take the whole machine, and limit how long things take.
jest_step stress -w 1 --testMatch '<rootDir>/test/stress/**/*.test.js'
wait "$beside"
cat .cache/logs/beside-jest.log >&2
finish
