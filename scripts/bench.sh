#!/usr/bin/env bash
# npm run bench:NAME: sets up and builds, makes the peers runnable, then runs bench/NAME.js with the other arguments.
source "$(dirname "$0")/lib/common.sh"

name=${1:-}
[ -e "bench/$name.js" ] || die "usage: bench.sh NAME [OPTIONS], NAME being one of: $(cd bench && ls -- *.js | sed 's/\.js$//' | tr '\n' ' ')"
shift

level=test
[ "$name" = http ] && level=http
bash scripts/setup.sh "$level" || exit 1
bash scripts/build.sh || exit 1

# npm runs no install script of a dependency, so its addon is compiled here, once, with the node-gyp that npm has.
build_redis_fast_driver() {
  local gyp node_gyp options=()
  ls node_modules/redis-fast-driver/build/Release/*.node >/dev/null 2>&1 && return 0
  gyp=$(dirname "$(realpath "$(command -v npm)")")/../node_modules/node-gyp/bin/node-gyp.js
  [ -e "$gyp" ] || return 1
  node_gyp=$(realpath "$gyp")
  # Headers of this very Node, where a distribution has installed them: no download.
  if [ -e /usr/include/node/node.h ] && [ "$(realpath "$(command -v node)")" = /usr/bin/node ]; then options=(--nodedir=/usr); fi
  say "bench: compiling redis-fast-driver"
  (cd node_modules/redis-fast-driver && quietly "$OLDPWD/.cache/logs/redis-fast-driver.log" node "$node_gyp" rebuild "${options[@]}")
}

if [ "$name" = redis ]; then
  build_redis_fast_driver || say "bench: redis-fast-driver did not compile, its rows will be missing"
fi
exec node "bench/$name.js" "$@"
