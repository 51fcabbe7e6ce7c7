#!/bin/bash
# Two units side by side: what one does shows in its own numbers and not in the other's. Bounds are wide: the machine may be slow.
# shellcheck disable=SC2016,SC2046 # units expand their scripts; bind_unit's words are options
. ./lib.sh
. ./helpers.sh
needs_lxcfs

# side_by_side NAME COMMAND [PROPERTY...]: runs the command in unit one, with the properties, while two sleeps; then the sampler
# that is in $sample prints in both: /run/one and /run/two.
side_by_side() {
  local command=$1 script
  shift
  rm -f /run/one /run/two /run/one.done /run/two.done
  script='exec >/run/$0.tmp; '"$sample"'; mv /run/$0.tmp /run/$0; touch /run/$0.done'
  unit_start one -p IOAccounting=yes "$@" $(bind_unit) sh -c "work() { $command; }; $script" one
  unit_start two -p IOAccounting=yes "$@" $(bind_unit) sh -c "work() { sleep 1; }; $script" two
  try 90 test -e /run/one.done -a -e /run/two.done
}
# got NAME UNIT: a line of what the sampler printed.
got() { sed -n "s/^$1=//p" "/run/$2"; }

story "a loop on one CPU is one CPU's worth in top, there only"
sample='work & sleep 1; top -b -n 2 -d 4 | awk "/^%Cpu/ { gsub(/,/, \" \"); for (i = 2; i <= NF; i++) if (\$i == \"id\") idle = \$(i - 1) } END { print \"idle=\" idle }"'
side_by_side 'timeout 8 sh -c "while :; do :; done"'
between "idle of two CPUs with one busy" "$(got idle one)" 20 85
between "idle in the other unit" "$(got idle two)" 76 100

story "and in mpstat"
sample='work & sleep 1; mpstat -P ALL 4 1 | awk "/^Average/ && \$2 ~ /^[0-9]+\$/ { busy += 100 - \$NF; cpus++ } END { print \"busy=\" busy; print \"cpus=\" cpus }"'
side_by_side 'timeout 8 sh -c "while :; do :; done"'
between "busy per cent of all CPUs" "$(got busy one)" 30 160
between "in the other unit" "$(got busy two)" 0 60
is "CPUs" "$(got cpus two)" "$(nproc --all)"

story "and in the counters of /proc/stat, in seconds"
sample='burned() { awk "/^cpu / { print (\$2 + \$3 + \$4) / 100 }" /proc/stat; }; a=$(burned); work; b=$(burned); echo "burned=$(awk "BEGIN { print $b - $a }")"; echo "cpus=$(grep -c ^cpu[0-9] /proc/stat)"'
side_by_side 'timeout 5 sh -c "while :; do :; done"'
between "burned by the loop of 5 s" "$(got burned one)" 2 7
between "burned by the sleeper" "$(got burned two)" 0 2
is "CPU lines" "$(got cpus one)" "$(nproc --all)"

story "the load of a young unit begins at 0 and grows"
# 4 loops for 40 s are at most 4 x (1 - exp(-40 / 60)), and over 15 minutes nearly nothing; 4.00 4.00 4.00 was seen.
sample='for i in 1 2 3 4; do work & done; sleep 30; read -r one five fifteen rest </proc/loadavg; read -r up idle </proc/uptime; echo "one=$one"; echo "fifteen=$fifteen"; echo "up=$up"; wait'
side_by_side 'timeout 40 sh -c "while :; do :; done"'
most=$(awk -v up="$(got up one)" 'BEGIN { print 7 * (1 - exp(-up / 60)) }')
between "load of 1 minute, of 4 loops and the shells" "$(got one one)" 0.3 "$most"
between "load of 15 minutes" "$(got fifteen one)" 0 0.7
between "load of the sleeper" "$(got one two)" 0 1

story "in a time namespace ps and uptime are of its clock"
out=$(unit_run $(bind_unit) unshare --time --boottime 864000 --fork sh -c 'date +%s; LC_ALL=C date -d "$(ps -o lstart= -p $$$$)" +%s; ps -o etimes= -p $$$$; cut -d. -f1 /proc/uptime')
# shellcheck disable=SC2086 # the lines
set -- $out
between "seconds between now and ps's start of a new process" "$((${1:-0} - ${2:-0}))" -2 120
between "age of it by ps" "${3:-}" 0 120
between "uptime, with ten days" "${4:-}" 864000 "$((864000 + $(cut -d. -f1 /proc/uptime)))"

