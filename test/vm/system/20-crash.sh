#!/bin/bash
# Deaths of the daemon: no reader sees one.
. ./lib.sh
. ./helpers.sh
needs_units
up='active active active mounted stored'
host_total=$(awk '/^MemTotal:/ { print $2 }' /proc/meminfo)
check_start() { check "start" systemctl start lxcfs.service; before=$(superblock); }

story "SIGKILL, SIGSEGV and SIGABRT: the mount stays and the next read is answered"
check_start
for signal in KILL SEGV ABRT; do
  pid=$(server)
  systemctl kill -s "$signal" lxcfs.service
  is "a read after SIG$signal" "$(total)" "$host_total"
  settles "state after SIG$signal" "$up"
  isnt "the process" "$(server)" "$pid"
  is "the superblock" "$(superblock)" "$before"
done

# storm WHAT COMMAND...: runs COMMAND forty times under four readers, none of whom notices.
storm() {
  local i what=$1
  shift
  story "a storm of SIGKILLs of $what under four readers"
  for i in 1 2 3 4; do
    rm -f "/run/read.$i"
    unit_start "reader-$i" -p StandardOutput="file:/run/read.$i" -p StandardError="file:/run/err.$i" \
      -p BindReadOnlyPaths="$tree/proc/meminfo:/proc/meminfo" -p BindReadOnlyPaths="$tree/proc/stat:/proc/stat" \
      python3 /run/test/guest/reader.py 5 "$host_total"
  done
  sleep .5
  for i in $(seq 40); do "$@"; sleep .07; done
  for i in 1 2 3 4; do
    try 20 test -s "/run/read.$i"
    between "reads of reader $i" "$(cut -d' ' -f1 "/run/read.$i")" 50 10000000
    is "errors of reader $i" "$(cut -d' ' -f2 "/run/read.$i")$(head -n 2 "/run/err.$i")" 0
    echo "# reader $i: $(cat "/run/read.$i")"
  done
  settles "state" "$up"
  is "the superblock" "$(superblock)" "$before"
}
restarts() { systemctl show -P NRestarts lxcfs.service; }
deaths() { systemctl show -P StatusText lxcfs.service | sed -n 's/.* \([0-9]*\) deaths\?$/\1/p'; }
storm "the whole unit" systemctl kill -s KILL lxcfs.service
# There is no upper bound: after cgroup.kill, Linux 6.18 kills some of those whom systemd starts next in the same
# cgroup (any service with RestartMode=direct shows it), each of which counts.
check "restarts counted by systemd" test "$(restarts)" -ge 20
counted=$(restarts) died=$(deaths) keeper=$(systemctl show -P MainPID lxcfs.service)
kill_server() { # never the keeper
  local pid
  pid=$(server)
  [ "$pid" = "$keeper" ] || kill -KILL "$pid"
}
storm "the server" kill_server
is "restarts counted by systemd" "$(restarts)" "$counted"
is "the keeper" "$(systemctl show -P MainPID lxcfs.service)" "$keeper"
between "deaths counted by the daemon" "$(($(deaths) - died))" 10 40

story "a frozen daemon is killed by the watchdog, and its readers go on"
mkdir -p /run/systemd/system/lxcfs.service.d
printf '[Service]\nWatchdogSec=2\n' >/run/systemd/system/lxcfs.service.d/watchdog.conf
systemctl daemon-reload
systemctl restart lxcfs.service
pid=$(server)
kill -STOP "$pid"
is "a read meanwhile" "$(total)" "$host_total"
isnt "the process" "$(server)" "$pid"

story "a frozen keeper is killed by systemd's watchdog"
pid=$(systemctl show -P MainPID lxcfs.service)
kill -STOP "$pid"
is "a read meanwhile" "$(total)" "$host_total"
another_keeper() { now=$(systemctl show -P MainPID lxcfs.service) && [ "$now" != 0 ] && [ "$now" != "$pid" ]; }
eventually 30 "another keeper" another_keeper
settles "state" "$up"
is "a read" "$(total)" "$host_total"
rm -r /run/systemd/system/lxcfs.service.d
systemctl daemon-reload
systemctl restart lxcfs.service
settles "state" "$up"

story "a start that fails keeps what is stored for the one that works"
mkdir -p /run/systemd/system/lxcfs.service.d
printf '[Service]\nExecStartPre=/bin/sh -c "test -e /run/repaired"\n' >/run/systemd/system/lxcfs.service.d/broken.conf
systemctl daemon-reload
systemctl kill -s KILL lxcfs.service
sleep 1
touch /run/repaired
settles "state" "$up"
is "a read" "$(total)" "$host_total"
is "the superblock" "$(superblock)" "$before"
rm -r /run/systemd/system/lxcfs.service.d /run/repaired
systemctl daemon-reload
stop_lxcfs
