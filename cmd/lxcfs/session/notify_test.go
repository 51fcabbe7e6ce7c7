package session

import (
	"slices"
	"testing"

	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"
)

// FUSE_NOTIFY_INVAL_INODE, byte for byte as struct fuse_out_header and struct
// fuse_notify_inval_inode_out have it.
func TestExpireAttr(t *testing.T) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(pair[0])
	s := &Session{fd: pair[1]}
	if err := s.ExpireAttr(0x1122334455667788); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 100)
	n, err := unix.Read(pair[0], buf)
	if err != nil {
		t.Fatal(err)
	}
	var want []byte
	h := outHeader{length: 40, status: 2}
	in := fuse.NotifyInvalInodeOut{Ino: 0x1122334455667788, Off: -1}
	if want = append(append(want, bytesOf(&h)...), bytesOf(&in)...); !slices.Equal(buf[:n], want) {
		t.Errorf("wrote % x, want % x", buf[:n], want)
	}
	unix.Close(pair[1])
	if err := s.ExpireAttr(1); err == nil {
		t.Error("no error of a connection that is gone")
	}
}
