package container

import (
	"errors"
	"strings"
	"testing"

	"linuxcontainers.org/lxcfs/cgroup"
)

func TestParseStatus(t *testing.T) {
	for _, tt := range []struct {
		name, in string
		want     status
		bad      bool
	}{
		{"host", "Name:\tcat\nTgid:\t14184\nPid:\t14184\nPPid:\t14182\nNStgid:\t14184\nNSpid:\t14184\n", status{14184, 14182, 1, 14184, false}, false},
		{"thread of a nested init", "Name:\tx\nTgid:\t9\nPid:\t10\nPPid:\t3\nNStgid:\t9\t5\t1\nNSpid:\t10\t6\t2\n", status{9, 3, 3, 1, false}, false},
		{"no NStgid", "Name:\tx\nTgid:\t9\nPPid:\t3\nNSpid:\t9\t5\n", status{9, 3, 2, 5, false}, false},
		{"no pid namespaces", "Name:\tx\nTgid:\t9\nPPid:\t3\n", status{9, 3, 1, 9, true}, false},
		{"forged by a name", "Name:\tx\nPPid:\t7\nNStgid:\t9\t1\nTgid:\t9\nPPid:\t3\nNStgid:\t9\t5\n", status{9, 3, 2, 5, false}, false},
		{"no final newline", "Tgid: 9\nPPid: 3\nNStgid: 9", status{9, 3, 1, 9, false}, false},
		{"empty", "", status{}, true},
		{"no PPid", "Tgid:\t9\nNStgid:\t9\n", status{}, true},
		{"negative", "Tgid:\t9\nPPid:\t-1\nNStgid:\t9\n", status{}, true},
		{"overflow", "Tgid:\t4294967296\nPPid:\t3\nNStgid:\t9\n", status{}, true},
		{"empty NStgid", "Tgid:\t9\nPPid:\t3\nNStgid:\t\n", status{}, true},
		{"too deep", "Tgid:\t9\nPPid:\t3\nNStgid:" + strings.Repeat("\t1", 65) + "\n", status{}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := parseStatus([]byte(tt.in))
			if tt.bad {
				if !errors.Is(err, cgroup.ErrFormat) {
					t.Errorf("got %v, %v; want ErrFormat", got, err)
				}
				return
			}
			if err != nil || got != tt.want {
				t.Errorf("got %v, %v; want %v", got, err, tt.want)
			}
		})
	}
}

func TestParseRootMount(t *testing.T) {
	for _, tt := range []struct {
		name, in string
		want     rootMount
		bad      bool
	}{
		{"plain", "23 27 0:22 / /sys rw - sysfs sysfs rw\n27 1 0:24 / / rw,relatime shared:1 - ext4 /dev/root rw\n", rootMount{27, 0, 24, "/"}, false},
		{"stacked", "1 1 0:1 / / rw - rootfs rootfs rw\n27 1 0:24 /a / rw - ext4 x rw\n30 27 0:9 / /a rw - tmpfs x rw\n", rootMount{27, 0, 24, "/a"}, false},
		{"root of a bind only", "30 27 0:9 / /a rw - tmpfs x rw\n", rootMount{}, true},
		{"empty", "", rootMount{}, true},
		{"garbage", "x 1 0:24 / / rw\n", rootMount{}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := parseRootMount([]byte(tt.in))
			if got != tt.want || errors.Is(err, cgroup.ErrFormat) != tt.bad {
				t.Errorf("got %v, %v; want %v", got, err, tt.want)
			}
		})
	}
}

