package main

import (
	"fmt"
	"slices"
	"strings"

	"linuxcontainers.org/lxcfs/cgroup"
)

// oldestKernel is the first release that has all that lxcfs needs.
const oldestMajor, oldestMinor = 5, 10

func checkKernel(w *world) []finding {
	var major, minor int
	if _, err := fmt.Sscanf(w.release, "%d.%d", &major, &minor); err != nil {
		return []finding{{Verdict: warning, Text: "release " + w.release + " is not understood"}}
	}
	if major < oldestMajor || major == oldestMajor && minor < oldestMinor {
		return []finding{{Verdict: problem, Text: w.release + " is too old", Mend: fmt.Sprintf("run Linux %d.%d or later", oldestMajor, oldestMinor)}}
	}
	return []finding{{Verdict: fine, Text: "Linux " + w.release}}
}

func checkFuse(w *world) []finding {
	known := slices.ContainsFunc(strings.Split(w.text("/proc/filesystems"), "\n"), func(line string) bool {
		return strings.TrimPrefix(strings.TrimSpace(line), "nodev\t") == "fuse"
	})
	switch {
	case !w.exists("/dev/fuse"):
		return []finding{{Verdict: problem, Text: "there is no /dev/fuse", Mend: "modprobe fuse"}}
	case !known:
		return []finding{{Verdict: problem, Text: "the kernel knows no FUSE", Mend: "modprobe fuse"}}
	}
	return []finding{{Verdict: fine, Text: "/dev/fuse is there"}}
}

// checkTimeout looks at the limits of 6.14 and later that abort a connection
// whose daemon is away: then no restart is survived.
func checkTimeout(w *world) []finding {
	var found []finding
	for _, name := range []string{"max_request_timeout", "default_request_timeout"} {
		if v := w.text("/proc/sys/fs/fuse/" + name); v != "" && v != "0" {
			found = append(found, finding{
				Verdict: problem, Text: fmt.Sprintf("fs.fuse.%s is %s s: a daemon that is away so long loses its mounts", name, v),
				Mend: "sysctl -w fs.fuse." + name + "=0, and mount again",
			})
		}
	}
	if found == nil {
		found = []finding{{Verdict: fine, Text: "requests wait for the daemon as long as it takes"}}
	}
	return found
}

func checkCgroups(w *world) []finding {
	host, err := cgroup.Detect(w.files)
	if err != nil {
		return []finding{{Verdict: problem, Text: err.Error(), Mend: "mount -t cgroup2 none /sys/fs/cgroup"}}
	}
	found := []finding{{Verdict: fine, Text: fmt.Sprintf("%s: %s", host.Layout, host.Reason)}}
	for _, c := range []string{"memory", "cpu", "cpuset"} {
		if !slices.ContainsFunc(host.Hierarchies, func(h cgroup.Hierarchy) bool { return slices.Contains(h.Controllers, c) }) {
			found = append(found, finding{
				Verdict: warning, Text: "no controller " + c + ": containers see the host's numbers of it",
				Mend: "boot without cgroup_disable=" + c + "; for memory on some machines with cgroup_enable=memory",
			})
		}
	}
	for _, h := range host.Hierarchies {
		if !readable(w, h.MountPoint) {
			found = append(found, finding{
				Verdict: problem, Text: h.MountPoint + " is not readable for the daemon", Mend: "chmod o+rx " + h.MountPoint,
			})
		}
	}
	return found
}

// readable: others may list the directory.
func readable(w *world, dir string) bool {
	info, err := w.files.Stat(dir)
	return err == nil && info.Mode&0o005 == 0o005
}

// checkProc looks for what hides callers from the daemon.
func checkProc(w *world) []finding {
	access := accessOf(w)
	switch {
	case !access.Hidden:
		return []finding{{Verdict: fine, Text: "/proc hides no process"}}
	case access.Alone:
		return []finding{{
			Verdict: problem, Text: "/proc is mounted with hidepid=ptraceable, which hides every caller from the daemon",
			Mend: "mount -o remount,hidepid=invisible,gid=proc /proc, or see examples/hidepid.conf",
		}}
	case w.daemonPID() == "":
		return []finding{{Verdict: note, Text: "/proc hides processes; whether from the daemon is not known while it does not run"}}
	case inGroup(w, access.GID):
		return []finding{{Verdict: fine, Text: fmt.Sprintf("/proc hides processes, but not from the daemon, which is in group %d", access.GID)}}
	}
	return []finding{{
		Verdict: problem, Text: fmt.Sprintf("/proc hides every caller from the daemon, which is not in group %d", access.GID),
		Mend: "install -D /usr/share/doc/lxcfs/examples/hidepid.conf /etc/systemd/system/lxcfs.service.d/hidepid.conf && systemctl daemon-reload && systemctl restart lxcfs",
	}}
}
