# shellcheck shell=bash
# helpers.sh: what the test files of guest/ and system/ share. Source lib.sh first.

tree=/var/lib/lxcfs
# shellcheck disable=SC2034 # for the files that source this
ct=/var/lib/machines/ct # the container root in each image: systemd, procps, python3, busybox

# ---- units ----

# unit_run [-p PROPERTY...] COMMAND...: runs a command as a unit of its own and prints its output.
unit_run() { systemd-run --quiet --wait --pipe --collect "$@" 2>&1; }

# unit_start NAME [-p PROPERTY...] COMMAND...: starts a unit that goes on.
unit_start() {
  local name=$1
  shift
  systemd-run --quiet --collect --unit="$name" "$@"
}

# have_controllers: limits work here (a VM or a machine of its own, not nsboot).
have_controllers() { grep -qw memory /sys/fs/cgroup/cgroup.controllers; }

# ---- lxcfs ----

# start_lxcfs: by its unit, or where the build brings none, in a unit made here.
start_lxcfs() {
  if systemctl cat lxcfs.service >/dev/null 2>&1; then
    systemctl start lxcfs.service
  else
    mkdir -p "$tree"
    unit_start lxcfs.service -p Restart=always -p RestartSec=0 -p StartLimitIntervalSec=0 -p KillMode=mixed lxcfs --keeper "$tree"
  fi && try 20 grep -q MemTotal "$tree/proc/meminfo"
}
stop_lxcfs() {
  systemctl stop lxcfs.service var-lib-lxcfs.mount 2>/dev/null
  umount -l "$tree" 2>/dev/null
  true
}

# server: the PID of the process that serves.
server() {
  local main child
  main=$(systemctl show -P MainPID lxcfs.service)
  child=$(pgrep -o -P "$main") # a keeper's worker
  echo "${child:-$main}"
}

# same_program PID: it runs the program that is installed now. runs_installed: the daemon's processes do.
same_program() { [ "$(stat -L -c %i "/proc/$1/exe")" = "$(stat -c %i "$(command -v lxcfs)")" ]; }
runs_installed() { same_program "$(systemctl show -P MainPID lxcfs.service)" && same_program "$(server)"; }

# needs_lxcfs: starts it, or ends the file.
needs_lxcfs() {
  story "lxcfs starts"
  if ! command -v lxcfs >/dev/null; then skip "needs a build of lxcfs; have: none"; exit 0; fi
  check "it serves" start_lxcfs
  mountpoint -q "$tree" || { systemctl status lxcfs.service --no-pager | sed 's/^/# /'; exit 0; }
}

# follower NAME [LINE...]: a unit with LINEs in its [Unit] section whose stop takes until /run/NAME.release is there.
follower() {
  local name=$1
  shift
  {
    printf '[Unit]\n'
    printf '%s\n' "$@"
    printf '[Service]\nExecStart=/bin/sleep infinity\nExecStop=/bin/sh -c "until test -e /run/%s.release; do sleep .1; done"\n' "$name"
    printf 'TimeoutStopSec=120\nKillMode=process\n'
  } >"/run/systemd/system/$name.service"
}
# life UNIT: what a stop or a restart would change.
life() { echo "$1" "$(systemctl show -P ActiveState "$1")" "$(systemctl show -P MainPID "$1")" "$(systemctl show -P InvocationID "$1")"; }
is_stopping() { [ "$(systemctl show -P ActiveState "$1")" = deactivating ]; }

# needs_units: needs_lxcfs for what only the units bring.
needs_units() {
  if ! systemctl cat lxcfs.service var-lib-lxcfs.mount lxcfs.socket >/dev/null 2>&1; then
    story "the units"
    skip "needs the units of lxcfs; have: none"
    exit 0
  fi
}