func TestScopesOf(t *testing.T) {
	for _, tt := range []struct{ path, at, runtime, name string }{
		{"/system.slice/docker-" + idA + ".scope/sub", "/system.slice/docker-" + idA + ".scope", "docker", idA},
		{"/docker/" + idA, "/docker/" + idA, "docker", idA},
		{"/machine.slice/libpod-" + idA + ".scope/container", "/machine.slice/libpod-" + idA + ".scope", "podman", idA},
		{"/system.slice/q.service/libpod-payload-" + idA, "/system.slice/q.service/libpod-payload-" + idA, "podman", idA},
		{"/libpod_parent/libpod-" + idA, "/libpod_parent/libpod-" + idA, "podman", idA},
		{"/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-podx.slice/cri-containerd-" + idA + ".scope", "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-podx.slice/cri-containerd-" + idA + ".scope", "containerd", idA},
		{"/kubepods/besteffort/podx/" + idA, "/kubepods/besteffort/podx/" + idA, "containerd", idA},
		{"/system.slice/containerd.service/kubepods-podx.slice:cri-containerd:" + idA, "/system.slice/containerd.service/kubepods-podx.slice:cri-containerd:" + idA, "containerd", idA},
		{"/kubepods.slice/kubepods-podx.slice/crio-" + idA + ".scope/container", "/kubepods.slice/kubepods-podx.slice/crio-" + idA + ".scope", "cri-o", idA},
		{"/system.slice/nerdctl-" + idA + ".scope", "/system.slice/nerdctl-" + idA + ".scope", "containerd", idA},
		{"/lxc.payload.a b:c/x", "/lxc.payload.a b:c", "lxc", "a b:c"},
		{"/lxc.payload/web", "/lxc.payload/web", "lxc", "web"},
		{"/lxc/web/x", "/lxc/web", "lxc", "web"},
		{`/machine.slice/machine-a\x2db.scope/payload/system.slice`, `/machine.slice/machine-a\x2db.scope/payload`, "nspawn", "a-b"},
		{"/machine.slice/systemd-nspawn@m.service/payload", "/machine.slice/systemd-nspawn@m.service/payload", "nspawn", "m"},
		{"/machine.slice/systemd-nspawn@a-b.service/payload", "/machine.slice/systemd-nspawn@a-b.service/payload", "nspawn", "a-b"},
		{"/machine.slice/systemd-nspawn@m.service/supervisor", "", "", ""},
		{"/lxc.monitor.web", "", "", ""},
		{"/lxc.payload.", "", "", ""},
		{"/lxc/", "", "", ""},
		{"/a/lxc/web", "", "", ""},
		{"/system.slice/docker-compose.scope", "", "", ""},
		{"/machine.slice/libpod-conmon-" + idA + ".scope", "", "", ""},
		{"/docker/buildkit", "", "", ""},
		{"/podx/" + idA, "", "", ""},
		{"/x/" + idA, "", "", ""},
		{"/", "", "", ""},
		{"", "", "", ""},
	} {
		t.Run(tt.path, func(t *testing.T) {
			var got scope
			if all := scopesOf(tt.path); len(all) > 0 {
				got = all[0]
			}
			if got.path != tt.at || got.runtime != tt.runtime || got.name != tt.name {
				t.Errorf("got %+v, want %q %q %q", got, tt.at, tt.runtime, tt.name)
			}
		})
	}
	if all := scopesOf("/lxc.payload.a/docker/" + idA); len(all) != 2 || all[0].runtime != "lxc" || all[1].runtime != "docker" {
		t.Errorf("nested: got %+v", all)
	}
}

func TestWithin(t *testing.T) {
	for _, tt := range []struct {
		path, dir string
		want      bool
	}{
		{"/a/b", "/a", true}, {"/a", "/a", true}, {"/ab", "/a", false}, {"/a", "/a/b", false}, {"/a", "/", true}, {"/", "/", true}, {"/", "/a", false},
	} {
		if got := within(tt.path, tt.dir); got != tt.want {
			t.Errorf("within(%q, %q): got %v", tt.path, tt.dir, got)
		}
	}
}

func FuzzParseStatus(f *testing.F) {
	f.Add([]byte("Name:\tcat\nTgid:\t9\nPPid:\t3\nNStgid:\t9\t5\t1\nNSpid:\t10\t6\t2\n"))
	f.Add([]byte("Tgid: 9\nPPid: 3\nNStgid:"))
	f.Fuzz(func(t *testing.T, in []byte) {
		s, err := parseStatus(in)
		if err == nil && (s.depth < 1 || s.depth > maxDepth) || err != nil && !errors.Is(err, cgroup.ErrFormat) {
			t.Errorf("got %v, %v", s, err)
		}
	})
}

func FuzzParseRootMount(f *testing.F) {
	f.Add([]byte("27 1 0:24 / / rw - ext4 /dev/root rw\n23 27 0:22 / /sys rw - sysfs sysfs rw\n"))
	f.Fuzz(func(t *testing.T, in []byte) {
		if _, err := parseRootMount(in); err != nil && !errors.Is(err, cgroup.ErrFormat) {
			t.Errorf("got %v", err)
		}
	})
}

func FuzzScopesOf(f *testing.F) {
	f.Add("/lxc.payload.a/docker/" + idA)
	f.Add("/machine.slice/machine-a.scope/payload//x")
	f.Fuzz(func(t *testing.T, path string) {
		for _, s := range scopesOf("/" + path) {
			if !within("/"+path, s.path) || s.kind == 0 || s.runtime == "" {
				t.Errorf("got %+v", s)
			}
		}
	})
}
