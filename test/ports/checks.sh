#!/bin/bash
# checks.sh: what is checked in each machine. $PAGES is the size of its pages in KiB.
. /lib.sh

served=/mnt/lxcfs
# box COMMAND...: runs it in a container: a cgroup with 64 MiB and the second CPU, namespaces of its own, lxcfs's files
# bound.
box() {
  bash -c 'echo $$ >/sys/fs/cgroup/box/cgroup.procs && exec unshare -m -p -f bash /box.sh "$@"' box "$@"
}
cat >/box.sh <<'B'
mount -t proc none /proc
for f in $(cd /mnt/lxcfs && find proc -type f); do mount -o bind "/mnt/lxcfs/$f" "/$f" || exit; done
for d in cpu node memory; do
  [ ! -d /mnt/lxcfs/sys/devices/system/$d ] || mount -o bind /mnt/lxcfs/sys/devices/system/$d /sys/devices/system/$d || exit
done
"$@"
B
worker() { cat /proc/[0-9]*/stat 2>/dev/null | awk -v k="$keeper" '$4 == k { print $1 }'; }
answers() { box cat /proc/uptime; }

story "the machine"
echo "# machine: Linux $(uname -r) on $(uname -m) $PAGES KiB"
is "size of a page, KiB" "$(awk '$1 == "KernelPageSize:" { print $2; exit }' /proc/self/smaps)" "$PAGES"
echo '+memory +cpuset +cpu +pids +io' >/sys/fs/cgroup/cgroup.subtree_control
mkdir /sys/fs/cgroup/box "$served"
echo 64M >/sys/fs/cgroup/box/memory.max
echo 1 >/sys/fs/cgroup/box/cpuset.cpus
check "it has a processor for the container" test "$(cat /sys/fs/cgroup/box/cpuset.cpus.effective)" = 1

story "lxcfs mounts by itself"
lxcfs "$served" >/run/classic.log 2>&1 &
classic=$!
eventually 60 "it is mounted" grep -q " $served " /proc/self/mountinfo
eventually 60 "a container reads" answers

story "a container's numbers"
is "MemTotal, kB" "$(box awk '$1 == "MemTotal:" { print $2 }' /proc/meminfo)" 65536
is "processors in stat" "$(box grep -c '^cpu[0-9]' /proc/stat)" 1
is "processors online" "$(box cat /sys/devices/system/cpu/online)" 1
is "processors offline" "$(box cat /sys/devices/system/cpu/offline)" 0
# What the emulator measures, or has more of in each version, is N.
is "the cpuinfo that was captured" "$(box cat /proc/cpuinfo |
  sed 's/^\(BogoMIPS\|bogomips\|bogomips per cpu\|cpu MHz\|features\|facilities\|flags\|bugs\|model name\)\([\t ]*\): .*/\1\2: N/')" "$(cat /cpuinfo)"

story "files are read in any size"
cat >/sizes.sh <<'B'
words() { sed 's/[0-9. ]//g' | sort -u; } # without what changes from one read to the next
n=0
for f in $(cd /mnt/lxcfs && find proc -type f) $(find sys/devices/system/cpu -maxdepth 1 -type f) $(find sys/devices/system/cpu/cpu1/topology -type f); do
  whole=$(words <"/$f") && n=$((n + 1))
  for size in 1 512 4096 65536 262144 1048576; do
    [ "$whole" = "$(dd "if=/$f" "bs=$size" 2>/dev/null | words)" ] || echo "$f in pieces of $size bytes"
  done
done
[ $n -gt 20 ] || echo "only $n files"
B
is "differences" "$(box bash /sizes.sh 2>&1)" ""

story "ways to read"
is "differences" "$(ways "$served"/proc/cpuinfo "$served"/proc/swaps "$served"/sys/devices/system/cpu/online)" ""

story "the process is executed anew, under readers"
# readers COUNT: so many processes read until /run/enough is there, and say how often that failed.
readers() {
  local i
  rm -f /run/enough /run/reader.*
  for i in $(seq "$1"); do
    box sh -c 'ok=0 bad=0
      while [ ! -e /run/enough ]; do
        if [ "$(sed -n "s/^MemTotal: *\([0-9]*\) kB/\1/p" /proc/meminfo)" = 65536 ]; then ok=$((ok + 1)); else bad=$((bad + 1)); fi
      done
      echo "$ok $bad" >/run/reader.'"$i" &
  done
}
enough() { # WHAT COUNT: ends them
  local i
  : >/run/enough
  for i in $(seq "$2"); do try 120 test -s "/run/reader.$i"; done
  is "$1: readers that read, and failures" "$(awk '$1 > 0 { n++ } { bad += $2 } END { print n, bad }' /run/reader.*)" "$2 0"
  echo "# $1: $(awk '{ n += $1 } END { print n }' /run/reader.*) reads"
}
readers 3
sleep 2
for _ in 1 2 3; do
  kill -USR1 $classic
  sleep 1
done
enough "three times" 3
kill -TERM $classic
wait $classic
is "exit status at a stop" $? 0
refuses "nothing is mounted" grep -q " $served " /proc/self/mountinfo

story "a keeper outlives its worker"
lxcfs --keeper "$served" >/run/keeper.log 2>&1 &
keeper=$!
eventually 60 "a container reads" answers
readers 3
for _ in 1 2 3 4 5; do
  old=$(worker)
  kill -KILL "$old"
  try 60 eval '[ -n "$(worker)" ] && [ "$(worker)" != "$old" ]' || not_ok "a worker follows" "$(cat /run/keeper.log)"
  sleep 1
done
enough "five times" 3
kill -TERM $keeper
wait $keeper
is "exit status at a stop" $? 0
refuses "nothing is mounted" grep -q " $served " /proc/self/mountinfo
is "what the kernel complains of" "$(dmesg | grep -E 'BUG|Oops|WARNING|Call Trace' | head -n 3)" ""
is "errors in the logs" "$(grep -hE 'level=ERROR|panic' /run/classic.log /run/keeper.log)" ""
