#!/bin/bash
# A systemd unit is a container: it sees its own limits and usage.
# shellcheck disable=SC2016,SC2046 # units expand their scripts; bind_unit's words are options
. ./lib.sh
. ./helpers.sh
needs_lxcfs

story "a unit with MemoryMax= and AllowedCPUs= sees them"
out=$(unit_run -p MemoryMax=100M -p AllowedCPUs=1 $(bind_unit) sh -c "$numbers")
sees "unit" "$out" 102400 1
is "online" "$(value online "$out")" 1
is "nproc" "$(value nproc "$out")" 1

story "CPUQuota= does not take CPUs from a unit, whose processes may run on each"
out=$(unit_run -p CPUQuota=50% $(bind_unit) sh -c "$numbers")
is "processors" "$(value processors "$out")" "$(nproc --all)"
is "CPU lines" "$(value statcpus "$out")" "$(nproc --all)"

story "a unit without limits sees the machine's memory and CPUs, and an uptime of its own"
out=$(unit_run $(bind_unit) sh -c "$numbers")
is "memory" "$(value memory "$out")" "$(awk '/^MemTotal:/ {print $2}' /proc/meminfo)"
is "processors" "$(value processors "$out")" "$(nproc --all)"
between "uptime" "$(value uptime "$out")" 0 20

story "the limit of a slice holds for the units in it"
mkdir -p /run/systemd/system
printf '[Slice]\nMemoryMax=80M\n' >/run/systemd/system/narrow.slice
systemctl daemon-reload
out=$(unit_run -p Slice=narrow.slice -p MemoryMax=200M $(bind_unit) sh -c "$numbers")
is "memory" "$(value memory "$out")" 81920

story "limits that change under way are seen at once"
unit_start changing -p MemoryMax=100M $(bind_unit) sh -c \
  'cat /proc/meminfo >/run/before; touch /run/go; until [ -e /run/gone ]; do sleep .1; done; cat /proc/meminfo >/run/after; touch /run/done'
try 20 test -e /run/go
systemctl set-property --runtime changing.service MemoryMax=60M
touch /run/gone
try 20 test -e /run/done
is "before" "$(awk '/^MemTotal:/ {print $2}' /run/before)" 102400
is "after" "$(awk '/^MemTotal:/ {print $2}' /run/after)" 61440

story "memory that a unit uses is used in its meminfo, and not in its neighbour's"
eater='x=bytearray(b"x" * (40 << 20)); m={l.split(":")[0]: int(l.split()[1]) for l in open("/proc/meminfo")}; print(m["MemTotal"] - m["MemFree"])'
between "kB used by one that holds 40 MiB" "$(unit_run -p MemoryMax=100M $(bind_unit) python3 -c "$eater")" 40960 61440
between "kB used by one that holds none" "$(unit_run -p MemoryMax=100M $(bind_unit) python3 -c "${eater/40 << 20/1}")" 500 20480

story "CPU time of a unit is in its own stat only"
ticks='import time
def ticks(): return sum(int(x) for x in open("/proc/stat").readline().split()[1:4])
before = ticks(); t = time.time() + 3'
busy="$ticks
while time.time() < t: pass
print(ticks() - before)"
idle="$ticks; time.sleep(3); print(ticks() - before)"
unit_start neighbour $(bind_unit) sh -c "python3 -c '$idle' >/run/idle; touch /run/idle.done"
between "ticks of a busy one" "$(unit_run $(bind_unit) python3 -c "$busy")" 100 400
try 20 test -e /run/idle.done
between "ticks of an idle one" "$(cat /run/idle)" 0 50

story "a service with a view of its own, by its drop-in"
printf '[Service]\nType=oneshot\nMemoryMax=70M\nExecStart=/bin/cp /proc/meminfo /run/viewed.meminfo\n' >/run/systemd/system/viewed.service
check "installed" lxcfsctl unit viewed --install --runtime
systemctl daemon-reload
check "it runs" systemctl start viewed.service
is "memory" "$(awk '/^MemTotal:/ {print $2}' /run/viewed.meminfo)" 71680
check "removed" lxcfsctl unit viewed --remove --runtime
is "nothing is left" "$(ls -d /run/systemd/system/viewed.service.d 2>&1)" "ls: cannot access '/run/systemd/system/viewed.service.d': No such file or directory"

stop_lxcfs
