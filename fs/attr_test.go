package fs

import (
	"errors"
	"fmt"
	"slices"
	"syscall"
	"testing"

	"github.com/hanwen/go-fuse/v2/fuse"

	"linuxcontainers.org/lxcfs/fs/vfs"
	"linuxcontainers.org/lxcfs/fs/view"
)

// sizedTree has a file of procfs, one of sysfs, and a mounted tree's file.
func sizedTree() *Tree {
	host := archive("/proc/swaps", "Filename\n", "/proc/uptime", "1.00 1.00\n", "/sys/devices/system/cpu/online", "0-1\n")
	r := NewRenderer(Config{FS: host, Resolver: resolver{}, Switches: new(Switches)}, []view.File{{Path: "/proc/swaps", Append: upper},
		{Path: "/proc/uptime", Append: upper}, {Path: "/sys/devices/system/cpu/online", Append: upper}})
	return NewTree(r, newMemoryStore(), vfs.Mount{Path: "/sys/devices/system/cpu", KeyBits: 32, Tree: new(petTree)},
		vfs.Mount{Path: "/cgroup", KeyBits: 44, Tree: new(changeable)})
}

// What LOOKUP and SETATTR say sets the inode's size, above any content. stat(2)
// shows 0, once the kernel knows that the answer is not for the inode.
func TestSizes(t *testing.T) {
	tree := sizedTree()
	var expired []uint64
	tree.SetExpire(func(node uint64) error {
		expired = append(expired, node)
		return nil
	})
	for _, path := range []string{"proc/swaps", "sys/devices/system/cpu/online", petDir + "/file"} {
		e := lookup(t, tree, path)
		if e.Size != minSize || e.Blocks != minSize/512 || e.Blksize != minSize || e.AttrValid != 0 {
			t.Errorf("%s: LOOKUP says %d bytes, %d blocks of %d, for %d s", path, e.Size, e.Blocks, e.Blksize, e.AttrValid)
		}
		var attr fuse.AttrOut
		in := fuse.GetAttrIn{InHeader: fuse.InHeader{NodeId: e.NodeId}}
		if status := tree.GetAttr(nil, &in, &attr); status != fuse.OK ||
			attr.Size != 0 || attr.Blocks != 0 || attr.Blksize != minSize || attr.AttrValid != 0 {
			t.Errorf("%s: GETATTR says %d bytes, %d blocks of %d, for %d s, %v",
				path, attr.Size, attr.Blocks, attr.Blksize, attr.AttrValid, status)
		}
		if want := []uint64{e.NodeId}; !slices.Equal(expired, want) {
			t.Errorf("%s: GETATTR expired the attributes of %#x, want %#x", path, expired, want)
		}
		truncate := fuse.SetAttrIn{}
		truncate.NodeId, truncate.Valid = e.NodeId, fuse.FATTR_SIZE
		if status := tree.SetAttr(nil, &truncate, &attr); status != fuse.OK || attr.Size != minSize {
			t.Errorf("%s: SETATTR says %d bytes, %v", path, attr.Size, status)
		}
		expired = nil
	}
	var attr fuse.AttrOut
	for _, path := range []string{"proc", "sys/devices/system/cpu", petDir, petDir + "/link"} {
		id := lookup(t, tree, path).NodeId
		if tree.GetAttr(nil, &fuse.GetAttrIn{InHeader: fuse.InHeader{NodeId: id}}, &attr); expired != nil {
			t.Errorf("%s: attributes expired", path)
		}
	}
	if attr.Size != 4 {
		t.Errorf("symlink of %d bytes, want 4", attr.Size)
	}
}

// An answer that the kernel would take for the inode's must not have 0.
func TestSizeThatStays(t *testing.T) {
	tree := sizedTree()
	for name, expire := range map[string]func(uint64) error{
		"nobody tells": nil, "a kernel that can't": func(uint64) error { return errors.ErrUnsupported },
	} {
		tree.SetExpire(expire)
		for _, path := range []string{"proc/swaps", petDir + "/file"} {
			var attr fuse.AttrOut
			in := fuse.GetAttrIn{InHeader: fuse.InHeader{NodeId: lookup(t, tree, path).NodeId}}
			if status := tree.GetAttr(nil, &in, &attr); status != fuse.OK || attr.Size != minSize || attr.Blocks != minSize/512 {
				t.Errorf("%s: %s has %d bytes, %d blocks, %v", name, path, attr.Size, attr.Blocks, status)
			}
		}
	}
}

// lseek(2) to the end does what it does with the kernel's own file, and never sets
// an inode's size to 0.
func TestEnds(t *testing.T) {
	tree := sizedTree()
	tree.SetExpire(func(uint64) error {
		t.Error("attributes expired")
		return nil
	})
	page := uint64(syscall.Getpagesize())
	for _, tt := range []struct {
		path  string
		flags uint32
		want  uint64 // 0: EINVAL
	}{
		{"proc/swaps", syscall.O_RDONLY, 0},
		{"proc/swaps", syscall.O_RDWR, minSize},
		{"sys/devices/system/cpu/online", syscall.O_RDONLY, page},
		{petDir + "/file", syscall.O_RDONLY, 3},
		{"cgroup/dir/file", syscall.O_WRONLY, minSize},
	} {
		header := fuse.InHeader{NodeId: lookup(t, tree, tt.path).NodeId}
		var open fuse.OpenOut
		if status := tree.Open(nil, &fuse.OpenIn{InHeader: header, Flags: tt.flags}, &open); status != fuse.OK {
			t.Fatal(tt.path, status)
		}
		var attr fuse.AttrOut
		in := fuse.GetAttrIn{InHeader: header, Flags_: fuse.FUSE_GETATTR_FH, Fh_: open.Fh}
		status := tree.GetAttr(nil, &in, &attr)
		got := fmt.Sprint(attr.Size, status)
		if want := fmt.Sprint(tt.want, fuse.OK); tt.want != 0 && got != want || tt.want == 0 && status != fuse.EINVAL {
			t.Errorf("%s opened with %#x: got %s, want %s", tt.path, tt.flags, got, want)
		}
		in.NodeId = lookup(t, tree, "proc/uptime").NodeId
		if status := tree.GetAttr(nil, &in, &attr); tt.flags != syscall.O_RDONLY && status != fuse.EBADF {
			t.Errorf("%s: the end by a handle of another node: %v, want EBADF", tt.path, status)
		}
	}
}
