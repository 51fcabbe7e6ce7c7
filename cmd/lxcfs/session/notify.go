package session

import (
	"errors"
	"fmt"

	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"
)

// notify writes a message that answers no request.
func (s *Session) notify(msg []byte) error {
	for {
		_, err := unix.Write(s.fd, msg)
		if !errors.Is(err, unix.EINTR) && !errors.Is(err, unix.EAGAIN) {
			return err
		}
	}
}

// ExpireAttr has the kernel take attributes of a node for outdated that it has
// asked for and does not have yet: it hands the answer on and keeps the inode as
// it is (fuse_reverse_inval_inode in fs/fuse/inode.c counts attr_version up,
// since Linux 5.8; fuse_change_attributes then leaves an older answer alone).
// The node's pages stay.
func (s *Session) ExpireAttr(node uint64) error {
	var msg struct {
		outHeader
		fuse.NotifyInvalInodeOut
	}
	msg.length, msg.status = uint32(len(bytesOf(&msg))), notifyInvalInode
	msg.Ino, msg.Off = node, -1 // no range of pages
	if err := s.notify(bytesOf(&msg)); err != nil {
		return fmt.Errorf("expire the attributes of node %#x: %w", node, err)
	}
	return nil
}
