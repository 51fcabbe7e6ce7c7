package view_test

import (
	"path"
	"testing"
	"time"

	"linuxcontainers.org/lxcfs/cgroup/hostfile/hosttest"
	"linuxcontainers.org/lxcfs/fs/view"
	"linuxcontainers.org/lxcfs/test/hosts"
	"linuxcontainers.org/lxcfs/test/hosts/machine"
)

// table is a captured machine whose files are found without putting names
// together, as [hostfile.Held] finds them.
type table struct {
	*hosttest.Archive
	files map[[2]string]string
}

func newTable(a *hosttest.Archive) *table {
	t := &table{a, make(map[[2]string]string)}
	for name, content := range a.Files {
		dir, file := path.Split(name)
		t.files[[2]string{path.Clean(dir), file}] = content
	}
	return t
}

func (t *table) AppendIn(dst []byte, dir, file string) ([]byte, error) {
	if content, ok := t.files[[2]string{dir, file}]; ok {
		return append(dst, content...), nil
	}
	return t.Append(dst, dir+"/"+file)
}

// gatherings are what the files of /proc need.
func gatherings() map[string]view.Needs {
	return map[string]view.Needs{
		"meminfo":   view.NeedMemory,
		"cpuinfo":   view.NeedCPUs,
		"stat":      view.NeedCPUTime | view.NeedTasks,
		"uptime":    view.NeedUptime,
		"loadavg":   view.NeedLoad,
		"diskstats": view.NeedIO | view.NeedDisks,
	}
}

// once returns a function that gathers for a container of a captured machine,
// the clock going on by step each time.
func once(t testing.TB, name string, needs view.Needs, step time.Duration) func() {
	for _, c := range hosts.Containers() {
		if c.Host != name {
			continue
		}
		m := machine.New(t, newTable(hosts.Load(t, name)))
		who := m.Container(t, c.PID)
		v := new(view.View)
		return func() {
			m.Now += step
			if err := m.Gatherer.Gather(v, who, needs, m.Options); err != nil {
				t.Fatal(err)
			}
		}
	}
	t.Fatalf("no container of %s", name)
	return nil
}

// Gathering again allocates nothing.
func TestGatherAllocs(t *testing.T) {
	for _, host := range []string{"6.12-debian13-v2-lxc", "6.18-debian12-hybrid-lxc"} {
		for name, needs := range gatherings() {
			t.Run(path.Join(host, name), func(t *testing.T) {
				// Each time a step of the account, and never a census: 0.8 s in all.
				gather := once(t, host, needs, 10*time.Millisecond)
				for range 40 { // until it is known what this kernel has not
					gather()
				}
				if n := testing.AllocsPerRun(40, gather); n != 0 && !raceEnabled {
					t.Errorf("got %v allocations, want none", n)
				}
			})
		}
	}
}

func BenchmarkGather(b *testing.B) {
	for _, host := range []string{"6.12-debian13-v2-lxc", "6.18-debian12-hybrid-lxc", "6.12-synthetic-v2-256cpus"} {
		for name, needs := range gatherings() {
			b.Run(path.Join(host, name), func(b *testing.B) {
				gather := once(b, host, needs, 20*time.Millisecond)
				b.ReportAllocs()
				for b.Loop() {
					gather()
				}
			})
		}
	}
}
