#!/usr/bin/env bash
# Makes the machine able to build and run Tiercel: `setup.sh demo` for the demo, `setup.sh test` (the default) for
# everything. Installs what is missing when it may (root on a Debian-like system), else says how. Quick when complete.
source "$(dirname "$0")/lib/common.sh"

level=${1:-test}
case $level in demo | test | http) ;; *) die "usage: setup.sh [demo|test|http]" ;; esac

missing=()

# need PACKAGE COMMAND...: the Debian package is missing unless the command succeeds.
need() {
  local package=$1
  shift
  "$@" >/dev/null 2>&1 && return
  case " ${missing[*]-} " in *" $package "*) ;; *) missing+=("$package") ;; esac
}

# What clang links with -fsanitize=fuzzer: asked for as the build does it.
fuzzer() {
  echo 'extern "C" int LLVMFuzzerTestOneInput(const unsigned char*, unsigned long) { return 0; }' |
    clang++ -fsanitize=fuzzer,address,undefined -x c++ -o /dev/null -
}
# Of whichever version clang is.
fuzzer_package() { clang --version 2>/dev/null | sed -n 's/.*version \([0-9]*\)\..*/libclang-rt-\1-dev/p' | head -n 1; }

# The packages that CMake misses for this level; it says so itself, with the same look-ups as the build.
missing_for_build() {
  local tests=OFF
  [ "$level" = demo ] || tests=ON
  mkdir -p .cache/logs
  cmake -S . -B .cache/check -DTIERCEL_CHECK=ON "-DTIERCEL_TESTS=$tests" >.cache/logs/check.log 2>&1 </dev/null && return 0
  sed -n 's/^-- missing packages: //p' .cache/logs/check.log | grep . || { cat .cache/logs/check.log >&2 && return 1; }
}

# The service of Debian's redis-server must not start: our servers are private ones. A policy-rc.d that is there
# already is the administrator's word, and stays.
install_packages() {
  local policy=/usr/sbin/policy-rc.d ours=false code=0
  if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
    ours=true
    trap 'rm -f /usr/sbin/policy-rc.d' EXIT
  fi
  say "setup: installing $*"
  export DEBIAN_FRONTEND=noninteractive
  quietly .cache/logs/apt-update.log apt-get update -q || say "setup: apt-get update failed, going on with the old lists"
  quietly .cache/logs/apt-install.log apt-get install -y -q --no-install-recommends "$@" || code=$?
  if $ours; then
    rm -f "$policy"
    trap - EXIT
  fi
  return "$code"
}

# URIs of the source that has the release itself: not those of its security updates, nor of anything else.
debian_uri() {
  local suite=$1 file
  for file in /etc/apt/sources.list.d/debian.sources /etc/apt/sources.list; do
    [ -r "$file" ] || continue
    awk -v suite="$suite" '
      $1 == "URIs:" { uri = $2 }
      $1 == "Suites:" { for (i = 2; i <= NF; i++) if ($i == suite) main = 1 }
      $1 == "deb" {
        at = 2
        if ($at ~ /^\[/) { while ($at !~ /\]$/ && at < NF) at++; at++ }
        if ($(at + 1) == suite) { print $at; exit }
      }
      NF == 0 { if (main && uri != "") { print uri; exit } main = 0; uri = "" }
      END { if (main && uri != "") print uri }
    ' "$file" | head -n 1
  done | head -n 1
}

