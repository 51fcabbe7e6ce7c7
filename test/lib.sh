# shellcheck shell=bash
# lib.sh: a small harness for shell tests. A test file is a list of stories; each check in one prints a TAP line.
#
#   . lib.sh
#   story "a unit with MemoryMax= sees its own memory"
#   is "MemTotal" "$(…)" "102400"                what it must be, exactly
#   between "uptime" "$(…)" 0 5                  a number in a range
#   check "the mount is there" mountpoint -q /x  a command that must succeed; its output is shown when it does not
#   eventually 5 "served again" test -e /x/y     the same, tried again for so many seconds
#   skip "needs PSI; have: none"                 ends the story's need for checks
#
# A story without a check fails, and so does a file that ends before its last line: the plan is printed at the end.

count=0 failed=0 title='' checked=1

ok() { count=$((count + 1)) checked=1; echo "ok $count - $title: $1"; }
not_ok() { # WHAT [DETAIL...]
  count=$((count + 1)) failed=$((failed + 1)) checked=1
  echo "not ok $count - $title: $1"
  shift
  [ $# = 0 ] || printf '%s\n' "$@" | sed 's/^/#   /'
}
skip() { count=$((count + 1)) checked=1; echo "ok $count - $title # SKIP $1"; }

story() {
  [ $checked = 1 ] || not_ok "has no check"
  title=$1 checked=0
  echo "# story: $title"
}

check() { # WHAT COMMAND...
  local what=$1 out rc
  shift
  out=$("$@" 2>&1)
  rc=$?
  if [ $rc = 0 ]; then ok "$what"; else not_ok "$what" "status $rc of: $*" "$out"; fi
}
refuses() { # WHAT COMMAND...: the command must fail
  local what=$1 out
  shift
  if out=$("$@" 2>&1); then not_ok "$what" "succeeded: $*" "$out"; else ok "$what"; fi
}
is() { # WHAT GOT WANT
  if [ "$2" = "$3" ]; then ok "$1"; else not_ok "$1" "got  '$2'" "want '$3'"; fi
}
isnt() { # WHAT GOT UNWANTED
  if [ "$2" != "$3" ]; then ok "$1"; else not_ok "$1" "got '$2'"; fi
}
like() { # WHAT GOT REGEXP
  if [[ $2 =~ $3 ]]; then ok "$1"; else not_ok "$1" "got '$2'" "want something like '$3'"; fi
}
between() { # WHAT NUMBER LOW HIGH
  if awk -v n="$2" -v l="$3" -v h="$4" 'BEGIN { exit !(n ~ /^-?[0-9.]+$/ && n + 0 >= l + 0 && n + 0 <= h + 0) }'; then
    ok "$1"
  else
    not_ok "$1" "got '$2', want $3 to $4"
  fi
}
try() { # SECONDS COMMAND...: waits until the command succeeds
  local end=$((SECONDS + $1))
  shift
  until "$@" >/dev/null 2>&1; do
    [ $SECONDS -lt $end ] || return 1
    sleep .1
  done
}
eventually() { # SECONDS WHAT COMMAND...
  local seconds=$1 what=$2
  shift 2
  if try "$seconds" "$@"; then ok "$what"; else not_ok "$what" "not within $seconds s: $*" "$("$@" 2>&1)"; fi
}

finish() {
  local rc=$?
  trap - EXIT
  [ $checked = 1 ] || not_ok "has no check"
  [ $rc = 0 ] || not_ok "the file ended early" "status $rc"
  echo "1..$count"
  [ $failed = 0 ] || exit 1
  exit 0
}
trap finish EXIT
