package daemon

import (
	"slices"
	"testing"
	"time"

	"linuxcontainers.org/lxcfs/cgroup"
	"linuxcontainers.org/lxcfs/cgroup/container"
	"linuxcontainers.org/lxcfs/cgroup/hostfile/hosttest"
	"linuxcontainers.org/lxcfs/fs/view"
)

// forgetter is a machine that notes which of two directories are to be forgotten.
type forgetter struct {
	*hosttest.Archive
	forgotten []string
}

func (f *forgetter) Forget(match func(string) bool) {
	for _, dir := range []string{"/sys/fs/cgroup/box", "/sys/fs/cgroup/other"} {
		if match(dir) {
			f.forgotten = append(f.forgotten, dir)
		}
	}
}

// The files of a dead container's cgroups are closed twice: a count of its
// threads that was under way at the first time opened one again, which stayed.
func TestSweepReleasesTwice(t *testing.T) {
	const stat = "7 (sh) S 1 7 7 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 99 0 0\n"
	files := &forgetter{Archive: &hosttest.Archive{Files: map[string]string{
		"/proc/self/mountinfo":              "30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n",
		"/sys/fs/cgroup/cgroup.controllers": "memory\n",
		"/sys/fs/cgroup/box/cgroup.procs":   "7\n",
		"/sys/fs/cgroup/other/cgroup.procs": "",
		"/proc/7/cgroup":                    "0::/box\n",
		"/proc/7/stat":                      stat,
		"/proc/7/status":                    "Name:\tsh\nTgid:\t7\nPid:\t7\nPPid:\t1\nNStgid:\t7\t1\n",
		"/proc/7/mountinfo":                 "27 1 0:24 / / rw - ext4 /dev/root rw\n",
	}}}
	host, err := cgroup.Detect(files)
	if err != nil {
		t.Fatal(err)
	}
	s := &server{machine: &machine{
		host: host, resolver: container.New(host, container.Options{}),
		loads: view.NewLoads(host, func() time.Duration { return time.Hour }),
	}}
	if d, err := s.machine.resolver.Resolve(7); err != nil || d.Container == nil {
		t.Fatalf("got %+v, %v", d, err)
	}
	if released := s.sweepOnce(nil); released != nil || files.forgotten != nil {
		t.Errorf("%q released while all live", files.forgotten)
	}
	for _, name := range []string{"cgroup", "stat", "status", "mountinfo"} {
		delete(files.Files, "/proc/7/"+name)
	}
	var released []cgroup.Membership
	want := []string{"/sys/fs/cgroup/box"}
	for i, want := range [][]string{want, want, nil} {
		files.forgotten = nil
		if released = s.sweepOnce(released); !slices.Equal(files.forgotten, want) {
			t.Errorf("sweep %d after its death: closed what is in %q, want %q", i+1, files.forgotten, want)
		}
	}
}
