package session

import (
	"fmt"
	"os"
	"runtime/debug"

	"golang.org/x/sys/unix"
)

// crashBlock is the block of the handle table that holds no handle's content but
// the beginning of what Go's runtime said when it ended a process: a panic that
// nobody caught, a fatal error, a signal that prints the stacks. It is the last
// one: the journal can't grow, so nothing is written after it.
const crashBlock = blockCount - 1

// takeCrash says whether the last process crashed, and forgets it.
func (j *journal) takeCrash() bool {
	if openHandles(j.table, 0).inUse(crashBlock) { // an earlier version handed it out
		return false
	}
	text := j.table[len(j.table)-blockSize:]
	crashed := text[0] != 0
	clear(text)
	return crashed
}

// Crashed says whether the last process that served the connection of a journal
// crashed, and kept it there. Of what is no journal it says false; of one in which
// an earlier version kept a handle's content there it may say true.
func Crashed(journal int) bool {
	_, size, err := peekFrozen(journal)
	if err != nil {
		return false
	}
	var first [1]byte
	n, err := unix.Pread(journal, first[:], int64(size-blockSize))
	return n == 1 && err == nil && first[0] != 0
}

// KeepCrash has the runtime write into the session's journal when it ends the
// process, for a successor to know; a process has one such place. A process that
// gets SIGKILL, from an operator or from the kernel for its memory, writes
// nothing.
func (s *Session) KeepCrash() error {
	if s.handles.inUse(crashBlock) {
		return nil
	}
	fd, err := unix.FcntlInt(uintptr(s.journal.fd), unix.F_DUPFD_CLOEXEC, 3)
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	f := os.NewFile(uintptr(fd), "lxcfs-journal")
	defer f.Close()
	if _, err := f.Seek(-blockSize, unix.SEEK_END); err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	return debug.SetCrashOutput(f, debug.CrashOptions{})
}

// inUse says whether a block holds a handle's content.
func (h *Handles) inUse(block uint16) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, i := range h.byFH {
		for _, b := range h.entry(i).held() {
			if b == block {
				return true
			}
		}
	}
	return false
}
