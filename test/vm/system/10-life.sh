#!/bin/bash
# The life cycle: what starts, restarts, stops with what, and what a reader sees of it.
. ./lib.sh
. ./helpers.sh
needs_units
up='active active active mounted stored'
host_total=$(awk '/^MemTotal:/ { print $2 }' /proc/meminfo)

is_unmounted() { ! grep -q " $tree " /proc/self/mountinfo; } # without asking a mount that nobody may serve

story "start of the service mounts and serves"
check "start" systemctl start lxcfs.service
is "state" "$(state)" "$up"
is "a read" "$(total)" "$host_total"

story "restart leaves the mount alone"
before=$(superblock) pid=$(server)
check "restart" systemctl restart lxcfs.service
is "state" "$(state)" "$up"
is "the superblock" "$(superblock)" "$before"
isnt "the process" "$(server)" "$pid"
is "a read" "$(total)" "$host_total"

story "a file opened before a restart is read on after it"
exec 7<"$tree/proc/meminfo"
read -r first <&7
systemctl restart lxcfs.service
rest=$(cat <&7)
exec 7<&-
like "the first line" "$first" '^MemTotal: '
is "lines in all" "$(printf '%s\n%s\n' "$first" "$rest" | wc -l)" "$(wc -l </proc/meminfo)"

story "reload"
pid=$(server)
check "reload" systemctl reload lxcfs.service
is "state" "$(state)" "$up"
is "the process" "$(server)" "$pid"

story "daemon-reload and daemon-reexec of systemd keep what is stored"
systemctl daemon-reload
systemctl daemon-reexec
settles "state" "$up"
check "restart after it" systemctl restart lxcfs.service
is "the superblock" "$(superblock)" "$before"
is "a read" "$(total)" "$host_total"

story "a stop right after a restart is the last word"
for round in 1 2 3 4 5; do
  systemctl restart lxcfs.service
  systemctl stop lxcfs.service
  try 10 is_state "inactive inactive active unmounted nothing stored" || break
  systemctl start lxcfs.service
done
is "rounds" "$round" 5
settles "state" "$up" # the service is ready before mount(8) ends

story "stop unmounts and forgets"
check "stop" systemctl stop lxcfs.service
settles "state" "inactive inactive active unmounted nothing stored"

story "start of the mount starts the service"
check "start" systemctl start var-lib-lxcfs.mount
settles "state" "$up"
is "a read" "$(total)" "$host_total"

story "stop of the mount ends the service"
check "stop" systemctl stop var-lib-lxcfs.mount
settles "state" "inactive inactive active unmounted nothing stored"

story "restart of the mount brings both again"
systemctl start lxcfs.service
settles "it is mounted" "$up" # the service is ready before mount(8) ends, and systemd kills that for a stop
check "restart" systemctl restart var-lib-lxcfs.mount
settles "state" "$up"
is "a read" "$(total)" "$host_total"

story "a stop while the mount is just being made: the next start finds a dead mount, whose unit is active, and gets another"
for round in 1 2 3 4 5 6 7 8; do
  systemctl start lxcfs.service
  systemctl stop lxcfs.service
  timeout 20 systemctl start lxcfs.service || break
  try 10 is_state "$up" || break
  systemctl stop lxcfs.service
  sleep 2 # systemd stops what is not needed any more 16 times in ten seconds at most
done
is "rounds" "$round" 8
systemctl start lxcfs.service
settles "state" "$up"

story "in quick turn" # not quicker: systemd stops what is not needed any more 16 times in ten seconds at most
for _ in {1..10}; do
  systemctl stop lxcfs.service && systemctl start lxcfs.service || break
done 2>/dev/null
settles "state" "$up"

