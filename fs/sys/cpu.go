package sys

import (
	"bytes"
	"fmt"

	"linuxcontainers.org/lxcfs/cgroup"
	"linuxcontainers.org/lxcfs/fs/view"
)

// maxQuoted bounds how much of malformed text an error repeats.
const maxQuoted = 200

// AppendOnline appends /sys/devices/system/cpu/online
// (Documentation/admin-guide/cputopology.rst): the CPUs that the container sees,
// by the host's numbers, as a CPU list.
//
//	0-3,8
func AppendOnline(dst, host []byte, v *view.View) ([]byte, error) {
	return appendCPUs(dst, host, v, "online")
}

// AppendPresent appends /sys/devices/system/cpu/present, which is the
// container's online: no CPU can be added to a container by hotplug.
func AppendPresent(dst, host []byte, v *view.View) ([]byte, error) {
	return appendCPUs(dst, host, v, "present")
}

// AppendPossible appends /sys/devices/system/cpu/possible, which is the
// container's online: sysconf(_SC_NPROCESSORS_CONF) and programs that size
// per-CPU tables agree with the rest of the view.
func AppendPossible(dst, host []byte, v *view.View) ([]byte, error) {
	return appendCPUs(dst, host, v, "possible")
}

// AppendOffline appends /sys/devices/system/cpu/offline: an empty list, which
// the kernel writes as an empty line, since no possible CPU is offline.
func AppendOffline(dst, host []byte, _ *view.View) ([]byte, error) {
	if err := check(host, "offline"); err != nil {
		return dst, err
	}
	return append(dst, '\n'), nil
}

func appendCPUs(dst, host []byte, v *view.View, file string) ([]byte, error) {
	if err := check(host, file); err != nil {
		return dst, err
	}
	if v.CPUs.Empty() {
		return dst, fmt.Errorf("/sys/devices/system/cpu/%s: the container has no CPU", file)
	}
	return append(v.CPUs.AppendList(dst), '\n'), nil
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
