package main

import (
	"errors"
	"fmt"
	"strings"

	"linuxcontainers.org/lxcfs/dbusapi"
)

func checkBus(w *world) []finding {
	_, err := w.daemon()
	policy := "/system.d/" + dbusapi.BusName + ".conf"
	switch {
	case errors.Is(err, dbusapi.ErrNoBus):
		return []finding{{Verdict: warning, Text: "there is no system bus: files are served, but lxcfsctl and monitoring see nothing", Mend: "systemctl start dbus.socket"}}
	case !w.exists("/usr/share/dbus-1"+policy) && !w.exists("/etc/dbus-1"+policy):
		return []finding{{Verdict: problem, Text: "the bus has no policy for " + dbusapi.BusName, Mend: "install the package lxcfs, and systemctl reload dbus"}}
	case errors.Is(err, dbusapi.ErrNotRunning) && w.daemonPID() != "":
		return []finding{{Verdict: problem, Text: "the daemon runs and is not on the bus", Mend: "systemctl reload dbus; journalctl -b -u lxcfs"}}
	}
	return []finding{{Verdict: fine, Text: "the bus knows " + dbusapi.BusName}}
}

func checkDaemon(w *world) []finding {
	st, err := w.daemon()
	if err != nil {
		verdict := problem
		if errors.Is(err, dbusapi.ErrNoBus) {
			verdict = note
		}
		return []finding{{Verdict: verdict, Text: "can't be asked: " + err.Error(), Mend: "systemctl start lxcfs"}}
	}
	found := []finding{{Verdict: fine, Text: fmt.Sprintf("version %s answers, after %d restarts", st.Version, st.Restarts)}}
	if st.Version != version {
		found = append(found, finding{Verdict: warning, Text: fmt.Sprintf("the daemon is %s, this is %s", st.Version, version), Mend: "lxcfsctl reexec"})
	}
	if !st.Virtualization {
		found = append(found, finding{Verdict: problem, Text: "virtualization is off: every file shows the host's numbers", Mend: "lxcfsctl virtualization on"})
	}
	if st.Degraded {
		found = append(found, finding{Verdict: problem, Text: "too many crashes of late: every file shows the host's numbers for now", Mend: "journalctl -b -u lxcfs; coredumpctl list lxcfs"})
	}
	return append(found, checkFallbacks(st)...)
}

// checkFallbacks looks for readers who got the host's file. Callers that end
// while they read are no fault.
func checkFallbacks(st dbusapi.Status) []finding {
	var errs uint64
	reasons := make(map[string]uint64)
	for _, f := range st.Files {
		errs += f.Errors
		for reason, n := range f.Fallbacks {
			if reason != "caller-gone" {
				reasons[reason] += n
			}
		}
	}
	var found []finding
	if len(reasons) > 0 {
		var list []string
		for _, reason := range sortedKeys(reasons) {
			list = append(list, fmt.Sprintf("%s %d", reason, reasons[reason]))
		}
		found = append(found, finding{Verdict: warning, Text: "readers got the host's file: " + strings.Join(list, ", "), Mend: "journalctl -b -u lxcfs | grep \"the host's file\""})
	}
	if errs > 0 {
		found = append(found, finding{Verdict: problem, Text: fmt.Sprintf("%d reads failed: not even the host's file could be read", errs), Mend: "journalctl -b -u lxcfs"})
	}
	return found
}

// hook is how a runtime comes to bind the files: one of these files tells it to.
type hook struct {
	runtime string
	there   []string // any of these: the runtime is installed
	wired   []string // any of these: it binds the files
	missing string   // what mends it
}

func hooks() []hook {
	return []hook{
		{"LXC", []string{"/usr/bin/lxc-start"}, []string{"/usr/share/lxc/config/common.conf.d/00-lxcfs.conf"}, "install the package lxcfs, whose hook is /usr/share/lxcfs/lxc.mount.hook"},
		{"podman", []string{"/usr/bin/podman"}, []string{"/usr/share/containers/oci/hooks.d/50-lxcfs.json", "/etc/containers/oci/hooks.d/50-lxcfs.json"}, "install the package lxcfs, whose hook is lxcfs-oci-hook"},
		{
			"systemd-nspawn", []string{"/usr/bin/systemd-nspawn"},
			[]string{"/usr/lib/systemd/system/systemd-nspawn@.service.d/20-lxcfs-attach.conf", "/lib/systemd/system/systemd-nspawn@.service.d/20-lxcfs-attach.conf"},
			"lxcfsctl nspawn --install MACHINE",
		},
	}
}

func checkRuntimes(w *world) []finding {
	var found []finding
	any := func(names []string) bool {
		for _, name := range names {
			if w.exists(name) {
				return true
			}
		}
		return false
	}
	for _, h := range hooks() {
		switch {
		case !any(h.there):
		case any(h.wired):
			found = append(found, finding{Verdict: fine, Text: h.runtime + " binds the files into its containers"})
		default:
			found = append(found, finding{Verdict: warning, Text: h.runtime + " does not bind the files into its containers", Mend: h.missing})
		}
	}
	if w.exists("/usr/bin/dockerd") {
		found = append(found, finding{Verdict: note, Text: "docker runs no hooks", Mend: "docker run $(lxcfsctl docker-options) ..., or lxcfsctl attach CONTAINER"})
	}
	if found == nil {
		found = []finding{{Verdict: note, Text: "no runtime of containers is installed here"}}
	}
	return found
}
