package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"

	"linuxcontainers.org/lxcfs/cgroup/hostfile"
	"linuxcontainers.org/lxcfs/cgroup/hostfile/hosttest"
	"linuxcontainers.org/lxcfs/dbusapi"
)

// healthy is a machine on which nothing is wrong.
func healthy() (*world, *hosttest.Archive, map[string]string, *dbusapi.Status) {
	a := &hosttest.Archive{
		Files: map[string]string{
			"/proc/filesystems":                     "nodev\tsysfs\nnodev\tfuse\n\text4\n",
			"/dev/fuse":                             "",
			"/proc/sys/fs/fuse/max_request_timeout": "0\n",
			"/sys/fs/cgroup/cgroup.controllers":     "cpuset cpu io memory pids\n",
			"/run/systemd/system/x":                 "",
			"/etc/passwd":                           "root:x:0:0::/:/bin/sh\nlxcfs:x:990:990::/:/sbin/nologin\n",
			"/proc/77/status":                       "Name:\tlxcfs\nUid:\t990\t990\t990\t990\nGid:\t990\t990\t990\t990\nGroups:\t26\nCapEff:\t0000000000000000\n",
			"/usr/bin/lxc-start":                    "",
			"/usr/share/lxc/config/common.conf.d/00-lxcfs.conf":          "",
			"/usr/share/dbus-1/system.d/org.linuxcontainers.lxcfs1.conf": "",
			"/proc/self/mountinfo": mountinfo(""),
		},
		Dirs:   map[string]hostfile.Info{"/sys/fs/cgroup": {Mode: 0o555}},
		Errors: map[string]error{},
	}
	properties := map[string]string{
		"lxcfs.service MainPID": "77", "lxcfs.service UnitFileState": "enabled",
		"lxcfs.service NFileDescriptorStore": "4", "lxcfs.service FileDescriptorStoreMax": "512",
	}
	for _, unit := range []string{"lxcfs.service", "lxcfs.socket", "var-lib-lxcfs.mount"} {
		properties[unit+" ActiveState"], properties[unit+" LoadState"] = "active", "loaded"
	}
	st := &dbusapi.Status{Version: version, Virtualization: true}
	w := &world{
		files: a, lstat: func(string) (fs.FileMode, error) { return fs.ModeDir | 0o755, nil }, release: "6.12.3-amd64",
		run: func(name string, args ...string) (string, error) {
			if args[0] == "list-jobs" {
				return "", nil
			}
			if name != "systemctl" {
				return "", fmt.Errorf("%s: not found", name)
			}
			return properties[args[3]+" "+args[2]], nil
		},
		daemon: func() (dbusapi.Status, error) { return *st, nil },
		root:   true,
		read:   func() (dbusapi.FilesCheck, error) { return dbusapi.FilesCheck{Files: 70}, nil },
	}
	return w, a, properties, st
}

// mountinfo is a table of mounts with these options of /proc.
func mountinfo(procOptions string) string {
	return "24 1 0:22 / /proc rw,nosuid - proc proc rw" + procOptions + "\n" +
		"30 1 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw\n" +
		"40 1 0:50 / /var/lib/lxcfs rw,nosuid - fuse.lxcfs lxcfs rw\n"
}

func TestHealthyMachine(t *testing.T) {
	w, _, _, _ := healthy()
	for _, f := range examine(w) {
		if f.Verdict != fine {
			t.Errorf("%+v", f)
		}
	}
}

