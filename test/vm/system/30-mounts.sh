#!/bin/bash
# More mounts than one: by mount(8), from fstab, more than the store holds.
. ./lib.sh
. ./helpers.sh
needs_units
host_total=$(awk '/^MemTotal:/ { print $2 }' /proc/meminfo)
stored() { systemctl show -P NFileDescriptorStore lxcfs.service; }

story "a second mount by mount(8), with options of its own"
check "start" systemctl start lxcfs.service
one=$(stored)
mkdir -p /mnt/two /mnt/three
check "mount" mount -t fuse.lxcfs lxcfs /mnt/two -o cpu=quota
is "a read of it" "$(total /mnt/two)" "$host_total"
isnt "its superblock" "$(stat -c %d /mnt/two)" "$(superblock)"
systemctl kill -s KILL lxcfs.service
is "a read of it after SIGKILL" "$(total /mnt/two)" "$host_total"
is "a read of the first" "$(total)" "$host_total"
check "umount" umount /mnt/two
is_stored() { [ "$(stored)" = "$1" ]; }
eventually 10 "its descriptors leave the store" is_stored "$one"
is "the first is served on" "$(total)" "$host_total"

story "what somebody else mounts at the place is left alone while the units are not in use"
systemctl stop lxcfs.service
settles "stopped" 'inactive inactive active unmounted nothing stored'
mount -t tmpfs other $tree
sleep 1
is "another filesystem" "$(stat -f -c %T $tree)" tmpfs
umount $tree
lxcfs -f $tree 2>/run/classic.log &
classic=$!
try 10 grep -q MemTotal $tree/proc/meminfo
sleep 1
is "an lxcfs by hand" "$(total)" "$host_total"
kill $classic
wait $classic
refuses "mounted" mountpoint -q $tree
check "start" systemctl start lxcfs.service
is "a read" "$(total)" "$host_total"

story "a wrong option is refused and leaves nothing mounted"
refuses "mount" mount -t fuse.lxcfs lxcfs /mnt/two -o cpu=many
refuses "mounted" mountpoint -q /mnt/two

story "a mount from fstab"
echo 'lxcfs /mnt/three fuse.lxcfs nofail,x-systemd.requires=lxcfs.socket,x-systemd.after=lxcfs.socket 0 0' >>/etc/fstab
systemctl daemon-reload
check "start" systemctl start mnt-three.mount
is "a read" "$(total /mnt/three)" "$host_total"
systemctl restart lxcfs.service
is "a read after a restart" "$(total /mnt/three)" "$host_total"
check "stop" systemctl stop mnt-three.mount
is "the first is served on" "$(total)" "$host_total"

story "a full store refuses the next mount and harms none"
if [ "$(systemd_version)" -lt 254 ]; then
  skip "needs systemd 254, which tells the size of the store; have: $(systemd_version)"
else
  mkdir -p /run/systemd/system/lxcfs.service.d
  systemctl stop lxcfs.service
  printf '[Service]\nFileDescriptorStoreMax=%s\n' "$one" >/run/systemd/system/lxcfs.service.d/store.conf
  systemctl daemon-reload
  check "start" systemctl start lxcfs.service
  refuses "mount" timeout 20 mount -t fuse.lxcfs lxcfs /mnt/two
  refuses "mounted" mountpoint -q /mnt/two
  systemctl restart lxcfs.service
  is "the first is served on" "$(total)" "$host_total"
  rm -r /run/systemd/system/lxcfs.service.d
  systemctl daemon-reload
  stop_lxcfs
fi
