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

story "a storm of SIGKILLs under four readers"
for i in 1 2 3 4; do
  unit_start "reader-$i" -p StandardOutput="file:/run/read.$i" -p StandardError="file:/run/err.$i" -p BindReadOnlyPaths="$tree/proc/meminfo:/proc/meminfo" \
    -p BindReadOnlyPaths="$tree/proc/stat:/proc/stat" python3 /run/test/guest/reader.py 5 "$host_total"
done
sleep .5
for _ in $(seq 40); do systemctl kill -s KILL lxcfs.service; sleep .07; done
for i in 1 2 3 4; do
  try 20 test -s "/run/read.$i"
  between "reads of reader $i" "$(cut -d' ' -f1 "/run/read.$i")" 50 10000000
  is "errors of reader $i" "$(cut -d' ' -f2 "/run/read.$i")$(head -n 2 "/run/err.$i")" 0
  echo "# reader $i: $(cat "/run/read.$i")"
done
settles "state" "$up"
is "the superblock" "$(superblock)" "$before"
between "restarts counted by systemd" "$(systemctl show -P NRestarts lxcfs.service)" 20 60

story "a frozen daemon is killed by the watchdog, and its readers go on"
mkdir -p /run/systemd/system/lxcfs.service.d
printf '[Service]\nWatchdogSec=2\n' >/run/systemd/system/lxcfs.service.d/watchdog.conf
systemctl daemon-reload
systemctl restart lxcfs.service
pid=$(server)
kill -STOP "$pid"
is "a read meanwhile" "$(total)" "$host_total"
isnt "the process" "$(server)" "$pid"
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
