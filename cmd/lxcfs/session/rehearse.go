package session

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"unsafe"

	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"
)

// Bounds of a rehearsal, against a file system that has no end.
const maxRehearsed = 64 << 20

// errReply is what the kernel does not take as an answer: its reader gets EIO.
var errReply = errors.New("an answer that the kernel refuses")

// Rehearse reads a served file, "/proc/meminfo", as a program does that reads it
// from start to end in blocks of so many bytes, and returns what that reads. It
// stands in for the kernel: requests as the kernel would split them, by what was
// agreed on in INIT and by the machine's pages; the way and the size of reply
// buffer of a worker; and the rules by which the kernel takes an answer (copy_out_args
// in fs/fuse/dev.c). It never touches the mount. caller is the reader, as in
// fuse_in_header.
//
// Read at other offsets the file has to be the same text. An error names the
// request that failed.
func (s *Session) Rehearse(ctx context.Context, path string, caller uint32, block int) ([]byte, error) {
	return s.rehearse(ctx, path, caller, block, s.cfg.PageSize)
}

func (s *Session) rehearse(ctx context.Context, path string, caller uint32, block, page int) (content []byte, err error) {
	k := &kernel{session: s, worker: worker{out: make([]byte, s.outSize)}, caller: caller}
	node, err := k.walk(path)
	if err != nil {
		return nil, err
	}
	fh, err := k.open(node)
	if err != nil {
		return nil, err
	}
	defer func() {
		if releaseErr := k.release(node, fh); err == nil {
			err = releaseErr
		}
	}()
	most := s.cfg.agreedPages(s.journal.initAnswer()) * page
	for {
		piece, err := k.read(node, fh, uint64(len(content)), min(block, most))
		switch {
		case err != nil:
			return nil, err
		case len(piece) == 0:
			return content, k.compare(node, fh, content, min(max(block, page), most))
		case len(content) > maxRehearsed:
			return nil, fmt.Errorf("more than %d bytes", maxRehearsed)
		case ctx.Err() != nil:
			return nil, ctx.Err()
		}
		content = append(content, piece...)
	}
}

// kernel makes requests and judges answers.
type kernel struct {
	session *Session
	worker  worker
	caller  uint32
	unique  uint64
}

// walk looks a path up.
func (k *kernel) walk(path string) (node uint64, err error) {
	node = fuse.FUSE_ROOT_ID
	for name := range strings.SplitSeq(strings.Trim(path, "/"), "/") {
		msg := make([]byte, inHeaderSize+len(name)+1)
		copy(msg[inHeaderSize:], name)
		body, err := k.ask(msg, opLookup, node)
		if err == nil && len(body) < int(unsafe.Sizeof(node)) {
			err = errReply
		}
		if err != nil {
			return 0, fmt.Errorf("LOOKUP of %q: %w", name, err)
		}
		copy(bytesOf(&node), body)
	}
	return node, nil
}

func (k *kernel) open(node uint64) (fh uint64, err error) {
	var in fuse.OpenIn
	body, err := k.ask(bytesOf(&in), opOpen, node)
	if err == nil && len(body) != int(unsafe.Sizeof(fuse.OpenOut{})) {
		err = errReply
	}
	if err != nil {
		return 0, fmt.Errorf("OPEN: %w", err)
	}
	copy(bytesOf(&fh), body)
	return fh, nil
}

func (k *kernel) read(node, fh, off uint64, size int) ([]byte, error) {
	in := fuse.ReadIn{Fh: fh, Offset: off, Size: uint32(size), ReadFlags: fuse.READ_LOCKOWNER, LockOwner: 1}
	body, err := k.ask(bytesOf(&in), opRead, node)
	if err == nil && len(body) > size {
		err = errReply
	}
	if err != nil {
		return nil, fmt.Errorf("READ of %d bytes at %d: %w", size, off, err)
	}
	return body, nil
}

func (k *kernel) release(node, fh uint64) error {
	in := fuse.ReleaseIn{Fh: fh}
	if _, err := k.ask(bytesOf(&in), opRelease, node); err != nil {
		return fmt.Errorf("RELEASE: %w", err)
	}
	return nil
}

// compare reads once more, at offset 1, which renders nothing anew.
func (k *kernel) compare(node, fh uint64, content []byte, size int) error {
	if len(content) == 0 {
		return nil
	}
	again, err := k.read(node, fh, 1, size)
	if err != nil {
		return err
	}
	if rest := content[1:]; !bytes.Equal(again, rest[:min(len(rest), size)]) {
		return fmt.Errorf("READ of %d bytes at 1: got %d bytes that are not those read before", size, len(again))
	}
	return nil
}

// ask returns what follows the header of the answer to a request, which has room
// for a header.
func (k *kernel) ask(msg []byte, opcode uint32, node uint64) ([]byte, error) {
	k.unique += 2
	*headerOf(msg) = inHeader{length: uint32(len(msg)), opcode: opcode, unique: k.unique, node: node, pid: k.caller}
	answer, status := k.session.answer(&k.worker, msg)
	if len(answer) < outHeaderSize {
		return nil, fmt.Errorf("no answer: %v", status)
	}
	switch h := outHeaderOf(answer); {
	case int(h.length) != len(answer), h.unique != k.unique, h.status > 0, h.status <= -512:
		return nil, errReply
	case h.status != 0:
		return nil, unix.Errno(-h.status)
	}
	return answer[outHeaderSize:], nil
}