# state: what each unit is, whether the tree is mounted, and how many descriptors are stored, in one line.
state() {
  local u
  for u in lxcfs.service var-lib-lxcfs.mount lxcfs.socket; do printf '%s ' "$(systemctl is-active "$u")"; done
  if mountpoint -q "$tree"; then printf 'mounted '; else printf 'unmounted '; fi
  if [ "$(systemctl show -P NFileDescriptorStore lxcfs.service)" -gt 0 ]; then echo stored; else echo 'nothing stored'; fi
}
is_state() { [ "$(state)" = "$1" ]; }
# settles WHAT STATE: the state is that one within ten seconds.
settles() { try 10 is_state "$2"; is "$1" "$(state)" "$2"; }

systemd_version() { systemctl --version | sed -n '1s/systemd \([0-9]*\).*/\1/p'; }

superblock() { stat -c %d "$tree"; }
total() { timeout 10 awk '/^MemTotal:/ { print $2 }' "${1:-$tree}/proc/meminfo"; }

# ---- containers ----

# bind_unit: the options of systemd-run that give a unit the served files: those of the drop-in that is installed.
bind_unit() { sed -n 's/^BindReadOnlyPaths=/-pBindReadOnlyPaths=/p' /usr/share/lxcfs/lxcfs-view.conf; }

# bind_nspawn: the same for systemd-nspawn.
bind_nspawn() { lxcfsctl nspawn --arguments; }

# confined: AppArmor decides what containers may do; test/run has a machine for that. denied: what it refused so far.
confined() { [ -n "${LXCFS_TEST_APPARMOR:-}" ]; }
denied() { journalctl -q -k -o cat --grep 'apparmor="DENIED"'; }

# lxc_make NAME ROOTFS [LINE...]: an LXC container with LINEs in its configuration. The hook that common.conf includes binds the files.
lxc_make() {
  local name=$1 rootfs=$2
  shift 2
  mkdir -p "/var/lib/lxc/$name"
  {
    echo "lxc.include = /usr/share/lxc/config/common.conf"
    echo "lxc.uts.name = $name"
    echo "lxc.rootfs.path = $rootfs"
    echo "lxc.net.0.type = empty"
    echo "lxc.apparmor.profile = $(if confined; then echo generated; else echo unconfined; fi)"
    printf '%s\n' "$@"
  } >"/var/lib/lxc/$name/config"
}

# busybox_root DIR: a small root for OCI images: busybox, and what numbers needs besides.
busybox_root() {
  local root=$1 program
  mkdir -p "$root"/{bin,usr/bin,proc,sys,dev,etc,tmp}
  for program in $(busybox --list); do ln -s busybox "$root/bin/$program"; done
  cp --remove-destination /bin/busybox "$root/bin/"
  cp -a --parents /usr/share/terminfo/d/dumb /lib/terminfo/d/dumb "$root/" 2>/dev/null # for top
  for program in free uptime nproc top; do
    rm -f "$root/bin/$program"
    # shellcheck disable=SC2046 # the paths of libraries
    cp -L --parents "/usr/bin/$program" $(ldd "/usr/bin/$program" | grep -o '/[^ ]*') "$root/"
  done
}

# user COMMAND...: as the user of rootless containers, whose manager and session bus user_starts starts.
user() {
  (cd /home/roller && exec setpriv --reuid roller --regid roller --init-groups env HOME=/home/roller USER=roller LOGNAME=roller \
    XDG_RUNTIME_DIR="/run/user/$(id -u roller)" DBUS_SESSION_BUS_ADDRESS="unix:path=/run/user/$(id -u roller)/bus" "$@")
}
user_starts() {
  id roller >/dev/null 2>&1 || useradd -m roller
  printf '[Socket]\nListenStream=%%t/bus\n' >/etc/systemd/user/dbus.socket
  printf '[Unit]\nRequires=dbus.socket\n[Service]\nExecStart=/usr/bin/dbus-daemon --session --address=systemd: --nofork --nopidfile --systemd-activation\n' \
    >/etc/systemd/user/dbus.service
  systemctl start "user@$(id -u roller).service"
  user systemctl --user start dbus.socket dbus.service
}
# user_ends ends all that runs as that user.
user_ends() { systemctl stop "user@$(id -u roller).service"; }

