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
  echo offline=$(cat offline)
  echo fixed=$(cat possible present)
  echo configured=$(getconf _NPROCESSORS_CONF) $(getconf _NPROCESSORS_ONLN)
  echo siblings=$(cat cpu1/topology/core_cpus_list)
  echo lscpu=$(lscpu -p=CPU | grep -v "#")
  echo both=$(lscpu -p=CPU,ONLINE -a | grep -v "#")
  echo nodecpus=$(cat ../node/node0/cpulist 2>/dev/null)
  echo nodetotal=$(awk "/MemTotal/ {print \$4}" ../node/node0/meminfo 2>/dev/null)
  echo switch=$(cat /sys/bus/cpu/devices/cpu0/online)
  ls cpu0/topology >/dev/null 2>&1 || echo other=offline
  touch cpu1/x 2>/dev/null || echo new=refused')
is "directories" "$(value dirs "$out")" "$(cd $system/cpu && echo cpu[0-9]*)"
is "online" "$(value online "$out")" 1
is "offline" "$(value offline "$out")" 0
is "possible and present" "$(value fixed "$out")" "$(cat $system/cpu/possible $system/cpu/present | xargs)"
is "sysconf's counts" "$(value configured "$out")" "$(getconf _NPROCESSORS_CONF) 1"
is "siblings" "$(value siblings "$out")" 1
is "lscpu's CPUs" "$(value lscpu "$out")" 1
is "lscpu's, the others too" "$(value both "$out")" "0,N 1,Y"
is "online of CPU 0, by way of the bus" "$(value switch "$out")" 0
is "other CPUs" "$(value other "$out")" offline
is "new files" "$(value new "$out")" refused
if [ -d $system/node/node0 ]; then
  is "CPUs of node 0" "$(value nodecpus "$out")" 1
  is "memory of node 0" "$(value nodetotal "$out")" 102400
fi

story "on the host the trees are the host's"
is "CPUs" "$(cd $tree$system/cpu && echo cpu[0-9]*)" "$(cd $system/cpu && echo cpu[0-9]*)"
is "links that lead out" "$(find $tree$system/cpu $tree$system/node $tree$system/memory -type l -exec readlink -f {} + 2>/dev/null | grep -vc "^$tree$system/")" 0

# offline_tree: what is in the trees with CPU 1 offline; but for links that lead out, and what root alone may read.
offline_tree='
  cd "$0"/cpu
  find cpu1 | sort
  grep -rs . cpu1/online cpu1/hotplug online offline possible present enabled isolated ../node/online ../node/possible ../node/node0/cpu[lm]* | sort
  ls -d ../node/node0/cpu*'

story "a CPU that a unit does not see looks as the kernel's that is offline"
if [ -e $system/cpu/cpu1/online ]; then
  view=$(unit_run -p AllowedCPUs=0 "${trees[@]}" sh -c "$offline_tree" $system)
  echo 0 >$system/cpu/cpu1/online
  kernel=$(sh -c "$offline_tree" $tree$system)
  both=$(unit_run "${trees[@]}" sh -c "$offline_tree" $system)
  echo 1 >$system/cpu/cpu1/online
  like "the kernel's" "$kernel" $'\ncpu1/online:0\n'
  is "one that the unit does not see" "$view" "$kernel"
  is "one that nobody has" "$both" "$kernel"
else
  skip "needs a CPU that can be taken offline; have: none"
fi

# sized_by_possible: programs that size what they have by the CPUs that are possible.
sized_by_possible='
  for i in 1 2 3 4; do bpftool map dump pinned /sys/fs/bpf/lxcfs-test >/dev/null 2>&1; echo bpftool=$?; done
  echo jemalloc=$(LD_PRELOAD=libjemalloc.so.2 MALLOC_CONF=percpu_arena:percpu /bin/true 2>&1)
  echo lstopo=$(lstopo-no-graphics --only pu 2>&1)
  echo may=$(numactl -s 2>&1 | sed -n "s/^physcpubind: //p")
  numactl -C 1 true >/dev/null 2>&1 && echo bound=1'
fits() { # WHAT CPU ALLOWED
  is "$1: bpftool's map of all CPUs" "$(value bpftool "$out" | xargs)" "0 0 0 0"
  like "$1: jemalloc trusts no CPU to be the only one" "$(value jemalloc "$out")" 'not deterministic'
  is "$1: lstopo" "$(value lstopo "$out")" "PU L#0 (P#$2)"
  is "$1: numactl may bind to" "$(value may "$out" | xargs)" "$3"
  is "$1: numactl binds to CPU 1" "$(value bound "$out")" 1
}

story "what programs size by the possible CPUs holds what the kernel puts in"
if command -v bpftool lstopo-no-graphics numactl >/dev/null; then
  mountpoint -q /sys/fs/bpf || mount -t bpf bpf /sys/fs/bpf
  bpftool map create /sys/fs/bpf/lxcfs-test type percpu_array key 4 value 64 entries 4 name lxcfs_test
  out=$(unit_run -p AllowedCPUs=1 "${trees[@]}" sh -c "$sized_by_possible")
  fits "a cpuset" 1 1
  printf '[View]\ncpu=quota\n' >/etc/lxcfs/lxcfs.conf.d/60-cpu.conf
  check "reload" lxcfsctl reload
  out=$(unit_run -p CPUQuota=100% "${trees[@]}" sh -c "$sized_by_possible")
  fits "a quota" 0 "0 1"
  rm -f /etc/lxcfs/lxcfs.conf.d/60-cpu.conf /sys/fs/bpf/lxcfs-test
  lxcfsctl reload
else
  skip "needs bpftool, hwloc and numactl; have: $(command -v bpftool lstopo-no-graphics numactl | xargs)"
fi

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
