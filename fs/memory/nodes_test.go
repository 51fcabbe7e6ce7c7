package memory

import (
	"math/rand/v2"
	"testing"

	"linuxcontainers.org/lxcfs/cgroup"
	"linuxcontainers.org/lxcfs/fs/view"
)

// on returns what a cgroup has on a node.
func on(node int, anon, file, slab uint64) cgroup.NodeMemory {
	return cgroup.NodeMemory{
		Node: node, Usage: anon + file + slab,
		Stat: cgroup.MemoryStat{Anon: anon, File: file, SlabUnreclaimable: slab, ActiveFile: file / 2, InactiveFile: file - file/2},
	}
}

// adds checks that the figures of the nodes add up to the whole's, and that no
// node is larger than it is or has more of anything than it uses.
func adds(t *testing.T, whole *Memory, nodes []view.HostNode, parts []Memory) {
	t.Helper()
	for f := range figures {
		var sum uint64
		for i := range parts {
			sum += parts[i].pages[f]
		}
		if f != zero && sum != whole.pages[f] {
			t.Errorf("figure %d: the nodes have %d, the whole %d", f, sum, whole.pages[f])
		}
	}
	for i := range parts {
		p := &parts[i].pages
		if p[total]*whole.unit > nodes[i].Size>>10 || p[used]+p[free] != p[total] || p[cached]+p[reclaimable] > p[used] || p[shmem] > p[cached] {
			t.Errorf("node %d of %d bytes: %d total, %d used, %d free, %d cached, %d reclaimable, %d shmem",
				nodes[i].Number, nodes[i].Size, p[total], p[used], p[free], p[cached], p[reclaimable], p[shmem])
		}
	}
}

func TestSplit(t *testing.T) {
	const mib = 1 << 20
	four := []view.HostNode{{Number: 0, Size: 2 << 30}, {Number: 1, Size: 2 << 30}, {Number: 2, Size: 2 << 30}, {Number: 3, Size: 2 << 30}}
	for _, tt := range []struct {
		name         string
		nodes        []view.HostNode
		usage        []cgroup.NodeMemory
		totals, used []uint64 // MiB
	}{
		{"nothing is known: by size", four, nil, []uint64{128, 128, 128, 128}, []uint64{50, 50, 50, 50}},
		{"unequal nodes", []view.HostNode{{Number: 0, Size: 6 << 30}, {Number: 2, Size: 2 << 30}}, nil, []uint64{384, 128}, []uint64{150, 50}},
		{"usage where it is", four,
			[]cgroup.NodeMemory{on(0, 30*mib, 20*mib, 0), on(1, 25*mib, 25*mib, 0), on(2, 100*mib, 0, 0)},
			[]uint64{128, 128, 128, 128}, []uint64{50, 50, 100, 0}},
		{"all on one: it has as much as is used there, the others the rest", four,
			[]cgroup.NodeMemory{on(3, 100*mib, 100*mib, 0)},
			[]uint64{104, 104, 104, 200}, []uint64{0, 0, 0, 200}},
		{"less is known than used: in proportion", four, []cgroup.NodeMemory{on(0, 50*mib, 0, 0), on(1, 0, 0, 50*mib)},
			[]uint64{128, 128, 128, 128}, []uint64{100, 100, 0, 0}},
		{"more is known than used, on a node out of sight too", four[:2],
			[]cgroup.NodeMemory{on(0, 400*mib, 0, 0), on(1, 0, 400*mib, 0), on(3, 400*mib, 0, 0)},
			[]uint64{256, 256}, []uint64{100, 100}},
		{"a node that is smaller than its share",
			[]view.HostNode{{Number: 0, Size: 8 << 30}, {Number: 1, Size: 40 << 20}}, []cgroup.NodeMemory{on(0, 10*mib, 0, 0), on(1, 60*mib, 0, 0)},
			[]uint64{472, 40}, []uint64{160, 40}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			whole := New(container(4096), hostKB, swapKB)
			parts := whole.Split(tt.nodes, tt.usage)
			adds(t, &whole, tt.nodes, parts)
			for i := range parts {
				total, _ := parts[i].Meminfo([]byte("MemTotal"), 0)
				used, _ := parts[i].Meminfo([]byte("MemUsed"), 0)
				if total>>10 != tt.totals[i] || used>>10 != tt.used[i] {
					t.Errorf("node %d: %d MiB, %d used, want %d and %d", tt.nodes[i].Number, total>>10, used>>10, tt.totals[i], tt.used[i])
				}
			}
		})
	}
}

