package cgroup

import (
	"errors"
	"io/fs"
	"reflect"
	"slices"
	"strings"
	"syscall"
	"testing"
)

func TestParseDevicesList(t *testing.T) {
	for _, tt := range []struct {
		name, in string
		want     []DeviceRule
	}{
		{"nothing", "", nil},
		{"everything", "a *:* rwm\n", []DeviceRule{{AnyNumber, AnyNumber}}},
		{"Docker", "c 1:3 rwm\nb *:* m\nc *:* m\nb 7:0 rwm\n", []DeviceRule{{7, 0}}},
		{"a driver, to read", "b 7:* r\nb *:3 w\n", []DeviceRule{{7, AnyNumber}, {AnyNumber, 3}}},
	} {
		got, err := parseDevicesList([]byte(tt.in))
		if err != nil || !slices.Equal(got, tt.want) {
			t.Errorf("%s: got %v, %v, want %v", tt.name, got, err, tt.want)
		}
	}
	for _, bad := range []string{"\n", "b 7:0\n", "b 7:0 ", "b 7:0 rwm", "b 7 rwm\n", "b x:0 rwm\n", "b 4096:0 rwm\n", "bb 7:0 rwm\n", "b :0 rwm\n", "b -1:0 rwm\n"} {
		if got, err := parseDevicesList([]byte(bad)); !errors.Is(err, ErrFormat) {
			t.Errorf("%q: got %v, %v", bad, got, err)
		}
	}
}

func TestDeviceRule(t *testing.T) {
	for _, tt := range []struct {
		rule   DeviceRule
		has    [3]bool // 7:0, 7:1, 8:0
		single bool
	}{
		{DeviceRule{7, 0}, [3]bool{true, false, false}, true},
		{DeviceRule{7, AnyNumber}, [3]bool{true, true, false}, false},
		{DeviceRule{AnyNumber, 0}, [3]bool{true, false, true}, false},
		{DeviceRule{AnyNumber, AnyNumber}, [3]bool{true, true, true}, false},
	} {
		got := [3]bool{tt.rule.Has(7, 0), tt.rule.Has(7, 1), tt.rule.Has(8, 0)}
		if got != tt.has || tt.rule.Single() != tt.single {
			t.Errorf("%v: got %v, single %v", tt.rule, got, tt.rule.Single())
		}
	}
}

const everyDevice = AnyNumber

