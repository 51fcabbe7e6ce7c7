#!/bin/bash
# Containers of LXC, podman and rootless podman and a unit of nobody's attack; a unit and an LXC container with 256 MiB each, which
# read by a new process each time, are never shown the host's numbers or a stranger's, and never fail. How long that takes is printed,
# not judged.
# takes up to 900 s under emulation
# shellcheck disable=SC2046 # bind_unit's words are options
. ./lib.sh
. ./helpers.sh
needs_lxcfs
check "the attacker is there" command -v hostile
files='/proc/meminfo /proc/stat /proc/cpuinfo /proc/uptime /proc/loadavg /proc/swaps'
mine='lxc.mount.entry = /usr/local/bin/hostile mnt/hostile none bind,create=file 0 0'

# small_root DIR: a root for containers with the attacker in it.
small_root() {
  busybox_root "$1"
  cp /usr/local/bin/hostile "$1/bin/"
}
# victims WHAT COUNT: both read at the same time.
victims() {
  local kind out
  unit_run -p MemoryMax=256M $(bind_unit) hostile sample "$2" /proc/meminfo >/run/victim.unit &
  local unit=$!
  lxc-attach -n victim -- /mnt/hostile sample "$2" /proc/meminfo >/run/victim.lxc 2>&1
  wait $unit
  for kind in unit lxc; do
    out=$(cat /run/victim.$kind)
    is "$1, $kind: what is read" "$(tail -n +2 <<<"$out" | tr -s ' ')" "$2 times MemTotal: 262144 kB"
    like "$1, $kind: failures" "$out" ", 0 of $2 failed"
    echo "# $1, $kind: $(head -n 1 <<<"$out")"
  done
}
restarts() { systemctl show -P NRestarts lxcfs.service; }
rss() { awk -v f="$1:" '$1 == f { print $2 }' "/proc/$(server)/status"; }
descriptors() { find "/proc/$(server)/fd" -mindepth 1 | wc -l; }
# unharmed: it is the same process as at first, and small.
unharmed() {
  is "the server is the same" "$(server)" "$served"
  is "restarts" "$(restarts)" "$restarted"
  between "the most memory it had, kB" "$(rss VmHWM)" 1 131072
  echo "# RSS $(rss VmRSS) kB, at most $(rss VmHWM) kB, $(descriptors) descriptors"
}
# flood NAME COMMAND...: in the background, until calm.
flood() {
  local name=$1
  shift
  "$@" >"/run/flood.$name" 2>&1 &
  try 60 grep -q flooding "/run/flood.$name" || not_ok "$name floods" "$(cat "/run/flood.$name")"
}
calm() {
  local f
  pkill -TERM -f 'hostile (flood|ioctl)'
  try 20 eval '! pgrep -f "hostile (flood|ioctl)"'
  for f in /run/flood.*; do
    echo "# ${f#*.}: $(tail -n 1 "$f")"
    rm -f "$f"
  done
}
floods() {
  # shellcheck disable=SC2086 # words
  {
    flood lxc lxc-attach -n evil -- /mnt/hostile flood 300 $files
    flood long lxc-attach -n evil -- /mnt/hostile ioctl 300 $files
    flood unprivileged lxc-attach -n user -- /bin/hostile flood 300 $files
    if [ -n "$podman" ]; then
      flood podman podman exec evil hostile flood 300 $files
      flood rootless user podman exec evil hostile flood 300 $files
    fi
  }
}

story "quiet"
small_root /run/small
lxc_make victim "dir:$ct" 'lxc.init.cmd = /bin/sleep 1000' 'lxc.cgroup2.memory.max = 256M' "$mine"
mkdir -p /run/upper.evil
lxc_make evil overlay:/:/run/upper.evil 'lxc.init.cmd = /bin/sleep 1000' 'lxc.cgroup2.memory.max = 400M' "$mine"
cp -a /run/small /run/small.user && chown -hR 100000:100000 /run/small.user
lxc_make user dir:/run/small.user 'lxc.init.cmd = /bin/sleep 1000' 'lxc.cgroup2.memory.max = 201M' \
  'lxc.include = /usr/share/lxc/config/userns.conf' 'lxc.idmap = u 0 100000 65536' 'lxc.idmap = g 0 100000 65536'
