package cgroup

import (
	"io/fs"
	"strings"
	"syscall"
	"testing"
)

func TestReadMemoryV2(t *testing.T) {
	h, a := captured(t, "v2")
	var got Memory
	if err := h.ReadMemory(on(t, "/lxc/c1"), &got); err != nil {
		t.Fatal(err)
	}
	if !got.Stat.Has("slab") || !got.Stat.Has("anon") || got.Stat.Has("percpu") || got.Stat.Has("nonsense") {
		t.Errorf("got presence %b", got.Stat.present)
	}
	if n, known := got.Stat.Event("workingset_refault_anon"); n != 1 || !known {
		t.Errorf("workingset_refault_anon: got %d, %t", n, known)
	}
	if n, known := got.Stat.Event("pgfault"); n != 0 || known {
		t.Errorf("pgfault has a field and is no event: got %d, %t", n, known)
	}
	got.Stat.present, got.Stat.events = 0, [len(memoryEvents)]uint64{}
	v2At := func(path, file string) Origin {
		return Origin{&h.Hierarchies[0], path, file}
	}
	want := Memory{
		Version: 2, Usage: 500000, From: v2At("/lxc/c1", "memory.current"), Limit: Limit{Value: 1000000, from: v2At("/lxc", "memory.max")},
		SwapUsage: 1024, SwapLimit: Limit{Value: 4096, from: v2At("/lxc", "memory.swap.max")}, MemswLimit: Limit{Value: Max}, SwapAccounting: true,
		ZswapUsage: 77,
		Stat:       MemoryStat{Anon: 100, File: 200, Kernel: 30, Swapcached: 5, Pgfault: 9, SlabReclaimable: 11, Slab: 12},
	}
	if got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}

	a.Errors["/sys/fs/cgroup/lxc/memory.max"] = syscall.EACCES
	if err := h.ReadMemory(on(t, "/lxc/c1"), &got); err != nil || got.Limit.Value != Max {
		t.Errorf("unreadable ancestor: got %d, %v", got.Limit.Value, err)
	}
	a.Errors["/sys/fs/cgroup/lxc/memory.max"] = syscall.EIO
	mustBe(t, h.ReadMemory(on(t, "/lxc/c1"), &got), syscall.EIO)
}

func TestReadMemoryV2Order(t *testing.T) {
	h, a := captured(t, "v2")
	var read []string
	h.FS = recorder{a, &read}
	var m Memory
	if err := h.ReadMemory(on(t, "/lxc/c1"), &m); err != nil {
		t.Fatal(err)
	}
	seen := make(map[string]int)
	for i, name := range read {
		if _, twice := seen[name]; twice {
			t.Errorf("%s is read twice", name)
		}
		seen[name] = i
	}
	const dir = "/sys/fs/cgroup/lxc/c1/"
	if seen[dir+"memory.current"] >= seen[dir+"memory.max"] || seen[dir+"memory.swap.current"] >= seen[dir+"memory.swap.max"] {
		t.Errorf("want usage before limit, got %q", read)
	}
	if len(read) != 8 { // 4 of usage, 2 limits at 2 levels, never the root
		t.Errorf("got %d reads, want 8: %q", len(read), read)
	}
}

func TestReadMemoryCharged(t *testing.T) {
	h, a := captured(t, "v2")
	var got Memory
	a.Files["/sys/fs/cgroup/lxc/c1/off/deep/cpu.stat"] = ""
	if err := h.ReadMemory(on(t, "/lxc/c1/off/deep"), &got); err != nil || got.From.Cgroup() != "/lxc/c1" || got.Usage != 500000 {
		t.Errorf("controller not enabled: got %d of %q, %v", got.Usage, got.From.Cgroup(), err)
	}
	mustBe(t, h.ReadMemory(on(t, "/lxc/gone"), &got), fs.ErrNotExist)
	mustBe(t, h.ReadMemory(on(t, "/lxc/c1/gone"), &got), fs.ErrNotExist)
	mustBe(t, h.ReadMemory(on(t, "/"), &got), fs.ErrNotExist)
	a.Files["/sys/fs/cgroup/plain/cpu.stat"] = ""
	mustBe(t, h.ReadMemory(on(t, "/plain"), &got), fs.ErrNotExist)
	a.Errors["/sys/fs/cgroup/lxc/c1/memory.current"] = syscall.EACCES
	mustBe(t, h.ReadMemory(on(t, "/lxc/c1"), &got), fs.ErrPermission)
}

