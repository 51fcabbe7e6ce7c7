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
# oci COMMAND... run OPTION...: a container sees its limits.
oci() {
  out=$("$@" --rm --network none -m 120m --cpus 1 ct sh -c "$numbers"'cat /proc/pressure/memory' 2>&1)
  sees "limits" "$out" 122880 1
}

story "podman, by the hook"
if command -v podman >/dev/null; then
  podman=(podman --cgroup-manager systemd --hooks-dir /usr/share/containers/oci/hooks.d)
  image podman
  oci "${podman[@]}" run
  like "pressure" "$out" 'some avg10='
  is "by runc, which refuses some files as mounts, with a cpuset" "$("${podman[@]}" --runtime runc run --rm --network none -m 110m --cpuset-cpus 1 ct sh -c \
    'grep -c "^processor" /proc/cpuinfo; awk "/^MemTotal:/ {print \$2}" /proc/meminfo; grep -c " /proc/pressure/memory .*fuse.lxcfs" /proc/self/mountinfo' 2>&1 | tr '\n' ' ')" '1 112640 1 '
  is "a container that wants none" "$("${podman[@]}" run --rm --network none --annotation org.linuxcontainers.lxcfs=off ct grep -c fuse.lxcfs /proc/self/mountinfo 2>&1)" 0
else
  skip "needs podman; have: none"
fi

story "docker"
if command -v dockerd >/dev/null; then
  systemctl unmask --runtime containerd.service docker.service 2>/dev/null
  unit_start test-dockerd -p Delegate=yes dockerd --iptables=false --ip6tables=false --bridge=none --data-root=/var/lib/test-docker -H unix:///run/test-docker.sock
  eventually 90 "dockerd answers" docker -H unix:///run/test-docker.sock info
  image docker -H unix:///run/test-docker.sock
  oci docker -H unix:///run/test-docker.sock run $(lxcfsctl docker-options)
  systemctl stop test-dockerd
else
  skip "needs docker; have: none"
fi
stop_lxcfs
