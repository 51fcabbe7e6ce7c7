package layers

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// layers is the order of the packages, the lowest first: a package may import
// only packages of lower layers.
func layers() map[string]int {
	return map[string]int{
		"cgroup/hostfile":          0,
		"cgroup/hostfile/hosttest": 1,
		"cgroup/procpid":           0,
		"cgroup/fair":              0,
		"cgroup":                   1,
		"cgroup/container":         2,
		"units/fdstore":            0,
		"units/mount":              1,
		"fs/view":                  3,
		"fs/psi":                   3,
		"fs/served":                0,
		"fs/vfs":                   4,
		"fs/cgrouptree":            5,
		"fs/memory":                4,
		"fs/proc":                  5,
		"fs/sys":                   5,
		"fs":                       5,
		"dbusapi":                  6,
		"hooks/bind":               1,
		"hooks/unit":               0,
		"hooks/nspawn":             0,
		"hooks/attach":             4,
		"hooks/oci":                2,
		"hooks/lxc":                9,
		"cmd/escape":               0,
		"cmd/lxcfs/session":        1,
		"cmd/lxcfs/config":         4,
		"cmd/lxcfs/logs":           5,
		"cmd/lxcfs/process":        6,
		"cmd/lxcfs/keeper":         7,
		"cmd/lxcfs/daemon":         7,
		"cmd/lxcfs":                9,
		"cmd/lxcfsctl":             9,
		"cmd/lxcfs-oci-hook":       9,
		"cmd/mount.fuse.lxcfs":     9,
		"units":                    9,
		"packaging/man":            0,
		"packaging/man/dbuspage":   9,
	}
}

// keeperMayImport is all of ours that the keeper needs.
func keeperMayImport() []string {
	return []string{"cmd/lxcfs/logs", "cmd/lxcfs/process", "units/fdstore", "units/mount"}
}

// Imports point downwards only, only fs and cmd/lxcfs/session know go-fuse, the
// keeper knows nothing of what is served, and no program has hosttest in it.
func TestImports(t *testing.T) {
	const module = "linuxcontainers.org/lxcfs/"
	out, err := exec.Command("go", "list", "-f", "{{.ImportPath}} {{join .Imports \" \"}}", module+"...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	order := layers()
	packages := 0
	for line := range strings.Lines(string(out)) {
		fields := strings.Fields(line)
		name := strings.TrimPrefix(fields[0], module)
		if strings.HasPrefix(name, "test/") {
			continue
		}
		packages++
		layer, known := order[name]
		if !known {
			t.Errorf("package %s has no layer: give it one here", name)
		}
		for _, imported := range fields[1:] {
			if strings.HasPrefix(imported, "github.com/hanwen/go-fuse") && !slices.Contains([]string{"fs", "cmd/lxcfs/session"}, name) {
				t.Errorf("%s imports %s", name, imported)
			}
			if name == "cmd/lxcfs/keeper" && strings.HasPrefix(imported, module) && !slices.Contains(keeperMayImport(), strings.TrimPrefix(imported, module)) {
				t.Errorf("%s imports %s", name, imported)
			}
			if imported == module+"cgroup/hostfile/hosttest" {
				t.Errorf("%s imports %s outside its tests", name, imported)
			}
			if own, ok := strings.CutPrefix(imported, module); ok && order[own] >= layer {
				t.Errorf("%s imports %s, which is not below it", name, own)
			}
		}
	}
	if packages < 10 {
		t.Errorf("only %d packages seen", packages)
	}
}
