#!/usr/bin/env bash
# Builds the addon with ASan and UBSan, and runs what is in test/sanitize in a Node that has their runtimes preloaded.
# Leaks count, too.
source "$(dirname "$0")/lib/common.sh"

quietly .cache/logs/addon-sanitize-build.log cmake-js build --debug --out build/asan \
  --CDTIERCEL_SANITIZE=address,undefined || die "the addon did not compile with the sanitizers"

preload="$(gcc -print-file-name=libasan.so) $(gcc -print-file-name=libubsan.so)"
failed=0

# sanitized LOG NAME FILE [ARGUMENTS...]: the runtimes are for the one process that is tested, not for those that start it.
sanitized() {
  local log=$1 name=$2 began=$SECONDS code=0
  shift 2
  quietly "$log" node scripts/with-redis.js -- env LD_PRELOAD="$preload" \
    TIERCEL_BINDING_PATH="$PWD/build/asan/Debug/tiercel.node" ASAN_OPTIONS=detect_leaks=1 \
    UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1 timeout 600 node --expose-gc "$@" || code=$?
  if [ "$code" -eq 0 ]; then
    say "ok      addon under ASan, UBSan and LSan: $name ($((SECONDS - began)) s)"
  else
    say "FAILED  addon under ASan, UBSan and LSan: $name"
    failed=1
  fi
}

sanitized .cache/logs/addon-sanitize.log 'connections and workers' test/sanitize/lifecycle.js
sanitized .cache/logs/addon-rounds.log 'random rounds' test/sanitize/rounds.js "${TIERCEL_TEST_ROUNDS:-1000}"
exit "$failed"
