package cgroup

import (
	"errors"
	"fmt"
	"io/fs"

	"linuxcontainers.org/lxcfs/cgroup/hostfile"
)

const (
	scratchSize = 8 << 10 // holds any interface file of a machine with < 200 CPUs
	scratchKeep = 1 << 20 // a larger buffer is left to the garbage collector
)

// buffer returns a scratch buffer; give it back with release.
func (h *Host) buffer() *[]byte {
	if b, ok := h.scratch.Get().(*[]byte); ok {
		return b
	}
	b := make([]byte, 0, scratchSize)
	return &b
}

func (h *Host) release(b *[]byte) {
	if cap(*b) <= scratchKeep {
		h.scratch.Put(b)
	}
}

// content reads an interface file into the scratch buffer; what it returns is
// valid until the buffer's next use.
func (h *Host) content(buf *[]byte, dir, file string) ([]byte, error) {
	b, err := hostfile.AppendIn(h.FS, (*buf)[:0], dir, file)
	if err != nil {
		return nil, err
	}
	*buf = b
	return b, nil
}

// value reads a single value file.
func (h *Host) value(buf *[]byte, dir, file string, parse func([]byte) (uint64, error)) (uint64, error) {
	b, err := h.content(buf, dir, file)
	if err != nil {
		return 0, err
	}
	v, err := parse(b)
	if err != nil {
		return 0, formatIn(file, dir, err)
	}
	return v, nil
}

func formatIn(file, dir string, err error) error {
	return fmt.Errorf("%s of %s: %w", file, dir, err)
}

// charged reads a usage file. A v2 cgroup without the file (the controller is
// not enabled for it, or it is threaded) is charged to the nearest ancestor that
// has it: the kernel's "effective" cgroup. It never is the root cgroup, which is
// the host. That an own cgroup is unreadable is an error: what its parent uses
// is not what it uses.
func (h *Host) charged(buf *[]byte, p place, file string) ([]byte, place, error) {
	b, err := h.content(buf, p.dir, file)
	if p.hierarchy.Version == 1 || !errors.Is(err, fs.ErrNotExist) {
		return b, p, err
	}
	if gone := h.removed(p); gone != nil {
		return nil, p, gone
	}
	if b, has, err := h.nearest(buf, p, file); has.hierarchy != nil {
		return b, has, err
	}
	return nil, p, err
}

// removed returns an error when the cgroup itself is not there, and not just
// the file that was looked for in it.
func (h *Host) removed(p place) error {
	_, err := h.FS.Stat(p.dir)
	if errors.Is(err, fs.ErrPermission) {
		return nil
	}
	return err
}
