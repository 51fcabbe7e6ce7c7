package proc

import (
	"bytes"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"linuxcontainers.org/lxcfs/cgroup"
	"linuxcontainers.org/lxcfs/fs/view"
	"linuxcontainers.org/lxcfs/test/hosts"
)

// anyNumber returns a number of any size, the largest and 0 often.
func anyNumber(r *rand.Rand) uint64 {
	switch r.IntN(6) {
	case 0:
		return 0
	case 1:
		return math.MaxUint64
	}
	return r.Uint64() >> r.IntN(64)
}

// anyView returns a View that need make no sense.
func anyView(seed uint64) *view.View {
	r := rand.New(rand.NewPCG(seed, 0))
	n := func() uint64 { return anyNumber(r) }
	limit := func() cgroup.Limit { return cgroup.Limit{Value: n()} }
	v := &view.View{
		Memory: cgroup.Memory{
			Version: 1 + r.IntN(2), Usage: n(), Limit: limit(), SwapUsage: n(), SwapLimit: limit(), MemswLimit: limit(),
			SwapAccounting: r.IntN(2) == 0, SwapZeroSwappiness: r.IntN(4) == 0, ZswapUsage: n(),
			Stat: cgroup.MemoryStat{
				Anon: n(), File: n(), Shmem: n(), Swapcached: n(), ActiveFile: n(), InactiveFile: n(), Unevictable: n(),
				SlabReclaimable: n(), SlabUnreclaimable: n(), Zswap: n(), Zswapped: n(), Pgfault: n(), Pswpin: n(),
			},
		},
		PageSize: []uint64{0, 4096, 65536}[r.IntN(3)], HugeSize: n(), NodesSize: n() >> r.IntN(64),
		Host:      view.HostMemory{Total: n(), Swap: n()},
		SwapShown: r.IntN(4) > 0, ZswapShown: r.IntN(2) == 0, LoadKnown: r.IntN(4) > 0,
		Load: [3]uint64{n(), n(), n()}, Running: int(n() >> 1), Threads: int(n() >> 1), HostPIDs: r.IntN(2) == 0, LastPID: uint32(n()),
		Hugetlb: view.Hugetlb{Known: r.IntN(2) == 0, Usage: n(), Limit: n()},
		Base:    view.HostCounts{Ctxt: n(), Intr: n(), Softirq: n()}, OOMKills: n(),
		Uptime: time.Duration(n()), Idle: time.Duration(n()),
		Tasks:    view.Tasks{Processes: n(), Running: n(), Blocked: n()},
		CPUTotal: view.CPUTicks{User: n(), Nice: n(), System: n(), Idle: n()},
	}
	var cpus []int
	for cpu := range 8 {
		if r.IntN(2) == 0 {
			cpus = append(cpus, cpu)
			v.CPUTicks = append(v.CPUTicks, view.PerCPU{CPU: cpu, CPUTicks: view.CPUTicks{User: n(), Idle: n()}})
		}
	}
	v.CPUs = cgroup.CPUSetOf(cpus...)
	for minor := range uint32(r.IntN(4)) {
		v.IO = append(v.IO, cgroup.IOStat{Major: 8, Minor: minor, Rbytes: n(), Wbytes: n(), Rios: n(), ReadNsec: n(), WriteNsec: n()})
	}
	for range r.IntN(3) {
		v.Devices = append(v.Devices, cgroup.DeviceRule{Major: 7 + r.Uint32N(2), Minor: cgroup.AnyNumber - r.Uint32N(2)})
	}
	if r.IntN(2) == 0 {
		v.Pressure = []byte("some avg10=0.00 avg60=0.00 avg300=0.01 total=12\n")
	}
	return v
}

// fuzzRenderer feeds a renderer hosts' files with any View: what it makes ends
// in a newline, is read again, and has the lines that check wants; an error
// leaves dst alone.
func fuzzRenderer(f *testing.F, name string, check func(t *testing.T, got, host []byte)) {
	for i, host := range hosts.Names(f) {
		if text, err := hosts.Load(f, host).Append(nil, "/proc/"+name); err == nil && len(text) < 1<<16 {
			f.Add(text, uint64(i))
		}
	}
	f.Add([]byte(""), uint64(0))
	var file view.File
	for _, known := range Files() {
		if known.Path == "/proc/"+name {
			file = known
		}
	}
	f.Fuzz(func(t *testing.T, host []byte, seed uint64) {
		v, given := anyView(seed), bytes.Clone(host)
		got, err := file.Append([]byte("before"), host, v)
		if !bytes.Equal(host, given) {
			t.Fatal("the host's text was written to")
		}
		got, ok := bytes.CutPrefix(got, []byte("before"))
		if !ok || err != nil && len(got) > 0 {
			t.Fatalf("after %v dst is %q", err, got)
		}
		if err != nil {
			return
		}
		if len(got) > 0 && got[len(got)-1] != '\n' {
			t.Errorf("no newline at the end: %q", got)
		}
		if _, err := file.Append(nil, got, v); err != nil {
			t.Errorf("what was rendered is not read again: %v", err)
		}
		check(t, got, host)
	})
}

// sameLines: as many lines as the host has.
func sameLines(t *testing.T, got, host []byte) {
	t.Helper()
	if g, h := bytes.Count(got, []byte("\n")), bytes.Count(host, []byte("\n")); g != h {
		t.Errorf("%d lines, the host has %d", g, h)
	}
}

// fewerLines: lines of the host are left out, none is added.
func fewerLines(t *testing.T, got, host []byte) {
	t.Helper()
	if len(got) > len(host) {
		t.Errorf("%d bytes, the host has %d", len(got), len(host))
	}
}

func anyLines(*testing.T, []byte, []byte) {}

func FuzzAppendMeminfo(f *testing.F) {
	fuzzRenderer(f, "meminfo", func(t *testing.T, got, host []byte) {
		sameLines(t, got, host)
		if strings.Count(string(host), "MemTotal:") == 1 && strings.Count(string(host), "MemFree:") == 1 {
			total, err1 := hostKB(got, "MemTotal")
			free, err2 := hostKB(got, "MemFree")
			if err1 == nil && err2 == nil && free > total {
				t.Errorf("MemFree %d of %d", free, total)
			}
		}
	})
}

func FuzzAppendStat(f *testing.F)       { fuzzRenderer(f, "stat", anyLines) }
func FuzzAppendVmstat(f *testing.F)     { fuzzRenderer(f, "vmstat", sameLines) }
func FuzzAppendUptime(f *testing.F)     { fuzzRenderer(f, "uptime", anyLines) }
func FuzzAppendLoadavg(f *testing.F)    { fuzzRenderer(f, "loadavg", anyLines) }
func FuzzAppendSwaps(f *testing.F)      { fuzzRenderer(f, "swaps", anyLines) }
func FuzzAppendSlabinfo(f *testing.F)   { fuzzRenderer(f, "slabinfo", anyLines) }
func FuzzAppendPartitions(f *testing.F) { fuzzRenderer(f, "partitions", fewerLines) }
func FuzzAppendDiskstats(f *testing.F)  { fuzzRenderer(f, "diskstats", anyLines) }
func FuzzAppendCpuinfo(f *testing.F)    { fuzzRenderer(f, "cpuinfo", anyLines) }
func FuzzAppendPressure(f *testing.F)   { fuzzRenderer(f, "pressure/cpu", anyLines) }
