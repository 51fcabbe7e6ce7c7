//go:build integration

package integration

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"linuxcontainers.org/lxcfs/cgroup"
)

// A program in a container sizes a table by possible. The kernel fills it by
// numbers of its own: those that getcpu(2) and rseq(2) tell, on each CPU that the
// program may be on, and, of a per-CPU map of bpf(2), one value for each CPU that
// is possible. None is beyond the table.
func TestPossibleHoldsWhatTheKernelTells(t *testing.T) {
	for name, c := range map[string]struct {
		options []string
		limits  limits
	}{
		"cpuset": {nil, limits{cpus: "1"}},
		"quota":  {[]string{"-o", "cpu=quota"}, limits{cpus: "0-1", quota: "100000"}},
	} {
		t.Run(name, func(t *testing.T) {
			d := start(t, c.options...)
			b := newBox(t, d, c.limits, nil)
			b.bindSystem(d)
			if online := strings.TrimSpace(b.run("getconf _NPROCESSORS_ONLN")); online != "1" {
				t.Fatalf("the container has %s CPUs online, want 1", online)
			}
			for _, table := range []string{"getcpu", "bpf"} {
				t.Run(table, func(t *testing.T) {
					got := strings.TrimSpace(b.run(fmt.Sprintf("%s=%s %s", tablesEnv, table, os.Args[0])))
					if reason, ok := strings.CutPrefix(got, "no bpf: "); ok {
						t.Skip("needs bpf(2); have: " + reason)
					}
					if got != "" {
						t.Error(got)
					}
				})
			}
		})
	}
}

// possibleCPUs returns the CPUs that this machine may ever have.
func possibleCPUs(t *testing.T) cgroup.CPUSet {
	t.Helper()
	set, err := cgroup.ParseCPUList([]byte(mustRead(t, "/sys/devices/system/cpu/possible")))
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// tablesEnv makes the test binary try a table of its size in possible CPUs.
const tablesEnv = "LXCFS_TEST_TABLES"

func tryTables(table string) error {
	text, err := os.ReadFile("/sys/devices/system/cpu/possible")
	if err != nil {
		return err
	}
	possible, err := cgroup.ParseCPUList(text)
	if err != nil {
		return err
	}
	if table == "bpf" {
		return tryPerCPUMap(possible.Count())
	}
	return tryGetcpu(possible.Count())
}

// tryGetcpu runs on each CPU that it may and compares its number with a table's size.
func tryGetcpu(size int) error {
	runtime.LockOSThread()
	var may unix.CPUSet
	if err := unix.SchedGetaffinity(0, &may); err != nil {
		return err
	}
	for i := range len(may) * 64 {
		if !may.IsSet(i) {
			continue
		}
		var one unix.CPUSet
		one.Set(i)
		if err := unix.SchedSetaffinity(0, &one); err != nil {
			return err
		}
		var cpu uint32
		if _, _, errno := unix.RawSyscall(unix.SYS_GETCPU, uintptr(unsafe.Pointer(&cpu)), 0, 0); errno != 0 {
			return errno
		}
		if int(cpu) >= size {
			return fmt.Errorf("on CPU %d, with a table of %d", cpu, size)
		}
	}
	return nil
}

// tryPerCPUMap looks a value of 8 bytes up in a per-CPU array, into a table for
// that many CPUs with a guard behind it.
func tryPerCPUMap(cpus int) error {
	create := [4]uint32{unix.BPF_MAP_TYPE_PERCPU_ARRAY, 4, 8, 1} // type, sizes of key and value, entries
	fd, _, errno := unix.Syscall(unix.SYS_BPF, unix.BPF_MAP_CREATE, uintptr(unsafe.Pointer(&create)), unsafe.Sizeof(create))
	if errno != 0 {
		return fmt.Errorf("no bpf: %w", errno)
	}
	const guard = 0xa5
	table := make([]byte, 8*cpus+8*cgroup.MaxCPUs)
	for i := range table {
		table[i] = guard
	}
	var key uint32
	lookup := struct { // union bpf_attr
		fd         uint32
		_          uint32
		key, value unsafe.Pointer
	}{fd: uint32(fd), key: unsafe.Pointer(&key), value: unsafe.Pointer(&table[0])}
	_, _, errno = unix.Syscall(unix.SYS_BPF, unix.BPF_MAP_LOOKUP_ELEM, uintptr(unsafe.Pointer(&lookup)), unsafe.Sizeof(lookup))
	if errno != 0 {
		return fmt.Errorf("BPF_MAP_LOOKUP_ELEM: %w", errno)
	}
	if table[0] == guard {
		return errors.New("the kernel filled nothing in")
	}
	for i, b := range table[8*cpus:] {
		if b != guard {
			return fmt.Errorf("the kernel wrote to byte %d, of a table for %d CPUs", 8*cpus+i, cpus)
		}
	}
	return nil
}
