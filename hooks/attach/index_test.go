package attach

import (
	"fmt"
	"strings"
	"testing"

	"linuxcontainers.org/lxcfs/units/mount"
)

// Each filesystem is asked once whether it is dead, however many mounts a container
// has of it.
func TestPlanAsksEachFilesystemOnce(t *testing.T) {
	var more strings.Builder
	for i := range 20000 {
		fmt.Fprintf(&more, "%d 100 0:%d / /m/%d rw - fuse.lxcfs lxcfs rw\n", 1000+i, 40+i%2, i)
	}
	s := newPlanner(t, Request{}, more.String())
	asked := 0
	s.dead = func(string) (bool, error) { asked++; return false, nil }
	if _, err := s.plan(); err != nil || asked != 2 {
		t.Errorf("asked %d times, %v, want 2", asked, err)
	}
}

// The index says of each path what the table says.
func TestIndexIsTheTable(t *testing.T) {
	table := parse(t, containerMounts+`110 101 0:40 /proc/stat /proc/stat rw - fuse.lxcfs lxcfs rw
112 111 0:42 / /proc/stat rw - tmpfs tmpfs rw
111 110 0:41 /proc/stat /proc/stat rw - fuse.lxcfs lxcfs rw
`)
	index := table.Index()
	for _, path := range []string{"/", "/proc", "/proc/stat", "/sys", "/none"} {
		want, found := table.At(path)
		if got, ok := index.At(path); got != want || ok != found {
			t.Errorf("%s: got %v, %v, want %v, %v", path, got, ok, want, found)
		}
	}
	var stack []int
	for _, e := range index.Stack("/proc/stat") {
		stack = append(stack, e.ID)
	}
	if fmt.Sprint(stack) != "[112 111 110]" {
		t.Errorf("got %v, want [112 111 110]", stack)
	}
}

// A plan of 20 000 mounts: what quadratic work takes seconds for.
func BenchmarkPlan(b *testing.B) {
	var text strings.Builder
	text.WriteString(containerMounts)
	for i := range 20000 {
		fmt.Fprintf(&text, "%d 100 0:40 / /m/%d rw - fuse.lxcfs lxcfs rw\n", 1000+i, i)
	}
	for b.Loop() {
		table, err := mount.ParseTable([]byte(text.String()))
		if err != nil {
			b.Fatal(err)
		}
		table = table.Reachable()
		s := &planner{table: table, index: table.Index(), served: []string{"/proc/meminfo"},
			dead: func(string) (bool, error) { return true, nil }, lacks: func(string) string { return "" }}
		if _, err := s.plan(); err != nil {
			b.Fatal(err)
		}
	}
}
