#!/bin/bash
# What the tools that people have say of a unit with 512 MiB of memory, no swap and one CPU, which is not CPU 0: a table. A row says
# what is right, or which system call the tool asks instead of a file; lxcfs.files(5) and README list these calls.
# shellcheck disable=SC2016,SC2046 # units expand their scripts; bind_unit's words are options
. ./lib.sh
. ./helpers.sh
needs_lxcfs
total=524288 # kB
host=$(awk '/^MemTotal:/ { print $2 }' /proc/meminfo)

# All tools run one after another in one unit, for a unit takes a second to start; each prints below a line of its own.
mkdir -p /run/tools
cat >/run/tools/run <<'E2'
# row NAME PROGRAM COMMAND: what the command prints, if the program is there.
row() {
  printf '\n== %s\n' "$1"
  command -v "$2" >/dev/null || { echo "none: $2"; return; }
  timeout -k 2 90 bash -c "$3" </dev/null 2>&1
}
# screen COMMAND: what a full-screen program shows within seconds.
screen() {
  timeout 8 script -q -c "stty cols 120 rows 40; $1" /dev/null </dev/null | sed 's/\x1b\[[0-9;?]*[a-zA-Z]//g; s/\x1b[^a-zA-Z]*[a-zA-Z]//g' | tr -d '\r'
}
# asks CALL COMMAND: what the command prints, and whether it makes that system call.
asks() {
  strace -f -qq -o /run/tools/calls -e trace="$1" bash -c "$2"
  grep -q "$1(" /run/tools/calls && echo "asked $1"
}
export -f screen asks
export TERM=xterm-256color LANG=C.UTF-8 COLUMNS=120 LINES=40 HOME=/run/tools
cd /run/tools || exit
[ -e /var/lib/pcp/pmns/root ] || (cd /var/lib/pcp/pmns && ./Rebuild -u) >/dev/null 2>&1 # by its service otherwise