// v1 says of all anonymous memory and of all files only where they are.
func TestSplitV1(t *testing.T) {
	v := container(4096)
	v.Memory.Version, v.Memory.MemswLimit.Value, v.Memory.SwapLimit.Value = 1, cgroup.Max, cgroup.Max
	v.Memory.Stat.FileMapped, v.Memory.Stat.ActiveAnon = 40<<20, 8<<20
	whole := New(v, hostKB, swapKB)
	nodes := []view.HostNode{{Number: 0, Size: 4 << 30}, {Number: 1, Size: 4 << 30}}
	parts := whole.Split(nodes, []cgroup.NodeMemory{
		{Node: 0, Usage: 50 << 20, Stat: cgroup.MemoryStat{Anon: 10 << 20, File: 40 << 20}},
		{Node: 1, Usage: 30 << 20, Stat: cgroup.MemoryStat{Anon: 30 << 20}},
	})
	adds(t, &whole, nodes, parts)
	for name, want := range map[string]uint64{"Mapped": 40 << 10, "Active(anon)": 2 << 10, "KernelStack": 640} {
		if kB, _ := parts[0].Meminfo([]byte(name), 0); kB != want {
			t.Errorf("%s of node 0: got %d kB, want %d", name, kB, want)
		}
	}
}

// Whatever the sizes and usages are, the nodes add up.
func TestSplitAnything(t *testing.T) {
	for seed := range uint64(2000) {
		r := rand.New(rand.NewPCG(seed, 4))
		amount := func(bits int) uint64 { return r.Uint64N(1<<bits) >> r.IntN(bits) << 12 }
		v := container(4096 << (2 * r.IntN(3)))
		v.Memory.Usage = amount(20)
		v.Memory.Stat.File, v.Memory.Stat.SlabReclaimable = amount(20), amount(20)
		if r.IntN(4) == 0 {
			v.Memory.Limit.Value = cgroup.Max
		}
		var nodes []view.HostNode
		var usage []cgroup.NodeMemory
		var size uint64
		for n := range 1 + r.IntN(8) {
			nodes = append(nodes, view.HostNode{Number: n, Size: amount(24) >> 16 << 16})
			size += nodes[n].Size
			if r.IntN(4) > 0 {
				usage = append(usage, on(n, amount(20), amount(20), amount(10)))
			}
		}
		whole := New(v, size>>10, swapKB)
		parts := whole.Split(nodes, usage)
		if adds(t, &whole, nodes, parts); t.Failed() {
			t.Fatalf("seed %d: %+v of %+v", seed, usage, nodes)
		}
	}
}

func FuzzShares(f *testing.F) {
	f.Add(uint64(100), uint64(1), uint64(2), uint64(0), uint64(50), uint64(0), uint64(3))
	f.Fuzz(func(t *testing.T, n, w0, w1, w2, b0, b1, b2 uint64) {
		weights, bounds := []uint64{w0, w1, w2}, []uint64{b0 >> 2, b1 >> 2, b2 >> 2}
		room := bounds[0] + bounds[1] + bounds[2]
		sum := func(values []uint64) uint64 { return values[0] + values[1] + values[2] }
		if got := Shares(n, weights); sum(got) != n {
			t.Errorf("shares of %d by %v: %v", n, weights, got)
		}
		got := within(n, weights, bounds)
		if sum(got) != min(n, room) {
			t.Errorf("%d by %v within %v: %v", n, weights, bounds, got)
		}
		got = above(n, weights, bounds)
		for i := range got {
			if got[i] < bounds[i] {
				t.Errorf("%d by %v above %v: %v", n, weights, bounds, got)
			}
		}
		if n >= room && w0|w1|w2 != 0 && sum(got) < room {
			t.Errorf("%d by %v above %v: %v", n, weights, bounds, got)
		}
	})
}
