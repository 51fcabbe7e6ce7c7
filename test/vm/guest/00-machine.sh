#!/bin/bash
# What all other files of this directory take for granted: the machine is like a user's.
. ./lib.sh
. ./helpers.sh

story "the machine boots like a user's"
is "no unit has failed" "$(systemctl --failed --no-legend --plain)" ""
is "the cgroup hierarchy is the unified one" "$(stat -fc %T /sys/fs/cgroup)" "cgroup2fs"
for c in cpuset cpu io memory pids; do like "controller $c" "$(cat /sys/fs/cgroup/cgroup.controllers)" "(^| )$c( |$)"; done
check "pressure is accounted" test -e /proc/pressure/memory
check "/dev/fuse" test -c /dev/fuse

story "limits of a unit hold"
is "AllowedCPUs=" "$(unit_run -p AllowedCPUs=1 nproc)" 1
# shellcheck disable=SC2016 # expanded in the unit
is "MemoryMax=" "$(unit_run -p MemoryMax=100M sh -c 'cat /sys/fs/cgroup$(cut -d: -f3 /proc/self/cgroup)/memory.max')" 104857600
refuses "MemoryMax= kills" unit_run -p MemoryMax=30M -p MemorySwapMax=0 python3 -c 'bytearray(100 << 20)'
