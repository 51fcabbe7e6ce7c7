package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"linuxcontainers.org/lxcfs/hooks/attach"
)

// ctl runs the command line and returns its status and what it says.
func ctl(args ...string) (status int, stdout, stderr string) {
	var out, errs bytes.Buffer
	status = run(context.Background(), args, &out, &errs)
	return status, out.String(), errs.String()
}

// servedTree is a directory that looks like a mounted lxcfs.
func servedTree(t *testing.T) string {
	t.Helper()
	tree := t.TempDir()
	for _, name := range []string{"proc/meminfo", "proc/version", "proc/no-such-file"} {
		path := filepath.Join(tree, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return tree
}

// Each prints what the tree serves and the host has.
func TestRuntimeVerbs(t *testing.T) {
	tree := servedTree(t)
	for _, tt := range []struct {
		name string
		args []string
		want []string
	}{
		{"docker, as far as runc allows", []string{"docker-options"}, []string{"-v=" + tree + "/proc/meminfo:/proc/meminfo:ro\n"}},
		{"nspawn", []string{"nspawn"}, []string{"[Files]\n", "BindReadOnly=/run/host/lxcfs/proc/version:/proc/version\n"}},
		{"nspawn's command line", []string{"nspawn", "--arguments"}, []string{"--bind-ro=/run/host/lxcfs/proc/meminfo:/proc/meminfo\n"}},
		{"unit", []string{"unit", "nginx"}, []string{"[Service]\n", "BindReadOnlyPaths=-" + tree + "/proc/meminfo:/proc/meminfo\n"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			status, out, said := ctl(append(tt.args, "--mountpoint", tree)...)
			if status != exitOK || said != "" {
				t.Errorf("got status %d, %q", status, said)
			}
			for _, w := range tt.want {
				if !strings.Contains(out, w) {
					t.Errorf("got %q, want %q in it", out, w)
				}
			}
			if strings.Contains(out, "no-such-file") || tt.args[0] == "docker-options" && strings.Contains(out, "version") {
				t.Errorf("got too much: %q", out)
			}
		})
	}
}

func TestRuntimeVerbsFail(t *testing.T) {
	empty := t.TempDir()
	for _, tt := range []struct {
		name   string
		args   []string
		status int
		want   string
	}{
		{"docker without lxcfs", []string{"docker-options", "--mountpoint", empty}, exitFailure, "no lxcfs is mounted"},
		{"nspawn without lxcfs", []string{"nspawn", "--mountpoint", empty}, exitFailure, "no lxcfs is mounted"},
		{"the daemon's own unit", []string{"unit", "lxcfs"}, exitUsage, "must not read them"},
		{"no unit's name", []string{"unit", "../x"}, exitUsage, "not the name of a service"},
		{"no unit", []string{"unit"}, exitUsage, "accepts 1 arg"},
		{"install and remove", []string{"unit", "x", "--install", "--remove"}, exitUsage, "exclude each other"},
		{"no machine", []string{"nspawn", "--install"}, exitUsage, "name a machine"},
		{"no machine's name", []string{"nspawn", "--remove", "a/b"}, exitUsage, "not the name of a machine"},
		{"nothing to attach to", []string{"attach"}, exitUsage, "--all"},
		{"both", []string{"detach", "--all", "x"}, exitUsage, "--all"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			status, out, said := ctl(tt.args...)
			if status != tt.status || !strings.Contains(said, tt.want) || out != "" {
				t.Errorf("got status %d, %q, %q, want %d, %q", status, out, said, tt.status, tt.want)
			}
		})
	}
}

// A unit's drop-in can be printed where nothing is mounted: it ignores what is
// not there.
func TestUnitWithoutLxcfs(t *testing.T) {
	if status, out, said := ctl("unit", "x", "--mountpoint", t.TempDir()); status != exitOK || !strings.Contains(out, "/proc/meminfo:/proc/meminfo\n") {
		t.Errorf("got status %d, %q, %q", status, out, said)
	}
}

func TestReport(t *testing.T) {
	r := attach.Result{Changes: []attach.Change{
		{Path: "/proc/stat", Action: attach.Bind}, {Path: "/proc/uptime", Action: attach.Bind},
		{Path: "/proc/swaps", Action: attach.Skip, Reason: "the container has none"},
	}}
	for files, want := range map[bool]string{
		false: "lxc/c1 (process 7): 2 attached, 1 left alone\n",
		true: "lxc/c1 (process 7): 2 attached, 1 left alone\n" +
			"  attach   /proc/stat\n  attach   /proc/uptime\n  skip     /proc/swaps: the container has none\n",
	} {
		var out bytes.Buffer
		err := report(screen{Writer: &out}, (&attach.Target{PID: 7, Name: "lxc/c1"}).String(), r, files)
		if err != nil || out.String() != want {
			t.Errorf("got %q, %v, want %q", out.String(), err, want)
		}
	}
}
