#!/bin/bash
# What people watch machines with agrees with a unit's limits: 200 MiB of memory, one CPU, no swap.
# shellcheck disable=SC2016,SC2046 # units expand their scripts; bind_unit's words are options
. ./lib.sh
. ./helpers.sh
needs_lxcfs
total=204800 # kB

# in_unit SCRIPT: runs it in a unit with the limits, and the served directories of sysfs too.
in_unit() { unit_run -p MemoryMax=200M -p MemorySwapMax=0 -p AllowedCPUs=0 $(bind_unit) sh -c "$1"; }
# lines REGEXP: how many lines of $out are like that.
lines() { grep -cE -- "$1" <<<"$out"; }
# has TOOL: or the rest of its story is skipped.
has() { command -v "$1" >/dev/null || { skip "needs $1; have: none"; false; }; }

story "node_exporter"
if has prometheus-node-exporter; then
  out=$(in_unit 'prometheus-node-exporter --web.listen-address=127.0.0.1:19100 --path.procfs=/proc --path.sysfs=/sys --log.level=error &
    for i in $(seq 40); do sleep 1; busybox wget -q -O /run/metrics http://127.0.0.1:19100/metrics 2>/run/wget && break; done; kill $!')
  is "what it says" "$out" ""
  metric() { awk -v m="$1" 'index($0, m) == 1 { n++; v = $NF } END { printf "%d %.0f\n", n, v }' /run/metrics; }
  is "memory" "$(metric 'node_memory_MemTotal_bytes ')" "1 $((total << 10))"
  is "swap" "$(metric 'node_memory_SwapTotal_bytes ')" "1 0"
  is "CPUs" "$(metric 'node_cpu_seconds_total{cpu="0",mode="idle"}' | cut -d' ' -f1) $(grep -c 'mode="idle"' /run/metrics)" "1 1"
  between "seconds since the boot" "$(($(date +%s) - $(metric 'node_boot_time_seconds ' | cut -d' ' -f2)))" 0 100000
  collectors=(cpu meminfo stat loadavg diskstats vmstat)
  [ ! -e /proc/pressure/irq ] || collectors+=(pressure) # it fails where the kernel does not account interrupts
  for c in "${collectors[@]}"; do
    is "collector $c" "$(metric "node_scrape_collector_success{collector=\"$c\"}")" "1 1"
  done
fi

story "psutil"
if has python3 && python3 -c 'import psutil' 2>/dev/null; then
  out=$(in_unit 'python3 -W error -c "
import psutil
v, s = psutil.virtual_memory(), psutil.swap_memory()
print(v.total >> 10, v.available <= v.total, v.used <= v.total, s.total, psutil.cpu_count(), len(psutil.cpu_times(percpu=True)))
t = psutil.cpu_times_percent(1)
print(99 < sum(t) < 101, min(t) >= 0, len(psutil.getloadavg()), len(psutil.disk_io_counters(perdisk=True)) < 3, psutil.cpu_stats().ctx_switches > 0)
"')
  is "its numbers" "$out" "$total True True 0 1 1
True True 3 True True"
else
  skip "needs python3-psutil; have: none"
fi

story "htop"
if has htop; then
  out=$(in_unit 'export TERM=xterm COLUMNS=120 LINES=40; timeout 6 script -q -c "stty cols 120 rows 40; htop -d 10" /dev/null </dev/null | sed "s/\x1b[^a-zA-Z]*[a-zA-Z]//g" | tr -d "\r"')
  like "its bar of memory" "$out" 'Mem\[[^]]*/200M\]'
  like "its bar of swap" "$out" 'Swp\[[^]]*0K/0K\]'
  like "one CPU, which it does not number" "$out" 'CPU\[[^]]*%\]'
fi

story "numactl and lscpu"
if has numactl; then
  out=$(in_unit 'numactl -H; lscpu -p=CPU,NODE | grep -v ^#')
  is "its node" "$(lines '^node 0 cpus: 0$')" 1
  like "the node's memory" "$out" 'node 0 size: 200 MB'
  is "lscpu's" "$(lines '^0,0$')" 1
fi

story "Node.js"
if has node; then
  out=$(in_unit 'node -e "const o = require(\"os\"); console.log(o.totalmem() / 1024, o.cpus().length, o.freemem() <= o.totalmem(), o.loadavg().length, o.availableParallelism())"')
  is "its numbers" "$out" "$total 1 true 3 1"
fi

story "a JVM"
if has java; then
  out=$(in_unit 'java -XshowSettings:system -version 2>&1; java -XX:-UseContainerSupport -version 2>&1')
  like "its CPUs" "$out" 'Effective CPU Count: 1'
  like "its memory" "$out" 'Memory Limit: 200.00M'
  is "complaints" "$(lines '[Ww]arning|[Ee]rror')" 0
fi

story "ps, uptime, mpstat, iostat" # busybox free asks sysinfo(2), which no file can change
out=$(in_unit 'sleep 2; uptime; mpstat -P ALL 1 1 | awk "/^Average/ && \$2 ~ /^[0-9]/" | wc -l; ps -o etimes= -p $$; ps -e -o etimes=,pcpu= | awk "{ if (\$1 > 5 && \$2 > 250) bad = 1 } END { print bad ? \"bad\" : \"fine\" }"; iostat -d -p ALL 1 1 >/dev/null && echo "iostat fine"')
like "uptime" "$out" 'up 0 min|up 1 min|up  *0:0[01]'
is "mpstat's CPUs" "$(lines '^1$')" 1
version=$(ps --version | grep -o '[0-9][0-9.]*$')
if [ "$(printf '%s\n' 4.0.4 "$version" | sort -V | head -n 1)" = 4.0.4 ]; then is "ps" "$(lines '^fine$')" 1
else skip "needs procps 4.0.4, older ones take ages from /proc/uptime; have: $version"; fi
is "iostat" "$(lines '^iostat fine$')" 1
stop_lxcfs
