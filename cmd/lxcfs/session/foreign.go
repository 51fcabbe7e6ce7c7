package session

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// adoptForeign takes over a connection whose journal this version cannot
// continue. If its frozen header is whole, every owed request is answered with
// EIO and the recorded INIT is copied, so the connection goes on as negotiated.
// If not, both are unknown: the kernel is asked to send again what was read.
func adoptForeign(fd, foreign int, cfg Config, why error) (*Session, error) {
	f, size, err := peekFrozen(foreign)
	j, jerr := createJournal(cfg.slots(), minReadBuffer, cfg.PageSize)
	if jerr != nil {
		return nil, jerr
	}
	known := err == nil
	if known {
		if err := inherit(fd, foreign, f, size, j); err != nil {
			return nil, errors.Join(err, j.unmap(), unix.Close(j.fd))
		}
	}
	s, err := newSession(fd, j, cfg)
	if err != nil {
		unix.Close(j.fd)
		return nil, err
	}
	s.lost, s.resend = true, !known
	s.events.report(EventForeign, why, "owed requests answered with EIO: %v", known)
	if foreign >= 0 {
		unix.Close(foreign)
	}
	return s, nil
}

// inherit answers what the foreign journal owes, and copies its INIT and epoch
// to j.
func inherit(fd, foreign int, f frozen, size int, j *journal) error {
	mem, err := unix.Mmap(foreign, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return fmt.Errorf("mmap the foreign journal: %w", err)
	}
	defer unix.Munmap(mem)
	j.frozen().epoch = f.epoch + 1
	if in := initAt(mem, f.initIn, initInMin); in != nil && headerOf(in).opcode == opInit {
		j.record(initInOffset, in)
	}
	if out := initAt(mem, f.initOut, initOutMin); out != nil && outHeaderOf(out).status == 0 {
		j.record(initOutOffset, out)
	}
	for i := range int(f.slots) {
		start := int(f.offset) + i*int(f.stride)
		refuse(fd, mem[start:start+int(f.stride)], j)
	}
	return nil
}

func initAt(mem []byte, offset uint32, least int) []byte {
	if offset%8 != 0 || uint64(offset)+initRoom > uint64(len(mem)) {
		return nil
	}
	return plausibleInit(mem[offset:offset+initRoom], least)
}

// refuse answers the request in a slot of any version with EIO and clears it.
// An owed INIT is kept for Init: EIO would end the connection.
func refuse(fd int, slot []byte, j *journal) {
	h := headerOf(slot)
	if h.length == 0 {
		return
	}
	errno := unix.EIO
	switch {
	case h.opcode == opInit && h.plausible(min(len(slot), initRoom)) && j.initAnswer() == nil:
		j.record(initInOffset, slot[:h.length])
		return
	case h.opcode == opInterrupt:
		errno = unix.ENOSYS
	}
	if takesReply(h.opcode) && h.opcode != opInit {
		var reply [outHeaderSize]byte
		unix.Write(fd, errorReply(reply[:], h.unique, errno)) // whoever got an answer already: ENOENT
	}
	clearHeader(slot)
}
