// Package units has no code: its tests let systemd judge the unit files.
package units

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/coreos/go-systemd/v22/unit"

	"linuxcontainers.org/lxcfs/units/mount"
)

// Bounds of what systemd-analyze security says, which is 0 to 10.
const (
	maxExposure        = 0.5
	maxCgroupExposure  = 2.0
	maxMetricsExposure = 0.9
)

// serviceFiles, and all that systemd is to judge.
func serviceFiles() []string { return []string{"lxcfs.service.in", "lxcfs-cgroup.service.in"} }

func unitFiles() []string {
	return append(serviceFiles(), "lxcfs-attach.service.in", "lxcfs-heal.service.in", "lxcfs-mount-check@.service.in", "lxcfs.socket",
		"lxcfs-active.target", "var-lib-lxcfs.mount", "lxcfs-cgroup.socket", "var-lib-lxcfs.cgroup.mount",
		"lxcfs-metrics.service.in", "lxcfs-metrics.socket")
}

// render puts the units into a directory as an installation would, with a
// daemon that exists, so that verify finds it.
func render(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, stub := range []string{"lxcfs", "lxcfsctl", "mount.fuse.lxcfs"} {
		if err := os.WriteFile(filepath.Join(dir, stub), []byte("#!/bin/true\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range unitFiles() {
		text := strings.NewReplacer("@BINDIR@", dir, "@SBINDIR@", dir).Replace(read(t, name))
		out := filepath.Join(dir, strings.TrimSuffix(name, ".in"))
		if err := os.WriteFile(out, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func read(t *testing.T, name string) string {
	t.Helper()
	content, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func analyze(t *testing.T, args ...string) (string, error) {
	t.Helper()
	path, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("needs systemd-analyze; install the systemd package")
	}
	out, err := exec.Command(path, args...).CombinedOutput()
	return string(out), err
}

func TestVerify(t *testing.T) {
	dir := render(t)
	for _, name := range unitFiles() {
		name = strings.TrimSuffix(name, ".in")
		out, err := analyze(t, "verify", "--man=no", filepath.Join(dir, name))
		var left []string
		for line := range strings.Lines(out) {
			// What systemd 252 says of the second Type= and of RestartMode=, by
			// design. Units of the machine that runs the test are not ours.
			if strings.Contains(line, "notify-reload") || strings.Contains(line, "'RestartMode'") || !strings.Contains(line, "lxcfs") {
				continue
			}
			left = append(left, line)
		}
		if err != nil || len(left) > 0 {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
}

func TestSecurityExposure(t *testing.T) {
	dir := render(t)
	for name, most := range map[string]float64{"lxcfs.service": maxExposure, "lxcfs-cgroup.service": maxCgroupExposure, "lxcfs-metrics.service": maxMetricsExposure} {
		out, err := analyze(t, "security", "--offline=yes", "--no-pager", filepath.Join(dir, name))
		if err != nil && strings.Contains(out, "nrecognized option") {
			t.Skip("needs systemd-analyze security --offline, systemd 250 or later")
		}
		m := regexp.MustCompile(`Overall exposure level for ` + regexp.QuoteMeta(name) + `: ([0-9.]+) `).FindStringSubmatch(out)
		if m == nil {
			t.Fatalf("no exposure in the output: %v\n%s", err, out)
		}
		level, err := strconv.ParseFloat(m[1], 64)
		if err != nil || level > most {
			t.Errorf("%s: got exposure %v (%v), want at most %v\n%s", name, level, err, most, out)
		}
	}
}

// The cgroup tree takes these rights and no more.
func TestCgroupServiceRights(t *testing.T) {
	for option, want := range map[string]string{
		"CapabilityBoundingSet": "CAP_DAC_OVERRIDE CAP_CHOWN CAP_FOWNER CAP_SYS_NICE",
		"AmbientCapabilities":   "",
		"SystemCallFilter":      "@system-service ~@privileged @resources @chown",
		"NoNewPrivileges":       "yes",
		"PrivateNetwork":        "yes",
	} {
		got := words(t, "lxcfs-cgroup.service.in", "Service", option)
		for w := range strings.FieldsSeq(want) {
			if !got[w] {
				t.Errorf("%s= lacks %s", option, w)
			}
			delete(got, w)
		}
		if len(got) > 0 {
			t.Errorf("%s= has %v, too", option, got)
		}
	}
}

func options(t *testing.T, file string) []*unit.UnitOption {
	t.Helper()
	o, err := unit.DeserializeOptions(strings.NewReader(read(t, file)))
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return o
}

// A path on the mount in the service, of whatever option, blocked its start.
func TestServiceDoesNotNameTheMount(t *testing.T) {
	for _, o := range append(options(t, "lxcfs.service.in"), options(t, "lxcfs-cgroup.service.in")...) {
		// The unit's name is not the path.
		if strings.Contains(strings.ReplaceAll(o.Value, "var-lib-lxcfs.mount", ""), "lib/lxcfs") {
			t.Errorf("%s=%s names the mount", o.Name, o.Value)
		}
		if o.Name == "InaccessiblePaths" && o.Value == "-/run/dbus/system_bus_socket" {
			continue // does not lead over the mount
		}
		switch o.Name {
		case "ExecStartPre", "ExecStartPost", "ExecCondition", "RequiresMountsFor", "WantsMountsFor",
			"InaccessiblePaths", "ReadOnlyPaths", "ReadWritePaths", "BindPaths", "BindReadOnlyPaths",
			"TemporaryFileSystem", "NoExecPaths", "ExecPaths", "RootDirectory", "RootImage",
			"RuntimeDirectory", "StateDirectory", "WorkingDirectory",
			"Environment", // FDSTORE= would hide the manager's own
			"MemoryMax", "MemoryHigh", "PartOf", "BindsTo", "PropagatesStopTo", "FileDescriptorStorePreserve":
			t.Errorf("%s= must not be in the service", o.Name)
		}
	}
}

// lines returns the values of an option, each word of each line.
func words(t *testing.T, file, section, name string) map[string]bool {
	set := make(map[string]bool)
	for _, o := range options(t, file) {
		if o.Section == section && o.Name == name {
			for _, w := range strings.Fields(o.Value) {
				set[w] = true
			}
		}
	}
	return set
}

func TestWiring(t *testing.T) {
	runtimes := []string{
		"lxc.service", "incus.service", "lxd.service", "docker.service", "containerd.service",
		"podman.service", "crio.service", "libvirtd.service", "machines.target",
	}
	for _, tt := range []struct {
		file, section, name string
		want                []string
	}{
		{"lxcfs.service.in", "Unit", "Before", runtimes},
		{"var-lib-lxcfs.mount", "Unit", "Before", append(runtimes, "umount.target")},
		{"lxcfs.service.in", "Unit", "Wants", []string{"var-lib-lxcfs.mount", "lxcfs-heal.service", "lxcfs-mount-check@var-lib-lxcfs.service"}},
		{"lxcfs-mount-check@.service.in", "Unit", "After", []string{"%i.mount", "lxcfs-heal.service"}},
		{"lxcfs-mount-check@.service.in", "Unit", "StopWhenUnneeded", []string{"yes"}},
		{"lxcfs-mount-check@.service.in", "Unit", "StartLimitIntervalSec", []string{"0"}},
		{"lxcfs-heal.service.in", "Unit", "Before", []string{"var-lib-lxcfs.mount"}},
		{"lxcfs-heal.service.in", "Unit", "StopWhenUnneeded", []string{"yes"}},
		{"lxcfs-heal.service.in", "Unit", "PartOf", []string{"lxcfs-active.target"}},
		{"lxcfs.service.in", "Unit", "StartLimitIntervalSec", []string{"0"}},
		{"var-lib-lxcfs.mount", "Unit", "StartLimitIntervalSec", []string{"0"}},
		{"var-lib-lxcfs.cgroup.mount", "Unit", "StartLimitIntervalSec", []string{"0"}},
		{"lxcfs-heal.service.in", "Unit", "StartLimitIntervalSec", []string{"0"}},
		{"lxcfs.service.in", "Service", "Restart", []string{"always"}},
		{"lxcfs.service.in", "Service", "RestartMode", []string{"direct"}},
		{"lxcfs.service.in", "Service", "ExecStart", []string{"--service", "--keeper"}},
		{"lxcfs.service.in", "Service", "KillMode", []string{"mixed"}},
		{"lxcfs.service.in", "Service", "OOMPolicy", []string{"continue"}},
		{"lxcfs-cgroup.service.in", "Service", "OOMPolicy", []string{"continue"}},
		{"lxcfs-cgroup.service.in", "Service", "RestartMode", []string{"direct"}},
		{"lxcfs-cgroup.service.in", "Service", "ExecStart", []string{"--service", "--keeper"}},
		{"lxcfs-cgroup.service.in", "Service", "KillMode", []string{"mixed"}},
		{"lxcfs.service.in", "Service", "RestartPreventExitStatus", []string{"0", "64", "69"}},
		{"lxcfs.service.in", "Service", "ExecReload", []string{"-HUP", "--check-config"}},
		{"lxcfs-cgroup.service.in", "Service", "ExecReload", []string{"-HUP", "--check-config"}},
		{"lxcfs.service.in", "Service", "FileDescriptorStoreMax", []string{"512"}},
		{"var-lib-lxcfs.mount", "Unit", "Requires", []string{"lxcfs.socket"}},
		{"var-lib-lxcfs.mount", "Unit", "After", []string{"lxcfs.socket"}},
		{"lxcfs.service.in", "Unit", "Wants", []string{"lxcfs-active.target"}},
		{"lxcfs-active.target", "Unit", "StopWhenUnneeded", []string{"yes"}},
		{"lxcfs-active.target", "Unit", "ConditionPathExists", []string{"!/run/lxcfs/foreign"}},
		{"lxcfs-active.target", "Unit", "After", []string{"lxcfs-heal.service"}},
		{"var-lib-lxcfs.mount", "Unit", "PartOf", []string{"lxcfs-active.target"}},
		{"var-lib-lxcfs.mount", "Unit", "DefaultDependencies", []string{"no"}},
		{"lxcfs.socket", "Socket", "SocketMode", []string{"0600"}},
		{"lxcfs-cgroup.service.in", "Unit", "Wants", []string{"var-lib-lxcfs.cgroup.mount", "lxcfs-mount-check@var-lib-lxcfs.cgroup.service"}},
		{"lxcfs-cgroup.service.in", "Unit", "Before", runtimes},
		{"lxcfs-cgroup.service.in", "Service", "FileDescriptorStoreMax", []string{"512"}},
		{"lxcfs-cgroup.socket", "Socket", "ListenSequentialPacket", []string{mount.CgroupSocket}},
		{"lxcfs-cgroup.socket", "Socket", "SocketMode", []string{"0600"}},
		{"lxcfs.socket", "Socket", "ListenSequentialPacket", []string{mount.Socket}},
		{"var-lib-lxcfs.cgroup.mount", "Unit", "Requires", []string{"lxcfs-cgroup.socket"}},
		{"var-lib-lxcfs.cgroup.mount", "Unit", "StopWhenUnneeded", []string{"yes"}},
		{"var-lib-lxcfs.cgroup.mount", "Mount", "Options", []string{"cgroup"}},
		{"lxcfs.socket", "Socket", "TriggerLimitBurst", []string{"200"}},
		{"systemd-nspawn@.service.d/10-lxcfs.conf", "Unit", "After", []string{"lxcfs.service", "var-lib-lxcfs.mount"}},
		{"lxc@.service.d/10-lxcfs.conf", "Unit", "After", []string{"lxcfs.service", "var-lib-lxcfs.mount"}},
		{"lxc@.service.d/10-lxcfs.conf", "Unit", "Wants", []string{"lxcfs.service", "var-lib-lxcfs.mount"}},
	} {
		got := words(t, tt.file, tt.section, tt.name)
		for _, w := range tt.want {
			if !got[w] {
				t.Errorf("%s: [%s] %s= lacks %s", tt.file, tt.section, tt.name, w)
			}
		}
	}
	for _, file := range []string{"lxcfs.service.in", "var-lib-lxcfs.mount"} {
		for w := range words(t, file, "Unit", "After") {
			if strings.Contains(w, "lxcfs") && w != "lxcfs.socket" {
				t.Errorf("%s: After=%s: service and mount wait for each other", file, w)
			}
		}
	}
}

func TestSysusersAndTmpfiles(t *testing.T) {
	t.Run("systemd-sysusers", func(t *testing.T) {
		root := applied(t, "systemd-sysusers", "sysusers.d/lxcfs.conf")
		passwd, err := os.ReadFile(filepath.Join(root, "etc/passwd"))
		if err != nil || !strings.Contains(string(passwd), "lxcfs:x:") || !strings.Contains(string(passwd), "nologin") {
			t.Errorf("passwd: %q, %v", passwd, err)
		}
	})
	t.Run("systemd-tmpfiles", func(t *testing.T) {
		if os.Getuid() != 0 {
			t.Skipf("needs root, to give directories to root; have: uid %d", os.Getuid())
		}
		root := applied(t, "systemd-tmpfiles", "tmpfiles.d/lxcfs.conf", "--create", "--boot")
		if info, err := os.Stat(filepath.Join(root, "var/lib/lxcfs")); err != nil || info.Mode().Perm() != 0o755 {
			t.Errorf("mountpoint: %v, %v", info, err)
		}
		if info, err := os.Stat(filepath.Join(root, "run/lxcfs")); err != nil || info.Mode().Perm() != 0o755 {
			t.Errorf("directory of the sockets, which another lxcfs leaves with 0700: %v, %v", info, err)
		}
	})
}

// applied has a tool apply a file of ours to a root directory with a user root,
// and returns that directory.
func applied(t *testing.T, tool, file string, args ...string) string {
	t.Helper()
	path, err := exec.LookPath(tool)
	if err != nil {
		t.Skipf("needs %s; have: none", tool)
	}
	root := t.TempDir()
	if err := os.MkdirAll(filepath.Join(root, "etc"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{"passwd": "root:x:0:0::/:/bin/sh\n", "group": "root:x:0:\n"} {
		if err := os.WriteFile(filepath.Join(root, "etc", name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.MkdirAll(filepath.Join(root, "run/lxcfs"), 0o700); err != nil {
		t.Fatal(err)
	}
	abs, err := filepath.Abs(file)
	if err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(path, append(args, "--root="+root, abs)...).CombinedOutput(); err != nil {
		t.Errorf("%s: %v\n%s", tool, err, out)
	}
	return root
}

// No script of a package waits for containers: one of them would decide how long an
// upgrade takes.
func TestPackagesDoNotWaitForContainers(t *testing.T) {
	scripts, err := filepath.Glob("../packaging/debian/lxcfs.p*")
	if err != nil || len(scripts) == 0 {
		t.Fatalf("got %q, %v", scripts, err)
	}
	started := false
	for _, name := range append(scripts, "../packaging/rpm/lxcfs.spec") {
		for line := range strings.Lines(read(t, name)) {
			started = started || strings.Contains(line, "systemctl --no-block start lxcfs-attach.service")
			if strings.Contains(line, "lxcfsctl") && strings.Contains(line, "attach") ||
				strings.Contains(line, "start") && strings.Contains(line, "lxcfs-attach") && !strings.Contains(line, "--no-block") {
				t.Errorf("%s waits: %q", name, line)
			}
		}
	}
	if !started {
		t.Error("no package starts lxcfs-attach.service")
	}
	if got := words(t, "lxcfs-attach.service.in", "Service", "Type"); !got["oneshot"] {
		t.Errorf("got type %v", got)
	}
}
