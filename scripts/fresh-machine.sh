#!/usr/bin/env bash
# Tries both commands of the README on a machine that has never seen the project: a bare Debian root made by mmdebstrap,
# with Node copied in and nothing else, and a clone of what is committed here. Needs root, mmdebstrap, and the package
# sources of this machine. Ends with the last lines of both commands; exits non-zero when one of them fails.
# usage: fresh-machine.sh [--demo] [--keep]   --demo: not the tests; --keep: leave the root where it is, and say where
source "$(dirname "$0")/lib/common.sh"

only_demo=false keep=false
for argument in "$@"; do
  case $argument in
    --demo) only_demo=true ;;
    --keep) keep=true ;;
    *) die "usage: fresh-machine.sh [--demo] [--keep]" ;;
  esac
done
[ "$(id -u)" -eq 0 ] || die "fresh-machine.sh needs root: it makes a root of its own, and enters it"
command -v mmdebstrap >/dev/null || die "mmdebstrap is missing: apt-get install mmdebstrap"

# A mount namespace of its own: what is mounted is gone with this process, whatever ends it.
if [ -z "${TIERCEL_FRESH_MACHINE:-}" ]; then
  TIERCEL_FRESH_MACHINE=1 exec unshare --mount --propagation private bash "$0" "$@"
fi

work=$(mktemp -d "${TMPDIR:-/tmp}/tiercel-fresh-XXXXXX")
root=$work/root
cleanup() {
  umount -R "$root/proc" "$root/dev" "$root/sys" 2>/dev/null
  if $keep; then say "fresh-machine: the root is $root"; else rm -rf --one-file-system "$work"; fi
}
trap cleanup EXIT

codename=$(. /etc/os-release && echo "$VERSION_CODENAME")
mkdir -p .cache/logs
say "fresh-machine: making a bare root of Debian ($codename)"
sources=()
for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources; do
  [ -s "$file" ] && grep -qE '^[^#]' "$file" && sources+=("$file")
done
quietly .cache/logs/fresh-root.log mmdebstrap --variant=minbase --include=ca-certificates "$codename" "$root" "${sources[@]}" ||
  die "mmdebstrap failed"

# How this machine reaches its package sources is part of the machine, not of the project.
for file in /etc/apt/apt.conf.d/*; do
  case $file in *docker* | *unattended*) ;; *) cp -n "$file" "$root/etc/apt/apt.conf.d/" ;; esac
done
mkdir -p "$root/usr/local/share/ca-certificates" "$root/etc/ssl/certs"
cp -a /etc/ssl/certs/. "$root/etc/ssl/certs/"
cp /etc/hosts /etc/resolv.conf "$root/etc/"
# No headers of Node: libuv's would be among them.
prefix=$(dirname "$(dirname "$(readlink -f "$(command -v node)")")")
mkdir -p "$root/opt/node/bin" "$root/opt/node/lib"
cp "$(readlink -f "$(command -v node)")" "$root/opt/node/bin/node"
npm_folder=$(dirname "$(dirname "$(readlink -f "$(command -v npm)")")")
cp -r "$npm_folder" "$root/opt/node/lib/npm"
ln -s ../lib/npm/bin/npm-cli.js "$root/opt/node/bin/npm"
ln -s ../lib/npm/bin/npx-cli.js "$root/opt/node/bin/npx"
for file in "$HOME/.npmrc" "$prefix/etc/npmrc"; do
  # nodedir names a folder that is not there.
  [ -r "$file" ] && grep -v nodedir "$file" >>"$root/root/.npmrc"
done

mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount --rbind /sys "$root/sys"
git clone -q --no-hardlinks . "$root/root/tiercel" || die "the clone failed"

# inside NAME COMMAND...: runs it in the clone, with the environment of a new machine, and keeps what it said.
inside() {
  local log=.cache/logs/fresh-$1.log began=$SECONDS code=0
  shift
  chroot "$root" /usr/bin/env -i HOME=/root PATH=/opt/node/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    LANG=C.UTF-8 ${NODE_EXTRA_CA_CERTS:+NODE_EXTRA_CA_CERTS="$NODE_EXTRA_CA_CERTS"} CI=true \
    bash -c 'cd /root/tiercel && exec "$@"' fresh "$@" >"$log" 2>&1 </dev/null || code=$?
  say "fresh-machine: $* ended with $code after $((SECONDS - began)) s; its last lines ($log):"
  tail -n 15 "$log" | sed 's/^/  /' >&2
  return "$code"
}

failed=0
inside demo npm run demo -- --once || failed=1
if ! $only_demo; then inside test npm test || failed=1; fi
exit "$failed"
