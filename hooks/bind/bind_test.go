package bind

import (
	"errors"
	"slices"
	"testing"
	"testing/fstest"

	"linuxcontainers.org/lxcfs/fs/proc"
	"linuxcontainers.org/lxcfs/fs/served"
)

func tree(names ...string) fstest.MapFS {
	m := fstest.MapFS{}
	for _, n := range names {
		m[n] = &fstest.MapFile{}
	}
	return m
}

func TestServed(t *testing.T) {
	for _, tt := range []struct {
		name string
		tree fstest.MapFS
		want []string
	}{
		{"files, those of pressure too", tree("proc/stat", "proc/meminfo", "proc/pressure/io", "proc/pressure/cpu"),
			[]string{"/proc/meminfo", "/proc/pressure/cpu", "/proc/pressure/io", "/proc/stat"}},
		{"no deeper", tree("proc/stat", "proc/a/b/c"), []string{"/proc/stat"}},
		{"some files of the cpu directory", tree("proc/stat", "sys/devices/system/cpu/online", "sys/devices/system/cpu/cpu0/online"),
			[]string{"/proc/stat", "/sys/devices/system/cpu/online"}},
		{"all of it", tree("proc/stat", "sys/devices/system/cpu/online", "sys/devices/system/cpu/uevent", "sys/devices/system/node/online"),
			[]string{"/proc/stat", "/sys/devices/system/cpu", "/sys/devices/system/node/online"}},
		{"the disks", tree("proc/stat", "sys/block/vda/stat"), []string{"/proc/stat", "/sys/block"}},
		{"the cgroup tree is not for everybody", tree("proc/stat", "cgroup/memory/tasks"), []string{"/proc/stat"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Served(tt.tree)
			if err != nil || !slices.Equal(got, tt.want) {
				t.Errorf("got %q, %v, want %q", got, err, tt.want)
			}
		})
	}
	if _, err := Served(tree("x/y")); !errors.Is(err, ErrNothing) {
		t.Errorf("got %v, want ErrNothing", err)
	}
}

func TestRuncAllows(t *testing.T) {
	for path, want := range map[string]bool{
		"/proc/meminfo": true, "/proc/pressure/io": false, "/proc/unheard-of": false,
		"/sys/devices/system/cpu": true, "/sys/devices/system/cpu/online": true,
	} {
		if got := RuncAllows(path); got != want {
			t.Errorf("%s: got %v, want %v", path, got, want)
		}
	}
}

func TestFilesAreSorted(t *testing.T) {
	if !slices.IsSorted(Files()) {
		t.Error("not in order")
	}
}

// Where all that the table has is served, that is what is bound.
func TestFilesAreWhatIsServed(t *testing.T) {
	all := fstest.MapFS{}
	for _, p := range served.Paths() {
		switch name := p.Name[1:]; p.Kind {
		case served.File:
			all[name] = &fstest.MapFile{}
		case served.Tree:
			all[name+"/uevent"] = &fstest.MapFile{}
		}
	}
	if got, err := Served(all); err != nil || !slices.Equal(got, Files()) {
		t.Errorf("got %q, %v, want %q", got, err, Files())
	}
}

// What lxcfs renders must be bound by drop-ins, too.
func TestFilesAreAllOfProc(t *testing.T) {
	for _, f := range proc.Files() {
		if !slices.Contains(Files(), f.Path) {
			t.Errorf("%s is missing", f.Path)
		}
	}
}