row procps free 'free -k; vmstat -s; vmstat 1 2; top -b -n 1 | head -n 5; w | head -n 1; cat /proc/loadavg'
row coreutils nproc 'nproc; nproc --all'
row lscpu lscpu 'lscpu'
row lsmem lsmem 'lsmem --summary'
row sysstat sar 'sar -r 1 1 | tail -n 1; sar -u -P ALL 1 1 | grep "^Average.* [0-9]"; mpstat -P ALL 1 1 | grep "^Average"; iostat -d -p ALL 1 1 >/dev/null && echo iostat'
row psutil python3 'python3 -W error -c "
import os, psutil
v, s, t = psutil.virtual_memory(), psutil.swap_memory(), psutil.cpu_times_percent(1)
print(v.total >> 10, v.available <= v.total, v.used <= v.total, s.total, psutil.cpu_count(), len(psutil.cpu_times(percpu=True)))
print(99 < sum(t) < 101, min(t) >= 0, psutil.cpu_stats().ctx_switches > 0)
"'
row glances glances 'glances --stdout mem.total,core --stop-after 1'
row htop htop 'screen "htop -d 10"'
row btop btop 'screen "btop --utf-force"'
row atop atop 'atop 1 2'
row nmon nmon 'nmon -f -s 1 -c 1 -F n.csv; for i in $(seq 40); do sleep 1; grep -q "^BBBP.*MemTotal" n.csv && break; done; grep -E "^(AAA,cpus|BBBP.*MemTotal)" n.csv'
row collectl collectl 'collectl -s mC -c 1 -i 1 --verbose'
row collectd collectd 'printf "LoadPlugin memory\nLoadPlugin csv\nInterval 1\n<Plugin csv>\nDataDir \"/run/tools/cd\"\n</Plugin>\n" >cd.conf
  timeout 5 collectd -f -C cd.conf >/dev/null; tail -q -n 1 cd/*/memory/memory-* | awk -F, "{ sum += \$2 } END { print \"sum\", sum / 1024 }"'
row zabbix zabbix_agentd 'for k in vm.memory.size[available] vm.memory.size[pavailable] system.cpu.num[online]; do zabbix_agentd -t $k; done; asks sysinfo "zabbix_agentd -t vm.memory.size[total]"'
row munin munin-node 'export MUNIN_LIBDIR=/usr/share/munin; for p in memory cpu swap; do /usr/share/munin/plugins/$p config; /usr/share/munin/plugins/$p; done'
row dstat dstat 'dstat -m 1 1'
row numactl numactl 'numactl -H; numactl -s'
row hwloc lstopo-no-graphics 'lstopo-no-graphics --no-io --of console'
row inxi inxi 'inxi -m -C -c0'
row lshw lshw 'asks sysinfo "lshw -short -C memory"'
row node node 'node -e "const o = require(\"os\"); console.log(o.totalmem() / 1024, o.cpus().length, o.freemem() <= o.totalmem(), o.loadavg().length, o.availableParallelism())"'
row java java 'java -XshowSettings:system -version; java -XX:-UseContainerSupport -version'
row ruby ruby 'ruby -retc -e "p Etc.nprocessors"; asks sysinfo "ruby -retc -e \"p Etc.sysconf(Etc::SC_PHYS_PAGES) * 4\""'
row erlang erl 'erl -noshell -eval "io:format(\"~p ~p~n\", [erlang:system_info(logical_processors_online), erlang:system_info(schedulers_online)]), halt()."'
row nginx nginx 'printf "worker_processes auto; daemon off; error_log stderr notice; pid /run/tools/ng.pid; events {} http {}" >ng.conf; timeout 5 nginx -c /run/tools/ng.conf 2>&1 | grep -c "start worker process "'
row zstd zstd 'zstd -T0 -vv -c /etc/services 2>&1 >/dev/null | grep -aE "core|worker"'
row xz xz 'xz --info-memory | grep threads; asks sysinfo "xz --robot --info-memory | cut -f1"'
row stress-ng stress-ng 'stress-ng --cpu 0 --cpu-ops 1 -v'
row redis redis-server 'redis-server --port 0 --unixsocket /run/tools/r --daemonize yes >/dev/null; for i in $(seq 20); do sleep .5; [ -S r ] && break; done; redis-cli -s r info memory | grep total_system_memory:; redis-cli -s r shutdown nosave
  asks sysinfo "timeout 3 redis-server --port 0 >/dev/null"'
row python python3 'asks sysinfo "python3 -c \"import os; print(os.sysconf(\\\"SC_PHYS_PAGES\\\") * 4)\""; asks sched_getaffinity "python3 -c \"import os; print(len(os.sched_getaffinity(0)))\""'
row php php 'asks sysinfo "php -r \"print(count(sys_getloadavg()));\""'
row busybox busybox 'asks sysinfo "busybox free -k"'
E2
out=$(unit_run -p MemoryMax=512M -p MemorySwapMax=0 -p AllowedCPUs=1 -p RuntimeMaxSec=500 $(bind_unit) bash /run/tools/run)

# tool NAME [STORY]: $said becomes what the row printed; without the program the story is skipped.
tool() {
  story "${2:-$1}"
  said=$(awk -v name="== $1" '/^== / { on = $0 == name; next } on' <<<"$out" | sed '/^$/d')
  case $said in
    none:*) skip "needs ${said#none: }; have: none"; return 1 ;;
  esac
}
lines() { grep -cE -- "$1" <<<"$said"; } # REGEXP: how many lines are like that
says() { # WHAT REGEXP: a line is like that
  if grep -qaE -- "$2" <<<"$said"; then ok "$1"; else not_ok "$1" "want a line like '$2' in" "$said"; fi
}
asked() { says "$1 asks $2 instead of a file" "asked $2"; } # WHAT CALL

tool procps && {
  says "free" "Mem: +$total "
  says "vmstat -s" " $total K total memory"
  says "top" 'MiB Mem : +512\.0 total'
  says "loadavg has the reader running" '^[0-9.]+ [0-9.]+ [0-9.]+ [1-9][0-9]*/[0-9]+ [0-9]+$'
}
tool coreutils && is "nproc, and all that may ever be" "$said" "1
$(($(sed 's/.*-//' /sys/devices/system/cpu/possible) + 1))"
tool lscpu && { says "CPUs on line" '^On-line CPU\(s\) list: +1$'; says "and the rest off line" '^Off-line CPU\(s\) list: +0'; }
tool lsmem && says "memory" '^Total online memory: +512M$'
tool sysstat && {
  is "CPUs of sar and mpstat" "$(awk 'NR > 1 && $2 ~ /^[0-9]+$/ { print $2 }' <<<"$said" | sort -u)" 1
  says "iostat" '^iostat$'
  between "%commit of sar -r" "$(awk 'NR == 1 { printf "%d", $9 }' <<<"$said")" 0 200
}
tool psutil && is "its numbers" "$said" "$total True True 0 1 1
True True True"
tool glances && { says "memory" "^mem.total: $((total << 10))$"; says "CPUs" "'log': 1"; }
tool htop && {
  says "its bar of memory" 'Mem\[[^]]*/512M\]'
  says "its bar of swap" 'Swp\[[^]]*0K/0K\]'
}
tool btop && says "memory" 'Total: +512 MiB'
tool atop && { says "memory" '^MEM \| tot +512\.0M'; says "CPUs" '^CPL \|.*numcpu +1 '; }
tool nmon && { says "memory" '^BBBP.*MemTotal: +524288 kB'; says "CPUs" '^AAA,cpus,1$'; }
tool collectl && says "memory" '^ +(512M|524288K) '
tool collectd && between "its parts of the memory add up, kB" "$(awk '$1 == "sum" { printf "%d", $2 }' <<<"$said")" $((total * 9 / 10)) "$total"
tool zabbix && {
  says "CPUs" 'system.cpu.num\[online\] .*\|1\]'
  between "available memory, kB" "$(sed -n 's/.*size\[available\] .*|\([0-9]*\)\]/\1/p' <<<"$said" | awk '{ printf "%d", $1 / 1024 }')" 1 "$total"
  says "total memory is the host's" "size\[total\] .*\|$((host << 10))\]"
  asked "total memory" sysinfo
}
tool munin && { says "memory" "--upper-limit $((total << 10))\$"; is "complaints" "$(lines '[Ee]rror|cannot')" 0; }
tool dstat && between "its parts of the memory add up, MiB" "$(awk 'END { gsub(/[kM]/, "& "); for (i = 1; i <= NF; i++) sum += $i ~ /k/ ? $i / 1024 : $i; print sum }' <<<"$said")" 480 513
tool numactl && {
  says "its node" '^node 0 cpus: 1$'
  says "the node's memory" '^node 0 size: 512 MB$'
  says "what it may run on" '^physcpubind: 1 *$'
}
tool hwloc && { says "memory" '^Machine \(512MB'; is "CPUs" "$(grep -oE 'P#[0-9]+\)' <<<"$(grep -E 'PU L#' <<<"$said")")" "P#1)"; }
tool inxi && says "memory" '(available|RAM: total): 512 MiB'
tool lshw && asked "memory" sysinfo
tool node && is "its numbers" "$said" "$total 1 true 3 1"
tool java && {
  says "its CPUs" 'Effective CPU Count: 1'
  says "its memory" 'Memory Limit: 512.00M'
  is "complaints" "$(lines '[Ww]arning|[Ee]rror')" 0
}
tool ruby && { says "CPUs" '^1$'; says "memory is the host's" "^$host\$"; asked "memory" sysinfo; }
tool erlang && is "CPUs, schedulers" "$said" "1 1"
tool nginx && is "workers" "$said" 1
tool zstd && says "workers" '1 (worker threads|physical core)'
tool xz && { says "threads" 'threads: +1$'; says "memory is the host's" "^$((host << 10))\$"; asked "memory" sysinfo; }
tool stress-ng && says "CPUs on line, and configured, of which it takes all" '1 processor online, [0-9]+ processors configured'
tool redis && { says "memory is the host's" "^total_system_memory:$((host << 10))"; asked "memory" sysinfo; }
tool python && { says "SC_PHYS_PAGES is the host's" "^$host\$"; asked "memory" sysinfo; asked "CPUs" sched_getaffinity; }
tool php && asked "the load" sysinfo
tool busybox && { says "free: the total is the host's" "Mem: +$host "; asked "free" sysinfo; }