story "what one writes is in its diskstats, vmstat, iostat and pressure only"
sample='work; iostat -d -k -p ALL | awk "/^nvme0n1/ { print \"iostat=\" \$7 / 1024 }"; iostat -d -k | awk "/^nvme0n1/ { print \"plain=\" \$7 / 1024 }"; awk "/^some/ { sub(/.*total=/, \"\"); print \"stalled=\" \$0 }" /proc/pressure/io; awk "/nvme0n1 / { w = \$10 } END { print \"written=\" w / 2048 }" /proc/diskstats; awk "/^pgpgout/ { print \"out=\" \$2 / 1024 }" /proc/vmstat; echo "disks=$(wc -l </proc/diskstats)"'
side_by_side 'dd if=/dev/zero of=/var/tmp/one.$$ bs=1M count=40 oflag=direct status=none; rm -f /var/tmp/one.$$'
between "MiB written by dd, in diskstats" "$(got written one)" 40 60
between "in vmstat" "$(got out one)" 40 60
between "in iostat -p ALL, which reads diskstats" "$(got iostat one)" 40 60
between "in iostat, which reads /sys/block" "$(got plain one)" 40 60
between "µs stalled" "$(got stalled one)" 1000 100000000
between "MiB written by the sleeper" "$(got written two)" 0 10
between "in its iostat -p ALL" "0$(got iostat two)" 0 10
between "in its iostat" "0$(got plain two)" 0 10
between "µs it stalled" "$(got stalled two)" 0 "$(got stalled one)"
between "disks, no partitions" "$(got disks two)" 1 2

story "who lacks memory has pressure, the other has none"
cat >/run/eater.py <<'EATER'
import time
pages = bytearray(60 << 20)
end = time.time() + 6
while time.time() < end:
    for i in range(0, len(pages), 4096):
        pages[i] = pages[i] + 1 & 255
        if i % (1 << 20) == 0 and time.time() > end:
            break
EATER
sample='work; sleep 3; awk "/^some/ { sub(/.*total=/, \"\"); print \"stalled=\" \$0 }" /proc/pressure/memory'
side_by_side 'timeout 30 python3 /run/eater.py' -p MemoryHigh=30M -p MemorySwapMax=0
between "µs stalled" "$(got stalled one)" 20000 100000000
between "µs stalled in the other unit" "$(got stalled two)" 0 20000

story "the first report of vmstat is of the unit's life, not of the machine's"
out=$(unit_run -p MemoryMax=100M $(bind_unit) vmstat)
# shellcheck disable=SC2086 # the columns
set -- $(tail -n 1 <<<"$out")
between "blocks in per second" "${9:-}" 0 200000
between "interrupts per second" "${11:-}" 0 1000000
between "idle" "${15:-}" 0 100

story "vmstat and the nodes say in pages what meminfo says, the blocks of memory as much, and sar makes sense of both"
out=$(unit_run -p MemoryMax=512M -p AllowedCPUs=1 $(bind_unit) sh -c '
  cat /proc/meminfo /proc/vmstat >/dev/null # what reading them needs is there now
  awk "/^MemFree|^AnonPages|^Shmem:|^CommitLimit|^Committed_AS/ { sub(/:/, \"\", \$1); print \$1 \"=\" \$2 }" /proc/meminfo
  awk -v kB=$(($(getconf PAGESIZE) / 1024)) "/^nr_free_pages |^nr_anon_pages / { print \$1 \"=\" \$2 * kB } /^pgfree |^pgalloc_/ { machine += \$2 } END { print \"machine=\" machine }" /proc/vmstat
  cat /sys/devices/system/node/node*/meminfo | awk "/MemTotal/ { total += \$4 } /MemFree/ { free += \$4 } END { print \"nodes=\" total; print \"nodesfree=\" free }"
  echo "commit=$(LC_ALL=C sar -r 1 1 | awk "/^Average/ { print \$9 }")"
  echo "lsmem=$(lsmem -b -o SIZE -n --summary=never | awk "{ n += \$1 } END { print n / 1048576 }")"
  echo "block=$((0x$(cat /sys/devices/system/memory/block_size_bytes) / 1048576))"')
free=$(value MemFree "$out")
between "kB free in vmstat" "$(value nr_free_pages "$out")" $((free - 16384)) $((free + 16384))
between "kB of AnonPages" "$(value nr_anon_pages "$out")" 0 $(($(value AnonPages "$out") + 16384))
is "what no cgroup counts" "$(value machine "$out")" 0
between "CommitLimit, kB" "$(value CommitLimit "$out")" 1 $((524288 * 2 + $(awk '/^SwapTotal/ { print $2 }' /proc/meminfo)))
between "Committed_AS, kB" "$(value Committed_AS "$out")" 1 131072
between "%commit of sar" "$(value commit "$out")" 0 25
if [ -d /sys/devices/system/node ]; then
  is "kB of all nodes" "$(value nodes "$out")" 524288
  between "kB free on them" "$(value nodesfree "$out")" $((free - 16384)) $((free + 16384))
fi
if [ -d /sys/devices/system/memory ]; then
  block=$(value block "$out")
  is "MiB in lsmem: whole blocks of $block MiB" "$(value lsmem "$out")" $(((512 + block - 1) / block * block))
fi

stop_lxcfs
