package fdstore

import (
	"golang.org/x/sys/unix"
)

// entry is one stored descriptor.
type entry struct {
	File
	poll bool
}

// table is the store proper, oldest entry first. Its owner locks.
type table struct {
	max     int
	entries []entry
}

// add takes ownership of fd and says what became of it: Stored, Duplicate or
// Full. The same file under a second name is a duplicate too
// (service_add_fd_store() of systemd, src/core/service.c).
func (t *table) add(name string, fd int, poll bool) Kind {
	if len(t.entries) >= t.max {
		unix.Close(fd)
		return Full
	}
	for _, e := range t.entries {
		if sameFile(e.FD, fd) {
			unix.Close(fd)
			return Duplicate
		}
	}
	t.entries = append(t.entries, entry{File{Name: name, FD: fd}, poll})
	return Stored
}

// drop closes and removes the entries for which gone holds and returns their
// names.
func (t *table) drop(gone func(entry) bool) []string {
	var names []string
	kept := t.entries[:0]
	for _, e := range t.entries {
		if !gone(e) {
			kept = append(kept, e)
			continue
		}
		unix.Close(e.FD)
		names = append(names, e.Name)
	}
	t.entries = kept
	return names
}

// sweep drops the polled entries that have hung up. systemd does so the moment
// it happens; here it is done before anybody could see the difference.
func (t *table) sweep() []string {
	return t.drop(func(e entry) bool { return e.poll && hungUp(e.FD) })
}

// newestFirst lists the store in the order in which systemd passes it.
func (t *table) newestFirst() []File {
	files := make([]File, 0, len(t.entries))
	for i := len(t.entries) - 1; i >= 0; i-- {
		files = append(files, t.entries[i].File)
	}
	return files
}

// hungUp polls for EPOLLHUP and EPOLLERR alone, which poll(2) always reports.
func hungUp(fd int) bool {
	poll := []unix.PollFd{{Fd: int32(fd)}}
	n, err := unix.Poll(poll, 0)
	return err == nil && n > 0 && poll[0].Revents&(unix.POLLHUP|unix.POLLERR) != 0
}

// kcmpFile is KCMP_FILE of kcmp(2).
const kcmpFile = 0

// sameFile reports whether two descriptors share one open file description:
// F_DUPFD_QUERY (since Linux 6.10), else kcmp(2) (CONFIG_KCMP). Where the
// kernel has neither, they count as different, and the worst is an entry used
// twice.
func sameFile(a, b int) bool {
	if n, err := unix.FcntlInt(uintptr(a), unix.F_DUPFD_QUERY, b); err == nil {
		return n == 1
	}
	pid := uintptr(unix.Getpid())
	order, _, errno := unix.Syscall6(unix.SYS_KCMP, pid, pid, kcmpFile, uintptr(a), uintptr(b), 0)
	return errno == 0 && order == 0
}
