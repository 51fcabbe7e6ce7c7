#!/bin/bash
# The cgroup tree on cgroup v2 with limits: a container without a cgroup namespace limits what is below its own cgroup, and not
# itself; an LXC container gets the tree by its hook.
. ./lib.sh
. ./helpers.sh
needs_lxcfs
tree=/var/lib/lxcfs.cgroup
u=$tree/cgroup/unified
real=/sys/fs/cgroup

story "the unit"
check "start" systemctl start lxcfs-cgroup.service
eventually 20 "it serves" mountpoint -q $tree

story "a container by hand, its supervisor beside it"
b=system.slice/box.service/payload
cat >/run/box.sh <<'E2'
cd /sys/fs/cgroup/system.slice/box.service || exit 1
mkdir supervisor payload
echo 0 >supervisor/cgroup.procs
echo "+memory +pids +cpu" >cgroup.subtree_control
exec unshare --pid --fork --mount sh -c 'echo 0 >payload/cgroup.procs && mount -t proc proc /proc && exec sleep 1000'
E2
unit_start box -p Delegate=yes -p KillSignal=SIGKILL -p MemoryMax=200M sh /run/box.sh
box_init() { pid=$(pgrep -P "$(systemctl show -P MainPID box)" sleep); }
eventually 20 "it runs" box_init
box_init
# in_box LEAF COMMAND...: in the container's namespaces and that cgroup below its own.
in_box() { sh -c 'echo $$ >"$1/cgroup.procs" && shift && exec "$@"' sh "$real/$b/$1" nsenter -t "$pid" -p -m -- sh -c "${*:2}" 2>&1; }
is "what it may divide" "$(in_box . "cat $u/$b/cgroup.controllers")" "$(cat "$real/$b/cgroup.controllers")"
check "a leaf for its processes" in_box . "mkdir $u/$b/init && echo 1 >$u/$b/init/cgroup.procs && echo 0 >$u/$b/init/cgroup.procs"
is "its init is there" "$(grep ^0: "/proc/$pid/cgroup")" "0::/$b/init"
check "memory and processes are divided" in_box init "echo '+memory +pids' >$u/$b/cgroup.subtree_control"
is "as on the host" "$(cat "$real/$b/cgroup.subtree_control")" "memory pids"
check "a job" in_box init "mkdir $u/$b/job"
check "a limit of memory" in_box init "echo 20M >$u/$b/job/memory.max && echo 0 >$u/$b/job/memory.swap.max"
is "on the host" "$(cat "$real/$b/job/memory.max")" 20971520
is "in the container" "$(in_box init "cat $u/$b/job/memory.max")" 20971520
check "a limit of processes" in_box init "echo 3 >$u/$b/job/pids.max"
refuses "nonsense" in_box init "echo nonsense >$u/$b/job/memory.max"
refuses "its own limit of memory" in_box init "echo max >$u/$b/memory.max"
refuses "its own limit of processes" in_box init "echo max >$u/$b/pids.max"
refuses "its unit's" in_box init "echo max >$u/${b%/*}/memory.max"
refuses "to divide its unit" in_box init "echo -memory >$u/${b%/*}/cgroup.subtree_control"

story "a user who may divide a cgroup is given the new controllers' files, and nothing else of root's cgroup in it"
check "root's child" in_box init "mkdir $u/$b/deleg $u/$b/deleg/roots && echo '+memory +pids' >$u/$b/deleg/cgroup.subtree_control && echo 30M >$u/$b/deleg/roots/memory.max"
check "the user's cgroup" in_box init "echo '-pids' >$u/$b/deleg/cgroup.subtree_control && chown 1234 $u/$b/deleg $u/$b/deleg/cgroup.procs $u/$b/deleg/cgroup.subtree_control"
as_user() { in_box init "setpriv --reuid 1234 --regid 1234 --clear-groups sh -c '$*'"; }
check "the user enables a controller" as_user "echo +pids >$u/$b/deleg/cgroup.subtree_control"
owners() { stat -c '%n %u' "$real/$b/deleg/roots/"* | sed 's|.*/||'; }
is "what became the user's" "$(owners | grep -v ' 0$' | grep -v '^pids\.')" ""
like "the new files did" "$(owners)" 'pids.max 1234'
refuses "the limit of root's" as_user "echo max >$u/$b/deleg/roots/memory.max"
is "it holds" "$(cat "$real/$b/deleg/roots/memory.max")" 31457280
refuses "to kill root's" as_user "echo 1 >$u/$b/deleg/roots/cgroup.kill"
check "a cgroup of the user's own" as_user "mkdir $u/$b/deleg/users && echo 2 >$u/$b/deleg/users/pids.max"
is "is the user's whole" "$(stat -c %u:%a "$real/$b/deleg/users" "$real/$b/deleg/users/cgroup.procs" "$real/$b/deleg/users/pids.max" | paste -s -d ' ')" "1234:755 1234:644 1234:644"
check "gone again" in_box init "rmdir $u/$b/deleg/users $u/$b/deleg/roots $u/$b/deleg"