# numbers: a script that prints what a container sees, one NAME=VALUE a line.
# shellcheck disable=SC2016,SC2034 # the container expands it; used by those who source this
numbers='
echo "memory=$(awk "/^MemTotal:/ {print \$2}" /proc/meminfo)"
echo "available=$(awk "/^MemAvailable:/ {print \$2}" /proc/meminfo)"
echo "swap=$(awk "/^SwapTotal:/ {print \$2}" /proc/meminfo)"
echo "free=$(/usr/bin/free -k | awk "/^Mem:/ {print \$2, \$3, \$4}")"
echo "processors=$(grep -c ^processor /proc/cpuinfo)"
echo "statcpus=$(grep -c "^cpu[0-9]" /proc/stat)"
echo "online=$(cat /sys/devices/system/cpu/online)"
echo "nproc=$(nproc)"
echo "uptime=$(cut -d. -f1 /proc/uptime)"
echo "load=$(cat /proc/loadavg)"
echo "user=$(awk "/^cpu / {print \$2 + \$3 + \$4}" /proc/stat)"
uptime >/dev/null && echo "uptime(1)=ok"
echo "top=$(TERM=dumb /usr/bin/top -b -n 1 -w 200 | sed -n "s/^MiB Mem *: *\([0-9.]*\) total.*/\1/p")"
echo "disks=$(cd /sys/block && echo *)"
echo "diskstats=$(awk "{ print \$3 }" /proc/diskstats | sort | paste -s -d " ")"
echo "pressure=$(grep -c "^[a-z]* avg10=" /proc/pressure/memory) $(grep -c " /proc/pressure/memory .*fuse.lxcfs" /proc/self/mountinfo)"
'

# in_machine LEADER COMMAND: as machinectl shell does: in the cgroup and the namespaces of a machine's first process.
in_machine() {
  # shellcheck disable=SC2016 # the inner shell's
  sh -c 'echo 0 >"/sys/fs/cgroup$(sed -n s/^0:://p "/proc/$1/cgroup")/cgroup.procs" && exec nsenter -t "$1" -m -p sh -c "$2"' sh "$1" "$2" 2>&1
}

# value NAME TEXT: that line of what numbers printed.
value() { sed -n "s/^$1=//p" <<<"$2" | tr -d '\r'; }

# sees WHAT TEXT MEMORY-KB CPUS [PRESSURE [NPROC]]: checks what numbers printed in a container that is younger than two minutes.
# PRESSURE is 0 where its runtime refuses to mount over it. NPROC differs where a quota limits: nproc asks sched_getaffinity(2).
sees() {
  if [ -z "$(value memory "$2")" ]; then
    not_ok "$1: the numbers" "$2"
    return
  fi
  is "$1: MemTotal" "$(value memory "$2")" "$3"
  between "$1: MemAvailable" "$(value available "$2")" 1 "$3"
  is "$1: free's total" "$(value free "$2" | cut -d' ' -f1)" "$3"
  is "$1: processors in cpuinfo" "$(value processors "$2")" "$4"
  is "$1: CPU lines in stat" "$(value statcpus "$2")" "$4"
  between "$1: uptime" "$(value uptime "$2")" 0 120
  like "$1: loadavg" "$(value load "$2")" '^[0-9.]+ [0-9.]+ [0-9.]+ [0-9]+/[0-9]+ [0-9]+$'
  is "$1: uptime(1) runs" "$(value 'uptime(1)' "$2")" ok
  is "$1: nproc" "$(value nproc "$2")" "${6:-$4}"
  is "$1: top's total" "$(value top "$2")" "$(awk -v kb="$3" 'BEGIN { printf "%.1f", kb / 1024 }')"
  is "$1: its disks" "$(value disks "$2")" "$(value diskstats "$2")"
  is "$1: its own pressure" "$(value pressure "$2")" "2 ${5:-1}"
}
