#!/bin/bash
# Incus, whose unit requires lxcfs.service, with a session in an instance: nothing that happens to lxcfs stops or restarts it, from
# the installation in the place of the distribution's lxcfs to the way back. Runs on the image trixie-incus alone.
# takes up to 1500 s
# starts without the build: this file installs packages
. ./lib.sh
. ./helpers.sh
up='active active active mounted stored'
shopt -s nullglob
debs=(/host/debs/lxcfs_0.9.1-1*.deb /host/debs/lxcfs_0.9.2-1*.deb)
if [ ${#debs[@]} != 2 ] || [ ! -e /host/debs/distribution.deb ]; then
  story "the packages"
  skip "needs packages of this build; have: none"
  exit 0
fi
old=${debs[0]} new=${debs[1]}
put() { DEBIAN_FRONTEND=noninteractive dpkg "$@" </dev/null; }
# Units look as they would on a machine that is no container, if this is one (nsboot).
mkdir -p /run/systemd/system/lxcfs.service.d
printf '[Unit]\nConditionVirtualization=\n' >/run/systemd/system/lxcfs.service.d/machine.conf
systemctl daemon-reload

# instance_image FILE: a root of busybox whose init waits to be told to end.
instance_image() {
  local dir=/run/instance program
  mkdir -p $dir/rootfs/{bin,sbin,proc,sys,dev,etc,tmp,run,root}
  cp /bin/busybox $dir/rootfs/bin/
  for program in sh sleep cat grep head test; do ln -s busybox "$dir/rootfs/bin/$program"; done
  # shellcheck disable=SC2016 # its own
  printf '#!/bin/sh\ntrap "exit 0" TERM INT PWR\nwhile :; do sleep 1000 & wait $!; done\n' >$dir/rootfs/sbin/init
  chmod 755 $dir/rootfs/sbin/init
  printf 'architecture: x86_64\ncreation_date: 1700000000\nproperties:\n  description: busybox\n' >$dir/metadata.yaml
  tar -C $dir -cf "$1" metadata.yaml rootfs
}
prepare() {
  incus admin init --preseed <<'Y' && instance_image /run/image.tar && incus image import /run/image.tar --alias busybox
storage_pools: [{name: default, driver: dir}]
profiles: [{name: default, devices: {root: {type: disk, path: /, pool: default}}}]
Y
}
inside() { timeout 60 incus exec c1 -- "$@"; }
# session NAME: in the instance, reads until /stop is there; then it says how often, and how often in vain.
session() {
  rm -f "/run/session.$1"
  # shellcheck disable=SC2016 # the instance expands it
  systemd-run --quiet --collect --unit="session-$1" -p StandardOutput="file:/run/session.$1" -p StandardError="file:/run/session.$1.err" \
    -p StandardInput=null incus exec c1 -- sh -c 'n=0 e=0
      while ! test -e /stop; do if grep -q "^MemTotal:.* kB" /proc/meminfo; then n=$((n + 1)); else e=$((e + 1)); sleep .2; fi; done; echo $n $e'
  sleep 3
}
stop=/var/lib/incus/storage-pools/default/containers/c1/rootfs/stop
end_session() {
  : >"$stop"
  try 60 test -s "/run/session.$1"
  rm -f "$stop"
}
# nobody_noticed WHAT: reads are answered, and Incus is what it was.
nobody_noticed() {
  like "$1: a read" "$(total)" '^[0-9]+$'
  settles "$1: state" "$up"
  is "$1: Incus" "$(life incus.service)" "$incus"
  is "$1: jobs" "$(systemctl list-jobs --no-legend | grep -E 'lxcfs|incus')" ""
}
kill_server() {
  local pid
  pid=$(server)
  kill -KILL "$pid"
  try 20 another_server "$pid"
}
another_server() { local now; now=$(server) && [ -n "$now" ] && [ "$now" != "$1" ] && [ "$now" != "$(systemctl show -P MainPID lxcfs.service)" ]; }

story "Incus on the distribution's lxcfs"
check "start" systemctl start lxcfs.service incus.service
eventually 20 "it serves" mountpoint -q "$tree"
check "an image" prepare
check "an instance" incus launch busybox c1 -c security.privileged=true
eventually 60 "it runs" inside sh -c 'exit 0'
like "it reads" "$(inside grep lxcfs /proc/mounts)" ' /proc/meminfo fuse.lxcfs'
incus=$(life incus.service)
like "Incus runs" "$incus" 'incus.service active [1-9]'

story "this lxcfs takes its place"
session 1
check "dpkg -i" put -i "$old"
is "the version" "$(lxcfs --version)" 0.9.1
nobody_noticed "installation"
eventually 30 "the instance reads on" inside sh -c 'head -1 /proc/meminfo'
end_session 1
like "its session went on" "$(cat /run/session.1)" '^[1-9][0-9]* [0-9]+$'
echo "# session: $(cat /run/session.1)"

story "deaths, reload, re-execution, upgrade, downgrade, a restart that ignores dependencies"
session 2
unit_start reader -p StandardOutput=file:/run/read -p StandardError=file:/run/err -p BindReadOnlyPaths="$tree/proc/meminfo:/proc/meminfo" \
  python3 /run/test/guest/reader.py "$(have_controllers && echo 200 || echo 30)" "$(total)"
for i in 1 2 3 4; do
  check "another server after death $i" kill_server
  nobody_noticed "death $i"
done
for i in 1 2 3 4; do
  systemctl kill -s KILL lxcfs.service
  nobody_noticed "death $i of all its processes"
done
check "systemctl reload" systemctl reload lxcfs.service
nobody_noticed "reload"
check "lxcfsctl reexec" lxcfsctl reexec
nobody_noticed "re-execution"
for package in "$new 0.9.2" "$old 0.9.1"; do
  check "dpkg -i" put -i "${package% *}"
  is "the version" "$(lxcfs --version)" "${package#* }"
  eventually 30 "its processes run it" runs_installed
  nobody_noticed "${package#* }"
done
check "restart --job-mode=ignore-dependencies" systemctl restart --job-mode=ignore-dependencies lxcfs.service
nobody_noticed "restart --job-mode=ignore-dependencies"
end_session 2
like "the session noticed nothing" "$(cat /run/session.2 /run/session.2.err)" '^[1-9][0-9]* 0$'
echo "# session: $(cat /run/session.2)"
try 240 test -s /run/read
is "a reader's errors" "$(cut -d' ' -f2 /run/read)$(head -n 2 /run/err)" 0
echo "# reader: $(cat /run/read)"

story "a restart on request is one of Incus, which waits for its session; readers do not"
session 3
pid=$(server)
systemctl restart --no-block lxcfs.service
if try 20 is_stopping incus.service; then # it may be quick
  for i in 1 2 3; do like "read $i meanwhile" "$(total)" '^[0-9]+$'; done
  is "by the same server" "$(server)" "$pid"
fi
end_session 3
eventually 120 "another server" another_server "$pid"
settles "state" "$up"
eventually 120 "Incus runs again" systemctl is-active incus.service
like "the instance reads on" "$(inside head -n 1 /proc/meminfo)" '^MemTotal:'
echo "# session: $(cat /run/session.3 /run/session.3.err)"

story "the distribution's lxcfs takes the place again"
incus=$(life incus.service)
check "dpkg -i" put --force-confmiss -i /host/debs/distribution.deb
systemctl start lxcfs.service
eventually 20 "it serves" mountpoint -q "$tree"
is "Incus" "$(life incus.service)" "$incus"
timeout 60 incus delete --force c1
