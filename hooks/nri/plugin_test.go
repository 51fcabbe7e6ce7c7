package main

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/containerd/nri/pkg/api"
)

// newTestPlugin serves these and keeps what is logged.
func newTestPlugin(t *testing.T) (*plugin, *strings.Builder) {
	t.Helper()
	logged := new(strings.Builder)
	p := newPlugin("/var/lib/lxcfs", func(format string, args ...any) { fmt.Fprintf(logged, format+"\n", args...) })
	p.served = func() ([]string, error) {
		return []string{"/proc/meminfo", "/proc/pressure/io", "/proc/stat", "/sys/devices/system/cpu"}, nil
	}
	return p, logged
}

// create asks the plugin and spells the mounts that it adds.
func create(t *testing.T, p *plugin, pod *api.PodSandbox, c *api.Container) (*api.ContainerAdjustment, string) {
	t.Helper()
	a, updates, err := p.CreateContainer(context.Background(), pod, c)
	if err != nil || len(updates) > 0 {
		t.Fatalf("got updates %v, error %v", updates, err)
	}
	var targets []string
	for _, m := range a.GetMounts() {
		if m.Source != "/var/lib/lxcfs"+m.Destination || m.Type != "bind" {
			t.Errorf("got %v", m)
		}
		targets = append(targets, m.Destination)
	}
	return a, strings.Join(targets, " ")
}

func TestMounts(t *testing.T) {
	pod, c := &api.PodSandbox{Name: "p", Namespace: "n"}, &api.Container{Name: "c"}
	p, logged := newTestPlugin(t)
	if _, got := create(t, p, pod, c); got != "/proc/meminfo /proc/stat /sys/devices/system/cpu" {
		t.Errorf("got %q", got)
	}
	own := &api.Container{Mounts: []*api.Mount{{Destination: "/proc/stat/"}}}
	if _, got := create(t, p, pod, own); got != "/proc/meminfo /sys/devices/system/cpu" {
		t.Errorf("over a mount of the pod's: %q", got)
	}
	p.all = true
	if _, got := create(t, p, pod, c); !strings.Contains(got, "/proc/pressure/io") {
		t.Errorf("all: %q", got)
	}
	off := &api.PodSandbox{Annotations: map[string]string{Annotation: "off"}}
	if a, _ := create(t, p, off, c); a != nil {
		t.Errorf("a pod that wants none: %v", a)
	}
	if logged.Len() > 0 {
		t.Errorf("logged %q", logged)
	}
}

func TestHook(t *testing.T) {
	p, _ := newTestPlugin(t)
	p.hook = "/usr/libexec/lxcfs-oci-hook"
	a, mounts := create(t, p, nil, nil)
	hooks := a.GetHooks().GetCreateContainer()
	if mounts != "" || len(hooks) != 1 || hooks[0].Path != p.hook || hooks[0].Args[0] != "lxcfs-oci-hook" {
		t.Errorf("got %v", a)
	}
}

// Without lxcfs, and with one that does not answer, containers are created.
func TestNoLxcfs(t *testing.T) {
	pod, c := &api.PodSandbox{Name: "p", Namespace: "n"}, &api.Container{Name: "c"}
	block := make(chan struct{})
	defer close(block)
	for want, served := range map[string]func() ([]string, error){
		"nothing there":   func() ([]string, error) { return nil, errors.New("nothing there") },
		"does not answer": func() ([]string, error) { <-block; return nil, nil },
	} {
		p, logged := newTestPlugin(t)
		p.served = served
		if a, _ := create(t, p, pod, c); a != nil {
			t.Errorf("got %v", a)
		}
		if !strings.Contains(logged.String(), `container "c" of pod "n"/"p"`) || !strings.Contains(logged.String(), want) {
			t.Errorf("logged %q, want %q", logged, want)
		}
	}
}

// A volume over /proc or /sys is left alone: it may be the host's, and propagate.
func TestVolumes(t *testing.T) {
	const all = "/proc/meminfo /proc/stat /sys/devices/system/cpu"
	standard := []*api.Mount{{Destination: "/proc", Type: "proc"}, {Destination: "/sys", Type: "sysfs"}, {Destination: "/sys/fs/cgroup", Type: "cgroup"}}
	volume := func(at string) []*api.Mount {
		return append(slices.Clone(standard), &api.Mount{Source: at, Destination: at, Type: "bind", Options: []string{"rbind", "rshared"}})
	}
	for _, tt := range []struct {
		name   string
		mounts []*api.Mount
		want   string
	}{
		{"none", standard, all},
		{"the host's /proc", volume("/proc"), "/sys/devices/system/cpu"},
		{"spelled otherwise", volume("//proc/../proc/."), "/sys/devices/system/cpu"},
		{"relative", volume("proc"), "/sys/devices/system/cpu"},
		{"out of it", volume("../../sys"), "/proc/meminfo /proc/stat"},
		{"the host's devices", volume("/sys/devices"), "/proc/meminfo /proc/stat"},
		{"a directory of a like name", volume("/sys/dev"), all},
		{"a file", volume("proc/stat"), "/proc/meminfo /sys/devices/system/cpu"},
		{"an empty message", []*api.Mount{nil, {}}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, _ := newTestPlugin(t)
			if _, got := create(t, p, nil, &api.Container{Mounts: tt.mounts}); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// However many pods are made while lxcfs does not answer, one question waits for it.
func TestQuestionsDoNotPileUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, logged := newTestPlugin(t)
		var asked atomic.Int32
		block := make(chan struct{})
		p.served = func() ([]string, error) { asked.Add(1); <-block; return []string{"/proc/stat"}, nil }
		name := strings.Repeat("x", 1000) + "\nforged"
		for range 100 {
			create(t, p, &api.PodSandbox{Name: name}, &api.Container{Name: "c\nforged"})
		}
		if n := asked.Load(); n != 1 {
			t.Errorf("%d questions, want 1", n)
		}
		if lines := strings.Count(logged.String(), "\n"); lines != 100 || logged.Len() > 100*1000 {
			t.Errorf("%d lines of %d bytes, want 100 short ones", lines, logged.Len())
		}
		close(block)
		synctest.Wait()
		if _, got := create(t, p, nil, nil); got != "/proc/stat" || asked.Load() != 2 {
			t.Errorf("once it answers: got %q after %d questions", got, asked.Load())
		}
	})
}

// Whatever the runtime says of a container, what is mounted is what lxcfs serves, at
// its place, and never over a mount of the container's.
func FuzzCreateContainer(f *testing.F) {
	f.Add("/proc", "proc", "/proc/stat", "bind", "off")
	f.Add("../proc/", "bind", "proc/./stat", "", "c")
	f.Add("\x00", "sysfs", strings.Repeat("/..", 100), "proc", "\n")
	f.Fuzz(func(t *testing.T, a, aType, b, bType, name string) {
		p, _ := newTestPlugin(t)
		mounts := []*api.Mount{{Destination: a, Type: aType}, nil, {Destination: b, Type: bType}}
		adjusted, targets := create(t, p, &api.PodSandbox{Name: name, Annotations: map[string]string{Annotation: name}},
			&api.Container{Name: name, Mounts: mounts})
		if (adjusted == nil) != (name == "off") {
			t.Errorf("got %v for %q", adjusted, name)
		}
		served, _ := p.served()
		for _, target := range strings.Fields(targets) {
			if !slices.Contains(served, target) || target == path.Clean("/"+a) || target == path.Clean("/"+b) {
				t.Errorf("mounts over %q", target)
			}
		}
	})
}
