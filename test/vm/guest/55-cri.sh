#!/bin/bash
# A pod of the kubelet's kind: containerd's CRI, with the NRI plugin that gives each container the files.
# shellcheck disable=SC2016 # the container expands the scripts
. ./lib.sh
. ./helpers.sh
needs_lxcfs
dir=/run/test-cri socket=/run/test-cri/containerd.sock store=/var/lib/test-cri

story "containerd with NRI"
command -v containerd >/dev/null || { skip "needs containerd; have: none"; exit 0; }
command -v lxcfs-nri cri >/dev/null || { skip "needs the Go modules of lxcfs-nri and cri; have: none"; exit 0; }
containerd config default | grep -q io.containerd.nri || { skip "needs a containerd with NRI (1.7); have: $(containerd --version | cut -d' ' -f3)"; exit 0; }
mkdir -p $dir
cat >$dir/config.toml <<EOF
version = 2
root = "$store"
state = "$dir/state"
[grpc]
  address = "$socket"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "localhost/ct:latest"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
      SystemdCgroup = true
[plugins."io.containerd.nri.v1.nri"]
  disable = false
  socket_path = "$dir/nri.sock"
EOF
unit_start test-containerd -p Delegate=yes -p KillMode=process containerd --config $dir/config.toml
ctr() { command ctr -a $socket -n k8s.io "$@"; }
pod() { cri -socket $socket "$@"; }
eventually 90 "it answers" ctr version
busybox_root $dir/root
tar -C $dir/root -c . | podman import -c 'ENV PATH=/usr/bin:/bin' -c 'CMD ["sleep", "3600"]' - localhost/ct:latest >/dev/null 2>&1
check "the image" eval 'podman save localhost/ct:latest 2>/dev/null | ctr images import -'

# in_pod OPTION...: makes a pod, of which $pod and $container are the ids.
in_pod() {
  read -r pod container < <(pod run "$@" localhost/ct:latest test 2>&1)
  like "a pod starts" "$pod $container" '^[0-9a-f]{64} [0-9a-f]{64}$'
}
plugin() { # OPTION...
  unit_start test-nri lxcfs-nri -socket $dir/nri.sock "$@"
  eventually 30 "the plugin is registered" eval 'journalctl -q -u test-containerd | grep -q "plugin.*lxcfs.*\(synchronized\|connected\|registered\)"'
}

story "mounts by the plugin"
plugin
in_pod -memory 125829120 -cpus 1
sees "pod" "$(pod exec "$container" sh -c "$numbers" 2>&1)" 122880 1 0 "$(nproc)" # runc lets nobody mount over pressure

story "the daemon is killed, restarted and started anew meanwhile"
kill -9 "$(server)"
sees "after SIGKILL" "$(pod exec "$container" sh -c "$numbers" 2>&1)" 122880 1 0 "$(nproc)"
check "restart" systemctl restart lxcfs.service
sees "after a restart" "$(pod exec "$container" sh -c "$numbers" 2>&1)" 122880 1 0 "$(nproc)"

story "attach gives what the plugin could not"
check "attach" lxcfsctl attach "${container:0:12}"
sees "attached" "$(pod exec "$container" sh -c "$numbers" 2>&1)" 122880 1 1 "$(nproc)"
check "the pod ends" pod remove "$pod"

story "a pod that wants none"
in_pod -annotation lxcfs.linuxcontainers.org/view=off
is "mounts of lxcfs" "$(pod exec "$container" grep -c fuse.lxcfs /proc/self/mountinfo)" 0
check "the pod ends" pod remove "$pod"
systemctl stop test-nri

story "the hook by the plugin"
plugin -hook /usr/libexec/lxcfs-oci-hook
in_pod -memory 125829120 -cpus 1
sees "pod" "$(pod exec "$container" sh -c "$numbers" 2>&1)" 122880 1 1 "$(nproc)"
check "the pod ends" pod remove "$pod"

story "a hook that fails"
systemctl stop test-nri
plugin -hook /nonexistent/hook
ids=$(pod run localhost/ct:latest test 2>&1)
like "says why" "$ids" '/nonexistent/hook'
systemctl stop test-nri

story "nothing stays"
systemctl stop test-containerd
stop_lxcfs
is "mounts of lxcfs" "$(grep -c fuse.lxcfs /proc/self/mountinfo)" 0
