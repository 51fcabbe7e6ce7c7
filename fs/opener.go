package fs

import (
	"encoding/binary"
	"syscall"

	"github.com/hanwen/go-fuse/v2/fuse"
)

// A file that was opened for writing is written to by the user who opened it
// and by nobody else. The kernel asks for permission when a file is opened, and
// judges a write to a cgroup's list of processes by who opened it; a request
// tells who writes. So a program with more rights that was handed the
// descriptor, as its standard output say, does nothing for who handed it.

// openedBy notes the user, for this process and those after it.
func (t *handles) openedBy(h *handle, uid uint32) {
	h.opener, h.writable = &uid, true
	t.store.Save(h.fh, h.node, unknownLength, binary.NativeEndian.AppendUint32(nil, uid))
}

// restoreOpener undoes openedBy. A length that is not known marks the record.
func (h *handle) restoreOpener(length uint64, content []byte) {
	if length == unknownLength && len(content) == 4 {
		uid := binary.NativeEndian.Uint32(content)
		h.opener, h.writable = &uid, true
	}
}

// mayWrite returns OK when the handle is the user's to write.
func (t *handles) mayWrite(fh, node uint64, uid uint32) fuse.Status {
	h := t.get(fh, node)
	switch {
	case h == nil:
		return fuse.EBADF
	case h.opener == nil || *h.opener != uid:
		return fuse.EPERM
	}
	return fuse.OK
}

// forWriting: the flags of open(2) ask for it.
func forWriting(flags uint32) bool { return flags&syscall.O_ACCMODE != syscall.O_RDONLY }