story "the limits hold"
refuses "more memory than the job may have" in_box init "echo 0 >$u/$b/job/cgroup.procs && python3 -c 'len(bytearray(60 << 20))'"
between "the job was killed for it" "$(awk '/^oom_kill / { print $2 }' "$real/$b/job/memory.events")" 1 9
refuses "more processes than it may have" in_box init "echo 0 >$u/$b/job/cgroup.procs && for i in 1 2 3 4 5; do sleep 1 & done; wait"
between "the kernel counted that" "$(awk '/^max / { print $2 }' "$real/$b/job/pids.events")" 1 99
check "all of the job is killed" in_box init "echo 1 >$u/$b/job/cgroup.kill"
eventually 10 "and gone" in_box init "rmdir $u/$b/job"

story "the cgroups that a container makes are bounded"
before=$(cat "$real/system.slice/lxcfs-cgroup.service/memory.current")
cat >/run/many.py <<'E2'
import os, sys
n = 0
try:
    while n < 3000:
        os.mkdir(f"{sys.argv[1]}/many.{n}")
        n += 1
except OSError as e:
    print(n, e.strerror)
E2
said=$(in_box init "python3 /run/many.py $u/$b")
made=${said%% *}
echo "# $made cgroups, and lxcfs-cgroup.service has $((($(cat "$real/system.slice/lxcfs-cgroup.service/memory.current") - before) / (made + 1))) bytes more for each"
between "how many" "$made" 2000 2047
is "how many there are" "$(awk '/^nr_descendants / { print $2 }' "$real/system.slice/box.service/cgroup.stat")" 2048
like "what mkdir says" "$said" 'temporarily unavailable'
check "one is removed" in_box init "rmdir $u/$b/many.0"
check "and another one made" in_box init "mkdir $u/$b/another"
find "$real/$b" -depth -name 'many.*' -exec rmdir {} +
systemctl stop box

story "LXC without a cgroup namespace"
lxc_make plain "dir:$ct" 'lxc.init.cmd = /bin/sleep 1000' 'lxc.namespace.keep = cgroup user' 'lxc.mount.auto =' 'lxc.mount.auto = proc:mixed sys:mixed' \
  'lxc.cgroup2.memory.max = 123M'
check "starts" lxc-start -n plain -l INFO -o /run/lxc.log
in_lxc() { lxc-attach -n plain -- sh -c "$*" 2>&1; }
c=/sys/fs/cgroup
is "the top is its own" "$(in_lxc "ls $c")" lxc.payload.plain
is "its limit" "$(in_lxc "cat $c/lxc.payload.plain/memory.max")" 128974848
refuses "to raise it" in_lxc "echo max >$c/lxc.payload.plain/memory.max"
check "a cgroup of its own" in_lxc "mkdir $c/lxc.payload.plain/sub && echo 1 >$c/lxc.payload.plain/sub/cgroup.procs"
is "its init is there" "$(grep ^0: "/proc/$(lxc-info -n plain -p -H)/cgroup")" 0::/lxc.payload.plain/sub
sees "its numbers" "$(lxc-attach -n plain -- sh -c "$numbers")" 125952 "$(nproc --all)"
lxc-stop -k -n plain

systemctl stop lxcfs-cgroup.service
stop_lxcfs
