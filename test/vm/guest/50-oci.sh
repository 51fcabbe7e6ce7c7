#!/bin/bash
# OCI containers, whose CPUs are counted by quota: podman and docker with the files of /proc that runc allows, given as volumes.
# shellcheck disable=SC2046 # options of the runtimes
. ./lib.sh
. ./helpers.sh
needs_lxcfs

volumes() {
  local f
  for f in $(served); do
    case $f in proc/cpuinfo | proc/diskstats | proc/meminfo | proc/stat | proc/swaps | proc/uptime | proc/loadavg) echo "-v $tree/$f:/$f:ro" ;; esac
  done
}
# oci COMMAND...: imports the container root, runs containers by that command line program.
oci() {
  local out
  tar -C "$ct" -c . | "$@" import - ct >/dev/null 2>/run/import.log
  check "the image" "$@" image inspect ct
  out=$("$@" run --rm --network none -m 120m --cpus 1 $(volumes) ct sh -c "$numbers" 2>&1)
  sees "limits" "$out" 122880 1
  out=$("$@" run --rm --network none --cpuset-cpus 1 $(volumes) ct sh -c "$numbers" 2>&1)
  is "cpuset: processors" "$(value processors "$out")" 1
}

story "podman"
if command -v podman >/dev/null; then oci podman --cgroup-manager systemd; else skip "needs podman; have: none"; fi

story "docker"
if command -v dockerd >/dev/null; then
  systemctl unmask --runtime containerd.service docker.service 2>/dev/null
  unit_start test-dockerd -p Delegate=yes dockerd --iptables=false --ip6tables=false --bridge=none --data-root=/var/lib/test-docker -H unix:///run/test-docker.sock
  eventually 90 "dockerd answers" docker -H unix:///run/test-docker.sock info
  oci docker -H unix:///run/test-docker.sock
  systemctl stop test-dockerd
else
  skip "needs docker; have: none"
fi
stop_lxcfs
