package mount

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// SocketName is lxcfs.socket's FileDescriptorName=.
const SocketName = "mount"

// Socket is where the daemon takes mounts: lxcfs.socket's ListenSequentialPacket=.
const Socket = "/run/lxcfs/mount.sock"

// CgroupSocket is where the daemon takes mounts that has the rights for the
// cgroup tree: lxcfs-cgroup.socket's ListenSequentialPacket=.
const CgroupSocket = "/run/lxcfs/cgroup.sock"

// Home is where the mount is that the daemon behind a socket was started for, as
// its unit says; "" for a socket of no unit of ours.
func Home(socket string) string {
	switch socket {
	case Socket:
		return "/var/lib/lxcfs"
	case CgroupSocket:
		return "/var/lib/lxcfs.cgroup"
	}
	return ""
}

// SocketFor returns which of the two takes a mount with these [Options.Lxcfs].
func SocketFor(options string) string {
	socket := Socket
	for word := range strings.SplitSeq(options, ",") {
		switch word {
		case "cgroup":
			socket = CgroupSocket
		case "nocgroup":
			socket = Socket
		}
	}
	return socket
}

// ErrNoAnswer is returned, wrapped, when the daemon hung up or said nothing
// until the context ended.
var ErrNoAnswer = errors.New("the lxcfs daemon did not answer")

// Handover is what the helper tells the daemon about a connection.
type Handover struct {
	// FD is the mounted connection; the sender keeps its own descriptor.
	FD int
	// Mountpoint is absolute. The daemon uses it in messages only.
	Mountpoint string
	// Options are [Options.Lxcfs].
	Options string
	// Connection is the minor of the mount's st_dev, 0 when not known.
	Connection uint32
}

// Failure says that no mount of ours could be made. The daemon that waits for it
// can say why, and end.
type Failure struct {
	Mountpoint string
	Reason     error
	// Connection is that of an lxcfs mount which is there already, 0 for none.
	Connection uint32
}

// Tell tells the daemon of a failure. nil says that it serves the connection: all
// is well. A [RefusedError] says that it does not.
func Tell(ctx context.Context, socketPath string, f Failure) error {
	c, err := Dial(ctx, socketPath)
	if err != nil {
		return err
	}
	defer c.Close()
	return c.Tell(ctx, f)
}

// HandOver is [Dial] and [Client.HandOver], for a mount that does not cover
// socketPath.
func HandOver(ctx context.Context, socketPath string, h Handover) error {
	c, err := Dial(ctx, socketPath)
	if err != nil {
		return err
	}
	defer c.Close()
	return c.HandOver(ctx, h)
}

// Client is a connection to the daemon, for one hand-over.
type Client struct{ conn *net.UnixConn }

// Dial connects to the daemon behind socketPath. Who mounts must do so before:
// on a mount over /run, or over /, the way to the socket leads into the very
// mount that nobody serves yet, and connect(2) does not return.
//
// The daemon's patience for the hand-over, [Server.Timeout], begins here.
func Dial(ctx context.Context, socketPath string) (*Client, error) {
	conn, err := dial(ctx, socketPath)
	if err != nil {
		return nil, err
	}
	return &Client{conn}, nil
}

// Close hangs up.
func (c *Client) Close() error { return c.conn.Close() }

// Tell is [Tell] in the place of the hand-over, of a mount that could not be made.
func (c *Client) Tell(ctx context.Context, f Failure) error {
	return c.ask(ctx, appendFailure(f), nil)
}

// HandOver sends a mounted connection and waits for the ack until ctx ends. A
// nil error means that the daemon serves the mount, and that a daemon after it
// will. A [RefusedError] is the daemon's own; after any error the mount is not
// served and must be unmounted.
func (c *Client) HandOver(ctx context.Context, h Handover) error {
	return c.ask(ctx, appendRequest(h.Mountpoint, h.Options, h.Connection), unix.UnixRights(h.FD))
}

// ask sends a request and waits for its reply.
func (c *Client) ask(ctx context.Context, request, rights []byte) error {
	stop := context.AfterFunc(ctx, func() { c.conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	if len(request) > MaxMessage {
		return fmt.Errorf("mount options and mountpoint are too long: %d bytes", len(request))
	}
	if _, _, err := c.conn.WriteMsgUnix(request, rights, nil); err != nil {
		return noAnswer(ctx, err)
	}
	reply := make([]byte, MaxMessage+1)
	n, err := c.conn.Read(reply)
	if err != nil || n == 0 {
		return noAnswer(ctx, err)
	}
	return parseReply(reply[:n])
}

// dial connects; a full backlog (EAGAIN) is waited for, as a blocking
// connect(2) would.
func dial(ctx context.Context, path string) (*net.UnixConn, error) {
	const pause = 20 * time.Millisecond
	var dialer net.Dialer
	for {
		conn, err := dialer.DialContext(ctx, "unixpacket", path)
		switch {
		case err == nil:
			return conn.(*net.UnixConn), nil
		case ctx.Err() != nil:
			return nil, noAnswer(ctx, nil)
		case !errors.Is(err, unix.EAGAIN):
			return nil, err
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
}

// noAnswer says how the wait ended: by the deadline, by hanging up, or by err.
func noAnswer(ctx context.Context, err error) error {
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return fmt.Errorf("%w in time", ErrNoAnswer)
	case ctx.Err() != nil:
		return fmt.Errorf("%w: %w", ErrNoAnswer, ctx.Err())
	case err == nil || errors.Is(err, os.ErrClosed):
		return fmt.Errorf("%w and hung up", ErrNoAnswer)
	}
	return fmt.Errorf("%w: %w", ErrNoAnswer, err)
}
