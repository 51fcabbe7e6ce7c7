// Package hosts is the captured machines that the tests of other packages read:
// the .txtar archives in this directory, in the format of
// [hosttest.Parse], and the containers in them.
//
// Names are KERNEL-DISTRIBUTION-LAYOUT-RUNTIME[-WHAT]; "synthetic" stands for a
// distribution where the archive was not captured but written after the kernel's
// formats. An entry getconf/PAGESIZE has the size of the machine's pages, bytes,
// as no file tells it. The text at the top of each says what is in it. test/capture and
// test/vm/capture make them.
package hosts

import (
	"bytes"
	"embed"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"linuxcontainers.org/lxcfs/cgroup"
	"linuxcontainers.org/lxcfs/cgroup/hostfile"
	"linuxcontainers.org/lxcfs/cgroup/hostfile/hosttest"
)

//go:embed *.txtar
var archives embed.FS

// Names returns the names of the archives, without ".txtar", sorted.
func Names(t testing.TB) []string {
	t.Helper()
	files, err := fs.Glob(archives, "*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no archives: %v", err)
	}
	for i := range files {
		files[i] = strings.TrimSuffix(files[i], ".txtar")
	}
	return files
}

// Load returns the machine of an archive.
func Load(t testing.TB, name string) *hosttest.Archive {
	t.Helper()
	content, err := archives.ReadFile(name + ".txtar")
	if err != nil {
		t.Fatal(err)
	}
	a, err := hosttest.Parse(content)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return a
}

// Container is a container of a captured machine.
type Container struct {
	// Host is the archive's name.
	Host string
	// Name is unique on the machine.
	Name string
	// PID is a process whose /proc/PID/cgroup gives Membership once Below is
	// cut from the end of each path.
	PID   int
	Below string
	// Limited containers have a memory limit below the machine's memory.
	Limited bool
}

// Containers returns containers of all layouts, runtimes and kernels.
func Containers() []Container {
	const init = "/init.scope"
	return []Container{
		{"5.10-synthetic-v2-lxc-over-limit", "over", 1000, "", true},
		{"6.1-synthetic-v2-podman-ppc64le", "podman", 1000, "", true},
		{"6.1-synthetic-v2-podman-s390x", "podman", 1000, "", true},
		{"6.6-synthetic-v2-podman-arm64", "podman", 1000, "", true},
		{"6.6-synthetic-v2-podman-riscv64", "podman", 1000, "", true},
		{"6.12-synthetic-v2-256cpus", "docker", 1000, "", true},
		{"6.12-synthetic-v2-256cpus", "unlimited", 2000, "", false},
		{"6.12-debian13-v2-lxc", "c1", 2540, init, true},
		{"6.12-debian13-v2-lxc-nested", "outer", 4265, init, true},
		{"6.12-debian13-v2-lxc-nested", "inner", 4366, init, true},
		{"6.12-debian13-v2-nspawn", "ct", 712, init, true},
		{"6.12-debian13-v2-podman", "web", 364, "", true},
		{"6.12-debian13-v2-docker", "web", 1208, "", true},
		{"6.12-debian13-v2-unit", "limited", 231, "", true},
		{"6.12-debian13-v2-unit-no-swap", "noswap", 234, "", true},
		{"6.12-debian13-v2-threads", "pool", 2842, "/pool", true}, // a thread
		{"6.18-debian12-hybrid-lxc", "c1", 6549, "", true},
	}
}

// Membership returns the container's cgroups.
func (c Container) Membership(t testing.TB, host hostfile.FS) cgroup.Membership {
	t.Helper()
	content, err := host.Append(nil, fmt.Sprintf("/proc/%d/cgroup", c.PID))
	if err != nil {
		t.Fatal(err)
	}
	m, err := cgroup.ParseMembership(content)
	if err != nil {
		t.Fatal(err)
	}
	for i := range m {
		m[i].Path = strings.TrimSuffix(m[i].Path, c.Below)
	}
	return m
}

// Golden compares got with testdata/NAME of the caller's directory, and writes
// it there instead when update is set.
func Golden(t testing.TB, name string, got []byte, update bool) {
	t.Helper()
	path := filepath.Join("testdata", filepath.FromSlash(name))
	if update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v (go test -update writes it)", err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s:\n%s", path, Diff(got, want))
	}
}

// Diff names the first line in which got and want differ, "" when they are equal.
func Diff(got, want []byte) string {
	if bytes.Equal(got, want) {
		return ""
	}
	g, w := bytes.SplitAfter(got, []byte("\n")), bytes.SplitAfter(want, []byte("\n"))
	n := 0
	for n < len(g) && n < len(w) && bytes.Equal(g[n], w[n]) {
		n++
	}
	line := func(lines [][]byte) []byte {
		if n < len(lines) {
			return lines[n]
		}
		return nil
	}
	return fmt.Sprintf("line %d of %d: got %q, want %q", n+1, len(w), line(g), line(w))
}