for name in victim evil user; do check "$name starts" lxc-start -n $name -l INFO -o /run/lxc.log; done
podman=''
if command -v podman >/dev/null; then
  podman=1
  tar -C /run/small -c . | podman import - evil >/dev/null 2>&1
  check "podman's starts" podman --cgroup-manager systemd --hooks-dir /usr/share/containers/oci/hooks.d run -d --name evil --network none -m 202m evil sleep 1000
  check "a user's manager and bus" user_starts
  tar -C /run/small -cf /run/small.tar . && chmod 644 /run/small.tar
  check "a user's image" user podman import /run/small.tar evil
  # shellcheck disable=SC2086 # words
  check "the user's podman starts" user podman --cgroup-manager systemd run -d --name evil --network none -m 203m \
    $(printf -- "-v $tree%s:%s:ro\n" $(printf '%s\n' $files | sed 'p')) evil sleep 1000
fi
victims quiet 20
victims quiet 20
served=$(server) restarted=$(restarts)
unharmed

story "a thousand threads flood"
floods
victims flooded 20
calm
unharmed

story "killed ten times under that"
floods
for _ in $(seq 10); do
  kill -9 "$(server)"
  sleep .4
done &
victims killed 30
wait $!
calm
try 10 grep -q MemTotal $tree/proc/meminfo
isnt "it was killed" "$(server)" "$served"
served=$(server)
unharmed

