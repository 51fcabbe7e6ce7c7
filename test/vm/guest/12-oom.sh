#!/bin/bash
# The kernel runs out of memory: it does not choose the daemon, and a daemon that is chosen all the same costs no read.
# shellcheck disable=SC2046 # options of systemd-run
. ./lib.sh
. ./helpers.sh
needs_units

needs_lxcfs

story "the machine runs out of memory"
before=$(server)
# What an emulator would take a minute to fill is taken out of the machine first, as huge pages that nobody uses.
sysctl -q vm.nr_hugepages="$(awk '/^MemAvailable:/ { print int(($2 - 500000) / 2048) }' /proc/meminfo)"
# More than there is, in a cgroup without a limit: the kernel looks at all processes of the machine.
unit_start hog -p OOMPolicy=continue sh -c 'swapoff -a; exec python3 -c "
blocks = []
while True: blocks.append(bytearray(32 << 20))"'
killed() { journalctl -q -k | grep -q 'Out of memory: Killed process .*(python3)'; }
eventually 120 "the kernel kills the one who takes it" killed
is "the daemon is the same" "$(server)" "$before"
check "and serves" total
sysctl -q vm.nr_hugepages=0

story "the kernel kills the daemon for its memory"
cp guest/reader.py /run/reader.py
rm -f /run/read.unit /run/err.unit
unit_start reader -p MemoryMax=100M -p StandardOutput=file:/run/read.unit -p StandardError=file:/run/err.unit $(bind_unit) \
  python3 /run/reader.py 20 102400
sleep 2
before=$(server) mount_before=$(superblock) main=$(systemctl show -P MainPID lxcfs.service)
choom -n 1000 -p "$before" >/dev/null # its unit's -1000 keeps it from that
systemctl set-property --runtime lxcfs.service MemorySwapMax=0 MemoryMax=1M
# Not until it is gone: its keeper gets no memory to notice, within that limit.
oom_killed() { journalctl -q -k | grep -q "Memory cgroup out of memory: Killed process $before (lxcfs)"; }
eventually 30 "it is killed by the kernel" oom_killed
systemctl set-property --runtime lxcfs.service MemoryMax=infinity
eventually 20 "its successor serves" total
is "the main process is the same" "$(systemctl show -P MainPID lxcfs.service) $(systemctl show -P NRestarts lxcfs.service)" "$main 0"
is "the mount is the same" "$(superblock)" "$mount_before"
try 60 test -s /run/read.unit
result=$(cat /run/read.unit)
between "reads meanwhile" "${result%% *}" 20 1000000
is "errors" "$(cut -d' ' -f2 <<<"$result")$(head -n 3 /run/err.unit)" 0
echo "# $result (reads, errors, worst in ms)"
rm -f /run/read.unit /run/err.unit

stop_lxcfs
