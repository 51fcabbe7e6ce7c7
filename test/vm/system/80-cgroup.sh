#!/bin/bash
# The cgroup tree by lxcfs-cgroup.service: what a container without a cgroup namespace sees and may do, by hand and with a systemd
# inside. There are no limits here.
. ./lib.sh
. ./helpers.sh
needs_units
tree=/var/lib/lxcfs.cgroup
unit=lxcfs-cgroup.service
cg=$tree/cgroup
u=$cg/unified
real=/sys/fs/cgroup
v1=/run/cgroup-v1/systemd
tree_answers() { timeout 5 ls "$u" >/dev/null; }

# name=systemd, for the systemd inside: before the daemon starts, which looks once.
mkdir -p "$v1"
mount -t cgroup -o none,name=systemd cgroup "$v1" 2>/dev/null

story "the unit"
is "off by default" "$(systemctl is-active $unit)" inactive
check "start" systemctl start $unit
eventually 20 "it serves" mountpoint -q $tree
is "its rights" "$(awk '/^CapEff/ { print $2 }' "/proc/$(systemctl show -P MainPID $unit)/status")" 000000000080000b
check "restart" systemctl restart $unit
eventually 20 "it answers" tree_answers

story "a container by hand"
b=system.slice/box.service
unit_start box -p Delegate=yes -p KillSignal=SIGKILL unshare --pid --fork --mount --mount-proc sleep 1000
box_init() { pid=$(pgrep -P "$(systemctl show -P MainPID box)" sleep); }
eventually 20 "it runs" box_init
box_init
# in_box COMMAND...: in the container's namespaces and cgroup.
in_box() { sh -c 'echo $$ >"$1" && shift && exec "$@"' sh "$real/$b/cgroup.procs" nsenter -t "$pid" -p -m -- sh -c "$*" 2>&1; }
victim=$(pgrep -o systemd-journal)
is "the top" "$(in_box "ls $u")" system.slice
is "the way" "$(in_box "ls $u/system.slice")" box.service
like "its processes" "$(in_box "tr '\n' ' ' <$u/$b/cgroup.procs")" ^1\ [0-9\ ]*$
refuses "the init's" in_box "ls $u/init.scope"
refuses "of all" in_box "cat $u/cgroup.procs"
refuses "beside" in_box "cat $u/$b/../dbus.service/cgroup.procs"
refuses "a cgroup beside" in_box "mkdir $u/system.slice/x"
refuses "a cgroup above" in_box "mkdir $u/x"
check "a cgroup of its own" in_box "mkdir $u/$b/sub"
check "its depth" in_box "echo 5 >$u/$b/sub/cgroup.max.depth"
is "the same on the host" "$(cat "$real/$b/sub/cgroup.max.depth")" 5
refuses "the container's own" in_box "echo 5 >$u/$b/cgroup.max.depth"
refuses "to rename" in_box "mv $u/$b/sub $u/$b/bus"
refuses "a process of the host" in_box "echo $victim >$u/$b/sub/cgroup.procs"
check "to move the init" in_box "echo 1 >$u/$b/sub/cgroup.procs"
is "where it is" "$(grep ^0: "/proc/$pid/cgroup")" "0::/$b/sub"
systemctl kill -s KILL $unit
eventually 20 "after the daemon's death" tree_answers
like "still all of its own" "$(in_box "ls $u/$b")" cgroup.procs.*sub
check "and back" in_box "echo 1 >$u/$b/cgroup.procs"
check "to remove it" in_box "rmdir $u/$b/sub"
refuses "to remove its own" in_box "rmdir $u/$b"

systemctl stop box

story "a user namespace"
# shellcheck disable=SC2016 # the unit expands it
unit_start userbox -p Delegate=yes -p KillSignal=SIGKILL sh -c 'c=$(sed -n s/^0:://p /proc/self/cgroup)
  chown 100000:100000 /sys/fs/cgroup$c /sys/fs/cgroup$c/cgroup.procs /sys/fs/cgroup$c/cgroup.threads /sys/fs/cgroup$c/cgroup.subtree_control
  exec unshare --pid --fork --mount --mount-proc --user --map-users=100000,0,65536 --map-groups=100000,0,65536 --setuid 0 --setgid 0 sleep 1000'
