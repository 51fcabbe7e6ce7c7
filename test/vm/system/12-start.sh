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
  like "what it says" "$(said)" "$1"
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

story "nothing hangs, nothing is in a cycle"
is "messages of ordering cycles" "$(journalctl -b --no-pager -o cat | grep -ci 'ordering cycle')" 0
