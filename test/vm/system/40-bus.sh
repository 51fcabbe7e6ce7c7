#!/bin/bash
# The bus: what is on it, who may do what, lxcfsctl, and that nothing changes for readers when it is late or absent.
. ./lib.sh
. ./helpers.sh
needs_units
host_total=$(awk '/^MemTotal:/ { print $2 }' /proc/meminfo)
name=org.linuxcontainers.lxcfs1 object=/org/linuxcontainers/lxcfs1
manager=$name.Manager

on_bus() { busctl --auto-start=no get-property $name $object $manager Version >/dev/null 2>&1; }
# call METHOD [SIGNATURE ARGUMENT...]: calls the manager.
call() { busctl call $name $object $manager "$@" 2>&1; }
# as_nobody COMMAND...: runs it as a user without any rights.
as_nobody() { setpriv --reuid=65534 --regid=65534 --clear-groups "$@" 2>&1; }
# status_of COMMAND...: its exit status, in the place of its output.
status_of() { "$@" >/dev/null 2>&1; echo $?; }

story "what is on the bus"
check "start" systemctl start lxcfs.service
eventually 10 "the name" on_bus
interface=$(busctl introspect $name $object)
like "busctl introspect: a method" "$interface" '\.Reload +method'
like "busctl introspect: a property" "$interface" '\.Version +property +s'
like "busctl introspect: a signal" "$interface" '\.Reloaded +signal'
like "busctl tree" "$(busctl tree --list $name)" "$object/connection/_31"
is "busctl call Reload" "$(call Reload)" ""
is "the installed file is what the daemon says" \
  "$(busctl introspect --xml-interface $name $object | grep -c '<method name="Explain">')" "$(grep -c '<method name="Explain">' /usr/share/dbus-1/interfaces/$manager.xml)"
if command -v gdbus >/dev/null; then
  like "gdbus introspect" "$(gdbus introspect --system --dest $name --object-path $object)" 'Reexecute\(\)'
fi
is "systemctl service-log-level" "$(systemctl service-log-level lxcfs.service debug && systemctl service-log-level lxcfs.service)" debug
systemctl service-log-level lxcfs.service info
is "the owner of the name" "$(busctl status $name | sed -n 's/^EUID=//p')" "$(id -u lxcfs)"

story "who may do what"
like "everybody reads" "$(as_nobody busctl get-property $name $object $manager CgroupLayout)" '^s "'
refuses "nobody reloads" as_nobody busctl call $name $object $manager Reload
refuses "nobody switches" as_nobody busctl call $name $object $manager SetVirtualization b false
is "lxcfsctl says so" "$(status_of as_nobody lxcfsctl reload)" 4
mkdir -p /etc/polkit-1/rules.d
echo 'polkit.addRule(function(action, subject) {
  if (action.id == "org.linuxcontainers.lxcfs1.manage" && subject.user == "nobody") { return polkit.Result.YES; }
});' >/etc/polkit-1/rules.d/50-lxcfs-test.rules
systemctl restart polkit.service
eventually 10 "nobody reloads when polkit allows it" as_nobody lxcfsctl reload
refuses "polkit's other users do not" setpriv --reuid=65533 --regid=65533 --clear-groups lxcfsctl reload
rm /etc/polkit-1/rules.d/50-lxcfs-test.rules
systemctl restart polkit.service

