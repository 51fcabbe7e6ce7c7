package proc

import (
	"bytes"
	"errors"
	"flag"
	"io/fs"
	"path"
	"strings"
	"testing"
	"time"

	"linuxcontainers.org/lxcfs/cgroup"
	"linuxcontainers.org/lxcfs/cgroup/hostfile"
	"linuxcontainers.org/lxcfs/fs/view"
	"linuxcontainers.org/lxcfs/test/hosts"
)

var update = flag.Bool("update", false, "write testdata instead of comparing with it")

// capturedView returns the view of a captured container. Memory, CPUs and I/O
// are read from the capture; what a capture cannot hold, since it is counted over
// time, is made up: each CPU was used for a different time.
func capturedView(t testing.TB, c hosts.Container, host hostfile.FS) *view.View {
	t.Helper()
	h, err := cgroup.Detect(host)
	if err != nil {
		t.Fatal(err)
	}
	m := c.Membership(t, host)
	v := &view.View{SwapShown: true, ZswapShown: true, Uptime: 3725*time.Second + 678*time.Millisecond}
	if err := h.ReadMemory(m, &v.Memory); err != nil {
		t.Fatal(err)
	}
	if v.CPUs, err = h.ReadCPUSet(m); err != nil {
		t.Fatal(err)
	}
	online, err := host.Append(nil, "/sys/devices/system/cpu/online")
	if err != nil {
		t.Fatal(err)
	}
	if v.Online, err = cgroup.ParseCPUList(online); err != nil {
		t.Fatal(err)
	}
	v.CPUs = v.CPUs.And(v.Online)
	if v.IO, err = h.ReadIO(m, nil); err != nil {
		t.Fatal(err)
	}
	setTicks(v)
	v.LoadKnown, v.Load = true, [3]uint64{1475, 635, 2048 + 250}
	v.Running, v.Threads, v.LastPID = 2, 61, 317
	v.Tasks = view.Tasks{Processes: 412, Running: 2, Blocked: 1}
	return v
}

// setTicks gives each visible CPU some time, and the total a little more: that
// of CPUs that left.
func setTicks(v *view.View) {
	v.CPUTotal = view.CPUTicks{User: 11, System: 7}
	v.CPUTicks, v.Idle = nil, 0
	for cpu := range v.CPUs.All() {
		t := view.CPUTicks{User: uint64(1000 + cpu), Nice: 5, System: uint64(300 + 2*cpu), Idle: uint64(371000 - 3*cpu)}
		v.CPUTicks = append(v.CPUTicks, view.PerCPU{CPU: cpu, CPUTicks: t})
		v.CPUTotal.User += t.User
		v.CPUTotal.Nice += t.Nice
		v.CPUTotal.System += t.System
		v.CPUTotal.Idle += t.Idle
		v.Idle += time.Duration(t.Idle) * 10 * time.Millisecond
	}
}

// eachCaptured runs f for each file of each captured container that the captured
// host has.
func eachCaptured(t *testing.T, f func(t *testing.T, c hosts.Container, file File, host []byte, v *view.View)) {
	for _, c := range hosts.Containers() {
		archive := hosts.Load(t, c.Host)
		v := capturedView(t, c, archive)
		for _, file := range Files() {
			host, err := archive.Append(nil, "/proc/"+file.Name)
			if errors.Is(err, fs.ErrNotExist) {
				continue
			} else if err != nil {
				t.Fatal(err)
			}
			if resource, ok := strings.CutPrefix(file.Name, "pressure/"); ok {
				v.Pressure = capturedPressure(t, c, archive, resource)
			}
			t.Run(path.Join(c.Host, c.Name, file.Name), func(t *testing.T) { f(t, c, file, host, v) })
		}
	}
}

func TestGolden(t *testing.T) {
	eachCaptured(t, func(t *testing.T, c hosts.Container, file File, host []byte, v *view.View) {
		got, err := file.Append([]byte("before"), host, v)
		if err != nil {
			t.Fatal(err)
		}
		got, ok := bytes.CutPrefix(got, []byte("before"))
		if !ok {
			t.Fatalf("does not append: %q", got)
		}
		hosts.Golden(t, path.Join(c.Host, c.Name, file.Name), got, *update)
		again, err := file.Append(nil, got, v)
		if err != nil {
			t.Errorf("what was rendered is not read again: %v", err)
		}
		if file.Name != "swaps" && file.Name != "diskstats" && !bytes.Equal(again, got) {
			t.Errorf("rendered twice: %s", hosts.Diff(again, got))
		}
		if check := consistent[file.Name]; check != nil {
			check(t, got, host, v)
		}
	})
}

func TestEveryHostHasAContainer(t *testing.T) {
	used := make(map[string]bool)
	for _, c := range hosts.Containers() {
		used[c.Host] = true
	}
	for _, name := range hosts.Names(t) {
		if !used[name] {
			t.Logf("%s: no container of it is rendered here", name)
		}
	}
}

// TestCut feeds each captured file without its last two bytes.
func TestCut(t *testing.T) {
	eachCaptured(t, func(t *testing.T, _ hosts.Container, file File, host []byte, v *view.View) {
		dst := []byte("before")
		got, err := file.Append(dst, host[:len(host)-2], v)
		if !errors.Is(err, cgroup.ErrFormat) {
			t.Errorf("got error %v, want ErrFormat", err)
		}
		if string(got) != "before" {
			t.Errorf("got %d bytes after an error, want dst as it was", len(got))
		}
	})
}

func TestNoAllocations(t *testing.T) {
	eachCaptured(t, func(t *testing.T, _ hosts.Container, file File, host []byte, v *view.View) {
		dst := make([]byte, 0, 2*len(host)+4096)
		got := testing.AllocsPerRun(10, func() {
			if _, err := file.Append(dst, host, v); err != nil {
				t.Fatal(err)
			}
		})
		if got != 0 {
			t.Errorf("got %v allocations, want 0", got)
		}
	})
}

func BenchmarkAppend(b *testing.B) {
	c := hosts.Containers()[0]
	archive := hosts.Load(b, c.Host)
	v := capturedView(b, c, archive)
	for _, file := range Files() {
		host, err := archive.Append(nil, "/proc/"+file.Name)
		if err != nil {
			continue
		}
		b.Run(file.Name, func(b *testing.B) {
			b.ReportAllocs()
			var dst []byte
			for b.Loop() {
				dst, _ = file.Append(dst[:0], host, v)
			}
		})
	}
}