b=system.slice/userbox.service
user_init() { pid=$(pgrep -P "$(systemctl show -P MainPID userbox)" sleep); }
eventually 20 "it runs" user_init
user_init
in_user() { sh -c 'echo $$ >"$1" && shift && exec "$@"' sh "$real/$b/cgroup.procs" nsenter -t "$pid" -p -m -U -S 0 -G 0 -- sh -c "$*" 2>&1; }
is "owners" "$(in_user "stat -c %u $u $u/$b $u/$b/cgroup.procs $u/$b/cgroup.max.depth" | tr '\n' ' ')" "65534 0 0 65534 "
check "a cgroup" in_user "mkdir $u/$b/sub"
is "its owners on the host" "$(stat -c %u "$real/$b/sub" "$real/$b/sub/cgroup.max.depth" | sort -u)" 100000
check "to write there" in_user "echo 5 >$u/$b/sub/cgroup.max.depth"
check "to move its init" in_user "echo 1 >$u/$b/sub/cgroup.procs"
refuses "what is root's" in_user "echo 5 >$u/$b/cgroup.max.depth"
refuses "to own what is root's" in_user "chown 0 $u/$b/cgroup.max.depth"
systemctl stop userbox

story "a systemd inside, on the v1 hierarchy name=systemd"
if mountpoint -q "$v1"; then
  s=$cg/systemd
  n=lxcfs-test-inner-$RANDOM # in nsboot, the hierarchy is the machine's
  cat >/run/inner <<'E2'
mount -t overlay o -o "lowerdir=$1,upperdir=/run/inner.d/upper,workdir=/run/inner.d/work" /run/inner.d/root || exit 1
cd /run/inner.d/root || exit 1
mount -t proc proc proc && mount -t tmpfs run run && mount -t tmpfs dev dev && mount --rbind /sys sys || exit 1
umount -R -l sys/fs/cgroup
mount -t tmpfs cgroup sys/fs/cgroup && mkdir sys/fs/cgroup/systemd && mount --bind "$2" sys/fs/cgroup/systemd || exit 1
cp -a /dev/null /dev/zero /dev/full /dev/random /dev/urandom /dev/tty dev/
: >dev/console
for u in console-getty.service systemd-modules-load.service; do ln -s /dev/null "etc/systemd/system/$u"; done
mkdir run/old && pivot_root . run/old && cd / && umount -l run/old || exit 1
exec env -i container=test /lib/systemd/systemd SYSTEMD_CGROUP_ENABLE_LEGACY_FORCE=1 systemd.unified_cgroup_hierarchy=0 \
  systemd.legacy_systemd_cgroup_controller=1 systemd.unit=multi-user.target
E2
  mkdir -p /run/inner.d
  mount -t tmpfs inner /run/inner.d
  mkdir -p /run/inner.d/{upper,work,root} "$v1/$n"
  unit_start inner -p Delegate=yes -p KillSignal=SIGKILL sh -c "echo 0 >$v1/$n/cgroup.procs && exec unshare --pid --fork --mount --uts --ipc --propagation private sh /run/inner $ct $s"
  inner_init() { pid=$(pgrep -P "$(systemctl show -P MainPID inner)"); }
  eventually 30 "it starts" inner_init
  inner_init
  in_inner() { sh -c 'echo $$ >"$1" && shift && exec "$@"' sh "$v1/$n/cgroup.procs" nsenter -t "$pid" -p -m -- "$@" 2>&1; }
  eventually 90 "it is up" in_inner systemctl is-active multi-user.target
  is "its init" "$(sed -n 's/.*name=systemd://p' "/proc/$pid/cgroup")" "/$n/init.scope"
  check "a unit" in_inner systemd-run --unit=work sleep 1000
  is "its cgroup" "$(sed -n 's/.*name=systemd://p' "/proc/$(cat $v1/$n/system.slice/work.service/cgroup.procs)/cgroup")" "/$n/system.slice/work.service"
  like "as the systemd inside sees it" "$(in_inner systemctl status work --no-pager -n0)" 'sleep 1000'
  systemctl kill -s KILL $unit
  check "stop of the unit, with the daemon just killed" in_inner systemctl stop work
  eventually 10 "its cgroup is gone" test ! -e $v1/$n/system.slice/work.service
  systemctl stop inner
else
  skip "needs cgroup v1 in the kernel; have: none"
fi

story "stop"
check "stop" systemctl stop $unit
eventually 20 "unmounted" sh -c "! mountpoint -q $tree"
[ -z "${n:-}" ] || find "$v1/$n" -depth -type d -exec rmdir {} + 2>/dev/null
umount "$v1" 2>/dev/null
