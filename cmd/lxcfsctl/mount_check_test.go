package main

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"

	"linuxcontainers.org/lxcfs/units/mount"
)

// Why systemd has not mounted is found, and all is quiet when it has.
func TestWhyNoMount(t *testing.T) {
	unmounted := strings.ReplaceAll(mountinfo(""), "/var/lib/lxcfs", "/mnt")
	for _, row := range []struct {
		name       string
		mountinfo  string
		mode       fs.FileMode
		lstat      error
		properties map[string]string
		gone       string // a file that is not there
		want       string
	}{
		{name: "mounted", mountinfo: mountinfo(""), mode: fs.ModeDir, want: ""},
		{name: "being mounted", mountinfo: unmounted, mode: fs.ModeDir, properties: map[string]string{"ActiveState": "activating"}},
		{name: "given up", mountinfo: unmounted, mode: fs.ModeDir, properties: map[string]string{"ActiveState": "inactive", "ConditionResult": "yes"}},
		{name: "no directory yet", mountinfo: unmounted, lstat: fs.ErrNotExist},
		{name: "a file", mountinfo: unmounted, want: "/var/lib/lxcfs is a file: mv /var/lib/lxcfs /var/lib/lxcfs.old; systemctl restart lxcfs.service"},
		{name: "a link", mountinfo: unmounted, mode: fs.ModeSymlink, want: "/var/lib/lxcfs is a symbolic link, where systemd mounts nothing: mv /var/lib/lxcfs /var/lib/lxcfs.old; systemctl restart lxcfs.service"},
		{name: "a file above", mountinfo: unmounted, lstat: &fs.PathError{Op: "lstat", Path: "/var/lib/lxcfs", Err: fs.ErrInvalid}, want: "lstat /var/lib/lxcfs: invalid argument: make it a directory: mkdir -p /var/lib/lxcfs"},
		{name: "tmpfs", mountinfo: strings.ReplaceAll(mountinfo(""), "fuse.lxcfs", "tmpfs"), mode: fs.ModeDir, want: "a file system of type tmpfs is mounted on /var/lib/lxcfs: umount /var/lib/lxcfs; systemctl restart lxcfs.service"},
		{name: "a directory of a disk", mountinfo: strings.ReplaceAll(mountinfo(""), "0:50 / /var/lib/lxcfs rw,nosuid - fuse.lxcfs", "8:1 /x /var/lib/lxcfs rw - ext4"), mode: fs.ModeDir},
		{name: "masked", mountinfo: unmounted, mode: fs.ModeDir, properties: map[string]string{"LoadState": "masked"}, want: "var-lib-lxcfs.mount is masked: systemctl unmask var-lib-lxcfs.mount"},
		{name: "no device", mountinfo: unmounted, mode: fs.ModeDir, gone: "/dev/fuse", properties: map[string]string{"ActiveState": "inactive", "ConditionResult": "no", "ConditionTimestamp": "now"}, want: "there is no /dev/fuse: modprobe fuse; in a container, let it have the device"},
		{name: "left out", mountinfo: unmounted, mode: fs.ModeDir, properties: map[string]string{"ActiveState": "inactive", "ConditionResult": "no", "ConditionTimestamp": "now"}, want: "systemd has left out var-lib-lxcfs.mount, by a condition of it: systemctl status var-lib-lxcfs.mount"},
		{name: "no helper", mountinfo: unmounted, mode: fs.ModeDir, gone: mountHelper, properties: map[string]string{"ActiveState": "failed"}, want: "mount(8) has no helper for lxcfs: /sbin/mount.fuse.lxcfs is not there: install the package lxcfs"},
		{name: "failed", mountinfo: unmounted, mode: fs.ModeDir, properties: map[string]string{"ActiveState": "failed", "Result": "timeout"}, want: "var-lib-lxcfs.mount has failed (timeout): systemctl status var-lib-lxcfs.mount"},
	} {
		w, a, properties, _ := healthy()
		a.Files["/proc/self/mountinfo"], a.Files[mountHelper] = row.mountinfo, ""
		delete(a.Files, row.gone)
		w.lstat = func(string) (fs.FileMode, error) { return row.mode, row.lstat }
		for name, value := range row.properties {
			properties["var-lib-lxcfs.mount "+name] = value
		}
		got := ""
		if o := standardPlace().why(w); o.text != "" {
			got = o.String()
		}
		if got != row.want {
			t.Errorf("%s:\ngot  %q\nwant %q", row.name, got, row.want)
		}
	}
}