func TestReadMemoryV1(t *testing.T) {
	h, a := captured(t, "v1")
	var got Memory
	if err := h.ReadMemory(on(t, "/lxc/c1"), &got); err != nil {
		t.Fatal(err)
	}
	got.Stat.present = 0
	v1At := func(file string) Origin {
		return Origin{got.From.hierarchy, "/lxc/c1", file}
	}
	want := Memory{
		Version: 1, Usage: 4000000, From: v1At("memory.usage_in_bytes"), Limit: Limit{8000000, v1At("memory.limit_in_bytes"), true},
		SwapUsage: 4096, SwapLimit: Limit{Value: Max}, MemswLimit: Limit{9000000, v1At("memory.memsw.limit_in_bytes"), true}, SwapAccounting: true, SwapZeroSwappiness: true,
		Stat: MemoryStat{Anon: 400, File: 300, AnonThp: 50, FileMapped: 60, Pgfault: 7, InactiveAnon: 8},
	}
	if got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	a.Files["/sys/fs/cgroup/memory/lxc/c1/memory.memsw.usage_in_bytes"] = "3999999\n"
	if err := h.ReadMemory(on(t, "/lxc/c1"), &got); err != nil || got.SwapUsage != 0 {
		t.Errorf("memsw below usage: got %d, %v, want 0", got.SwapUsage, err)
	}
	delete(a.Files, "/sys/fs/cgroup/memory/lxc/c1/memory.memsw.usage_in_bytes")
	if err := h.ReadMemory(on(t, "/lxc/c1"), &got); err != nil || got.SwapAccounting || got.MemswLimit.Value != Max {
		t.Errorf("no swap accounting: got %+v, %v", got, err)
	}
	mustBe(t, h.ReadMemory(on(t, "/gone"), &got), fs.ErrNotExist)
}

// Unreadable limits of cgroups are left out; memory.stat tells of them all the same.
func TestReadMemoryV1Unreadable(t *testing.T) {
	for _, tt := range []struct{ memory, memsw uint64 }{{8000000, 9000000}, {Max, Max}} {
		h, a := captured(t, "v1")
		if tt.memory == Max {
			a.Files["/sys/fs/cgroup/memory/lxc/c1/memory.stat"] = "total_rss 400\n"
		}
		for _, file := range []string{"memory.limit_in_bytes", "memory.memsw.limit_in_bytes"} {
			for _, dir := range []string{"lxc/", "lxc/c1/"} {
				a.Errors["/sys/fs/cgroup/memory/"+dir+file] = syscall.EACCES
			}
		}
		var got Memory
		if err := h.ReadMemory(on(t, "/lxc/c1"), &got); err != nil || got.Limit.Value != tt.memory || got.MemswLimit.Value != tt.memsw {
			t.Errorf("got %d and %d, %v, want %d and %d", got.Limit.Value, got.MemswLimit.Value, err, tt.memory, tt.memsw)
		}
	}
}

func TestReadMemoryGarbage(t *testing.T) {
	for _, machine := range []string{"v1", "v2"} {
		h, a := captured(t, machine)
		for name, content := range a.Files {
			const stat = "/sys/fs/cgroup/memory/lxc/c1/memory.stat"
			told := a.Files[stat]
			if strings.HasSuffix(name, ".limit_in_bytes") {
				a.Files[stat] = "" // which tells of the smallest limits: no others are read then
			}
			if !strings.Contains(name, "forged") && hasPrefixes(name, "/sys/fs/cgroup/lxc/c1/memory.", "/sys/fs/cgroup/memory/lxc/c1/memory.", "/sys/fs/cgroup/memory/lxc/memory.") {
				a.Files[name] = "anon \xff garbage\ntotal_rss -1\n"
				var m Memory
				mustBe(t, h.ReadMemory(on(t, "/lxc/c1"), &m), ErrFormat)
				a.Files[name] = content
			}
			if machine == "v1" {
				a.Files[stat] = told
			}
		}
	}
}

