package session

import (
	"bytes"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/hanwen/go-fuse/v2/fuse"
)

// Nodes of testFS.
const (
	nodeSmall  = 2 // 4 KiB less a bit
	nodeBig    = 3 // 40 KiB
	nodeSlow   = 4 // takes 100 ms to read
	nodePoison = 5 // kills the process that reads it
	nodePanic  = 6 // panics
	nodeHeld   = 7 // waits for testFS.release
	nodeHuge   = 8 // more than MinRead bytes
)

// testFS is a file system with a few files of known content. It counts.
type testFS struct {
	fuse.RawFileSystem
	release  chan struct{}
	requests atomic.Int64
	reads    atomic.Int64
	held     atomic.Int64
}

func newTestFS() *testFS {
	return &testFS{RawFileSystem: fuse.NewDefaultRawFileSystem(), release: make(chan struct{})}
}

func testFiles() map[string]uint64 {
	return map[string]uint64{"small": nodeSmall, "big": nodeBig, "slow": nodeSlow, "poison": nodePoison, "panic": nodePanic, "held": nodeHeld, "huge": nodeHuge}
}

// testContent is what the file of a node holds.
func testContent(node uint64) []byte {
	line := []byte("node 0 says the same to everybody, always\n")
	line[5] += byte(node)
	n := 90
	switch node {
	case nodeBig:
		n = 960
	case nodeHuge:
		n = MinRead/len(line) + 1
	}
	return bytes.Repeat(line, n)
}

func (f *testFS) Lookup(_ <-chan struct{}, h *fuse.InHeader, name string, out *fuse.EntryOut) fuse.Status {
	f.requests.Add(1)
	node, ok := testFiles()[name]
	if !ok || h.NodeId != fuse.FUSE_ROOT_ID {
		return fuse.ENOENT
	}
	out.NodeId, out.Attr = node, testAttr(node)
	return fuse.OK
}

func testAttr(node uint64) fuse.Attr {
	if node == fuse.FUSE_ROOT_ID {
		return fuse.Attr{Ino: node, Mode: syscall.S_IFDIR | 0o755, Nlink: 2}
	}
	return fuse.Attr{Ino: node, Mode: syscall.S_IFREG | 0o444, Nlink: 1, Size: 1 << 16}
}

func (f *testFS) GetAttr(_ <-chan struct{}, in *fuse.GetAttrIn, out *fuse.AttrOut) fuse.Status {
	f.requests.Add(1)
	if in.NodeId == nodeHeld {
		f.held.Add(1)
		<-f.release
	}
	if in.NodeId == nodePanic {
		panic("as asked")
	}
	out.Attr = testAttr(in.NodeId)
	return fuse.OK
}

func (f *testFS) Open(_ <-chan struct{}, _ *fuse.OpenIn, out *fuse.OpenOut) fuse.Status {
	f.requests.Add(1)
	out.OpenFlags = fuse.FOPEN_DIRECT_IO
	return fuse.OK
}

func (f *testFS) Read(_ <-chan struct{}, in *fuse.ReadIn, buf []byte) (fuse.ReadResult, fuse.Status) {
	f.requests.Add(1)
	if in.NodeId == nodePanic {
		panic("as asked")
	}
	f.reads.Add(1)
	switch in.NodeId {
	case nodeSlow:
		time.Sleep(100 * time.Millisecond)
	case nodePoison:
		syscall.Kill(syscall.Getpid(), syscall.SIGKILL)
		select {}
	}
	content := testContent(in.NodeId)
	content = content[min(in.Offset, uint64(len(content))):]
	return fuse.ReadResultData(content[:min(len(content), len(buf))]), fuse.OK
}
