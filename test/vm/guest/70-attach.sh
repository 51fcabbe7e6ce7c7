#!/bin/bash
# Containers that run already get the files, of whatever runtime; and a host changes from an lxcfs that died to this one.
# shellcheck disable=SC2016 # containers expand their scripts
. ./lib.sh
. ./helpers.sh
machine_memory=$(awk '/^MemTotal:/ {print $2}' /proc/meminfo)
in_lxc() { timeout 60 lxc-attach -n "$1" -- sh -c "${2:-$numbers}" 2>&1; }
memory_in() { in_lxc "$1" "awk '/^MemTotal:/ {print \$2}' /proc/meminfo"; }

story "a container starts without lxcfs, and says what it lacks"
if ! command -v lxcfsctl >/dev/null; then skip "needs lxcfsctl; have: none"; exit 0; fi
stop_lxcfs
lxc_make a1 "dir:$ct" 'lxc.init.cmd = /bin/sleep 1000' 'lxc.cgroup2.memory.max = 123M' 'lxc.cgroup2.cpuset.cpus = 1'
check "it starts" lxc-start -n a1 -l DEBUG -o /run/a1.log
like "the hook's reason in LXC's log" "$(grep lxc.mount.hook /run/a1.log)" 'lxcfs: container a1: lxcfs does not answer at /var/lib/lxcfs; it sees the host'
like "and in the system's" "$(journalctl -q --no-pager -t lxcfs)" 'container a1: lxcfs does not answer'
is "it sees the machine's memory" "$(memory_in a1)" "$machine_memory"

needs_lxcfs

story "attached while it runs"
like "a dry run" "$(lxcfsctl attach --dry-run lxc/a1 2>&1)" 'attach +/proc/meminfo'
is "changes nothing" "$(memory_in a1)" "$machine_memory"
check "attach" lxcfsctl attach lxc/a1
sees "LXC" "$(in_lxc a1)" 125952 1
is "free" "$(in_lxc a1 'free -k' | awk '/^Mem:/ {print $2}')" 125952
is "top" "$(in_lxc a1 'top -b -n 1' | awk '/^[KMG]iB Mem/ {print $4}')" 123.0
like "pressure" "$(in_lxc a1 'cat /proc/pressure/memory')" '^some avg10='
like "again" "$(lxcfsctl attach a1 2>&1)" 'attached already$'

story "a machine of systemd-nspawn with a user namespace and its own network"
unit_start nsmachine systemd-nspawn -q -M attached -D "$ct" --read-only --private-users=524288:65536 --private-users-ownership=map \
  --private-network --register=yes --console=pipe --link-journal=no --property=MemoryMax=150M --property=AllowedCPUs=1 sleep 1000
eventually 60 "attach" lxcfsctl attach nspawn/attached
leader=$(machinectl show -P Leader attached 2>/dev/null || machinectl show -p Leader --value attached)
out=$(in_machine "$leader" "$numbers")
sees "nspawn" "$out" 153600 1
is "online" "$(value online "$out")" 1

story "what must not be attached to"
like "the host" "$(lxcfsctl attach 1 2>&1)" "host's mount namespace"
like "the daemon" "$(lxcfsctl attach lxcfs.service 2>&1)" "lxcfs"
like "an unknown name" "$(lxcfsctl attach nobody 2>&1)" "no such container"

story "a unit whose processes make pid namespaces"
check "it runs" unit_start ci -p PrivateMounts=yes sh -c \
  'for i in 1 2; do unshare --pid --fork --mount-proc sleep 1000 & done; exec sleep 1000'
eventually 20 "they are there" eval '[ "$(systemctl show -P TasksCurrent ci)" -ge 5 ]'
like "the unit's own" "$(lxcfsctl attach ci 2>&1)" "^systemd/ci.service \(process $(systemctl show -P MainPID ci)\): [0-9]+ attached$"
systemctl stop ci

story "in the background, as packages do it"
check "without a wait" systemctl start --no-block lxcfs-attach.service
eventually 60 "in the journal" eval 'journalctl -q -u lxcfs-attach | grep -q "lxc/a1 .*attached already"'
eventually 60 "it ends, and no unit failed by it" eval '[ "$(systemctl is-failed lxcfs-attach.service)" = inactive ]'

story "a volume that propagates to the host"
if command -v podman >/dev/null; then
  busybox_root /run/shared-root
  mkdir -p /run/shared-sys # the host's own is needed after that: podman itself mounts cgroups on it
  mount -t sysfs sysfs /run/shared-sys
  mount --make-shared /run/shared-sys
  is "the container has the files of /proc" "$(podman --cgroup-manager systemd --hooks-dir /usr/share/containers/oci/hooks.d run --rm --network none \
    -v /run/shared-sys:/sys:rshared --rootfs /run/shared-root grep -c ' /proc/meminfo .*fuse.lxcfs' /proc/self/mountinfo 2>&1)" 1
  is "and the host its own of /sys" "$(grep -c ' /run/shared-sys/.*fuse.lxcfs' /proc/self/mountinfo)" 0
  umount -R -l /run/shared-sys
else
  skip "needs podman; have: none"
fi

story "the daemon dies, and what is attached goes on"
kill -KILL "$(server)"
is "memory in LXC" "$(memory_in a1)" 125952

story "detached again"
check "detach" lxcfsctl detach a1
is "the machine's memory" "$(memory_in a1)" "$machine_memory"
is "nothing is mounted" "$(in_lxc a1 'grep -c fuse.lxcfs /proc/self/mountinfo')" 0

story "a host changes from an lxcfs that dies, with containers that run"
old=/run/old-lxcfs
mkdir -p "$old"
unit_start old lxcfs -p /run/old.pid "$old"
eventually 30 "the old one serves" grep -q MemTotal "$old/proc/meminfo"
check "a container has its files" lxcfsctl attach --mountpoint "$old" a1
check "a unit has them" unit_start oldunit -p Type=exec -p MemoryMax=90M -p "BindReadOnlyPaths=$old/proc/meminfo:/proc/meminfo" sleep 1000
systemctl kill -s KILL old.service
eventually 20 "the old one is gone" test ! -e "$old/proc/meminfo"
like "its files are dead" "$(memory_in a1)" "not connected"
like "attach --all" "$(lxcfsctl attach --all 2>&1)" 'lxc/a1 .*replaced'
is "memory in LXC" "$(memory_in a1)" 125952
is "the unit" "$(nsenter -t "$(systemctl show -P MainPID oldunit)" -m awk '/^MemTotal:/ {print $2}' /proc/meminfo)" "$machine_memory"
is "no dead mount is left" "$(in_lxc a1 'cat $(awk "/fuse.lxcfs/ {print \$5}" /proc/self/mountinfo | grep ^/proc) 2>&1 | grep -c "not connected"')" 0
is "all done" "$(lxcfsctl attach --all 2>&1 | grep -c 'replaced\|[0-9] attached\(,\|$\)')" 0

umount -l "$old"
systemctl stop oldunit nsmachine 2>/dev/null
lxc-stop -k -n a1
stop_lxcfs
