#!/bin/bash
# AppArmor enforces LXC's generated profile and podman's own: what confined containers see, and what they try with the files.
. ./lib.sh
. ./helpers.sh
mkdir -p /etc/lxcfs/lxcfs.conf.d
printf '[View]\npsi-poll=yes\n' >/etc/lxcfs/lxcfs.conf.d/46-psi.conf
needs_lxcfs
story "AppArmor"
check "it is on" grep -q Y /sys/module/apparmor/parameters/enabled
served=$(cd "$tree" && find proc sys -mindepth 1 -maxdepth 3 | paste -s -d '|')
# of_lxcfs: what was refused of the files, or to programs of lxcfs.
of_lxcfs() { denied | grep -E "name=\"[^\"]*(/lxcfs|/($served)/?\")|comm=\"(lxcfs|mount.fuse.lxc|lxc.mount.hook)"; }

story "LXC"
lxc_make c1 "dir:$ct" 'lxc.init.cmd = /bin/sleep 1000' 'lxc.cgroup2.memory.max = 123M' 'lxc.cgroup2.cpuset.cpus = 1'
lxc_make c2 "dir:$ct" 'lxc.init.cmd = /bin/sleep 1000' 'lxc.cgroup2.memory.max = 124M' 'lxc.cgroup2.cpuset.cpus = 1' 'lxc.hook.mount ='
busybox_root /run/confined
cp -a /run/confined /run/confined.user && chown -hR 100000:100000 /run/confined.user
lxc_make u1 dir:/run/confined.user 'lxc.init.cmd = /bin/sleep 1000' 'lxc.cgroup2.memory.max = 125M' \
  'lxc.include = /usr/share/lxc/config/userns.conf' 'lxc.idmap = u 0 100000 65536' 'lxc.idmap = g 0 100000 65536'
for name in c1 c2 u1; do
  check "$name starts" lxc-start -n $name -l INFO -o /run/lxc.log
  like "$name's profile" "$(cat "/proc/$(lxc-info -n $name -p -H)/attr/current")" "^lxc-${name}_.* \(enforce\)$"
done
inside() { lxc-attach -n c1 -- "$@"; }
memory_of() { lxc-attach -n "$1" -- awk '/^MemTotal:/ { print $2 }' /proc/meminfo; }
host=$(awk '/^MemTotal:/ { print $2 }' /proc/meminfo)
sees "by the hook" "$(inside sh -c "$numbers")" 125952 1
sees "in a user namespace" "$(lxc-attach -n u1 -- sh -c "$numbers")" 128000 "$(nproc)"
is "without it" "$(memory_of c2)" "$host"
check "attach" lxcfsctl attach c2
sees "by attach" "$(lxc-attach -n c2 -- sh -c "$numbers")" 126976 1
check "a trigger" inside sh -c 'echo "some 500000 2000000" >/proc/pressure/memory'

story "podman"
if command -v podman >/dev/null; then
  tar -C /run/confined -c . | podman import - confined >/dev/null 2>&1
  podman=(podman --cgroup-manager systemd --hooks-dir /usr/share/containers/oci/hooks.d run -d --network none -m 120m --cpus 1)
  check "by the hook" "${podman[@]}" --name p1 confined sleep 1000
  check "without it" "${podman[@]}" --name p2 --annotation org.linuxcontainers.lxcfs=off confined sleep 1000
  for name in p1 p2; do like "$name's profile" "$(podman exec $name cat /proc/self/attr/current)" '^containers-default-.* \(enforce\)$'; done
  sees "by the hook" "$(podman exec p1 sh -c "$numbers")" 122880 1 1 "$(nproc)"
  check "attach" lxcfsctl attach "$(podman inspect -f '{{.Id}}' p2)"
  sees "by attach" "$(podman exec p2 sh -c "$numbers")" 122880 1 1 "$(nproc)"
  # The profile lets nobody write below /proc, with lxcfs or without.
  refuses "a trigger" podman exec p1 sh -c 'echo "some 500000 2000000" >/proc/pressure/memory'
  refuses "to take a file away" podman exec p1 umount /proc/meminfo
  podman rm -f -t 0 p1 p2 >/dev/null
else
  skip "needs podman; have: none"
fi

# Of this file, and of those that ran before it in this machine.
story "what was refused"
is "of the files, and to programs of lxcfs" "$(of_lxcfs)" ""

story "what a confined container tries"
check "a file of its own" inside touch /tmp/elsewhere
for mount in mount "busybox mount"; do # by the calls of Linux 5.2, and by mount(2)
  # shellcheck disable=SC2086 # words
  for try in "--bind /proc/stat /tmp/elsewhere" "--move /proc/stat /tmp/elsewhere" "-t proc proc /mnt"; do
    refuses "$mount $try" inside $mount $try
  done
done
refuses "to write" inside sh -c 'echo 1 >/proc/meminfo'
refuses "to take a CPU away" inside sh -c 'echo 0 >/sys/devices/system/cpu/cpu1/online'
sees "all the same" "$(inside sh -c "$numbers")" 125952 1

# LXC's profile allows each umount, and a bind of what is in no /proc: a container may so spoil its own files, and nobody else's.
story "what a confined container may"
check "to cover a file" inside busybox mount --bind /etc/hostname /proc/stat
isnt "which is covered" "$(inside head -c 4 /proc/stat)" "cpu "
check "and back" inside umount /proc/stat
check "to take a file away" inside umount /proc/meminfo
check "and a directory" inside umount -l /sys/devices/system/cpu
is "which are gone" "$(memory_of c1)" "$host"
check "attach brings them back" lxcfsctl attach c1
sees "again" "$(inside sh -c "$numbers")" 125952 1
check "to mount another /proc over its own" inside busybox mount -t proc proc /proc
is "which has none of them" "$(memory_of c1)" "$host"
check "attach brings them there" lxcfsctl attach c1
sees "there" "$(inside sh -c "$numbers")" 125952 1 2 # with that below the new /proc
sees "another container" "$(lxc-attach -n c2 -- sh -c "$numbers")" 126976 1
for name in c1 c2 u1; do lxc-stop -k -n $name; done

rm -f /etc/lxcfs/lxcfs.conf.d/46-psi.conf
stop_lxcfs
