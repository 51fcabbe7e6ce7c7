package hostfile

import (
	"io/fs"
	"sync"
	"syscall"
)

// crowd is the readers of one file that came while it was being read. One of
// them reads it again, after all of them came, and the others take its bytes: a
// thousand readers cost two readings, and none gets bytes that are older than
// its question.
type crowd struct {
	turn   chan struct{} // closed when the reading before it is over
	done   chan struct{} // closed when text and err are there
	text   []byte        // of the leader's; until every follower has copied it
	err    error
	copied sync.WaitGroup // followers
}

// Append implements [File].
func (f *held) Append(dst []byte) ([]byte, error) {
	if !f.used.Load() {
		f.used.Store(true)
	}
	f.mu.Lock()
	if !f.busy {
		f.busy = true
		f.mu.Unlock()
		defer f.yield()
		return f.read(dst)
	}
	c, leads := f.next, false
	if c == nil {
		c, leads = &crowd{turn: make(chan struct{}), done: make(chan struct{})}, true
		f.next = c
	} else {
		c.copied.Add(1)
	}
	f.mu.Unlock()
	if leads {
		return f.lead(c, dst)
	}
	return c.follow(dst)
}

// lead reads for a crowd. It waits for the others, who copy from its buffer.
func (f *held) lead(c *crowd, dst []byte) ([]byte, error) {
	<-c.turn
	out, err := f.read(dst)
	c.text, c.err = out[len(dst):], err
	close(c.done)
	f.yield()
	c.copied.Wait()
	return out, err
}

func (c *crowd) follow(dst []byte) ([]byte, error) {
	<-c.done
	defer c.copied.Done()
	if c.err != nil {
		return dst, c.err
	}
	return append(dst, c.text...), nil
}

// yield ends a reading: the crowd that waits is next.
func (f *held) yield() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if c := f.next; c != nil {
		f.next = nil
		close(c.turn)
		return
	}
	f.busy = false
	f.close()
}

// read reads the file. Only one goroutine does at a time, the one that made it
// busy.
func (f *held) read(dst []byte) ([]byte, error) {
	err := error(syscall.ESRCH)
	out := dst
	if f.fd >= 0 {
		out, err = readAll(dst, f.fd, wholeAtOnce(f.place.file), pread)
	}
	if err != nil {
		return dst, &fs.PathError{Op: "read", Path: f.place.name(), Err: err}
	}
	return out, nil
}
