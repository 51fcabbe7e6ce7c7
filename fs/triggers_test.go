package fs

import (
	"fmt"
	"syscall"
	"testing"

	"github.com/hanwen/go-fuse/v2/fuse"

	"linuxcontainers.org/lxcfs/fs/view"
)

// triggerLog notes what it is asked.
type triggerLog struct {
	did []string
	err error
}

func (l *triggerLog) Add(fh uint64, tid uint32, resource string, text []byte, again bool) error {
	l.did = append(l.did, fmt.Sprintf("add %d %d %s %q %v", fh, tid, resource, text, again))
	return l.err
}

func (l *triggerLog) Poll(fh, kh uint64, notify bool) uint32 {
	l.did = append(l.did, fmt.Sprintf("poll %d %d %v", fh, kh, notify))
	return 2
}

func (l *triggerLog) Remove(fh uint64) { l.did = append(l.did, fmt.Sprintf("remove %d", fh)) }

func pressureTree() *Tree {
	r := NewRenderer(Config{
		FS:       archive("/proc/pressure/cpu", "some\n", "/proc/meminfo", "memtotal\n"),
		Switches: new(Switches),
	}, []view.File{{Path: "/proc/pressure/cpu", Append: upper}, {Path: "/proc/meminfo", Append: upper}})
	return NewTree(r, newMemoryStore())
}

func TestTriggers(t *testing.T) {
	tree, log := pressureTree(), new(triggerLog)
	tree.SetTriggers(log)
	tree.SetReplayed(func(unique uint64) bool { return unique == 77 })
	cpu, meminfo := lookup(t, tree, "proc/pressure/cpu"), lookup(t, tree, "proc/meminfo")
	if cpu.Mode&0o777 != 0o666 || meminfo.Mode&0o777 != 0o444 {
		t.Errorf("modes %o and %o", cpu.Mode, meminfo.Mode)
	}
	header := fuse.InHeader{NodeId: cpu.NodeId, Caller: fuse.Caller{Pid: 9}}
	var open fuse.OpenOut
	tree.Open(nil, &fuse.OpenIn{InHeader: header}, &open)
	for _, unique := range []uint64{1, 77} {
		header.Unique = unique
		if n, got := tree.Write(nil, &fuse.WriteIn{InHeader: header, Fh: open.Fh, Size: 4000}, []byte("some 1 2")); n != 4000 || got != fuse.OK {
			t.Errorf("write: %d, %v", n, got)
		}
	}
	log.err = fmt.Errorf("no: %w", syscall.EBUSY)
	if n, got := tree.Write(nil, &fuse.WriteIn{InHeader: header, Fh: open.Fh}, []byte("x")); n != 0 || got != fuse.EBUSY {
		t.Errorf("refused write: %d, %v", n, got)
	}
	if events, errno := tree.Poll(cpu.NodeId, open.Fh, 5, true); events != 2 || errno != 0 {
		t.Errorf("poll: %#x, %v", events, errno)
	}
	if events, errno := tree.Poll(meminfo.NodeId, 1, 5, true); events != pollReady || errno != 0 {
		t.Errorf("poll of another file: %#x, %v: ENOSYS would hold for the pressure files", events, errno)
	}
	if _, got := tree.Write(nil, &fuse.WriteIn{InHeader: fuse.InHeader{NodeId: meminfo.NodeId}}, []byte("x")); got != fuse.EIO {
		t.Errorf("write of another file: %v", got)
	}
	tree.Release(nil, &fuse.ReleaseIn{InHeader: header, Fh: open.Fh})
	fh := open.Fh
	want := []string{
		fmt.Sprintf(`add %d 9 cpu "some 1 2" false`, fh), fmt.Sprintf(`add %d 9 cpu "some 1 2" true`, fh),
		fmt.Sprintf(`add %d 9 cpu "x" true`, fh), fmt.Sprintf("poll %d 5 true", fh), fmt.Sprintf("remove %d", fh),
	}
	if fmt.Sprint(log.did) != fmt.Sprint(want) {
		t.Errorf("got  %q\nwant %q", log.did, want)
	}
}

// Without triggers pressure files are like any other.
func TestNoTriggers(t *testing.T) {
	tree := pressureTree()
	cpu := lookup(t, tree, "proc/pressure/cpu")
	if cpu.Mode&0o777 != 0o444 {
		t.Errorf("mode %o", cpu.Mode)
	}
	if _, errno := tree.Poll(cpu.NodeId, 1, 5, true); errno != syscall.ENOSYS {
		t.Errorf("poll: %v, want ENOSYS", errno)
	}
	if _, got := tree.Write(nil, &fuse.WriteIn{InHeader: fuse.InHeader{NodeId: cpu.NodeId}}, []byte("some 1 2")); got != fuse.EIO {
		t.Errorf("write: %v, want EIO", got)
	}
}
