# Sourced by the scripts: the repository as working directory, quiet commands, and the record of what was checked.

set -u
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
PATH="$PWD/node_modules/.bin:$PATH"
export PATH

say() { printf '%s\n' "$*" >&2; }

die() {
  say "error: $*"
  exit 1
}

cores() { getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2; }

# quietly LOG COMMAND...: runs it without a word; when it fails, shows what it said.
quietly() {
  local log=$1
  shift
  mkdir -p "$(dirname "$log")"
  "$@" >"$log" 2>&1 </dev/null && return 0
  local code=$?
  cat "$log" >&2
  return "$code"
}

# record KIND NAME EXIT_CODE SECONDS: one line for scripts/lib/test-summary.js, when scripts/test.sh asked for it.
record() {
  if [ -n "${TIERCEL_TEST_RESULTS:-}" ]; then
    printf '%s\t%s\t%s\t%s\n' "$1" "$2" "$3" "$4" >>"$TIERCEL_TEST_RESULTS/steps.tsv"
  fi
}

# check NAME COMMAND...: runs a check that counts as one, says how it went, and records it.
check() {
  local name=$1 began=$SECONDS code=0 log
  shift
  log=".cache/logs/$(printf '%s' "$name" | tr -c 'a-zA-Z0-9\n' '-').log"
  quietly "$log" "$@" || code=$?
  if [ "$code" -eq 0 ]; then say "ok      $name ($((SECONDS - began)) s)"; else say "FAILED  $name"; fi
  record check "$name" "$code" $((SECONDS - began))
  return "$code"
}
