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

// openedBy notes the user, for this process and those after it. Who opens more
// files for writing than there is room for has some forgotten, and can't write to
// them.
func (t *handles) openedBy(fh, node uint64, uid uint32, owner string) {
	h := t.get(fh, node)
	if h == nil {
		return
	}
	defer t.put(h)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.opener, h.kept, h.owner = &uid, true, owner
	t.store.Save(fh, node, unknownLength, binary.NativeEndian.AppendUint32(nil, uid), owner)
}

// restoreOpener undoes openedBy. A length that is not known marks the record.
func (h *handle) restoreOpener(length uint64, content []byte) {
	if length == unknownLength && len(content) == 4 {
		uid := binary.NativeEndian.Uint32(content)
		h.opener = &uid
	}
}

// mayWrite returns OK when the handle is the user's to write.
func (t *handles) mayWrite(fh, node uint64, uid uint32) fuse.Status {
	h := t.get(fh, node)
	if h == nil {
		return fuse.EBADF
	}
	defer t.put(h)
	if h.opener == nil || *h.opener != uid {
		return fuse.EPERM
	}
	return fuse.OK
}

// forWriting: the flags of open(2) ask for it.
func forWriting(flags uint32) bool { return flags&syscall.O_ACCMODE != syscall.O_RDONLY }