// Each thing that is wrong is found, under the right name, with what mends it.
func TestDoctorFinds(t *testing.T) {
	type machine struct {
		*world
		a          *hosttest.Archive
		properties map[string]string
		st         *dbusapi.Status
	}
	for _, tt := range []struct {
		name    string
		spoil   func(*machine)
		check   string
		verdict verdict
		mend    string
	}{
		{"old kernel", func(m *machine) { m.release = "5.4.0" }, "kernel", problem, "5.10"},
		{"odd kernel", func(m *machine) { m.release = "new" }, "kernel", warning, ""},
		{"no device", func(m *machine) { delete(m.a.Files, "/dev/fuse") }, "fuse", problem, "modprobe fuse"},
		{"no FUSE", func(m *machine) { m.a.Files["/proc/filesystems"] = "nodev\tfusectl\n" }, "fuse", problem, "modprobe fuse"},
		{"timeout", func(m *machine) { m.a.Files["/proc/sys/fs/fuse/max_request_timeout"] = "30\n" }, "request timeout", problem, "sysctl -w fs.fuse.max_request_timeout=0"},
		{"default timeout", func(m *machine) { m.a.Files["/proc/sys/fs/fuse/default_request_timeout"] = "30\n" }, "request timeout", problem, "default_request_timeout=0"},
		{"no cgroups", func(m *machine) {
			m.a.Files["/proc/self/mountinfo"] = strings.ReplaceAll(mountinfo(""), "cgroup2", "tmpfs")
		}, "cgroups", problem, "mount -t cgroup2"},
		{"no memory controller", func(m *machine) { m.a.Files["/sys/fs/cgroup/cgroup.controllers"] = "cpuset cpu\n" }, "cgroups", warning, "cgroup_disable=memory"},
		{"cgroups for root only", func(m *machine) { m.a.Dirs["/sys/fs/cgroup"] = hostfile.Info{Mode: 0o700} }, "cgroups", problem, "chmod o+rx /sys/fs/cgroup"},
		{"hidepid without the group", func(m *machine) { m.a.Files["/proc/self/mountinfo"] = mountinfo(",hidepid=2,gid=27") }, "proc", problem, "hidepid.conf"},
		{"hidepid with the group", func(m *machine) { m.a.Files["/proc/self/mountinfo"] = mountinfo(",hidepid=2,gid=26") }, "proc", fine, ""},
		{"hidepid=ptraceable", func(m *machine) { m.a.Files["/proc/self/mountinfo"] = mountinfo(",hidepid=ptraceable,gid=26") }, "proc", problem, "remount,hidepid=invisible"},
		{"hidepid and no daemon", func(m *machine) {
			m.a.Files["/proc/self/mountinfo"], m.properties["lxcfs.service MainPID"] = mountinfo(",hidepid=2"), "0"
		}, "proc", note, ""},
		{"no systemd", func(m *machine) { delete(m.a.Files, "/run/systemd/system/x") }, "units", note, ""},
		{"unit not installed", func(m *machine) { m.properties["lxcfs.socket LoadState"] = "not-found" }, "units", problem, "install"},
		{"unit masked", func(m *machine) { m.properties["lxcfs.service LoadState"] = "masked" }, "units", problem, "systemctl unmask lxcfs.service"},
		{"unit failed", func(m *machine) { m.properties["lxcfs.service ActiveState"] = "failed" }, "units", problem, "journalctl -b -u lxcfs.service"},
		{"unit stopped", func(m *machine) { m.properties["var-lib-lxcfs.mount ActiveState"] = "inactive" }, "units", problem, "systemctl start var-lib-lxcfs.mount"},
		{"systemd silent", func(m *machine) { m.run = func(string, ...string) (string, error) { return "", errors.New("no bus") } }, "units", warning, ""},
		{"not enabled", func(m *machine) { m.properties["lxcfs.service UnitFileState"] = "disabled" }, "units", warning, "systemctl enable lxcfs"},
		{"not mounted", func(m *machine) {
			m.a.Files["/proc/self/mountinfo"] = strings.ReplaceAll(mountinfo(""), "/var/lib/lxcfs", "/mnt")
		}, "mount", problem, "systemctl start var-lib-lxcfs.mount"},
		{"another file system in its place", func(m *machine) {
			m.a.Files["/proc/self/mountinfo"] = strings.ReplaceAll(mountinfo(""), "fuse.lxcfs", "tmpfs")
		}, "mount", problem, "umount /var/lib/lxcfs; systemctl restart lxcfs.service"},
		{"another file system over it", func(m *machine) {
			m.a.Files["/proc/self/mountinfo"] = mountinfo("") + "41 40 0:51 / /var/lib/lxcfs rw - tmpfs tmpfs rw\n"
		}, "mount", problem, "umount /var/lib/lxcfs"},
		{"a file in its place", func(m *machine) {
			m.a.Files["/proc/self/mountinfo"] = strings.ReplaceAll(mountinfo(""), "/var/lib/lxcfs", "/mnt")
			m.lstat = func(string) (fs.FileMode, error) { return 0o644, nil }
		}, "mount", problem, "mv /var/lib/lxcfs /var/lib/lxcfs.old"},
		{"a link in its place", func(m *machine) {
			m.a.Files["/proc/self/mountinfo"] = strings.ReplaceAll(mountinfo(""), "/var/lib/lxcfs", "/mnt")
			m.lstat = func(string) (fs.FileMode, error) { return fs.ModeSymlink | 0o777, nil }
		}, "mount", problem, "mv /var/lib/lxcfs /var/lib/lxcfs.old"},
		{"only a file is mounted", func(m *machine) {
			m.a.Files["/proc/self/mountinfo"] = strings.ReplaceAll(mountinfo(""), "0:50 / ", "0:50 /proc ")
		}, "mount", problem, "umount /var/lib/lxcfs"},
		{"not mounted, no systemd", func(m *machine) {
			delete(m.a.Files, "/run/systemd/system/x")
			m.a.Files["/proc/self/mountinfo"] = strings.ReplaceAll(mountinfo(""), "/var/lib/lxcfs", "/mnt")
		}, "mount", problem, "lxcfs --keeper /var/lib/lxcfs"},
		{"over the host's file", func(m *machine) {
			m.a.Files["/proc/self/mountinfo"] = mountinfo("") + "41 24 0:50 /proc/stat /proc/stat rw - fuse.lxcfs lxcfs rw\n"
		}, "mount", problem, "umount /proc/stat"},
		{"empty store", func(m *machine) { m.properties["lxcfs.service NFileDescriptorStore"] = "0" }, "descriptor store", problem, "systemctl restart var-lib-lxcfs.mount"},
		{"full store", func(m *machine) { m.properties["lxcfs.service NFileDescriptorStore"] = "510" }, "descriptor store", problem, "FileDescriptorStoreMax="},
		{"store unknown", func(m *machine) { m.properties["lxcfs.service NFileDescriptorStore"] = "" }, "descriptor store", warning, ""},
		{"no user", func(m *machine) { m.a.Files["/etc/passwd"] = "root:x:0:0::/:/bin/sh\n" }, "permissions", problem, "systemd-sysusers"},
		{"root", func(m *machine) { m.a.Files["/proc/77/status"] = "Uid:\t0\t0\t0\t0\n" }, "permissions", warning, "User="},
		{"capabilities", func(m *machine) { m.a.Files["/proc/77/status"] = "Uid:\t990\nCapEff:\t0000000000080000\n" }, "permissions", warning, "systemctl cat lxcfs"},
		{"no bus", func(m *machine) {
			m.daemon = func() (dbusapi.Status, error) { return dbusapi.Status{}, dbusapi.ErrNoBus }
		}, "bus", warning, "systemctl start dbus.socket"},
		{"no policy", func(m *machine) { delete(m.a.Files, "/usr/share/dbus-1/system.d/org.linuxcontainers.lxcfs1.conf") }, "bus", problem, "reload dbus"},
		{"runs and is not on the bus", func(m *machine) {
			m.daemon = func() (dbusapi.Status, error) { return dbusapi.Status{}, dbusapi.ErrNotRunning }
		}, "bus", problem, "reload dbus"},
		{"not running", func(m *machine) {
			m.daemon = func() (dbusapi.Status, error) { return dbusapi.Status{}, dbusapi.ErrNotRunning }
		}, "daemon", problem, "systemctl start lxcfs"},
		{"another version", func(m *machine) { m.st.Version = "0.0" }, "daemon", warning, "lxcfsctl reexec"},
		{"virtualization off", func(m *machine) { m.st.Virtualization = false }, "daemon", problem, "lxcfsctl virtualization on"},
		{"degraded", func(m *machine) { m.st.Degraded = true }, "daemon", problem, "journalctl"},
		{"fallbacks", func(m *machine) {
			m.st.Files = []dbusapi.FileStats{{Fallbacks: map[string]uint64{"format": 2}}}
		}, "daemon", warning, "journalctl"},
		{"callers that ended", func(m *machine) {
			m.st.Files = []dbusapi.FileStats{{Fallbacks: map[string]uint64{"caller-gone": 2}}}
		}, "daemon", fine, ""},
		{"errors", func(m *machine) { m.st.Files = []dbusapi.FileStats{{Errors: 1}} }, "daemon", problem, "journalctl"},
		{"files that can't be read", func(m *machine) {
			m.read = func() (dbusapi.FilesCheck, error) { return dbusapi.FilesCheck{Files: 70, Faults: faults()}, nil }
		}, "files", problem, "report it"},
		{"files that were not read", func(m *machine) {
			m.read = func() (dbusapi.FilesCheck, error) { return dbusapi.FilesCheck{}, dbusapi.ErrDenied }
		}, "files", warning, "once more"},
		{"not root", func(m *machine) { m.root = false }, "files", note, "sudo"},
		{"LXC without its hook", func(m *machine) { delete(m.a.Files, "/usr/share/lxc/config/common.conf.d/00-lxcfs.conf") }, "runtimes", warning, "lxc.mount.hook"},
		{"docker", func(m *machine) { m.a.Files["/usr/bin/dockerd"] = "" }, "runtimes", note, "lxcfsctl docker-options"},
		{"no runtime", func(m *machine) { delete(m.a.Files, "/usr/bin/lxc-start") }, "runtimes", note, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w, a, properties, st := healthy()
			tt.spoil(&machine{w, a, properties, st})
			all := examine(w)
			found := false
			for _, f := range all {
				if f.Check == tt.check && f.Verdict == tt.verdict && strings.Contains(f.Mend, tt.mend) {
					found = true
				}
				if f.Verdict == problem && f.Mend == "" {
					t.Errorf("nothing mends %+v", f)
				}
			}
			if !found {
				t.Errorf("got %+v", all)
			}
			if tt.verdict == fine && count(all, fine) != len(all) {
				t.Errorf("not all is fine: %+v", all)
			}
		})
	}
}

