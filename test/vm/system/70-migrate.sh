#!/bin/bash
# From another lxcfs to this one, with containers that run: the other's unit is replaced, and its dead files are attached anew.
. ./lib.sh
. ./helpers.sh
needs_units

# old_unit [LINE]: the unit of a package that came before. It mounts by itself and keeps nothing.
old_unit() {
  stop_lxcfs
  systemctl stop lxcfs.socket
  mkdir -p /etc/systemd/system "$tree"
  printf '[Service]\nExecStart=/usr/bin/lxcfs -f %s\nKillMode=process\n%s\n' "$tree" "$*" >/etc/systemd/system/lxcfs.service
  ln -sf /dev/null /etc/systemd/system/var-lib-lxcfs.mount
  systemctl daemon-reload
  systemctl start lxcfs.service && try 20 grep -q MemTotal "$tree/proc/meminfo"
}
# new_unit: as a package manager puts this one in its place.
new_unit() {
  rm -f /etc/systemd/system/{lxcfs.service,var-lib-lxcfs.mount}
  systemctl daemon-reload
}
container() { unit_start "$1" -p Type=exec -p "BindReadOnlyPaths=$tree/proc/meminfo:/proc/meminfo" sleep 1000; }
reads() { timeout 10 nsenter -t "$(systemctl show -P MainPID "$1")" -m head -c 9 /proc/meminfo 2>&1; }

story "the old one is stopped, as by a package manager"
check "the old one serves" old_unit ExecStopPost=-/bin/umount -l "$tree"
check "a container runs" container c1
is "it reads" "$(reads c1)" MemTotal:
systemctl stop lxcfs.service
like "its files are dead" "$(reads c1)" 'not connected'
new_unit
check "the new one starts" systemctl start lxcfs.service
settles "state" 'active active active mounted stored'
like "attach --all" "$(lxcfsctl attach --all)" '1 replaced'
is "it reads" "$(reads c1)" MemTotal:
systemctl stop c1

story "the old one was killed, and its mount is there still"
check "the old one serves" old_unit
check "a container runs" container c2
systemctl kill -s KILL lxcfs.service
eventually 10 "its mount is dead" test ! -e "$tree/proc/meminfo"
check "and there" grep -q " $tree .*fuse.lxcfs" /proc/self/mountinfo
new_unit
check "the new one starts" systemctl restart lxcfs.service
settles "state" 'active active active mounted stored'
like "attach --all" "$(lxcfsctl attach --all)" '1 replaced'
is "it reads" "$(reads c2)" MemTotal:
systemctl stop c2
stop_lxcfs
