package attach

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"linuxcontainers.org/lxcfs/cgroup/container"
)

func found(pid int, runtime, name string, kind container.Kind, key uint64, init uint32) Found {
	return Found{PID: pid, Container: &container.Container{
		Runtime: runtime, Name: name, Kind: kind, Key: container.Key{Inode: key}, InitPID: init, CgroupPath: "/" + name,
	}}
}

func TestSelect(t *testing.T) {
	const id = "0123456789abcdef0123456789abcdef"
	all := []Found{
		found(10, "lxc", "web", container.System, 1, 10),
		found(11, "lxc", "web", container.System, 1, 10), // a service in it
		found(20, "nspawn", "web", container.System, 2, 20),
		found(30, "lxc", "db", container.System, 3, 30),
		found(40, "docker", id, container.Application, 4, 40),
		found(50, "docker", "01234567ffff", container.Application, 5, 0),
		found(60, "systemd", "nginx.service", container.Unit, 6, 0),
		found(61, "systemd", "nginx.service", container.Unit, 6, 0),
		{PID: 70},
		found(80, "", "", container.System, 8, 80),
		found(90, "", "", container.Application, 9, 90),
	}
	all[10].Container.Claimed = "podman/feedfeedfeed"
	all[7].Container.Unit.Name, all[6].Container.Unit.Name = "nginx.service", "nginx.service"
	all[9].Container.Unit.Name = "machine.service"
	for _, tt := range []struct {
		name string
		pids []int
		err  error
	}{
		{"db", []int{30}, nil},
		{"lxc/db", []int{30}, nil},
		{"lxc/web", []int{10}, nil},
		{"nspawn/web", []int{20}, nil},
		{"web", nil, ErrAmbiguous},
		{"docker/db", nil, ErrNotFound},
		{id[:12], []int{40}, nil},
		{"01234567", nil, ErrAmbiguous},
		{"012abc", nil, ErrNotFound},
		{"01234567ffff", []int{50}, nil},
		{"nginx", []int{60, 61}, nil},
		{"nginx.service", []int{60, 61}, nil},
		{"machine.service", []int{80}, nil},
		{"4711", []int{4711}, nil},
		{"", nil, ErrNotFound},
		{"/", nil, ErrNotFound},
		{"podman/feedfeedfeed", nil, ErrNotFound}, // a claim names nothing
		{"feedfeedfeed", nil, ErrNotFound},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Names{All: all}.Select(tt.name)
			if !errors.Is(err, tt.err) {
				t.Fatalf("got %v, want %v", err, tt.err)
			}
			if err != nil {
				return
			}
			if len(got) != len(tt.pids) {
				t.Fatalf("got %v, want %v", got, tt.pids)
			}
			for i := range got {
				if got[i].PID != tt.pids[i] {
					t.Errorf("got %d, want %d", got[i].PID, tt.pids[i])
				}
			}
		})
	}
}

// What others entered is told by its init; then the outermost counts.
func TestFoundOrder(t *testing.T) {
	init := Found{PID: 500, depth: 2, init: true}
	for _, other := range []Found{{PID: 9, depth: 1}, {PID: 9, depth: 2}, {PID: 9, depth: 3, init: true}, {PID: 501, depth: 2, init: true}} {
		if !init.before(other) || other.before(init) {
			t.Errorf("%+v should stand for a namespace rather than %+v", init, other)
		}
	}
}

// A unit's name means the unit's own, however many pid namespaces its processes make.
func TestSelectUnit(t *testing.T) {
	in := func(f Found, namespace string) Found {
		f.Container.Unit.Name, f.namespace = "ci.service", namespace
		return f
	}
	own := in(found(10, "systemd", "ci.service", container.Unit, 1, 0), "mnt:[1]")
	one, two := in(found(20, "", "", container.System, 2, 20), "mnt:[2]"), in(found(30, "", "", container.System, 3, 30), "mnt:[3]")
	self, err := os.Readlink("/proc/self/ns/mnt")
	if err != nil {
		t.Fatal(err)
	}
	main := in(found(40, "", "", container.System, 4, 40), self)
	for _, tt := range []struct {
		name string
		all  []Found
		main int
		pids []int
	}{
		{"its own, and two strangers'", []Found{own, one, two}, 0, []int{10}},
		{"one, which is all there is", []Found{one}, 0, []int{20}},
		{"two, and the main process is in neither", []Found{one, two}, os.Getpid(), nil},
		{"two, and nobody knows the main process", []Found{one, two}, 0, nil},
		{"the main process is in one", []Found{one, two, main}, os.Getpid(), []int{40}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Names{All: tt.all, MainPID: func(unit string) int {
				if unit != "ci.service" {
					t.Errorf("asked for %q", unit)
				}
				return tt.main
			}}.Select("ci")
			if (tt.pids == nil) != errors.Is(err, ErrAmbiguous) || tt.pids != nil && err != nil {
				t.Errorf("got %v", err)
			}
			if tt.pids == nil && !strings.Contains(fmt.Sprint(err), "(process 20) in ") {
				t.Errorf("got %v, which names no process", err)
			}
			var pids []int
			for _, f := range got {
				pids = append(pids, f.PID)
			}
			if !slices.Equal(pids, tt.pids) {
				t.Errorf("got %v, want %v", pids, tt.pids)
			}
		})
	}
}

// What is not found is told with what to do.
func TestSelectSaysWhatToDo(t *testing.T) {
	claimed := found(90, "", "", container.Application, 9, 90)
	claimed.Container.Claimed = "podman/feedfeedfeed"
	for name, want := range map[string]string{
		"web": "docker inspect", "docker/web": "docker inspect",
		"feedfeed": "process 90 only claims to be podman/feedfeedfeed", "podman/feedfeedfeed": "give its process id",
	} {
		if _, err := (Names{All: []Found{claimed}}).Select(name); !errors.Is(err, ErrNotFound) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", name, err, want)
		}
	}
}

// Known runtimes' containers come first.
func TestFoundOrderKnownFirst(t *testing.T) {
	known, other := found(900, "lxc", "web", container.System, 1, 900), Found{PID: 5, depth: 1}
	if known.compare(other) >= 0 || other.compare(known) <= 0 {
		t.Error("a container of a runtime's is not before one of nobody knows whose")
	}
}
