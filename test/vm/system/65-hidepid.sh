#!/bin/bash
# A host whose /proc hides processes: with the drop-in a container sees its own numbers. Without it, it depends: some sandboxes of
# systemd have a /proc of their own, which hides nothing.
. ./lib.sh
. ./helpers.sh
needs_units
dropin=/etc/systemd/system/lxcfs.service.d/hidepid.conf
host_uptime() { cut -d. -f1 /proc/uptime; }
seen() { cat /run/seen; }
# own: the container's reader saw its own uptime, which is less than a minute.
own() { [ "$(seen)" -lt 60 ]; }

story "a container that reads its uptime all the time, on a host that is older than it"
if [ "$(host_uptime)" -lt 150 ]; then sleep $((150 - $(host_uptime))); fi
groupadd -r -f proc
check "start" systemctl start lxcfs.service
cat >/run/box.sh <<'E2'
while sleep .2; do
  read -r up _ </var/lib/lxcfs/proc/uptime && echo "${up%%.*}" >/run/seen.new && mv /run/seen.new /run/seen
done
E2
unit_start box unshare --pid --fork --mount --mount-proc sh /run/box.sh
eventually 20 "it reads" test -s /run/seen
eventually 10 "its own" own

story "hidepid=invisible"
check "remount" mount -o "remount,hidepid=2,gid=$(getent group proc | cut -d: -f3)" /proc
refuses "nobody sees pid 1" setpriv --reuid=65534 --regid=65534 --clear-groups ls /proc/1
mkdir -p "${dropin%/*}"
check "the drop-in of the documentation" cp /usr/share/doc/lxcfs/examples/hidepid.conf $dropin
systemctl daemon-reload
check "restart with it" systemctl restart lxcfs.service
rm -f /run/seen
eventually 10 "it reads on" test -s /run/seen
eventually 10 "it is shown its own" own
is "no capability for that" "$(awk '/^CapEff/ { print $2 }' "/proc/$(server)/status")" 0000000000000000
like "but the group" "$(sed -n "s/^Groups:\t//p" "/proc/$(server)/status")" "$(getent group proc | cut -d: -f3)"

rm -f $dropin
mount -o remount,hidepid=0 /proc
systemctl daemon-reload
systemctl stop box
stop_lxcfs
