package fdstore

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// sendTimeout bounds a send to a manager that does not read, in seconds.
const sendTimeout = 5

var (
	// ErrNoManager says that nobody listens: NOTIFY_SOCKET is not set.
	ErrNoManager = errors.New("no service manager: NOTIFY_SOCKET is not set")
	// ErrFull says that the store has no room. The manager itself would drop
	// the descriptor without a word.
	ErrFull = errors.New("the file descriptor store is full")
	// ErrStored says that a name is in use.
	ErrStored = errors.New("the file descriptor store has that name already")
)

// Client is a process's connection to its service manager or keeper. Its
// methods may be called from several goroutines. The nil *Client is one that
// has no manager: Notify, Remove and Barrier do nothing, Store refuses.
type Client struct {
	address unix.SockaddrUnix
	max     int
	keeper  int // pid of the keeper, 0: a service manager

	mu     sync.Mutex // guards what follows
	fd     int        // datagram socket, -1 after Close
	stored map[string]int
}

// New returns the client of the manager that NOTIFY_SOCKET names; without one
// the error is [ErrNoManager]. The store holds $FDSTORE descriptors (systemd
// since 254, and the keeper); where that is not set, limit is the unit's
// FileDescriptorStoreMax=. Call it before [Inherited], which removes the
// keeper's variable.
func New(limit int) (*Client, error) {
	return newClient(os.Getenv, limit)
}

func newClient(getenv func(string) string, limit int) (*Client, error) {
	address := getenv("NOTIFY_SOCKET")
	if address == "" {
		return nil, ErrNoManager
	}
	if len(address) < 2 || (address[0] != '/' && address[0] != '@') {
		return nil, fmt.Errorf("environment variable NOTIFY_SOCKET: neither a path nor an abstract name: %q", address)
	}
	if s := getenv("FDSTORE"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil || n < 0 {
			return nil, fmt.Errorf("environment variable FDSTORE: not a count: %q", s)
		}
		limit = n
	}
	keeper := 0
	if s := getenv(KeeperVariable); s != "" {
		if n, err := strconv.Atoi(s); err == nil && n == os.Getppid() {
			keeper = n
		}
	}
	fd, err := sendSocket()
	if err != nil {
		return nil, fmt.Errorf("notify socket: %w", err)
	}
	return &Client{
		address: unix.SockaddrUnix{Name: address},
		max:     limit,
		keeper:  keeper,
		fd:      fd,
		stored:  make(map[string]int),
	}, nil
}

func sendSocket() (int, error) {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, err
	}
	timeout := unix.Timeval{Sec: sendTimeout}
	if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_SNDTIMEO, &timeout); err != nil {
		unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

// Close closes the client's own socket. What is stored stays stored.
func (c *Client) Close() error {
	if c == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.fd < 0 {
		return nil
	}
	err := unix.Close(c.fd)
	c.fd = -1
	return err
}

// Notify sends assignments, such as "READY=1", in one message (sd_notify(3)).
// It waits at most 5 s for a manager that does not read.
func (c *Client) Notify(assignments ...string) error {
	if c == nil {
		return nil
	}
	for _, line := range assignments {
		if strings.ContainsAny(line, "\n\x00") || !strings.Contains(line, "=") {
			return fmt.Errorf("notify: not an assignment: %q", line)
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.send(strings.Join(assignments, "\n"))
}

// Store hands a duplicate of fd to the manager, under a name that Inherited
// gives back to the next process. fd stays the caller's. With poll the manager
// drops the descriptor as soon as it hangs up (poll(2): EPOLLHUP, EPOLLERR);
// without, and that is FDPOLL=0, only Remove does.
//
// A return without error does not mean that the manager has it: see [Barrier].
func (c *Client) Store(name string, fd int, poll bool) error {
	if err := CheckName(name); err != nil {
		return err
	}
	if c == nil {
		return fmt.Errorf("storing %s: %w", name, ErrNoManager)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stored[name] > 0 {
		return fmt.Errorf("storing %s: %w", name, ErrStored)
	}
	if used := c.used(); used >= c.max {
		return fmt.Errorf("storing %s: %w: %d of %d", name, ErrFull, used, c.max)
	}
	message := "FDSTORE=1\nFDNAME=" + name
	if !poll {
		message += "\nFDPOLL=0"
	}
	if err := c.send(message, fd); err != nil {
		return fmt.Errorf("storing %s: %w", name, err)
	}
	c.stored[name]++
	return nil
}

// Remove takes every descriptor of that name out of the store. A name that is
// not there is no error.
func (c *Client) Remove(name string) error {
	if err := CheckName(name); err != nil {
		return err
	}
	if c == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.send("FDSTOREREMOVE=1\nFDNAME=" + name); err != nil {
		return fmt.Errorf("removing %s: %w", name, err)
	}
	delete(c.stored, name)
	return nil
}

// Adopt counts descriptors that are in the store from an earlier process: those
// of [Inherited] that are not sockets of a socket unit.
func (c *Client) Adopt(names ...string) {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, name := range names {
		c.stored[name]++
	}
}

// Max returns how many descriptors the store holds.
func (c *Client) Max() int {
	if c == nil {
		return 0
	}
	return c.max
}

// Room returns how many more descriptors fit into the store. Something that
// needs several at once asks before it stores the first.
func (c *Client) Room() int {
	if c == nil {
		return 0
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return max(0, c.max-c.used())
}

// used counts the stored descriptors. The caller holds c.mu.
func (c *Client) used() int {
	n := 0
	for _, count := range c.stored {
		n += count
	}
	return n
}

// Barrier waits until the manager has worked off every message sent before it
// (sd_notify_barrier(3)).
func (c *Client) Barrier(ctx context.Context) error {
	if c == nil {
		return nil
	}
	r, w, err := os.Pipe()
	if err != nil {
		return fmt.Errorf("barrier: %w", err)
	}
	defer r.Close()
	c.mu.Lock()
	err = c.sendFile("BARRIER=1", w)
	c.mu.Unlock()
	if err != nil {
		return fmt.Errorf("barrier: %w", err)
	}
	stop := context.AfterFunc(ctx, func() { r.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	// The manager closes its end and says nothing, so this reads EOF.
	if _, err := r.Read(make([]byte, 1)); errors.Is(err, os.ErrDeadlineExceeded) {
		return fmt.Errorf("barrier: %w", context.Cause(ctx))
	}
	return nil
}

// sendFile sends message with w and closes w.
func (c *Client) sendFile(message string, w *os.File) error {
	defer w.Close()
	raw, err := w.SyscallConn()
	if err != nil {
		return err
	}
	var sent error
	if err := raw.Control(func(fd uintptr) { sent = c.send(message, int(fd)) }); err != nil {
		return err
	}
	return sent
}

// send sends one datagram. The caller holds c.mu, which keeps the order.
func (c *Client) send(message string, fds ...int) error {
	if c.fd < 0 {
		return fmt.Errorf("notify socket: %w", os.ErrClosed)
	}
	if len(message) > maxMessage {
		return fmt.Errorf("notify: message of %d bytes, at most %d are read", len(message), maxMessage)
	}
	var rights []byte
	if len(fds) > 0 {
		rights = unix.UnixRights(fds...)
	}
	for {
		err := unix.Sendmsg(c.fd, []byte(message), rights, &c.address, unix.MSG_NOSIGNAL)
		// SO_SNDTIMEO makes a send interruptible even with SA_RESTART,
		// signal(7).
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return fmt.Errorf("notify socket %s: %w", c.address.Name, err)
		}
		return nil
	}
}