story "stop while the mount helper is still at work: the next start finds a dead mount, and heals it"
helper=$(readlink -f /usr/sbin/mount.fuse.lxcfs)
systemctl stop lxcfs.service
try 10 is_unmounted
mv "$helper" "$helper.real"
printf '#!/bin/sh\n"$0.real" "$@"\nrc=$?\n[ -n "${1##--*}" ] && sleep 2\nexit $rc\n' >"$helper"
chmod 755 "$helper"
check "start" timeout 30 systemctl start lxcfs.service
check "stop at once" timeout 30 systemctl stop lxcfs.service
sleep 3
refuses "what is mounted is dead" cat "$tree/proc/meminfo"
mv "$helper.real" "$helper"
check "start again" timeout 30 systemctl start lxcfs.service
settles "state" "$up"
is "a read" "$(total)" "$host_total"

story "umount of a busy mount is refused and harms nobody"
exec 8<"$tree/proc/meminfo"
refuses "umount" umount "$tree"
is "state" "$(state)" "$up"
is "the open file" "$(sed -n 's/^MemTotal: *\([0-9]*\) kB$/\1/p' <&8)" "$host_total"
is "a read" "$(total)" "$host_total"
exec 8<&-

story "umount by hand is an orderly end"
check "umount" umount "$tree"
settles "state" "inactive inactive active unmounted nothing stored"
is "result" "$(systemctl show -P Result lxcfs.service)" success
check "start again" systemctl start lxcfs.service
is "state" "$(state)" "$up"

story "umount -l while a container still has files bound: the container is served on"
# shellcheck disable=SC2046,SC2016 # options of systemd-run; the unit expands
unit_start bound $(bind_unit) sh -c 'touch /run/ready; until [ -e /run/unmounted ]; do sleep .05; done; head -n 1 /proc/meminfo >/run/seen; touch /run/over'
try 10 test -e /run/ready
umount -l "$tree"
sleep 1
touch /run/unmounted
eventually 10 "it read" test -e /run/over
is "what it read" "$(awk '{ print $2 }' /run/seen)" "$host_total"
systemctl stop bound.service 2>/dev/null
check "start again" systemctl start lxcfs.service
settles "state" "$up"

story "start while the service ends by itself"
for _ in 1 2 3; do # the two meet sooner or later
  umount -l "$tree"
  sleep "$(awk 'BEGIN { srand(); print 1.9 + rand() / 5 }')"
  check "start" timeout 30 systemctl start lxcfs.service
  settles "state" "$up"
done

story "a dead mount in its place is taken away"
systemctl stop lxcfs.service
try 10 is_unmounted
lxcfs -p /run/classic.pid "$tree" 2>/dev/null &
try 10 grep -q MemTotal "$tree/proc/meminfo"
kill -KILL "$(cat /run/classic.pid)"
wait
rm /run/classic.pid
refuses "it is dead" cat "$tree/proc/meminfo"
check "start" timeout 30 systemctl start lxcfs.service
settles "state" "$up"
is "a read" "$(total)" "$host_total"
is "mounts there" "$(grep -c " $tree " /proc/self/mountinfo)" 1

story "a daemon that fails at once: nothing hangs, and all works when it is repaired"
systemctl stop lxcfs.service
mkdir -p /run/systemd/system/lxcfs.service.d
printf '[Service]\nExecStart=\nExecStart=/bin/false\nRestart=no\n' >/run/systemd/system/lxcfs.service.d/broken.conf
systemctl daemon-reload
refuses "start" timeout 30 systemctl start lxcfs.service
timeout 30 systemctl stop lxcfs.socket lxcfs.service var-lib-lxcfs.mount # the mount's job may fail: it was being made
check "stop does not hang" test $? != 124
eventually 10 "it is unmounted" is_unmounted
rm -r /run/systemd/system/lxcfs.service.d
systemctl daemon-reload
systemctl reset-failed
check "start when repaired" timeout 60 systemctl start lxcfs.service
settles "state" "$up"

story "stop of the socket with the service: start brings it again"
systemctl stop lxcfs.service lxcfs.socket
settles "state" "inactive inactive inactive unmounted nothing stored"
check "start" systemctl start lxcfs.service
settles "state" "$up"

story "nothing has failed and nothing is in a cycle"
is "failed units" "$(systemctl --failed --no-legend --plain)" ""
is "messages of ordering cycles" "$(journalctl -b --no-pager -o cat | grep -ci 'ordering cycle')" 0
stop_lxcfs