# Of a unit of nobody's with a cgroup 300 deep, nested user and pid namespaces, and another one.
story "deep cgroups and strange names"
cat >/run/deep.sh <<'E2'
# deep.sh LEVEL: a pid namespace in a pid namespace, and each time a cgroup below; the innermost one floods.
level=$1 own=/sys/fs/cgroup$(sed -n s/^0:://p /proc/self/cgroup)
if [ "$level" = 6 ]; then
  cd "$own" && python3 -c 'import os
for i in range(300): os.mkdir("d"); os.chdir("d")
open("cgroup.procs", "w").write(str(os.getppid()))' || exit
fi
cat /var/lib/lxcfs/proc/meminfo >/dev/null
[ "$level" = 0 ] || { unshare -U -r -p -f sh "$0" $((level - 1)) & }
exec hostile flood 20 /var/lib/lxcfs/proc/meminfo /var/lib/lxcfs/proc/stat /var/lib/lxcfs/proc/loadavg
E2
unit_start deep -p KillSignal=SIGKILL -p Delegate=yes -p User=nobody -p MemoryMax=300M -p StandardOutput=file:/run/flood.deep -p StandardError=file:/run/deep.err sh /run/deep.sh 6
innermost() { [ "$(grep -c flooding /run/flood.deep)" = 7 ]; }
eventually 60 "all seven flood" innermost
head -n 3 /run/deep.err | sed 's/^/# /'
cat >/run/names.py <<'E2'
import ctypes, os, sys
own = b"/sys/fs/cgroup" + open("/proc/self/cgroup", "rb").read().split(b"::")[1].strip()
os.chdir(own)
names = [b"libpod-" + b"a" * 64 + b"\xff.scope", b"lxc.payload.\x1b[31mred\x07", b"docker-\xc0\x80\t x\r.scope", b"lxc.payload.a\\x0ab", b"-" * 255, b"\xed\xa0\x80", b"machine-\"'.scope"]
try:
    os.mkdir(b"a\nlxc")
    names.append(b"a\nlxc")
except OSError as e:
    print("newline:", e)
for name in names:
    if not os.path.isdir(name):
        os.mkdir(name)
    if os.fork() == 0:
        ctypes.CDLL(None).unshare(0x30000000) # CLONE_NEWUSER, CLONE_NEWPID
        open(name + b"/cgroup.procs", "w").write("0")
        if os.fork() == 0:
            while True:
                open("/var/lib/lxcfs/proc/meminfo").read()
                ctypes.CDLL(None).sleep(1)
        os.wait()
sys.stdout.flush()
print("named", len(names), flush=True)
os.wait()
E2
unit_start names -p KillSignal=SIGKILL -p Delegate=yes -p User=nobody -p MemoryMax=100M -p StandardOutput=file:/run/names.out -p StandardError=file:/run/names.out python3 /run/names.py
eventually 20 "names" grep -q named /run/names.out
sed 's/^/# /' /run/names.out
victims deep 15
# plain COMMAND...: it works, and prints nothing that a terminal obeys, and only UTF-8.
plain() {
  local out
  check "$*" eval "$* >/run/printed"
  out=$(iconv -f UTF-8 -t UTF-8 /run/printed 2>&1 | tr -d '\n' | LC_ALL=C tr -dc '\001-\010\013-\037\177' | od -An -c)
  is "$*: what a terminal obeys" "$out" ""
  check "$*: UTF-8" iconv -f UTF-8 -t UTF-8 -o /dev/null /run/printed
}
plain lxcfsctl containers
grep names.service /run/printed | cut -c-150 | sed 's/^/# /'
plain lxcfsctl status
plain lxcfsctl metrics
for pid in $(pgrep -f names.py | tail -n 2); do plain lxcfsctl explain "$pid"; done
check "ListContainers" busctl call org.linuxcontainers.lxcfs1 /org/linuxcontainers/lxcfs1 org.linuxcontainers.lxcfs1.Manager ListContainers
calm
systemctl stop deep names
unharmed

story "3000 bind mounts, 100 pid namespaces, and readers that enter them"
cat >/run/enter.py <<'E2'
import ctypes, os, sys, time
libc, NEWPID = ctypes.CDLL(None, use_errno=True), 0x20000000
os.makedirs("/tmp/b", exist_ok=True)
libc.unshare(0x20000) # CLONE_NEWNS
libc.mount(None, b"/", None, 0x44000, None) # MS_REC, MS_PRIVATE: in a peer group each mount would be many
libc.mount(b"t", b"/tmp/b", b"tmpfs", 0, None)
for i in range(100): os.mkdir(f"/tmp/b/{i}")
mounts = sum(libc.mount(b"/tmp/b/0", b"/tmp/b/%d" % (i % 100), None, 4096, None) == 0 for i in range(3000)) # MS_BIND
fds, inits = [], []
for _ in range(100):
    r, w = os.pipe()
    if (pid := os.fork()) == 0:
        libc.unshare(NEWPID)
        child = os.fork()
        if child == 0:
            time.sleep(1000)
        os.write(w, str(child).encode())
        time.sleep(1000)
    child = int(os.read(r, 20)); os.close(r); os.close(w)
    inits.append(child)
    fds.append(os.open(f"/proc/{child}/ns/pid", os.O_RDONLY))
print(mounts, "mounts", len(fds), "namespaces; flooding", flush=True)
end = time.time() + 40
for k in range(16):
    if os.fork() == 0:
        n = 0
        while time.time() < end:
            n += 1
            if (pid := os.fork()) == 0:
                if libc.setns(fds[(n * 16 + k) % len(fds)], NEWPID): os._exit(1)
                if (pid := os.fork()) == 0:
                    for _ in range(3): open("/proc/meminfo").read()
                    os._exit(0)
                os.waitpid(pid, 0)
                os._exit(0)
            os.waitpid(pid, 0)
        os._exit(0)
time.sleep(1000)
E2
flood enter lxc-attach -n evil -- python3 -c "$(cat /run/enter.py)"
echo "# $(cat /run/flood.enter)"
victims entered 15
plain lxcfsctl status
lxc-stop -k -n evil
rm -f /run/flood.enter
unharmed

story "churn: what belonged to the dead is gone"
check "evil starts again" lxc-start -n evil -l INFO -o /run/lxc.log
sleep 10
before=$(descriptors) held=$(rss VmRSS)
churn='import ctypes, os
for i in range(400):
    if os.fork() == 0:
        ctypes.CDLL(None).unshare(0x20000000)
        if os.fork() == 0:
            f = open("/proc/meminfo"); f.read(10); g = open("/proc/stat"); g.read(10); open("/proc/loadavg").read()
            os._exit(0)
        os.wait(); os._exit(0)
    os.wait()
print("churned")'
like "400 pid namespaces" "$(lxc-attach -n evil -- python3 -c "$churn" 2>&1)" churned
for _ in $(seq 12); do unit_run -p MemoryMax=50M $(bind_unit) cat /proc/meminfo /proc/loadavg >/dev/null; done
[ -z "$podman" ] || podman --cgroup-manager systemd --hooks-dir /usr/share/containers/oci/hooks.d run --rm --network none -m 77m evil cat /proc/meminfo >/dev/null 2>&1
at=$(descriptors)
sleep 12
between "descriptors (before: $before, at the end: $at)" "$(descriptors)" 1 $((before + 16))
echo "# RSS before $held kB, after $(rss VmRSS) kB"
unharmed
lxc-stop -k -n victim

story "the cgroup tree: threads that read lists of processes"
check "start" systemctl start lxcfs-cgroup.service
eventually 20 "it serves" mountpoint -q /var/lib/lxcfs.cgroup
lxc-stop -k -n evil
c=/sys/fs/cgroup
for name in victim evil; do
  cat >>/var/lib/lxc/$name/config <<'E2'
lxc.namespace.keep = cgroup user
lxc.mount.auto =
lxc.mount.auto = proc:mixed sys:mixed
E2
  check "$name starts" lxc-start -n $name -l INFO -o /run/lxc.log
done
tree_pid=$(systemctl show -P MainPID lxcfs-cgroup.service)
tree_victim() {
  local out
  out=$(lxc-attach -n victim -- /mnt/hostile sample "$2" $c/lxc.payload.victim/memory.max 2>&1)
  is "$1: its own limit" "$(tail -n +2 <<<"$out")" "$2 times 268435456"
  like "$1: failures" "$out" ", 0 of $2 failed"
  echo "# tree, $1: $(head -n 1 <<<"$out")"
}
tree_victim quiet 20
check "a name of bytes" lxc-attach -n evil -- sh -c "mkdir $c/lxc.payload.evil/\$(printf 'x\\033[31m\\377')"
refuses "a name with a newline" lxc-attach -n evil -- python3 -c "import os; os.mkdir('$c/lxc.payload.evil/a\\nb')"
lxc-attach -n evil -- python3 -c 'import os, time
for i in range(800):
    if os.fork() == 0: time.sleep(300); os._exit(0)
time.sleep(300)' &
try 20 eval "[ \"\$(wc -l </sys/fs/cgroup/lxc.payload.evil/cgroup.procs)\" -ge 800 ]"
flood tree lxc-attach -n evil -- /mnt/hostile flood 200 $c/lxc.payload.evil/cgroup.procs $c/lxc.payload.evil/cgroup.threads $c/lxc.payload.evil/memory.stat
tree_victim flooded 20
victims "beside it" 10
calm
is "the tree's daemon is the same" "$(systemctl show -P MainPID lxcfs-cgroup.service)" "$tree_pid"
is "restarts of it" "$(systemctl show -P NRestarts lxcfs-cgroup.service)" 0
between "its memory, kB" "$(awk '/^VmHWM:/ { print $2 }' "/proc/$tree_pid/status")" 1 131072
unharmed

story "nothing stays"
for name in victim evil user; do lxc-stop -k -n $name; done
if [ -n "$podman" ]; then
  podman rm -f -t 0 evil >/dev/null
  user podman rm -f -t 0 evil >/dev/null
  user_ends
fi
systemctl stop lxcfs-cgroup.service
stop_lxcfs
is "mounts of lxcfs" "$(grep -c fuse.lxcfs /proc/self/mountinfo)" 0