// What systemd was told of a unit, as Docker, Podman and nspawn do it.
func TestReadDevicePolicy(t *testing.T) {
	all := []DeviceRule{{everyDevice, everyDevice}}
	const docker, scope = "/system.slice/docker-1.scope", "/run/systemd/transient/docker-1.scope"
	for _, tt := range []struct {
		name, path string
		files      map[string]string
		want       []DeviceRule
		own        bool
	}{
		{"LXC", "/lxc.payload.c1", nil, all, false},
		{"a unit without files", docker, nil, all, false},
		{"a user's own", "/user.slice/user-1.slice/user@1.service/libpod-1.scope", map[string]string{
			"/run/systemd/transient/user@1.service": "DevicePolicy=strict\n"}, all, false},
		{"Docker", docker, map[string]string{scope: "[Scope]\nSlice=system.slice\n",
			scope + ".d/50-DevicePolicy.conf": "# This\n[Scope]\nDevicePolicy=strict\n",
			scope + ".d/50-DeviceAllow.conf":  "[Scope]\nDeviceAllow=\nDeviceAllow=char-pts rwm\nDeviceAllow=/dev/block/7:3 rwm\nDeviceAllow=block-* m\n"},
			[]DeviceRule{{7, 3}}, true},
		{"Docker, privileged", docker, map[string]string{scope: "[Scope]\n",
			scope + ".d/50-DevicePolicy.conf": "DevicePolicy=auto\n", scope + ".d/50-DeviceAllow.conf": "DeviceAllow=\n"}, all, true},
		{"inside of it", docker + "/docker/2", map[string]string{scope: "[Scope]\n"}, all, false},
		{"crun, for 7:0", "/machine.slice/libpod-1.scope/container", map[string]string{
			"/run/systemd/transient/libpod-1.scope": "DevicePolicy=strict\nDeviceAllow=block-* rwm\nDeviceAllow=\nDeviceAllow=block-7 rwm\n"},
			[]DeviceRule{{7, 0}, {7, everyDevice}}, true},
		{"nspawn", "/machine.slice/machine-a.scope/payload", map[string]string{
			"/run/systemd/transient/machine-a.scope": "DevicePolicy=closed\nDeviceAllow=char-pts rw\n"}, nil, true},
		{"a template and its drop-ins, by driver and by name", "/machine.slice/systemd-nspawn@a.service/payload", map[string]string{
			"/usr/lib/systemd/system/systemd-nspawn@.service":           "DevicePolicy=closed\n DeviceAllow = block-device-* rwm\n",
			"/usr/lib/systemd/system/systemd-nspawn@.service.d/a.conf":  "DeviceAllow=block-none rw\nDeviceAllow=/dev/none\n",
			"/etc/systemd/system/systemd-nspawn@a.service.d/b.conf":     "DeviceAllow=/dev/cciss/c0d0\n",
			"/usr/lib/systemd/system/systemd-nspawn@a.service.d/b.conf": "DeviceAllow=block-* rw\n",
			"/usr/lib/systemd/system/systemd-nspawn@a.service.d/other":  "DeviceAllow=block-* rw\n"},
			[]DeviceRule{{254, everyDevice}, {104, 0}}, true},
		{"an own file in the place of the template's", "/machine.slice/systemd-nspawn@a.service", map[string]string{
			"/usr/lib/systemd/system/systemd-nspawn@.service": "DevicePolicy=closed\n", "/lib/systemd/system/systemd-nspawn@a.service": "[Service]\n"}, all, true},
		{"a service with devices of its own", "/system.slice/a.service", map[string]string{"/etc/systemd/system/a.service": "PrivateDevices=yes\n"}, nil, true},
		{"not any more", "/system.slice/a.service", map[string]string{"/etc/systemd/system/a.service": "PrivateDevices=yes\n",
			"/run/systemd/system/a.service.d/x.conf": "PrivateDevices=no\n"}, all, true},
		{"with one alone", "/system.slice/a.service", map[string]string{"/etc/systemd/system/a.service": "DeviceAllow=/dev/block/8:0 r\nDeviceAllow=/dev/block/8:*\nDeviceAllow=/dev/block/x\n"},
			[]DeviceRule{{8, 0}}, true},
	} {
		h, a := captured(t, "v2")
		a.Files["/proc/devices"] = "Character devices:\n  7 vcs\n\nBlock devices:\n  7 loop\n254 device-mapper\n259 blkext\n"
		a.Files["/sys/class/block/cciss!c0d0/dev"] = "104:0\n"
		for name, text := range tt.files {
			a.Files[name] = text
		}
		got, err := h.ReadDevicePolicy(on(t, tt.path))
		got.From = Origin{} // see TestDevicePolicyFrom
		if want := (DevicePolicy{Rules: tt.want, Own: tt.own}); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %v, %v, want %v", tt.name, got, err, want)
		}
	}
}

func TestDevicePolicyFrom(t *testing.T) {
	const scope, file = "/system.slice/docker-1.scope", "/run/systemd/transient/docker-1.scope"
	for _, tt := range []struct {
		path, cgroup, file string
		own                bool
	}{
		{"/lxc.payload.c1", "", "", false},
		{"/system.slice/none.service", "", "", false},
		{scope, scope, file, true},
		{scope + "/x", scope, file, false},
	} {
		h, a := captured(t, "v2")
		a.Files[file] = "DevicePolicy=strict\n"
		got, err := h.ReadDevicePolicy(on(t, tt.path))
		if err != nil || got.From.Cgroup() != tt.cgroup || got.From.File() != tt.file || got.Own != tt.own {
			t.Errorf("%s: got %+v, %v, want %+v", tt.path, got, err, tt)
		}
	}
}