// A stop of the service stops its mount, when that is whole; a restart does not, nor is
// what somebody else has mounted there.
func TestMountStop(t *testing.T) {
	for name, row := range map[string]struct {
		service string // its job
		mounted int    // the look at the mount's job that finds none
		foreign bool
		want    string
	}{
		"stop":            {service: "stop", want: "list-jobs, stop"},
		"while mounting":  {service: "stop", mounted: 3, want: "list-jobs, list-jobs, list-jobs, list-jobs, stop"},
		"restart":         {service: "restart"},
		"no job":          {},
		"somebody else's": {service: "stop", foreign: true},
	} {
		synctest.Test(t, func(t *testing.T) {
			w, a, _, _ := healthy()
			if row.foreign {
				a.Files[foreignMount] = ""
			}
			var did []string
			w.run = func(name string, args ...string) (string, error) {
				switch strings.Join(args, " ") {
				case "list-jobs --no-legend lxcfs.service":
					if row.service == "" {
						return "", nil
					}
					return "7 lxcfs.service " + row.service + " running", nil
				case "list-jobs --no-legend var-lib-lxcfs.mount":
					if did = append(did, "list-jobs"); len(did) <= row.mounted {
						return "8 var-lib-lxcfs.mount start running", nil
					}
				case "stop var-lib-lxcfs.mount":
					did = append(did, "stop")
				}
				return "", nil
			}
			if err := standardPlace().stop(t.Context(), w); err != nil {
				t.Error(err)
			}
			if got := strings.Join(did, ", "); got != row.want {
				t.Errorf("%s: got %q, want %q", name, got, row.want)
			}
		})
	}
}

// Nobody is told who does not wait: a message would start the service.
func TestMountCheckStartsNothing(t *testing.T) {
	w, a, properties, _ := healthy()
	a.Files["/proc/self/mountinfo"] = ""
	w.lstat = func(string) (fs.FileMode, error) { return 0, nil }
	properties["lxcfs.service ActiveState"] = "inactive"
	socket := filepath.Join(t.TempDir(), "none")
	if err := checkPlace(context.Background(), w, socket, standardPlace()); err != nil {
		t.Error(err)
	}
	properties["lxcfs.service ActiveState"] = "activating"
	if err := checkPlace(context.Background(), w, socket, standardPlace()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("one that waits is not told: %v", err)
	}
	if socket, _ := placeOf("/mnt"); socket != "" {
		t.Errorf("/mnt has the socket %s", socket)
	}
	if socket, p := placeOf(mount.Home(mount.CgroupSocket)); socket != mount.CgroupSocket || p.service != "lxcfs-cgroup.service" {
		t.Errorf("got %s, %+v", socket, p)
	}
}

// The last start left the mount out, and the service is being started anew: the daemon
// is not told of the last one.
func TestMountCheckOfTheLastStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, a, properties, _ := healthy()
		mounted := a.Files["/proc/self/mountinfo"]
		a.Files["/proc/self/mountinfo"] = strings.ReplaceAll(mounted, "/var/lib/lxcfs", "/mnt")
		w.lstat = func(string) (fs.FileMode, error) { return fs.ModeDir, nil }
		properties["lxcfs.service ActiveState"] = "activating"
		properties["var-lib-lxcfs.mount ConditionResult"] = "no"
		properties["var-lib-lxcfs.mount ConditionTimestamp"] = "now"
		looks, run := 0, w.run
		w.run = func(name string, args ...string) (string, error) {
			if args[0] != "list-jobs" {
				return run(name, args...)
			}
			if looks++; looks < 4 {
				return "8 var-lib-lxcfs.mount start waiting", nil
			}
			a.Files["/proc/self/mountinfo"] = mounted
			return "", nil
		}
		if err := checkPlace(t.Context(), w, filepath.Join(t.TempDir(), "none"), standardPlace()); err != nil {
			t.Errorf("told: %v", err)
		}
		if looks != 4 {
			t.Errorf("looked %d times, want 4: until the mount's job is done", looks)
		}
	})
}
