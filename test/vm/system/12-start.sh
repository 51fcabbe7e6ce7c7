#!/bin/bash
# A start that cannot work: it ends by itself, says why, and what else is mounted stays. The service waits up to 40 s for a mount that
# may come; that each of these ends for its own reason, and not because no mount came, is how the test tells that it did not.
. ./lib.sh
. ./helpers.sh
needs_units
up='active active active mounted stored'
stop_lxcfs

is_unmounted() { ! grep -q " $tree " /proc/self/mountinfo; } # without asking a mount that nobody may serve
drop_in() { # UNIT LINE...
  local dir=/run/systemd/system/$1.d
  shift
  mkdir -p "$dir"
  printf '%s\n' "$@" >"$dir/test.conf"
  systemctl daemon-reload
}
no_drop_ins() {
  rm -rf /run/systemd/system/{lxcfs.service,var-lib-lxcfs.mount}.d/test.conf
  systemctl daemon-reload
  systemctl reset-failed
}
said() { journalctl -b --no-pager -o cat -u lxcfs.service --since "@$since"; }

# fails REASON: the start fails, and the service has said so.
fails() {
  since=$(date +%s)
  sleep 1 # journalctl counts in seconds
  refuses "start" timeout 60 systemctl start lxcfs.service
  settles_failed
  is "status of the process" "$(systemctl show -P ExecMainStatus lxcfs.service)" 69
  # The journal of systemd 252 may lack the last line of a process that dies at once; its status line is there.
  like "what it says" "$(said; [ "$(systemd_version)" -ge 254 ] || systemctl show -P StatusText lxcfs.service)" "$1"
  like "its status line" "$(systemctl show -P StatusText lxcfs.service)" "$1"
  is "starts in vain" "$(systemctl show -P NRestarts lxcfs.service)" 0
}
is_failed() { [ "$(systemctl is-active lxcfs.service)" = failed ]; }
settles_failed() { eventually 10 "the service has failed" is_failed; }
works() {
  check "start when mended" timeout 60 systemctl start lxcfs.service
  settles "state" "$up"
  stop_lxcfs
  try 10 is_unmounted
}

story "the journal is refused"
drop_in lxcfs.service '[Service]' 'SystemCallFilter=~memfd_create'
fails 'var/lib/lxcfs.*memfd_create: operation not permitted'
eventually 10 "nothing is left mounted" is_unmounted
no_drop_ins
works

story "an option that is not known"
drop_in var-lib-lxcfs.mount '[Mount]' 'Options=cpu=many'
fails 'var/lib/lxcfs.*cpu=.many'
no_drop_ins
works

story "/dev/fuse cannot be opened"
mkdir /run/nodev
mount -t tmpfs -o nodev none /run/nodev
mknod /run/nodev/fuse c 10 229
mount --bind /run/nodev/fuse /dev/fuse
fails 'var/lib/lxcfs.*open /dev/fuse: permission denied'
umount /dev/fuse /run/nodev
no_drop_ins
works

story "there is no /dev/fuse: the units are left out, and nothing has failed"
rm /dev/fuse
check "start" timeout 30 systemctl start lxcfs.service
is "state" "$(state)" "inactive inactive active unmounted nothing stored"
is "failed units" "$(systemctl --failed --no-legend --plain)" ""
mknod -m 666 /dev/fuse c 10 229
works

story "another lxcfs serves at its place: it stays, and is served on"
lxcfs -p /run/other.pid "$tree" 2>/dev/null &
other=$!
try 10 test -s "$tree/proc/meminfo"
before=$(superblock)
fails 'var/lib/lxcfs.*already mounted'
is "the other one's mount" "$(superblock)" "$before"
like "a read of it" "$(total)" '^[0-9]+$'
is "what would unmount it" "$(systemctl is-active lxcfs-active.target)" inactive
kill $other
wait $other
systemctl reset-failed
works

story "another file system is mounted at its place: it stays"
mount -t tmpfs none "$tree"
touch "$tree/here"
fails 'var/lib/lxcfs.*already mounted.*tmpfs'
check "it is there" test -e "$tree/here"
umount "$tree"
systemctl reset-failed
works

story "a file is in its place"
rmdir "$tree"
echo mine >"$tree"
fails 'var/lib/lxcfs.*is a file: mv|mount .*lxcfs: not a directory'
is "the file" "$(cat "$tree")" mine
is "status at each start" "$(journalctl -b --no-pager -o cat -u lxcfs.service --since "@$since" | grep -c 'status=75')" 0
rm "$tree"
no_drop_ins
works

story "a symbolic link is in its place"
rmdir "$tree"
mkdir /run/elsewhere
ln -s /run/elsewhere "$tree"
fails 'var/lib/lxcfs is a symbolic link.*mv'
rm "$tree"
no_drop_ins
works

story "the mount unit is masked"
systemctl mask --runtime var-lib-lxcfs.mount 2>/dev/null
fails 'var-lib-lxcfs.mount is masked: systemctl unmask var-lib-lxcfs.mount'
systemctl unmask --runtime var-lib-lxcfs.mount 2>/dev/null
no_drop_ins
works

story "there is no mount helper"
helper=$(readlink -f /sbin/mount.fuse.lxcfs)
mv "$helper" /run/helper
fails '/sbin/mount.fuse.lxcfs is not there'
mv /run/helper "$helper"
no_drop_ins
works

story "the mount is left out by its condition"
drop_in var-lib-lxcfs.mount '[Unit]' 'ConditionPathExists=/nonexistent'
fails 'left out var-lib-lxcfs.mount'
no_drop_ins
works

story "there is no /dev/fuse, and the service does not look"
drop_in lxcfs.service '[Unit]' 'ConditionPathExists='
rm /dev/fuse
fails 'there is no /dev/fuse'
mknod -m 666 /dev/fuse c 10 229
no_drop_ins
works

story "no keeper of its own without /dev/fuse"
rm /dev/fuse
lxcfs --keeper -p /run/other.pid "$tree" 2>/run/other.err
is "its status" $? 69
like "what it says" "$(cat /run/other.err)" 'open /dev/fuse: no such file'
mknod -m 666 /dev/fuse c 10 229

story "nothing hangs, nothing is in a cycle"
is "messages of ordering cycles" "$(journalctl -b --no-pager -o cat | grep -ci 'ordering cycle')" 0