func TestReadDevicePolicyFails(t *testing.T) {
	h, a := captured(t, "v2")
	const file = "/etc/systemd/system/a.service"
	a.Files[file] = "DevicePolicy=closed\n"
	a.Files[file+".d/x.conf"] = ""
	a.Errors[file+".d/x.conf"] = syscall.EIO
	_, err := h.ReadDevicePolicy(on(t, "/system.slice/a.service"))
	mustBe(t, err, syscall.EIO)
}

// On v1 the kernel says it.
func TestReadDevicePolicyV1(t *testing.T) {
	h, a := captured(t, "v1")
	h.Hierarchies = append(h.Hierarchies, Hierarchy{Version: 1, Controllers: []string{"devices"}, MountPoint: "/sys/fs/cgroup/devices", Root: "/"})
	m := membership(t, "9:devices:/lxc/c1\n1:name=systemd:/system.slice/docker-1.scope\n0::/\n")
	const list = "/sys/fs/cgroup/devices/lxc/c1/devices.list"
	a.Files["/run/systemd/transient/docker-1.scope"] = "DevicePolicy=strict\n"
	a.Files[list] = "b 7:1 rwm\n"
	got, err := h.ReadDevicePolicy(m)
	if got.From.Cgroup() != "/lxc/c1" || got.From.File() != list {
		t.Errorf("from %+v, want %s", got.From, list)
	}
	got.From = Origin{}
	if want := (DevicePolicy{Rules: []DeviceRule{{7, 1}}, Own: true}); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, %v, want %v", got, err, want)
	}
	a.Files[list] = "b 7:1\n"
	_, err = h.ReadDevicePolicy(m)
	mustBe(t, err, ErrFormat)
	if err == nil || !strings.Contains(err.Error(), list) {
		t.Errorf("does not name the file: %v", err)
	}
	delete(a.Files, list)
	_, err = h.ReadDevicePolicy(m)
	mustBe(t, err, fs.ErrNotExist)
}

func TestDeviceOf(t *testing.T) {
	h, a := captured(t, "v2")
	a.Files["/sys/class/block/loop0/dev"] = "7:0\n"
	if got, err := h.DeviceOf("loop0"); err != nil || got != (DeviceRule{7, 0}) {
		t.Errorf("got %v, %v", got, err)
	}
	_, err := h.DeviceOf("null")
	mustBe(t, err, fs.ErrNotExist)
	for _, bad := range []string{"", "\n", "7\n", "7:*\n", "7:0:1\n"} {
		a.Files["/sys/class/block/loop0/dev"] = bad
		_, err := h.DeviceOf("loop0")
		mustBe(t, err, ErrFormat)
	}
}

func FuzzParseDevices(f *testing.F) {
	for _, s := range []string{"a *:* rwm\n", "b 7:0 rwm\nc 1:3 rwm\n", "b *:* m\n"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		rules, err := parseDevicesList(content)
		if err == nil && len(rules) > strings.Count(string(content), "\n") {
			t.Errorf("%d rules of %q", len(rules), content)
		}
	})
}

func FuzzParseUnitDevices(f *testing.F) {
	for _, s := range []string{"DevicePolicy=strict\nDeviceAllow=/dev/block/7:0 rwm\n", "DeviceAllow=block-[ rw\n", "DeviceAllow=\nPrivateDevices=1\n", "DeviceAllow=/dev/../x\n"} {
		f.Add(s)
	}
	h, a := captured(f, "v2")
	a.Files["/proc/devices"] = "Block devices:\n  7 loop\n"
	f.Fuzz(func(t *testing.T, text string) {
		u := unitPolicy{host: h}
		u.parse(text)
		if n := len(u.result()); n > 2*strings.Count(text, "DeviceAllow")+1 {
			t.Errorf("%d rules of %q", n, text)
		}
	})
}
