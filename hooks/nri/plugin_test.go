package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

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
		if !strings.Contains(logged.String(), "container c of pod n/p") || !strings.Contains(logged.String(), want) {
			t.Errorf("logged %q, want %q", logged, want)
		}
	}
}