# Debian has Valkey 8 among the backports of its release 12. The tests can do without it, and say that they do.
install_valkey() {
  local codename='' id='' uri list=/etc/apt/sources.list.d/tiercel-backports.sources release=()
  command -v valkey-server >/dev/null && return 0
  if [ -r /etc/os-release ]; then
    # shellcheck source=/dev/null
    read -r id codename < <(. /etc/os-release && echo "${ID:-} ${VERSION_CODENAME:-}")
  fi
  if [ "$id" != debian ] || [ -z "$codename" ] || [ "$(id -u)" -ne 0 ]; then
    say "setup: no valkey-server, and no root on Debian to install it: going on without the tests that need it"
    return 0
  fi
  uri=$(debian_uri "$codename")
  if [ -z "$uri" ]; then
    say "setup: no valkey-server, and no Debian source to take it from: going on without the tests that need it"
    return 0
  fi
  # A release that has it by itself needs no backport.
  if [ -z "$(apt-cache madison valkey-server 2>/dev/null)" ]; then
    printf 'Types: deb\nURIs: %s\nSuites: %s-backports\nComponents: main\n' "$uri" "$codename" >"$list"
    [ -r /usr/share/keyrings/debian-archive-keyring.gpg ] &&
      echo 'Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg' >>"$list"
    release=(-t "$codename-backports")
  fi
  # Whatever ends it, the source goes; and what apt-get has to say about one that is not there is in its log.
  say "setup: trying for valkey-server"
  (
    if [ ${#release[@]} -gt 0 ]; then trap 'rm -f "$list"' EXIT; fi
    (install_packages "${release[@]}" valkey-server) 2>/dev/null
  ) || say "setup: valkey-server could not be installed (.cache/logs/apt-install.log): going on without the tests that need it"
  return 0
}

# What bench/http.js compares with and is loaded by. It can do without either, and says so.
install_http_tools() {
  local tools=()
  command -v wrk >/dev/null || tools+=(wrk)
  command -v nginx >/dev/null || [ -x /usr/sbin/nginx ] || tools+=(nginx-light)
  [ ${#tools[@]} -eq 0 ] && return 0
  if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
    (install_packages "${tools[@]}") || say "setup: ${tools[*]} could not be installed (.cache/logs/apt-install.log): going on without"
  else
    say "setup: going on without ${tools[*]} (named as Debian names them)"
  fi
  return 0
}

# npm blocks the install scripts of dependencies anyway, and none of ours is needed: the bench builds what it needs.
install_modules() {
  local stamp=node_modules/.tiercel-package-lock.json
  [ -e package-lock.json ] || die "package-lock.json is missing"
  if [ -e node_modules/.package-lock.json ]; then
    cmp -s package-lock.json "$stamp" && return 0
    if [ ! package-lock.json -nt node_modules/.package-lock.json ]; then
      cp package-lock.json "$stamp"
      return 0
    fi
  fi
  say "setup: npm ci"
  quietly .cache/logs/npm-ci.log npm ci --ignore-scripts --no-audit --no-fund || return 1
  cp package-lock.json "$stamp"
}

command -v node >/dev/null || die "Node.js 20.3 or newer is needed"
node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 3) ? 0 : 1)' ||
  die "Node.js 20.3 or newer is needed, this is $(node -v)"

# Installs what is in `missing`, or says how.
install_missing() {
  [ ${#missing[@]} -gt 0 ] || return 0
  if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
    install_packages "${missing[@]}" || die "apt-get could not install: ${missing[*]}"
  elif command -v apt-get >/dev/null; then
    say "These packages are missing. Install them, then try again:"
    say "  sudo apt-get update && sudo apt-get install -y --no-install-recommends ${missing[*]}"
    exit 1
  else
    die "missing (named as Debian names them): ${missing[*]}"
  fi
  missing=()
}

need cmake command -v cmake
need g++ command -v g++
need make command -v make
need binutils command -v strip
if [ "$level" != demo ]; then
  need redis-server command -v redis-server
  need openssl command -v openssl
  need clang-format command -v clang-format
  need clang-tidy command -v clang-tidy
  need clang command -v clang++
fi
install_missing

if ! found=$(missing_for_build); then die "CMake could not look for what the build needs (.cache/logs/check.log)"; fi
for package in $found; do need "$package" false; done
if [ "$level" != demo ]; then need "$(fuzzer_package)" fuzzer; fi
if [ ${#missing[@]} -gt 0 ]; then
  install_missing
  # CMake remembers what it did not find.
  rm -rf .cache/check
  if ! found=$(missing_for_build) || [ -n "$found" ]; then die "still missing for the build: ${found:-see .cache/logs/check.log}"; fi
fi

if [ "$level" != demo ]; then install_valkey; fi
if [ "$level" = http ]; then install_http_tools; fi

install_modules || die "npm ci failed"
