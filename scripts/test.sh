#!/usr/bin/env bash
# npm test: everything. Sets the machine up, builds, runs all tests and checks, and ends with `N passed, N failed`.
# Works in a fresh clone. Results for machines are left in .cache/test-results.
source "$(dirname "$0")/lib/common.sh"

results=.cache/test-results
rm -rf "$results"
mkdir -p "$results"
export TIERCEL_TEST_RESULTS=$results CI=${CI:-true}
# What the developer has in the environment must not reach the tests.
unset REDIS_URL REDIS_HOST REDIS_PORT REDIS_PASSWORD REDIS_DB REDIS_SERVER
# Three times as long as when Jest is run by itself: what it looks for is rare.
export TIERCEL_HISTORY_SECONDS=${TIERCEL_HISTORY_SECONDS:-60}

finish() { exec node scripts/lib/test-summary.js "$results"; }

# No step may keep a machine busy for ever: one that takes this long has failed, and is ended with all it started.
LIMIT=600

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
step prepare stage node scripts/stage-prebuild.js || finish

# Under the sanitizers alone: the same tests without them are `npm run test:cpp`, and Jest runs the release build.
step ctest sanitize bash scripts/test-cpp.sh sanitize
step ctest thread bash scripts/test-cpp.sh thread
# One wants a processor, the other mostly waits for the seconds of HTTP to pass.
step fuzz fuzz bash scripts/fuzz.sh 10 &
fuzzing=$!
step jest conformance jest --ci --forceExit --json --outputFile "$results/conformance.json" \
  --testMatch '<rootDir>/test/conformance/**/*.test.js'
wait "$fuzzing"
check 'addon under sanitizers' timeout --kill-after=10 "$LIMIT" bash scripts/test-addon-sanitize.sh
# The checks that run no test need a processor and no clock, the tests of Jest the other way round: side by side, at the
# lowest priority.
(
  lint=0
  timeout --kill-after=10 "$LIMIT" nice -n 19 bash scripts/lint.sh >.cache/logs/lint.log 2>&1 || lint=$?
  [ "$lint" -lt 124 ] || record check lint "$lint" "$LIMIT"
  nice -n 19 timeout --kill-after=10 "$LIMIT" bash scripts/type-tests.sh >>.cache/logs/lint.log 2>&1 || true
) </dev/null &
checks=$!
# What a test has left open is for that test to say: it is not to hold up the machine.
step jest jest node scripts/with-redis.js -- jest --ci --forceExit --json --outputFile "$results/jest.json"
wait "$checks"
cat .cache/logs/lint.log >&2
finish
