package fs

import (
	"syscall"
	"testing"

	"github.com/hanwen/go-fuse/v2/fuse"

	"linuxcontainers.org/lxcfs/cgroup/container"
	"linuxcontainers.org/lxcfs/fs/vfs"
)

// What each request of a node costs without the kernel, the resolver and the
// gatherer: the way from a node id to the answer, for a file of the table and for
// one of a dynamic tree.
func BenchmarkTree(b *testing.B) {
	tree := petMount(new(quietPets))
	tree.renderer.Resolver = resolver{2: {Container: &container.Container{Name: "good", InitPID: 1}}}
	tree.renderer.Gatherer = gatherer{}
	tree.SetReplayed(func(uint64) bool {
		b.Error("asked of a request that changes nothing")
		return false
	})
	who := fuse.Caller{Pid: 2}
	for _, file := range []struct{ name, dir, base string }{
		{"table", "sys/devices/system/cpu", "online"}, {"dynamic", petDir, "file"},
	} {
		dir := fuse.InHeader{NodeId: lookup(b, tree, file.dir).NodeId, Caller: who}
		header := fuse.InHeader{NodeId: lookup(b, tree, file.dir+"/"+file.base).NodeId, Caller: who}
		b.Run("Lookup/"+file.name, func(b *testing.B) {
			b.ReportAllocs()
			var out fuse.EntryOut
			for b.Loop() {
				tree.Lookup(nil, &dir, file.base, &out)
			}
		})
		b.Run("GetAttr/"+file.name, func(b *testing.B) {
			b.ReportAllocs()
			var out fuse.AttrOut
			in := fuse.GetAttrIn{InHeader: header}
			for b.Loop() {
				tree.GetAttr(nil, &in, &out)
			}
		})
		b.Run("Read/"+file.name, func(b *testing.B) {
			b.ReportAllocs()
			var open fuse.OpenOut
			tree.Open(nil, &fuse.OpenIn{InHeader: header}, &open)
			defer tree.Release(nil, &fuse.ReleaseIn{InHeader: header, Fh: open.Fh})
			in := fuse.ReadIn{InHeader: header, Fh: open.Fh, ReadFlags: fuse.READ_LOCKOWNER}
			buf := make([]byte, 4096)
			for b.Loop() {
				if _, status := tree.Read(nil, &in, buf); status != fuse.OK {
					b.Fatal(status)
				}
			}
		})
		b.Run("OpenReadClose/"+file.name, func(b *testing.B) {
			b.ReportAllocs()
			in := fuse.ReadIn{InHeader: header, ReadFlags: fuse.READ_LOCKOWNER}
			buf := make([]byte, 4096)
			for b.Loop() {
				var open fuse.OpenOut
				tree.Open(nil, &fuse.OpenIn{InHeader: header, Flags: syscall.O_RDONLY}, &open)
				in.Fh = open.Fh
				tree.Read(nil, &in, buf)
				tree.Release(nil, &fuse.ReleaseIn{InHeader: header, Fh: open.Fh})
			}
		})
	}
}

// quietPets remember nothing.
type quietPets struct{ petTree }

func (p *quietPets) Lookup(c vfs.Caller, dir vfs.Key, name string) (vfs.Key, vfs.Attr, error) {
	defer func() { p.callers = nil }()
	return p.petTree.Lookup(c, dir, name)
}

func (p *quietPets) Append(dst []byte, _ vfs.Caller, _ vfs.Key) ([]byte, error) {
	return append(dst, "0-3\n"...), nil
}
