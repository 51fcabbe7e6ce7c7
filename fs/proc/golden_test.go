package proc

import (
	"bytes"
	"errors"
	"flag"
	"io/fs"
	"os"
	"path"
	"strings"
	"testing"

	"linuxcontainers.org/lxcfs/cgroup"
	"linuxcontainers.org/lxcfs/fs/view"
	"linuxcontainers.org/lxcfs/test/hosts"
	"linuxcontainers.org/lxcfs/test/hosts/machine"
)

var update = flag.Bool("update", false, "write testdata instead of comparing with it")

// eachCaptured runs f for each file of each captured container that the captured
// host has, with the View that is gathered for the container's init.
func eachCaptured(t *testing.T, f func(t *testing.T, c hosts.Container, file view.File, host []byte, v *view.View)) {
	for _, c := range hosts.Containers() {
		m := machine.New(t, hosts.Load(t, c.Host))
		who := m.Container(t, c.PID)
		for _, file := range Files() {
			_, host, v, err := m.Read(who, file)
			if host == nil && errors.Is(err, fs.ErrNotExist) {
				continue
			}
			t.Run(path.Join(c.Host, c.Name, name(file)), func(t *testing.T) {
				if err != nil {
					t.Fatal(err)
				}
				f(t, c, file, host, v)
			})
		}
	}
}

// name is the path below /proc.
func name(f view.File) string { return strings.TrimPrefix(f.Path, "/proc/") }

func TestGolden(t *testing.T) {
	eachCaptured(t, func(t *testing.T, c hosts.Container, file view.File, host []byte, v *view.View) {
		got, err := file.Append([]byte("before"), host, v)
		if err != nil {
			t.Fatal(err)
		}
		got, ok := bytes.CutPrefix(got, []byte("before"))
		if !ok {
			t.Fatalf("does not append: %q", got)
		}
		hosts.Golden(t, path.Join(c.Host, c.Name, name(file)), got, *update)
		again, err := file.Append(nil, got, v)
		if err != nil {
			t.Errorf("what was rendered is not read again: %v", err)
		}
		if name(file) != "swaps" && name(file) != "diskstats" && name(file) != "stat" && !bytes.Equal(again, got) {
			t.Errorf("rendered twice: %s", hosts.Diff(again, got))
		}
		if check := consistent[name(file)]; check != nil {
			check(t, got, host, v)
		}
	})
}

// TestEveryFileIsCaptured: a file that no captured machine has would be tested nowhere.
func TestEveryFileIsCaptured(t *testing.T) {
	captured := map[string]bool{
		"/proc/pressure/irq": true, // of kernels that count time in interrupts; rendered as the others
		"/proc/slabinfo":     true, // not of all; its own test has one
	}
	for _, host := range hosts.Names(t) {
		for path := range hosts.Load(t, host).Files {
			captured[path] = true
		}
	}
	fuzzed, err := os.ReadFile("fuzz_test.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range Files() {
		if !captured[f.Path] {
			t.Errorf("no machine of test/hosts has %s: capture one that has", f.Path)
		}
		if file := strings.Split(name(f), "/")[0]; !bytes.Contains(fuzzed, []byte("fuzzRenderer(f, \""+file)) && file != "meminfo" {
			t.Errorf("%s has no fuzz target", f.Path)
		}
	}
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
	eachCaptured(t, func(t *testing.T, _ hosts.Container, file view.File, host []byte, v *view.View) {
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
	eachCaptured(t, func(t *testing.T, _ hosts.Container, file view.File, host []byte, v *view.View) {
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

// Of an ordinary machine, and of one with 256 CPUs.
func BenchmarkAppend(b *testing.B) {
	measured := map[string]bool{"6.12-debian13-v2-lxc": true, "6.12-synthetic-v2-256cpus": true}
	for _, c := range hosts.Containers() {
		if measured[c.Host] {
			measured[c.Host] = false // its first container
			b.Run(c.Host, func(b *testing.B) { benchmarkAppend(b, c) })
		}
	}
}

func benchmarkAppend(b *testing.B, c hosts.Container) {
	m := machine.New(b, hosts.Load(b, c.Host))
	who := m.Container(b, c.PID)
	for _, file := range Files() {
		_, host, v, err := m.Read(who, file)
		if err != nil {
			continue
		}
		b.Run(name(file), func(b *testing.B) {
			b.ReportAllocs()
			var dst []byte
			for b.Loop() {
				dst, _ = file.Append(dst[:0], host, v)
			}
		})
	}
}