// v1's memory.stat has the smallest limits, of ancestors out of sight too: no
// cgroup's own is read where it tells of them.
func TestReadMemoryV1Limits(t *testing.T) {
	h, a := captured(t, "v1")
	var read []string
	h.FS = recorder{a, &read}
	const stat = "/sys/fs/cgroup/memory/lxc/c1/memory.stat"
	for _, tt := range []struct {
		told          string
		memory, memsw uint64
		want          string
	}{
		{"hierarchical_memory_limit 9223372036854771712\nhierarchical_memsw_limit 9223372036854771712\n", Max, Max, ""},
		{"hierarchical_memory_limit 7000000\nhierarchical_memsw_limit 7500000\n", 7000000, 7500000, ""},
		{"hierarchical_memory_limit 7000000\n", 7000000, 9000000, "c1/memory.memsw.limit_in_bytes memory.memsw.limit_in_bytes"},
		{"", 8000000, 9000000, "c1/memory.limit_in_bytes memory.limit_in_bytes c1/memory.memsw.limit_in_bytes memory.memsw.limit_in_bytes"},
	} {
		a.Files[stat], read = tt.told, nil
		var got Memory
		if err := h.ReadMemory(on(t, "/lxc/c1"), &got); err != nil || got.Limit.Value != tt.memory || got.MemswLimit.Value != tt.memsw {
			t.Errorf("%q: got %d and %d, %v, want %d and %d", tt.told, got.Limit.Value, got.MemswLimit.Value, err, tt.memory, tt.memsw)
		}
		var limits []string
		for _, name := range read {
			if strings.Contains(name, "limit_in_bytes") {
				limits = append(limits, strings.TrimPrefix(name, "/sys/fs/cgroup/memory/lxc/"))
			}
		}
		if got := strings.Join(limits, " "); got != tt.want {
			t.Errorf("%q: read %s, want %s", tt.told, got, tt.want)
		}
	}
}

func TestReadMemoryPart(t *testing.T) {
	h, _ := captured(t, "v2")
	h.Hierarchies = []Hierarchy{{Version: 2, MountPoint: "/sys/fs/cgroup/lxc", Root: "/lxc"}}
	var got Memory
	if err := h.ReadMemory(on(t, "/lxc/c1"), &got); err != nil || got.Limit.Value != 1000000 {
		t.Errorf("bind mount: got %d, %v", got.Limit.Value, err)
	}
	h.Hierarchies = []Hierarchy{{Version: 2, MountPoint: "/sys/fs/cgroup/lxc", Root: "/", nested: true}}
	if err := h.ReadMemory(on(t, "/c1"), &got); err != nil || got.Limit.Value != 1000000 {
		t.Errorf("cgroup namespace: got %d, %v", got.Limit.Value, err)
	}
}

func TestParseLimitV1(t *testing.T) {
	tests := []struct {
		name, in string
		want     uint64
	}{
		{"4 KiB pages", "9223372036854771712\n", Max},
		{"64 KiB pages", "9223372036854710272\n", Max},
		{"32-bit", "8796093018112\n", Max},
		{"a limit", "8796093018113\n", 8796093018113},
		{"zero", "0\n", 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got, err := parseLimitV1([]byte(tt.in)); got != tt.want || err != nil {
				t.Errorf("got %d, %v, want %d", got, err, tt.want)
			}
		})
	}
}

func FuzzParseMemoryStat(f *testing.F) {
	_, v1 := captured(f, "v1")
	_, v2 := captured(f, "v2")
	f.Add([]byte(v1.Files["/sys/fs/cgroup/memory/lxc/c1/memory.stat"]))
	f.Add([]byte(v2.Files["/sys/fs/cgroup/lxc/c1/memory.stat"]))
	f.Fuzz(func(t *testing.T, b []byte) {
		var s MemoryStat
		_, err1 := parseMemoryStatV1(b, &s)
		err2 := parseMemoryStat(b, &s)
		if err1 == nil && err2 == nil && s.Anon > 1<<63 {
			t.Errorf("got %d", s.Anon)
		}
	})
}
