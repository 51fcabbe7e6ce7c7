#!/bin/bash
# OCI containers, whose CPUs are counted by quota: podman by its hook, docker by volumes.
# shellcheck disable=SC2046 # options of the runtimes
. ./lib.sh
. ./helpers.sh
needs_lxcfs

# image COMMAND...: imports a small root by that command line program.
image() {
  local root=/run/oci-root
  [ -d $root ] || busybox_root $root
  tar -C $root -c . | "$@" import - ct >/dev/null 2>/run/import.log
  check "the image" "$@" image inspect ct
}
# oci PRESSURE COMMAND... run OPTION...: a container sees its limits.
oci() {
  local pressure=$1
  shift
  sees "limits" "$("$@" --rm --network none -m 120m --cpus 1 ct sh -c "$numbers" 2>&1)" 122880 1 "$pressure" "$(nproc)"
}
# survives COMMAND... run OPTION...: one that reads all the time does not notice that the daemon dies, restarts and executes anew.
# shellcheck disable=SC2016 # the container expands it
survives() {
  local result
  unit_start oci-reader -p StandardOutput=file:/run/read.oci -p StandardError=file:/run/err.oci "$@" --rm --network none -m 120m --cpus 1 ct sh -c '
    reads=0 errors=0 end=$(($(date +%s) + 15))
    while [ $reads -lt 21 ] || [ "$(date +%s)" -lt $end ]; do
      read -r _ total _ </proc/meminfo && read -r _ _ </proc/uptime && read -r cpu _ </proc/stat
      [ "$total $cpu" = "122880 cpu" ] || errors=$((errors + 1))
      reads=$((reads + 3))
    done
    echo $reads $errors'
  try 30 eval 'lxcfsctl containers | grep -qE "(podman|docker|libpod)"'
  for _ in 1 2 3 4 5; do
    kill -9 "$(server)"
    sleep .3
  done
  check "restart" systemctl restart lxcfs.service
  check "a new execution" systemctl kill -s USR1 --kill-whom=main lxcfs.service
  try 60 test -s /run/read.oci
  result=$(cat /run/read.oci)
  between "reads" "${result% *}" 20 1000000
  is "errors" "${result#* }$(head -n 3 /run/err.oci)" 0
  try 20 eval '! systemctl -q is-active oci-reader'
  rm -f /run/read.oci /run/err.oci
}

story "podman, by the hook"
if command -v podman >/dev/null; then
  podman=(podman --cgroup-manager systemd --hooks-dir /usr/share/containers/oci/hooks.d)
  image podman
  oci 1 "${podman[@]}" run
  is "by runc, which refuses some files as mounts, with a cpuset" "$("${podman[@]}" --runtime runc run --rm --network none -m 110m --cpuset-cpus 1 ct sh -c \
    'grep -c "^processor" /proc/cpuinfo; awk "/^MemTotal:/ {print \$2}" /proc/meminfo; grep -c " /proc/pressure/memory .*fuse.lxcfs" /proc/self/mountinfo' 2>&1 | tr '\n' ' ')" '1 112640 1 '
  survives "${podman[@]}" run
  is "a container that wants none" "$("${podman[@]}" run --rm --network none --annotation org.linuxcontainers.lxcfs=off ct grep -c fuse.lxcfs /proc/self/mountinfo 2>&1)" 0
else
  skip "needs podman; have: none"
fi

story "rootless podman"
if command -v podman >/dev/null; then
  check "the user's manager and bus" user_starts
  [ -d /run/oci-root ] || busybox_root /run/oci-root
  tar -C /run/oci-root -cf /run/oci.tar . && chmod 644 /run/oci.tar
  check "the image" user podman import /run/oci.tar ct
  rootless=(user podman --cgroup-manager systemd --hooks-dir /usr/share/containers/oci/hooks.d run --network none -m 120m)
  # A hook of a user's has no right to mount: the files are volumes.
  for file in proc/meminfo proc/cpuinfo proc/stat proc/uptime sys/devices/system/cpu; do rootless+=(-v "$tree/$file:/$file:ro"); done
  look='grep -c "^processor" /proc/cpuinfo; awk "/^MemTotal:/ {print \$2}" /proc/meminfo; cat /sys/devices/system/cpu/online'
  is "its limits" "$("${rootless[@]}" --rm --cpus 1 ct sh -c "$look" 2>&1 | paste -s -d ' ')" '1 122880 0'
  is "without a quota" "$("${rootless[@]}" --rm ct sh -c "$look" 2>&1 | paste -s -d ' ')" "$(nproc) 122880 0-$(($(nproc) - 1))"
  is "on the host's pid namespace" "$("${rootless[@]}" --rm --pid host --cpus 1 ct sh -c "$look" 2>&1 | paste -s -d ' ')" '1 122880 0'
  check "one that stays" "${rootless[@]}" -d --name stays --cpus 1 ct sh -c 'cat /proc/meminfo; exec sleep 1000'
  is "its limits by exec" "$(user podman exec stays sh -c "$look" 2>&1 | paste -s -d ' ')" '1 122880 0'
  id=$(user podman inspect -f '{{.Id}}' stays)
  like "its name is a claim" "$(lxcfsctl containers)" "podman/${id:0:12} \(claimed\) +- +application"
  refuses "which names nothing" lxcfsctl show /proc/meminfo --container "podman/$id"
  refuses "nor does the id" lxcfsctl attach "$id"
  is "and counts for no runtime" "$(busctl call org.linuxcontainers.lxcfs1 /org/linuxcontainers/lxcfs1 org.linuxcontainers.lxcfs1.Manager ListContainers | grep -c '"podman" "application"')" 0
  user podman rm -f -t 0 stays >/dev/null
  user_ends
else
  skip "needs podman; have: none"
fi

story "docker"
if command -v dockerd >/dev/null; then
  systemctl unmask --runtime containerd.service docker.service 2>/dev/null
  unit_start test-dockerd -p Delegate=yes dockerd --iptables=false --ip6tables=false --bridge=none --data-root=/var/lib/test-docker -H unix:///run/test-docker.sock
  eventually 90 "dockerd answers" docker -H unix:///run/test-docker.sock info
  image docker -H unix:///run/test-docker.sock
  oci 0 docker -H unix:///run/test-docker.sock run $(lxcfsctl docker-options)
  survives docker -H unix:///run/test-docker.sock run $(lxcfsctl docker-options)
  systemctl stop test-dockerd
else
  skip "needs docker; have: none"
fi
story "nothing stays"
stop_lxcfs
is "mounts of lxcfs" "$(grep -c fuse.lxcfs /proc/self/mountinfo)" 0
