#!/usr/bin/env bash
# Builds the addon with ASan and UBSan, and runs test/sanitize/lifecycle.js in a Node that has their runtimes preloaded.
# Leaks count, too.
source "$(dirname "$0")/lib/common.sh"

log=.cache/logs/addon-sanitize.log
quietly .cache/logs/addon-sanitize-build.log cmake-js build --debug --out build/asan \
  --CDTIERCEL_SANITIZE=address,undefined || die "the addon did not compile with the sanitizers"

preload="$(gcc -print-file-name=libasan.so) $(gcc -print-file-name=libubsan.so)"
began=$SECONDS code=0
# The runtimes are for the one process that is tested, not for those that start it.
quietly "$log" node scripts/with-redis.js -- env LD_PRELOAD="$preload" TIERCEL_BINDING_PATH="$PWD/build/asan/Debug/tiercel.node" \
  ASAN_OPTIONS=detect_leaks=1 UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1 \
  timeout 240 node test/sanitize/lifecycle.js || code=$?
if [ "$code" -eq 0 ]; then say "ok      addon under ASan, UBSan and LSan ($((SECONDS - began)) s)"; else say "FAILED  addon under ASan, UBSan and LSan"; fi
exit "$code"
