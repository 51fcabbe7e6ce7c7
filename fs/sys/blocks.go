package sys

import (
	"bytes"
	"slices"
	"strconv"
	"sync"
	"time"

	"linuxcontainers.org/lxcfs/fs/memory"
	"linuxcontainers.org/lxcfs/fs/view"
)

// blocks are the host's blocks of memory, memoryN
// (Documentation/admin-guide/mm/memory-hotplug.rst). They are looked up once, and
// anew when there are more or less of them. That one goes offline or online says
// the host's MemTotal, which other things change as well (a balloon, with each
// page): so they are looked up in one part of blockShare of the time at most, and
// once in blockAge at least, for two may change places.
type blocks struct {
	mu    sync.Mutex // guards what follows
	count uint64     // of directories, when they were looked up
	total uint64     // MemTotal of the host then, bytes
	again time.Time  // not to be looked up before, unless there are more or less
	old   time.Time  // to be looked up after
	size  uint64     // bytes of each
	all   []memoryBlock
}

const (
	blockShare = 64
	blockAge   = time.Minute
)

// memoryBlock is one of them.
type memoryBlock struct{ number, node int }

// hostBlocks returns the size of a block and those that are online, by their
// numbers; total is the host's MemTotal, bytes.
func (s *system) hostBlocks(total uint64) (size uint64, online []memoryBlock) {
	top, err := s.walker.stat([]string{memoryTop})
	if err != nil {
		return 0, nil
	}
	b := &s.blocks
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	if b.count != top.links || now.After(b.again) && b.total != total || now.After(b.old) {
		b.count, b.total, b.size, b.all = top.links, total, s.blockSize(), s.onlineBlocks()
		took := time.Since(now)
		b.again, b.old = now.Add(blockShare*took), now.Add(max(blockAge, blockShare*took))
	}
	return b.size, b.all
}

// blockSize returns what block_size_bytes says, 0 if it makes no sense:
//
//	8000000
func (s *system) blockSize() uint64 {
	text, err := s.walker.read(nil, []string{memoryTop, "block_size_bytes"})
	if err != nil {
		return 0
	}
	size, err := strconv.ParseUint(string(bytes.TrimSpace(text)), 16, 63)
	if err != nil {
		return 0
	}
	return size
}

func (s *system) onlineBlocks() (online []memoryBlock) {
	names, err := s.walker.list([]string{memoryTop})
	if err != nil {
		return nil
	}
	for _, name := range names {
		number, ok := numbered(name, "memory")
		if !ok {
			continue
		}
		state, err := s.walker.read(nil, []string{memoryTop, name, "state"})
		if err != nil || string(state) != "online\n" {
			continue
		}
		online = append(online, memoryBlock{number: number, node: s.nodeOf(name)})
	}
	slices.SortFunc(online, func(a, b memoryBlock) int { return a.number - b.number })
	return online
}

// nodeOf returns the first node that a block is on, -1 if it does not say.
func (s *system) nodeOf(name string) int {
	names, err := s.walker.list([]string{memoryTop, name})
	node := -1
	for _, name := range names {
		if n, ok := numbered(name, nodeTop); ok && err == nil && (node < 0 || n < node) {
			node = n
		}
	}
	return node
}

// seesBlock says whether a container has a block of memory: as many of the
// host's that are online as hold its MemTotal, and of each node the first, in
// proportion to MemTotal there. A container that has all the host's memory has
// all its blocks.
func (e *systemVisibility) seesBlock(number int) bool {
	if !e.blocksKnown {
		e.blocksKnown = true
		e.allBlocks = true
		var v view.View
		if e.gather(systemDir+"/"+memoryTop, needNodeMemory, &v) {
			size, online := e.hostBlocks(v.Host.Total)
			e.seen, e.allBlocks = visibleBlocks(&v, size, online)
		}
	}
	return e.allBlocks || e.seen[number]
}

// visibleBlocks returns the numbers of the blocks that a container has, or that
// it has all.
func visibleBlocks(v *view.View, size uint64, online []memoryBlock) (seen map[int]bool, all bool) {
	whole := memory.New(v, v.Host.Total>>10, v.Host.Swap>>10)
	total, _ := whole.Meminfo([]byte("MemTotal"), 0)
	if size == 0 || len(online) == 0 || total >= v.Host.Total>>10 {
		return nil, true
	}
	left := blocksByNode(v, &whole, (total<<10+size-1)/size)
	seen = make(map[int]bool)
	for _, b := range online {
		node := b.node
		if len(v.Host.Nodes) < 2 {
			node = -1
		}
		if left[node] > 0 {
			left[node]--
			seen[b.number] = true
		}
	}
	return seen, false
}

// blocksByNode splits a number of blocks among the nodes that the container may
// allocate from; -1: of any node, where the host does not say.
func blocksByNode(v *view.View, whole *memory.Memory, count uint64) map[int]uint64 {
	if len(v.Host.Nodes) < 2 {
		return map[int]uint64{-1: count}
	}
	nodes := v.MemoryNodes()
	totals := make([]uint64, len(nodes))
	for i, part := range whole.Split(nodes, v.UsageByNode) {
		totals[i], _ = part.Meminfo([]byte("MemTotal"), 0)
	}
	left := make(map[int]uint64)
	for i, n := range memory.Shares(count, totals) {
		left[nodes[i].Number] = n
	}
	return left
}