story "lxcfsctl"
# shellcheck disable=SC2046 # options of systemd-run
unit_start bound $(bind_unit) sh -c 'head -n 1 /proc/meminfo; touch /run/ready; sleep 1000'
try 10 test -e /run/ready
pid=$(systemctl show -P MainPID bound.service)
like "status" "$(lxcfsctl status)" 'State: serving'
like "containers" "$(lxcfsctl containers)" 'bound.service +systemd +unit'
is "containers --json" "$(lxcfsctl containers --json | grep -c '"name": "bound.service"')" 1
is "show: what the unit reads" "$(lxcfsctl show meminfo --pid "$pid" | head -n 1)" "$(nsenter -t "$pid" -m head -n 1 /proc/meminfo)"
is "show by the unit's name" "$(lxcfsctl show swaps --container bound.service)" "$(cat /proc/swaps)"
like "explain" "$(lxcfsctl explain "$pid")" 'Rule: systemd unit of the caller'
like "top" "$(lxcfsctl top -n 1)" 'bound.service'
like "metrics" "$(lxcfsctl metrics)" 'lxcfs_file_requests_total\{file="/proc/meminfo"\} [1-9]'
is "metrics end" "$(lxcfsctl metrics | tail -n 1)" '# EOF'
doctor=$(lxcfsctl doctor)
is "doctor finds nothing wrong" "$(grep -E '^problem' <<<"$doctor")" ""
like "doctor has each file read" "$doctor" 'ok +files: all [1-9][0-9]+ are read whole'
like "doctor looks at the store" "$doctor" 'ok +descriptor store: '
check "virtualization off" lxcfsctl virtualization off
like "status" "$(lxcfsctl status)" 'virtualization is off'
is "doctor's exit status" "$(status_of lxcfsctl doctor)" 1
check "virtualization on" lxcfsctl virtualization on
check "reload" lxcfsctl reload
before=$(superblock) pid=$(server)
check "reexec" lxcfsctl reexec
is "the process" "$(server)" "$pid"
is "the superblock" "$(superblock)" "$before"
is "a read" "$(total "")" "$host_total"
is "no such process" "$(status_of lxcfsctl explain 4194303)" 5
systemctl stop bound.service 2>/dev/null

story "a cgroup with a name that is no text takes nothing away from the operator"
odd=/sys/fs/cgroup/$'web\xff\x1b[2J\t' # no newline: the kernel has none there
mkdir "$odd"
# shellcheck disable=SC2016 # the inner shell's
sh -c 'echo $$ >"$1/cgroup.procs" && exec unshare --pid --fork sh -c "cat $2/proc/uptime >/run/odd; sleep 60"' sh "$odd" "$tree" &
try 10 test -s /run/odd
for verb in containers status metrics "top -n 1" "containers --json" "explain 1"; do
  # shellcheck disable=SC2086 # words
  check "$verb" lxcfsctl $verb
done
like "GetManagedObjects" "$(busctl call $name $object org.freedesktop.DBus.ObjectManager GetManagedObjects 2>&1 | head -c 20)" '^a'
listed=$(lxcfsctl containers)
like "its name" "$listed" 'web\\377\\033\[2J\\t'
is "bytes for a terminal" "$(LC_ALL=C grep -acP '[^\x20-\x7e]' <<<"$listed")" 0
is "what the bus library says of us" "$(journalctl -b --no-pager -o cat -u lxcfs.service | grep -c 'replacing invalid reply')" 0
while read -r pid; do kill -KILL "$pid"; done <"$odd/cgroup.procs"
wait
eventually 10 "it is gone" rmdir "$odd"

story "metrics for Prometheus"
ip link set lo up
check "the socket" systemctl start lxcfs-metrics.socket
scrape() { (exec 3<>/dev/tcp/127.0.0.1/9779 && printf 'GET /metrics HTTP/1.0\r\n\r\n' >&3 && timeout 20 cat <&3); }
like "a scrape" "$(scrape)" 'lxcfs_up 1'
systemctl stop lxcfs-metrics.socket lxcfs-metrics.service

story "no bus, and then one" # of its own: this script is run by way of the machine's
mkdir -p /run/systemd/system/lxcfs.service.d
printf '[Service]\nEnvironment=DBUS_SYSTEM_BUS_ADDRESS=unix:path=/run/bus-test\n' >/run/systemd/system/lxcfs.service.d/bus.conf
systemctl daemon-reload
check "restart" systemctl restart lxcfs.service
is "a read" "$(total "")" "$host_total"
refuses "the name" on_bus
is "lxcfsctl's exit status without a bus" "$(DBUS_SYSTEM_BUS_ADDRESS=unix:path=/run/none status_of lxcfsctl status)" 3
ln -s /run/dbus/system_bus_socket /run/bus-test
eventually 15 "the name, once there is a bus" on_bus
rm /run/bus-test /run/systemd/system/lxcfs.service.d/bus.conf
systemctl daemon-reload

story "the name starts an enabled service, and lxcfsctl starts none"
systemctl stop lxcfs.service
is "lxcfsctl status" "$(status_of lxcfsctl status)" 3
is "the service" "$(systemctl is-active lxcfs.service)" inactive
systemctl enable lxcfs.service 2>/dev/null
busctl call $name $object org.freedesktop.DBus.Peer Ping >/dev/null
eventually 20 "the service is active after a call" systemctl -q is-active lxcfs.service
systemctl disable lxcfs.service 2>/dev/null
stop_lxcfs
