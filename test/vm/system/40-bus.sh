#!/bin/bash
# The bus is optional: late, restarted or absent, nothing changes for readers.
. ./lib.sh
. ./helpers.sh
needs_units
host_total=$(awk '/^MemTotal:/ { print $2 }' /proc/meminfo)

story "the bus ends and comes again under a running daemon"
check "start" systemctl start lxcfs.service
pid=$(server)
systemctl stop dbus.socket dbus.service
is "a read without a bus" "$(total)" "$host_total"
systemctl start dbus.socket dbus.service
sleep 1
is "a read with a new bus" "$(total)" "$host_total"
is "the process" "$(server)" "$pid"

story "a start without a bus"
systemctl stop lxcfs.service
systemctl stop dbus.socket dbus.service
check "start" systemctl start lxcfs.service
is "a read" "$(total)" "$host_total"
systemctl start dbus.socket dbus.service
stop_lxcfs
