package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"linuxcontainers.org/lxcfs/cgroup/procpid"
	"linuxcontainers.org/lxcfs/dbusapi"
	"linuxcontainers.org/lxcfs/hooks/bind"
	"linuxcontainers.org/lxcfs/units/mount"
)

func accessOf(w *world) dbusapi.Access { return dbusapi.ReadAccess(w.files) }

// property returns a property of a unit, "" when there is no systemd.
func (w *world) property(unit, name string) string {
	value, err := w.run("systemctl", "show", "-P", name, unit)
	if err != nil {
		return ""
	}
	return value
}

// systemd says whether the machine runs on it, sd_booted(3).
func (w *world) systemd() bool { return w.exists("/run/systemd/system") }

// daemonPID is the PID of the daemon as a unit, "" when it does not run.
func (w *world) daemonPID() string {
	pid := w.property("lxcfs.service", "MainPID")
	if pid == "0" {
		return ""
	}
	return pid
}

// status is the daemon's /proc/PID/status.
func (w *world) status() procpid.Status {
	return procpid.Status(w.text("/proc/" + w.daemonPID() + "/status"))
}

func inGroup(w *world, gid uint32) bool {
	s := w.status()
	groups, _ := s.Line("Groups").Numbers(nil)
	groups, _ = s.Line("Gid").Numbers(groups)
	return slices.Contains(groups, gid)
}

func checkUnits(w *world) []finding {
	if !w.systemd() {
		return []finding{{Verdict: note, Text: "no systemd: lxcfs --keeper takes its place"}}
	}
	var found []finding
	for _, unit := range []string{"lxcfs.service", "lxcfs.socket", "var-lib-lxcfs.mount"} {
		found = append(found, checkUnit(w, unit)...)
	}
	if w.property("lxcfs.service", "UnitFileState") == "disabled" {
		found = append(found, finding{Verdict: warning, Text: "lxcfs.service does not start at boot", Mend: "systemctl enable lxcfs"})
	}
	return found
}

func checkUnit(w *world, unit string) []finding {
	switch state := w.property(unit, "ActiveState"); {
	case w.property(unit, "LoadState") == "not-found":
		return []finding{{Verdict: problem, Text: unit + " is not installed", Mend: "install the package lxcfs"}}
	case w.property(unit, "LoadState") == "masked":
		return []finding{{Verdict: problem, Text: unit + " is masked", Mend: "systemctl unmask " + unit}}
	case state == "failed":
		return []finding{{Verdict: problem, Text: unit + " has failed", Mend: "journalctl -b -u " + unit + "; systemctl restart " + unit}}
	case state == "active":
		return []finding{{Verdict: fine, Text: unit + " is active"}}
	case state == "":
		return []finding{{Verdict: warning, Text: unit + ": systemd does not say what it is"}}
	default:
		return []finding{{Verdict: problem, Text: unit + " is " + state, Mend: "systemctl start " + unit}}
	}
}

// checkMount looks into mountinfo only: a look at the mount itself could wait
// for a daemon that is away.
func checkMount(w *world) []finding {
	table, err := mount.ReadTable(w.files)
	if err != nil {
		return []finding{{Verdict: problem, Text: err.Error(), Mend: "mount -t proc proc /proc"}}
	}
	var found []finding
	for _, e := range table.Ours() {
		if strings.HasPrefix(e.MountPoint, "/proc/") || strings.HasPrefix(e.MountPoint, "/sys/") {
			found = append(found, finding{Verdict: problem, Text: e.MountPoint + " of the host is a file of lxcfs: the daemon can't start so", Mend: "umount " + e.MountPoint})
		}
	}
	o, mounted := standardPlace().inTheWay(w)
	switch {
	case mounted:
		return append(found, finding{Verdict: fine, Text: "lxcfs is mounted on " + bind.Mountpoint})
	case o.text == "":
		o = obstacle{"nothing is mounted on " + bind.Mountpoint, "systemctl start var-lib-lxcfs.mount"}
		if !w.systemd() {
			o.mend = "lxcfs --keeper " + bind.Mountpoint
		}
	}
	return append(found, finding{Verdict: problem, Text: o.text, Mend: o.mend})
}

// perConnection is how many descriptors of the store one mount takes.
const perConnection = 4

func checkStore(w *world) []finding {
	if !w.systemd() || w.daemonPID() == "" {
		return []finding{{Verdict: note, Text: "not looked at: lxcfs.service does not run"}}
	}
	held, err1 := strconv.Atoi(w.property("lxcfs.service", "NFileDescriptorStore"))
	most, err2 := strconv.Atoi(w.property("lxcfs.service", "FileDescriptorStoreMax"))
	switch {
	case err1 != nil || err2 != nil:
		return []finding{{Verdict: warning, Text: "systemd does not say how many descriptors it keeps"}}
	case held == 0:
		return []finding{{Verdict: problem, Text: "the store is empty: a restart ends the mounts", Mend: "systemctl restart var-lib-lxcfs.mount"}}
	case held+perConnection > most:
		return []finding{{Verdict: problem, Text: fmt.Sprintf("the store is full: %d of %d", held, most), Mend: "raise FileDescriptorStoreMax= and $FDSTORE: systemctl edit lxcfs"}}
	}
	return []finding{{Verdict: fine, Text: fmt.Sprintf("%d of %d descriptors are kept over restarts", held, most)}}
}

func checkPermissions(w *world) []finding {
	if w.systemd() && !strings.Contains("\n"+w.text("/etc/passwd"), "\nlxcfs:") {
		if _, err := w.run("getent", "passwd", "lxcfs"); err != nil {
			return []finding{{Verdict: problem, Text: "there is no user lxcfs", Mend: "systemd-sysusers"}}
		}
	}
	if w.daemonPID() == "" {
		return nil
	}
	var found []finding
	s := w.status()
	if uids, _ := s.Line("Uid").Numbers(nil); len(uids) > 0 && uids[0] == 0 {
		found = append(found, finding{Verdict: warning, Text: "the daemon is root, and containers talk to it", Mend: "take User= out of the drop-ins: systemctl cat lxcfs"})
	}
	if caps, _ := s.Line("CapEff").Mask(); caps != 0 {
		found = append(found, finding{
			Verdict: warning, Text: fmt.Sprintf("the daemon has capabilities: %016x", caps),
			Mend: "systemctl cat lxcfs shows who gave them to it",
		})
	}
	if found == nil {
		found = []finding{{Verdict: fine, Text: "the daemon is an ordinary user without capabilities"}}
	}
	return found
}
