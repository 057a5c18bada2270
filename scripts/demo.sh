#!/usr/bin/env bash
# npm run demo: sets up and builds what the demo needs, then runs scripts/demo.js on real data.
#   --once   the main job and its figures, then ends: with memory alone, then with Redis when there is one
# Without --once the demo stays up, with Redis when there is one. Redis is REDIS_URL, else a private redis-server.
source "$(dirname "$0")/lib/common.sh"

bash scripts/setup.sh demo || exit 1
bash scripts/build.sh || exit 1

with_memory() { env -u REDIS_URL -u REDIS_HOST -u REDIS_PORT -u REDIS_USERNAME -u REDIS_PASSWORD -u REDIS_DB node scripts/demo.js "$@"; }

has_redis() { [ -n "${REDIS_URL:-}" ] || command -v redis-server >/dev/null; }

with_redis() {
  if [ -n "${REDIS_URL:-}" ]; then
    node scripts/demo.js "$@"
  else
    node scripts/with-redis.js --env REDIS_URL -- node scripts/demo.js "$@"
  fi
}

once=false
for argument in "$@"; do [ "$argument" = --once ] && once=true; done

if $once; then
  with_memory "$@" || exit 1
  if has_redis; then
    with_redis "$@"
  else
    say "No Redis here (REDIS_URL is unset, redis-server is not installed): the demo ran with memory alone."
  fi
elif has_redis; then
  with_redis "$@"
else
  with_memory "$@"
fi
