#!/bin/bash
# Block devices of OCI containers, whose policy systemd knows. See 18-block.sh.
# shellcheck disable=SC2046,SC2207 # options of the runtimes
. ./lib.sh
. ./helpers.sh
. guest/block
needs_lxcfs

# A root of nothing but links, with the machine's /usr.
root=/run/block-root
mkdir -p $root/{usr,proc,sys,dev,etc,tmp,run}
for d in bin sbin lib lib64; do ln -sfn usr/$d $root/$d; done
cp -a /etc/passwd /etc/group /etc/ld.so.cache /etc/alternatives $root/etc/

host_loop
story "podman, by the hook"
if command -v podman >/dev/null; then
  podman=(podman --cgroup-manager systemd --hooks-dir /usr/share/containers/oci/hooks.d)
  tar -C $root -c . | "${podman[@]}" import - block >/dev/null 2>/run/import.log
  run=("${podman[@]}" run --rm --network none -v /usr:/usr:ro)
  out=$("${run[@]}" block sh -c "$agree" 2>&1)
  coherent "podman" "$out"
  hidden "podman" "$out"
  out=$("${run[@]}" --device "$mine" block sh -c "$agree"'echo backing=$(cat /sys/block/'"${mine#/dev/}"'/loop/backing_file)' 2>&1)
  coherent "podman --device" "$out"
  # crun 1.8 (Debian 12) tells systemd nothing of devices, and who has no CAP_SYS_ADMIN is shown none then.
  if crun --version 2>/dev/null | grep -q '^crun version 1\.[0-8]\.'; then told='' file=''; else told=${mine#/dev/} file=/run/host.img; fi
  is "podman --device: loop devices" "$(value diskstats "$out" | tr ' ' '\n' | grep loop)" "$told"
  is "podman --device: its file" "$(value backing "$out")" "$file"
  out=$("${run[@]}" --privileged block sh -c "$tools$agree$detach" 2>&1)
  in_full "podman --privileged" "$out"
  coherent "podman --privileged" "$out"
else
  skip "needs podman; have: none"
fi

host_loop
story "docker"
if command -v dockerd >/dev/null; then
  systemctl unmask --runtime containerd.service docker.service 2>/dev/null
  unit_start block-dockerd -p Delegate=yes dockerd --iptables=false --ip6tables=false --bridge=none --data-root=/var/lib/block-docker -H unix:///run/block-docker.sock
  docker=(docker -H unix:///run/block-docker.sock)
  eventually 90 "dockerd answers" "${docker[@]}" info
  tar -C $root -c . | "${docker[@]}" import - block >/dev/null 2>/run/import.log
  run=("${docker[@]}" run --rm --network none -v /usr:/usr:ro $(lxcfsctl docker-options))
  out=$("${run[@]}" block sh -c "$agree" 2>&1)
  coherent "docker" "$out" no
  hidden "docker" "$out"
  out=$("${run[@]}" --device "$mine" block sh -c "$agree" 2>&1)
  coherent "docker --device" "$out" no
  is "docker --device: loop devices" "$(value diskstats "$out" | tr ' ' '\n' | grep loop)" "${mine#/dev/}"
  out=$("${run[@]}" --privileged block sh -c "$tools$agree$detach" 2>&1)
  in_full "docker --privileged" "$out"
  coherent "docker --privileged" "$out" no
  systemctl stop block-dockerd
else
  skip "needs docker; have: none"
fi

losetup -D
stop_lxcfs
