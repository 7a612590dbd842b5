#!/usr/bin/env bash
# The load generator against the floor: floor_test.sh FLOOR WSLOAD. Counts messages, times nothing.
set -euo pipefail

floor=$1 wsload=$2
out=$(mktemp)
trap 'kill "$pid" 2>/dev/null || true; rm -f "$out"' EXIT
"$floor" >"$out" &
pid=$!
for _ in {1..100}; do
  read -r _ _ port <"$out" && break
  sleep 0.1
done
url=ws://127.0.0.1:$port/any/path

fail() { printf 'floor_test: %s\n' "$*" >&2; exit 1; }

# answers N wsload-options...: every connection is answered rightly, N times at least in all
answers() {
  local wanted=$1 json messages
  shift
  json=$("$wsload" --json --seconds 60 --warmup 0 --messages "$wanted" --server-pid "$pid" "$@" "$url") ||
    fail "wsload $* failed"
  messages=$(sed -n 's/.*"messages":\([0-9]*\).*/\1/p' <<<"$json")
  ((messages >= wanted)) || fail "wsload $*: $messages messages"
}

# refuses SENTENCE wsload-options...
refuses() {
  local sentence=$1 said
  shift
  said=$("$wsload" --seconds 1 "$@" 2>&1) && fail "wsload $* succeeded"
  [[ $said == *"$sentence"* ]] || fail "wsload $* said: $said"
}

answers 1000 --connections 5 --expect-substring Hello
answers 5000 --connections 5 --window 16
answers 500 --connections 50 --active 3
answers 500 --connections 5 --rate 5000
# Longer than a socket's buffers together: both ends meet a write that is cut.
answers 200 --connections 2 --window 64 --message "$(printf '%120000s' x)" --expect-substring x

refuses 'connection 0: answered' --connections 1 --expect-substring Goodbye "$url"
refuses 'connect' --connections 1 ws://127.0.0.1:1/
refuses 'no process' --connections 1 --server-pid 4194304 "$url"
refuses 'is not ws://' http://127.0.0.1:1/
refuses 'is not a number' --connections 10k "$url"
