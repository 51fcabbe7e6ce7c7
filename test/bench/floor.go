package main

import (
	"os"
	"os/signal"
	"syscall"

	"github.com/hanwen/go-fuse/v2/fuse"
)

// constant is the floor in Go: a file system whose every file has the same bytes.
// Nodes: 1 the root, 2 to 6 directories down to proc and sys/devices/system/cpu,
// 7 any file.
type constant struct {
	fuse.RawFileSystem
	content [1500]byte
}

const firstFile = 7

func (c *constant) attr(node uint64, out *fuse.Attr) {
	out.Ino, out.Nlink, out.Mode = node, 1, syscall.S_IFDIR|0o555
	if node >= firstFile {
		out.Mode, out.Size = syscall.S_IFREG|0o444, 65536
	}
}

// Lookup finds anything.
func (c *constant) Lookup(_ <-chan struct{}, header *fuse.InHeader, name string, out *fuse.EntryOut) fuse.Status {
	out.NodeId = firstFile
	switch {
	case header.NodeId == 1 && name == "proc":
		out.NodeId = 2
	case header.NodeId == 1 && name == "sys":
		out.NodeId = 3
	case header.NodeId >= 3 && header.NodeId < 6:
		out.NodeId = header.NodeId + 1
	}
	if out.NodeId < firstFile {
		out.EntryValid = 3600
	}
	c.attr(out.NodeId, &out.Attr)
	return fuse.OK
}

// GetAttr answers stat and open.
func (c *constant) GetAttr(_ <-chan struct{}, in *fuse.GetAttrIn, out *fuse.AttrOut) fuse.Status {
	c.attr(in.NodeId, &out.Attr)
	return fuse.OK
}

// Open asks for direct I/O and no FLUSH.
func (c *constant) Open(_ <-chan struct{}, _ *fuse.OpenIn, out *fuse.OpenOut) fuse.Status {
	out.OpenFlags = fuse.FOPEN_DIRECT_IO | fuse.FOPEN_NOFLUSH
	return fuse.OK
}

// Read returns the same bytes every time.
func (c *constant) Read(_ <-chan struct{}, in *fuse.ReadIn, _ []byte) (fuse.ReadResult, fuse.Status) {
	if in.Offset >= uint64(len(c.content)) {
		return fuse.ReadResultData(nil), fuse.OK
	}
	return fuse.ReadResultData(c.content[in.Offset:]), fuse.OK
}

func serveFloor(root string) error {
	fs := &constant{RawFileSystem: fuse.NewDefaultRawFileSystem()}
	s, err := fuse.NewServer(fs, root, &fuse.MountOptions{
		AllowOther: true, DirectMount: true, FsName: "floor", Options: []string{"default_permissions"},
	})
	if err != nil {
		return err
	}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)
	go func() {
		<-stop
		s.Unmount()
	}()
	s.Serve()
	return nil
}
