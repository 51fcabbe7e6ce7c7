#!/bin/bash
# What all other files of this directory take for granted: a systemd that starts, keeps and stops units.
. ./lib.sh
. ./helpers.sh

story "systemd runs as PID 1"
is "PID 1" "$(cat /proc/1/comm)" systemd
is "state" "$(systemctl is-system-running)" running
is "/ is shared, so that mounts reach units" "$(findmnt -no PROPAGATION /)" shared
check "the bus answers" busctl call org.freedesktop.systemd1 /org/freedesktop/systemd1 org.freedesktop.DBus.Peer Ping
is "a unit runs" "$(unit_run echo hello)" hello
