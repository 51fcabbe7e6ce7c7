#!/bin/bash
# Block devices of containers: who may open one finds it in full, in /proc and /sys alike; who may not does not.
# shellcheck disable=SC2046 # options of the runtimes
. ./lib.sh
. ./helpers.sh
. guest/block
needs_lxcfs

usr='lxc.mount.entry = /usr usr none bind,ro 0 0'
host_loop
story "LXC, privileged, its devices allowed"
lxc_make b1 "dir:$ct" 'lxc.init.cmd = /bin/sleep 1000' "$usr" 'lxc.cgroup2.devices.allow = b *:* rwm' 'lxc.cgroup2.devices.allow = c 10:236 rwm' \
  'lxc.cgroup2.devices.allow = c 10:237 rwm' 'lxc.mount.auto = sys:rw' 'lxc.mount.entry = tmpfs tmp tmpfs create=dir 0 0'
check "starts" lxc-start -n b1
out=$(lxc-attach -n b1 -- sh -c "$tools$agree$detach" 2>&1)
in_full "LXC" "$out"
coherent "LXC" "$out"
lxc-stop -k -n b1

host_loop
story "LXC, with a user namespace: what it used, and a node that was bound"
mkdir -p /run/but
mount -o size=512M -t tmpfs but /run/but
chmod 755 /run/but
cp -a "$ct/." /run/but/
chown -hR 100000:100000 /run/but
userns=('lxc.include = /usr/share/lxc/config/userns.conf' 'lxc.idmap = u 0 100000 65536' 'lxc.idmap = g 0 100000 65536')
lxc_make b2 "dir:/run/but" 'lxc.init.cmd = /bin/sleep 1000' "${userns[@]}" "$usr"
check "starts" lxc-start -n b2
out=$(lxc-attach -n b2 -- sh -c "$agree" 2>&1)
coherent "unprivileged" "$out"
hidden "unprivileged" "$out"
lxc-stop -k -n b2
lxc_make b3 "dir:/run/but" 'lxc.init.cmd = /bin/sleep 1000' "${userns[@]}" "$usr" "lxc.mount.entry = $mine ${mine#/} none bind,create=file 0 0"
check "starts with a node" lxc-start -n b3
out=$(lxc-attach -n b3 -- sh -c "$agree"'echo backing=$(cat /sys/block/'"${mine#/dev/}"'/loop/backing_file)' 2>&1)
coherent "with a node" "$out"
is "with a node: its file" "$(value backing "$out")" /run/host.img
lxc-stop -k -n b3
umount -l /run/but

story "nspawn: what its scope allows"
for allow in no yes; do
  options=()
  [ $allow = no ] || options=(--property=DeviceAllow='block-loop rw')
  out=$(systemd-nspawn -q -D "$ct" --bind-ro=/usr "${options[@]}" $(bind_nspawn) sh -c "$agree" 2>&1 | tr -d '\r')
  coherent "nspawn, loops: $allow" "$out"
  like "nspawn, loops: $allow: the host's" " $(value diskstats "$out") " "$([ $allow = yes ] && echo " ${mine#/dev/} " || echo '^( (nvme|vd)[^ ]*)+ $')"
done

host_loop
story "a service without privileges has the disks that it used"
out=$(unit_run $(bind_unit) -p User=nobody sh -c "$agree")
coherent "service" "$out"
hidden "service" "$out"
out=$(unit_run $(bind_unit) -p PrivateDevices=yes sh -c "$agree")
hidden "service with PrivateDevices=" "$out"

losetup -D
stop_lxcfs