story "node_exporter"
if command -v prometheus-node-exporter >/dev/null; then
  out=$(unit_run -p MemoryMax=512M -p MemorySwapMax=0 -p AllowedCPUs=1 $(bind_unit) sh -c '
    prometheus-node-exporter --web.listen-address=127.0.0.1:19100 --path.procfs=/proc --path.sysfs=/sys --log.level=error &
    for i in $(seq 40); do sleep 1; busybox wget -q -O /run/metrics http://127.0.0.1:19100/metrics 2>/run/wget && break; done; kill $!')
  is "what it says" "$out" ""
  metric() { awk -v m="$1" 'index($0, m) == 1 { n++; v = $NF } END { printf "%d %.0f\n", n, v }' /run/metrics; }
  is "memory" "$(metric 'node_memory_MemTotal_bytes ')" "1 $((total << 10))"
  is "swap" "$(metric 'node_memory_SwapTotal_bytes ')" "1 0"
  # Before 1.6 it has zeros for a CPU that is off line and has a lower number.
  is "CPUs" "$(metric 'node_cpu_seconds_total{cpu="1",mode="idle"}' | cut -d' ' -f1) $(grep 'mode="idle"' /run/metrics | grep -vc ' 0$')" "1 1"
  between "seconds since the boot" "$(($(date +%s) - $(metric 'node_boot_time_seconds ' | cut -d' ' -f2)))" 0 100000
  collectors=(cpu meminfo stat loadavg diskstats vmstat)
  [ ! -e /proc/pressure/irq ] || collectors+=(pressure) # it fails where the kernel does not account interrupts
  for c in "${collectors[@]}"; do
    is "collector $c" "$(metric "node_scrape_collector_success{collector=\"$c\"}")" "1 1"
  done
else
  skip "needs prometheus-node-exporter; have: none"
fi

story "ages" # by a process that is as old as its container
out=$(unit_run -p MemoryMax=512M -p AllowedCPUs=1 $(bind_unit) sh -c 'sleep 2; uptime; ps -o etimes= -p $$; ps -e -o etimes=,pcpu= | awk "{ if (\$1 > 5 && \$2 > 250) bad = 1 } END { print bad ? \"bad\" : \"fine\" }"')
like "uptime" "$out" 'up 0 min|up 1 min|up  *0:0[01]'
version=$(ps --version | grep -o '[0-9][0-9.]*$')
if [ "$(printf '%s\n' 4.0.4 "$version" | sort -V | head -n 1)" = 4.0.4 ]; then is "ps" "$(grep -c '^fine$' <<<"$out")" 1
else skip "needs procps 4.0.4, older ones take ages from /proc/uptime; have: $version"; fi
stop_lxcfs
