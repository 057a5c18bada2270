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

finish() { exec node scripts/lib/test-summary.js "$results"; }

# step KIND NAME COMMAND...: runs it, and records its exit code for the summary.
step() {
  local kind=$1 name=$2 began=$SECONDS code=0
  shift 2
  "$@" </dev/null || code=$?
  record "$kind" "$name" "$code" $((SECONDS - began))
  return "$code"
}

step prepare setup bash scripts/setup.sh test || finish
step prepare build bash scripts/build.sh || finish
step prepare stage node scripts/stage-prebuild.js || finish

step ctest release bash scripts/test-cpp.sh release
step ctest sanitize bash scripts/test-cpp.sh sanitize
step fuzz fuzz bash scripts/fuzz.sh 10
check 'addon under sanitizers' bash scripts/test-addon-sanitize.sh
step jest jest node scripts/with-redis.js -- jest --ci --json --outputFile "$results/jest.json"
check 'type tests' tsd --files 'test/types/**/*.test-d.ts'
bash scripts/lint.sh
finish