// faults are those of a machine with pages of 16 KiB, and one file that fails in
// every way.
func faults() []dbusapi.FileFault {
	var all []dbusapi.FileFault
	for _, size := range []uint32{262144, 1 << 20} {
		for _, file := range []string{"/proc/meminfo", "/proc/stat", "/proc/uptime"} {
			all = append(all, dbusapi.FileFault{Connection: "1", File: file, BlockSize: size, Reason: fmt.Sprintf("READ of %d bytes at 0: input/output error", size)})
		}
	}
	return append(all, dbusapi.FileFault{Connection: "1", File: "/sys/x", BlockSize: 1, Reason: "READ of 1 bytes at 0: invalid argument"})
}

func TestFaultFindings(t *testing.T) {
	got := faultFindings(faults())
	want := []string{
		"/proc/meminfo and 2 others can't be read in blocks of 262144, 1048576 bytes: READ of 1048576 bytes at 0: input/output error",
		"/sys/x can't be read in blocks of 1 bytes: READ of 1 bytes at 0: invalid argument",
	}
	for i := range max(len(got), len(want)) {
		if i >= len(got) || i >= len(want) || got[i].Text != want[i] || got[i].Verdict != problem {
			t.Fatalf("got %+v, want %q", got, want)
		}
	}
}

func TestPrintFindings(t *testing.T) {
	all := []finding{{"a", fine, "good", ""}, {"b", problem, "bad", "do it"}, {"c", warning, "so so", "perhaps"}}
	var out bytes.Buffer
	if err := printFindings(screen{Writer: &out}, all, false); err != nil {
		t.Fatal(err)
	}
	want := "ok       a: good\nproblem  b: bad\n         do it\nwarning  c: so so\n         perhaps\n1 problems, 1 warnings\n"
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", out.String(), want)
	}
	out.Reset()
	if err := printFindings(screen{Writer: &out, colours: true}, all, false); err != nil || !strings.Contains(out.String(), string(red)) {
		t.Errorf("no colours, %v: %q", err, out.String())
	}
	out.Reset()
	if err := printFindings(screen{Writer: &out}, all, true); err != nil || !strings.Contains(out.String(), `"mend": "do it"`) {
		t.Errorf("no JSON, %v: %q", err, out.String())
	}
}
