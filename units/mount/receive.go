package mount

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"

	"golang.org/x/sys/unix"
)

// receive reads and checks one helper's request. The Peer is known on error as
// well, if the kernel told; the descriptors are closed on error.
func receive(conn *net.UnixConn) (r Request, err error) {
	peer, err := peerOf(conn)
	if err != nil {
		return r, err
	}
	r.Peer = *peer
	if peer.Uid != 0 {
		return r, fmt.Errorf("a client of uid %d may not hand over mounts, only root may", peer.Uid)
	}
	buf := make([]byte, MaxMessage+1)
	// Room for more descriptors than the one that is right, to count them; what
	// does not fit the kernel closes.
	oob := make([]byte, unix.CmsgSpace(4*4))
	n, oobn, flags, _, err := conn.ReadMsgUnix(buf, oob)
	fds, oobErr := descriptors(oob[:oobn])
	defer func() {
		if err != nil {
			closeAll(fds)
		}
	}()
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return r, errors.New("the client sent nothing in time")
	case errors.Is(err, io.EOF) || err == nil && n == 0:
		return r, fmt.Errorf("%w without a message", ErrHungUp)
	case err != nil:
		return r, err
	case n > MaxMessage || flags&unix.MSG_TRUNC != 0:
		return r, fmt.Errorf("the message is longer than %d bytes", MaxMessage)
	case oobErr != nil:
		return r, oobErr
	}
	parsed, err := parseRequest(buf[:n])
	parsed.Peer = *peer
	want := 1
	if parsed.Failed != nil {
		want = 0
	}
	switch {
	case err != nil && len(fds) > 0:
		return r, err
	case len(fds) != want || flags&unix.MSG_CTRUNC != 0:
		return r, fmt.Errorf("want %s with the message, got %s", [...]string{"0 file descriptors", "1 file descriptor"}[want], count(len(fds), flags))
	case parsed.Failed != nil:
		return parsed, nil
	}
	if err := CheckConnection(fds[0]); err != nil {
		return r, err
	}
	parsed.FD = fds[0]
	return parsed, nil
}

func count(n, flags int) string {
	if flags&unix.MSG_CTRUNC != 0 {
		return fmt.Sprintf("more than %d", n)
	}
	return fmt.Sprint(n)
}

func peerOf(conn *net.UnixConn) (peer *unix.Ucred, err error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return nil, err
	}
	cerr := raw.Control(func(fd uintptr) {
		peer, err = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
	})
	return peer, errors.Join(cerr, err)
}

// descriptors returns every descriptor of the control messages.
func descriptors(oob []byte) (fds []int, err error) {
	messages, err := unix.ParseSocketControlMessage(oob)
	for i := range messages {
		rights, rightsErr := unix.ParseUnixRights(&messages[i])
		fds = append(fds, rights...)
		err = errors.Join(err, rightsErr)
	}
	return fds, err
}

func closeAll(fds []int) {
	for _, fd := range fds {
		unix.Close(fd)
	}
}

// CheckConnection checks that fd is [Device], open for reading and writing, and
// that its connection is mounted and not broken: only then does poll(2) not
// give POLLERR (fuse_dev_poll in fs/fuse/dev.c).
func CheckConnection(fd int) error {
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return os.NewSyscallError("fstat", err)
	}
	if st.Mode&unix.S_IFMT != unix.S_IFCHR || st.Rdev != unix.Mkdev(10, 229) {
		return errors.New("the file descriptor is not " + Device)
	}
	flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0)
	if err != nil {
		return os.NewSyscallError("fcntl", err)
	}
	if flags&unix.O_ACCMODE != unix.O_RDWR {
		return errors.New("the file descriptor of " + Device + " is not open for reading and writing")
	}
	alive, err := ConnectionAlive(fd)
	if err == nil && !alive {
		err = errors.New("the file descriptor of " + Device + " is not mounted")
	}
	return err
}

// ConnectionAlive reports whether the connection of a [Device] descriptor is
// mounted and not broken. It never blocks.
func ConnectionAlive(fd int) (bool, error) {
	p := []unix.PollFd{{Fd: int32(fd)}}
	for {
		_, err := unix.Poll(p, 0)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		return p[0].Revents&(unix.POLLERR|unix.POLLNVAL) == 0, os.NewSyscallError("poll", err)
	}
}
