#!/bin/bash
# The CPU and node trees and the pressure of a unit on cgroup v2, read by real programs.
# shellcheck disable=SC2016,SC2046 # units expand their scripts; bind_unit's words are options
. ./lib.sh
. ./helpers.sh
mkdir -p /etc/lxcfs/lxcfs.conf.d
printf '[View]\npsi-poll=yes\n' >/etc/lxcfs/lxcfs.conf.d/50-psi.conf
needs_lxcfs

system=/sys/devices/system
trees=()
for t in cpu node; do [ ! -d $system/$t ] || trees+=(-p "BindReadOnlyPaths=$tree$system/$t:$system/$t"); done
pressure=(-p "BindPaths=$tree/proc/pressure:/proc/pressure" -p User=nobody)

story "lscpu and the trees agree with the CPUs of a unit"
out=$(unit_run -p AllowedCPUs=1 -p MemoryMax=100M -p "BindReadOnlyPaths=$tree/proc/cpuinfo:/proc/cpuinfo" "${trees[@]}" sh -c '
  cd /sys/devices/system/cpu
  echo dirs=$(echo cpu[0-9]*)
  echo online=$(cat online)
  echo siblings=$(cat cpu1/topology/core_cpus_list)
  echo lscpu=$(lscpu -p=CPU | grep -v "#")
  echo count=$(lscpu | awk "/^CPU\(s\):/ {print \$2}")
  echo nodecpus=$(cat ../node/node0/cpulist 2>/dev/null)
  echo nodetotal=$(awk "/MemTotal/ {print \$4}" ../node/node0/meminfo 2>/dev/null)
  ls cpu0 >/dev/null 2>&1 || echo other=hidden
  touch cpu1/x 2>/dev/null || echo new=refused')
is "directories" "$(value dirs "$out")" cpu1
is "online" "$(value online "$out")" 1
is "siblings" "$(value siblings "$out")" 1
is "lscpu's CPUs" "$(value lscpu "$out")" 1
is "lscpu's count" "$(value count "$out")" 1
is "other CPUs" "$(value other "$out")" hidden
is "new files" "$(value new "$out")" refused
if [ -d $system/node/node0 ]; then
  is "CPUs of node 0" "$(value nodecpus "$out")" 1
  is "memory of node 0" "$(value nodetotal "$out")" 102400
fi

story "on the host the trees are the host's"
is "CPUs" "$(cd $tree$system/cpu && echo cpu[0-9]*)" "$(cd $system/cpu && echo cpu[0-9]*)"
is "links that lead out" "$(find $tree$system/cpu $tree$system/node -type l -exec readlink -f {} + 2>/dev/null | grep -vc "^$tree$system/")" 0

story "a unit reads the pressure of its own cgroup"
out=$(unit_run "${pressure[@]}" sh -c 'cat /proc/pressure/memory "/sys/fs/cgroup$(sed -n s/^0:://p /proc/self/cgroup)/memory.pressure"')
is "lines" "$(grep -c total= <<<"$out")" 4
is "different lines" "$(sort -u <<<"$out" | wc -l)" 2

# waiter TRIGGER SECONDS [eat]: polls memory pressure; a child eats memory, far above MemoryHigh=, once the trigger is made.
waiter='
import os, select, signal, sys, time
fd = os.open("/proc/pressure/memory", os.O_RDWR | os.O_NONBLOCK)
os.write(fd, sys.argv[1].encode() + b"\0")
p = select.poll()
p.register(fd, select.POLLPRI)
print("polling", flush=True)
child = 0
if sys.argv[3:]:
    child = os.fork()
    if not child:
        held = []
        while True: held.append(bytearray(b"x" * (1 << 20)))
print("events", [e for _, e in p.poll(int(sys.argv[2]) * 1000)], flush=True)
if child: os.kill(child, signal.SIGKILL)
'

story "a memory stall wakes who polls for it, without rights of his own, and not his neighbour"
unit_start still "${pressure[@]}" -p StandardOutput=file:/run/still python3 -c "$waiter" "some 200000 2000000" 20
try 30 grep -q polling /run/still
out=$(unit_run "${pressure[@]}" -p MemoryHigh=24M -p MemoryMax=200M -p MemorySwapMax=0 python3 -c "$waiter" "some 200000 2000000" 90 eat)
is "the one who stalls" "$(tail -n 1 <<<"$out")" "events [2]"
eventually 60 "the neighbour's poll ends" grep -q events /run/still
is "the neighbour" "$(tail -n 1 /run/still)" "events []"

story "a poller outlives the daemon"
unit_start poller "${pressure[@]}" -p StandardOutput=file:/run/poller python3 -c "$waiter" "some 9900000 10000000" 120
try 30 grep -q polling /run/poller
kill -KILL "$(server)"
eventually 60 "he is told to look again" grep -q events /run/poller
is "what he is told" "$(tail -n 1 /run/poller)" "events [2]"

story "the kernel's limits hold"
like "a window of 1 s without CAP_SYS_RESOURCE" "$(unit_run "${pressure[@]}" python3 -c "$waiter" "some 200000 1000000" 0)" 'Errno 22'
like "the same with it" "$(unit_run -p "BindPaths=$tree/proc/pressure:/proc/pressure" python3 -c "$waiter" "some 200000 1000000" 0)" 'events \[\]'

rm -f /etc/lxcfs/lxcfs.conf.d/50-psi.conf
stop_lxcfs
