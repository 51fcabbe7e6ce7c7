#!/bin/bash
# Units that require or follow lxcfs and are slow to stop, as Incus is: no death, reload, re-execution or upgrade of lxcfs stops,
# restarts or waits for one, and no read waits for its stop.
. ./lib.sh
. ./helpers.sh
needs_units
up='active active active mounted stored'
host_total=$(awk '/^MemTotal:/ { print $2 }' /proc/meminfo)
program=$(command -v lxcfs)
units='requires.service after.service kubelet.service'

follower requires Requires=lxcfs.service After=lxcfs.service
follower after Wants=lxcfs.service After=lxcfs.service
follower kubelet # lxcfs.service names it in Before=
systemctl daemon-reload

of() { systemctl show -P "$2" "$1"; }
lives() { for u in $units; do life "$u"; done; }
running() { [ "$(of "$1" ActiveState)" = active ]; }
# unnoticed WHAT: reads are answered, and no follower was touched.
unnoticed() {
  is "$1: a read" "$(total)" "$host_total"
  settles "$1: state" "$up"
  is "$1: jobs" "$(systemctl list-jobs --no-legend)" ""
  is "$1: the followers" "$(lives)" "$before"
}
kill_server() {
  local old
  old=$(server)
  kill -KILL "$old"
  try 10 replaced "$old"
}
replaced() { local now; now=$(server) && [ -n "$now" ] && [ "$now" != "$1" ] && [ "$now" != "$(of lxcfs.service MainPID)" ]; }
# install N: as a package does.
install() {
  cp -p "$program" "$program.new"
  echo "$1" >>"$program.new"
  mv "$program.new" "$program"
}

story "followers of three kinds, and readers"
# shellcheck disable=SC2086 # names
check "start" systemctl start lxcfs.service $units
settles "state" "$up"
before=$(lives)
superblock=$(superblock)
unit_start reader -p StandardOutput=file:/run/read -p StandardError=file:/run/err -p BindReadOnlyPaths="$tree/proc/meminfo:/proc/meminfo" \
  python3 /run/test/guest/reader.py 25 "$host_total"

story "four deaths of the server"
for i in 1 2 3 4; do
  check "another server after death $i" kill_server
  unnoticed "death $i"
done

story "reload, re-execution, upgrade"
check "systemctl reload" systemctl reload lxcfs.service
unnoticed "reload"
keeper=$(of lxcfs.service MainPID) pid=$(server)
check "lxcfsctl reexec" lxcfsctl reexec
unnoticed "lxcfsctl reexec"
for n in 1 2; do
  install $n
  systemctl kill -s USR1 --kill-whom=main lxcfs.service
  eventually 10 "upgrade $n: both processes run the new program" runs_installed
  unnoticed "upgrade $n"
done
is "the processes are the same" "$(of lxcfs.service MainPID) $(server)" "$keeper $pid"
check "a death after it" kill_server
unnoticed "a death after an upgrade"

story "deaths while followers are stopping"
# shellcheck disable=SC2086
systemctl stop --no-block $units
for u in $units; do eventually 10 "$u is stopping" is_stopping "$u"; done
for i in 1 2; do
  check "another server after death $i" kill_server
  is "a read after death $i" "$(total)" "$host_total"
done
check "lxcfsctl reload" lxcfsctl reload
check "reload that ignores dependencies" systemctl reload --job-mode=ignore-dependencies lxcfs.service
check "lxcfsctl reexec" lxcfsctl reexec
is "a read after these" "$(total)" "$host_total"
for u in $units; do check "$u is stopping still" is_stopping "$u"; done
touch /run/{requires,after,kubelet}.release
for u in $units; do eventually 10 "$u has stopped" test "$(of "$u" ActiveState)" != active; done
# shellcheck disable=SC2086
try 10 systemctl stop $units
rm /run/*.release

story "a restart on request: systemd restarts what requires it, and readers are served meanwhile"
# shellcheck disable=SC2086
check "start" systemctl start $units
pid=$(server) before=$(lives)
systemctl restart --no-block lxcfs.service
eventually 10 "its follower is stopping" is_stopping requires.service
for i in 1 2 3; do is "read $i meanwhile" "$(total)" "$host_total"; done
is "by the same server" "$(server)" "$pid"
check "it is stopping still" is_stopping requires.service
touch /run/requires.release
eventually 20 "another server" replaced "$pid"
is "a read" "$(total)" "$host_total"
eventually 20 "its follower runs again" running requires.service
is "the others" "$(lives | sed 1d)" "$(sed 1d <<<"$before")"
rm /run/*.release

story "a restart that ignores dependencies touches nobody"
before=$(lives)
check "restart" systemctl restart --job-mode=ignore-dependencies lxcfs.service
unnoticed "it"

if [ "$(systemd_version)" -ge 254 ]; then # RestartMode=direct
  story "deaths of all processes of the unit at once"
  for i in 1 2 3 4; do
    systemctl kill -s KILL lxcfs.service
    unnoticed "death $i"
  done
fi

story "no reader noticed"
try 60 test -s /run/read
echo "# reader: $(cat /run/read)"
between "its reads" "$(cut -d' ' -f1 /run/read)" 50 10000000
is "its errors" "$(cut -d' ' -f2 /run/read)$(head -n 2 /run/err)" 0
is "the superblock" "$(superblock)" "$superblock"

touch /run/{requires,after,kubelet}.release
# shellcheck disable=SC2086
systemctl stop $units
rm -f /run/systemd/system/{requires,after,kubelet}.service /run/*.release
systemctl daemon-reload
stop_lxcfs
