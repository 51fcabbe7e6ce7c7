#!/bin/bash
# Containers of LXC see their own limits: privileged, with a user namespace, nested.
. ./lib.sh
. ./helpers.sh
needs_lxcfs
log=/run/lxc.log

story "a privileged container"
lxc_make c1 "dir:$ct" 'lxc.init.cmd = /bin/sleep 1000' 'lxc.cgroup2.memory.max = 123M' 'lxc.cgroup2.cpuset.cpus = 1'
check "starts" lxc-start -n c1 -l INFO -o "$log"
out=$(lxc-attach -n c1 -- sh -c "$numbers")
sees "LXC" "$out" 125952 1
echo 90M >/sys/fs/cgroup/lxc.payload.c1/memory.max
is "a limit changed under way" "$(lxc-attach -n c1 -- sh -c "$numbers" | sed -n 's/^memory=//p')" 92160
is "busybox cat, which reads by sendfile" "$(lxc-attach -n c1 -- busybox cat /proc/meminfo | awk '/^MemTotal:/ {print $2}')" 92160
lxc-stop -k -n c1

story "a container with a user namespace"
lxc_make u1 "dir:/run/uct" 'lxc.init.cmd = /bin/sleep 1000' 'lxc.cgroup2.memory.max = 99M' \
  'lxc.include = /usr/share/lxc/config/userns.conf' 'lxc.idmap = u 0 100000 65536' 'lxc.idmap = g 0 100000 65536'
mkdir -p /run/uct /run/uct.new
mount -o size=512M -t tmpfs uct /run/uct
chmod 755 /run/uct
cp -a "$ct/." /run/uct/
chown -hR 100000:100000 /run/uct
check "starts" lxc-start -n u1 -l INFO -o "$log"
sees "unprivileged" "$(lxc-attach -n u1 -- sh -c "$numbers")" 101376 "$(nproc --all)"
lxc-stop -k -n u1
umount -l /run/uct

story "a container in a container: the limit of the outer one holds in the inner one"
mkdir -p /run/upper
lxc_make inner "dir:$ct" 'lxc.init.cmd = /bin/sleep 1000' 'lxc.cgroup2.cpuset.cpus = 1'
lxc_make outer overlay:/:/run/upper 'lxc.init.cmd = /sbin/init' 'lxc.include = /usr/share/lxc/config/nesting.conf' 'lxc.cgroup2.memory.max = 300M' \
  "lxc.mount.entry = $tree var/lib/lxcfs none rbind,create=dir 0 0"
check "the outer one starts" lxc-start -n outer -l INFO -o "$log"
eventually 90 "its systemd runs" lxc-attach -n outer -- systemctl is-active multi-user.target
# The outer one has the units of lxcfs too, not in use: they must not take the mount for their own and away.
like "the mount in it" "$(lxc-attach -n outer -- cat /proc/self/mountinfo)" " $tree .*fuse.lxcfs"
lxc-attach -n outer -- systemd-run -q --unit=inner -p Delegate=yes lxc-start -F -n inner
eventually 30 "the inner one starts" lxc-attach -n outer -- lxc-attach -n inner -- true
is "the outer one's memory" "$(lxc-attach -n outer -- sh -c "$numbers" | sed -n 's/^memory=//p')" 307200
sees "inner" "$(lxc-attach -n outer -- lxc-attach -n inner -- sh -c "$numbers")" 307200 1
lxc-stop -k -n outer

stop_lxcfs
