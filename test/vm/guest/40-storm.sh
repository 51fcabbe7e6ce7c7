#!/bin/bash
# A reader never sees the daemon die: SIGKILL storms, restarts and a frozen daemon under readers in a unit, nspawn and LXC.
# shellcheck disable=SC2046 # options of the runtimes
. ./lib.sh
. ./helpers.sh
needs_lxcfs

# readers SECONDS: one in each kind of container, in the background; results in /run/read.NAME.
readers() {
  cp guest/reader.py /run/reader.py
  rm -f /run/read.* /run/err.* # of another test: StandardOutput=file: cuts nothing off
  unit_start reader -p MemoryMax=100M -p StandardOutput=file:/run/read.unit -p StandardError=file:/run/err.unit $(bind_unit) \
    python3 /run/reader.py "$1" 102400
  unit_start reader-ct -p StandardOutput=file:/run/read.nspawn -p StandardError=file:/run/err.nspawn systemd-nspawn -q -D "$ct" --volatile=overlay \
    --pipe --register=no --bind-ro=/run/reader.py $(bind_nspawn) --property=MemoryMax=150M python3 /run/reader.py "$1" 153600
  lxc_make reader "dir:$ct" 'lxc.init.cmd = /bin/sleep 1000' 'lxc.cgroup2.memory.max = 123M' 'lxc.mount.entry = /run/reader.py mnt/reader.py none bind,create=file 0 0'
  lxc-start -n reader
  unit_start reader-lxc -p StandardOutput=file:/run/read.lxc -p StandardError=file:/run/err.lxc lxc-attach -n reader -- python3 /mnt/reader.py "$1" 125952
}
# read_well: each reader has read, without an error.
read_well() {
  local name result
  for name in unit nspawn lxc; do
    try 40 test -s "/run/read.$name"
    result=$(cat "/run/read.$name")
    between "reads in $name" "${result%% *}" 20 1000000
    is "errors in $name" "$(cut -d' ' -f2 <<<"$result")$(head -n 3 "/run/err.$name")" 0
    echo "# $name: $result (reads, errors, worst in ms)"
  done
  lxc-stop -k -n reader
  rm -f /run/read.* /run/err.*
}

story "40 SIGKILLs in a few seconds"
mount_before=$(stat -c %d "$tree")
readers 12
sleep 3
killed=0
for _ in $(seq 40); do
  kill -9 "$(server)" && killed=$((killed + 1))
  sleep .15
done
between "kills that hit" "$killed" 35 40
read_well
is "the mount is the same" "$(stat -c %d "$tree")" "$mount_before"

story "restarts by the service manager"
readers 10
sleep 2
for _ in 1 2 3; do
  check "restart" systemctl restart lxcfs.service
  sleep .5
done
read_well
is "the mount is the same" "$(stat -c %d "$tree")" "$mount_before"

story "daemon-reexec of systemd, then a crash"
readers 8
sleep 2
systemctl daemon-reexec
kill -ABRT "$(server)"
read_well

stop_lxcfs
