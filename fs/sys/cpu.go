package sys

import (
	"bytes"
	"errors"
	"fmt"

	"linuxcontainers.org/lxcfs/cgroup"
	"linuxcontainers.org/lxcfs/fs/view"
)

// maxQuoted bounds how much of malformed text an error repeats.
const maxQuoted = 200

// AppendOnline appends /sys/devices/system/cpu/online
// (Documentation/admin-guide/cputopology.rst): the CPUs that the container sees,
// by the host's numbers, as a CPU list. sysconf(_SC_NPROCESSORS_ONLN) counts them.
//
//	0-3,8
func AppendOnline(dst, host []byte, v *view.View) ([]byte, error) {
	if err := check(host, "online"); err != nil {
		return dst, err
	}
	if v.CPUs.Empty() {
		return dst, errors.New("/sys/devices/system/cpu/online: the container has no CPU")
	}
	return append(v.CPUs.AppendList(dst), '\n'), nil
}

// AppendHost appends the host's file as it is: possible and present. The kernel
// fixes possible at boot, and no cpuset or quota takes a CPU from it or from
// present. Programs size tables by it that they index by the number of the CPU on
// which they run (rseq(2), getcpu(2)), and that bpf(2) fills in for each possible
// CPU; for them a shorter list is memory that others use.
func AppendHost(dst, host []byte, _ *view.View) ([]byte, error) {
	return append(dst, host...), nil
}

// AppendOffline appends /sys/devices/system/cpu/offline as the kernel's
// print_cpus_offline does (drivers/base/cpu.c): the possible CPUs that the
// container does not see, then those that the machine has beyond its
// possible ones (booted with nr_cpus=, say).
//
//	0,2-3
func AppendOffline(dst, host []byte, v *view.View) ([]byte, error) {
	if err := check(host, "offline"); err != nil {
		return dst, err
	}
	// Without any before them, Linux writes ",4-7" for those beyond.
	listed, err := cgroup.ParseCPUList(bytes.TrimPrefix(host, []byte(",")))
	if err != nil {
		return dst, fmt.Errorf("/sys/devices/system/cpu/offline: %w", err)
	}
	offline := v.Possible.AndNot(v.CPUs)
	if offline.Empty() {
		return append(dst, host...), nil
	}
	out := offline.AppendList(dst)
	if beyond := listed.AndNot(v.Possible); !beyond.Empty() {
		out = beyond.AppendList(append(out, ','))
	}
	return append(out, '\n'), nil
}

// check wants the host's file to be one line of a CPU list's characters. The
// list is not parsed: the view has a newer one.
func check(host []byte, file string) error {
	list, ok := bytes.CutSuffix(host, []byte("\n"))
	for _, c := range list {
		ok = ok && ('0' <= c && c <= '9' || c == '-' || c == ',')
	}
	if !ok {
		return fmt.Errorf("/sys/devices/system/cpu/%s: %w: %q", file, cgroup.ErrFormat, host[:min(len(host), maxQuoted)])
	}
	return nil
}
