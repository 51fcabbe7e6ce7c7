package cgrouptree

import (
	"errors"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"linuxcontainers.org/lxcfs/fs/vfs"
)

// However many of a top-level container want long work, one gets it at a time, in it
// or in a container nested in it; so many wait, and the others are told. Another
// container's are not kept waiting.
func TestLongWork(t *testing.T) {
	const file, dir = "/cgroup.procs", ""
	for _, tt := range []struct {
		name, path string
		waiting    int
		work       func(tree *Tree, c vfs.Caller, key vfs.Key) error
	}{
		{"read", file, longRoom, func(tree *Tree, c vfs.Caller, key vfs.Key) error {
			_, err := tree.Append(nil, c, key)
			return err
		}},
		{"list", dir, longRoom, func(tree *Tree, c vfs.Caller, key vfs.Key) error {
			_, err := tree.List(c, key)
			return err
		}},
		{"search", file, longRoom, func(tree *Tree, c vfs.Caller, key vfs.Key) error {
			tree.paths.forget(key)
			_, err := tree.Attr(c, key)
			return err
		}},
		{"move", file, maxInFlight, func(tree *Tree, c vfs.Caller, key vfs.Key) error {
			_, err := tree.Write(c, key, 0, []byte("999")) // there is none
			if errors.Is(err, syscall.ESRCH) {
				return nil
			}
			return err
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { testLongWork(t, tt.path, tt.waiting, tt.work) })
		})
	}
}

func testLongWork(t *testing.T, path string, waiting int, work func(tree *Tree, c vfs.Caller, key vfs.Key) error) {
	w := newWorld(t)
	keys := map[uint32]vfs.Key{
		1001: w.mustWalk(1001, "unified/box"+path),
		1101: w.mustWalk(1101, "unified/box/in"+path), // a container in that one
		2001: w.mustWalk(2001, "unified/other"+path),
	}
	if !w.tree.longWork.Enter("/box") {
		t.Fatal("turned away")
	}
	var threads sync.WaitGroup
	var done, busy atomic.Int32
	const many = longRoom + 10
	for i := range many {
		tid := []uint32{1001, 1101}[i%2]
		threads.Go(func() {
			switch err := work(w.tree, w.caller(tid), keys[tid]); {
			case errors.Is(err, syscall.EAGAIN):
				busy.Add(1)
			case err != nil:
				t.Error(err)
			default:
				done.Add(1)
			}
		})
	}
	synctest.Wait()
	if done.Load() != 0 || int(busy.Load()) != many-waiting {
		t.Errorf("%d had their turn, %d were turned away; want 0 and %d", done.Load(), busy.Load(), many-waiting)
	}
	if err := work(w.tree, w.caller(2001), keys[2001]); err != nil {
		t.Errorf("another container: %v", err)
	}
	time.Sleep(longPatience / 2)
	w.tree.longWork.Leave("/box")
	threads.Wait()
	if int(done.Load()) != waiting {
		t.Errorf("%d had their turn, want %d", done.Load(), waiting)
	}
}
