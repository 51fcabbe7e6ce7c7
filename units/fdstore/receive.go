package fdstore

import (
	"fmt"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// drainLimit bounds the messages read in one go. The kernel queues at most
// net.unix.max_dgram_qlen of them, 10 by default and 512 with systemd.
const drainLimit = 1024

// socketName is the name of the socket in its private directory.
const socketName = "notify"

// receiveSocket makes a datagram socket in dir, or an abstract one whose name
// the kernel picks (unix(7), autobind).
func receiveSocket(dir string) (int, error) {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return -1, err
	}
	address := new(unix.SockaddrUnix)
	if dir != "" {
		address.Name = filepath.Join(dir, socketName)
	}
	err = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_PASSCRED, 1)
	if err == nil {
		err = unix.Bind(fd, address)
	}
	if err != nil {
		unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

// receiveBuffer holds one message, one byte more to see that it is too long,
// and its control messages.
type receiveBuffer struct {
	content, control []byte
}

func newReceiveBuffer() receiveBuffer {
	return receiveBuffer{
		content: make([]byte, maxMessage+1),
		control: make([]byte, unix.CmsgSpace(unix.SizeofUcred)+unix.CmsgSpace(4*MaxFiles)),
	}
}

// read works off messages until the socket is closed.
func (m *Manager) read() {
	defer close(m.done)
	for {
		err := m.raw.Read(func(fd uintptr) bool {
			m.mu.Lock()
			defer m.mu.Unlock()
			m.drain(int(fd))
			return false // wait for more
		})
		if err != nil {
			return
		}
	}
}

// Drain works off the messages that were sent before the call. Between the
// death of a process and the reaping of its pid that makes sure that nothing
// it sent is lost, or taken for the message of another.
func (m *Manager) Drain() error {
	err := m.raw.Control(func(fd uintptr) {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.drain(int(fd))
	})
	if err != nil {
		return fmt.Errorf("notify socket: %w", err)
	}
	return nil
}

// drain reads what is queued. The caller holds m.mu.
func (m *Manager) drain(fd int) {
	for range drainLimit {
		n, oobn, flags, _, err := unix.Recvmsg(fd, m.buffer.content, m.buffer.control,
			unix.MSG_DONTWAIT|unix.MSG_CMSG_CLOEXEC)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return
		}
		pid, fds := parseControl(m.buffer.control[:oobn])
		m.take(pid, fds, m.buffer.content[:n], flags)
	}
}

// take judges one message. It owns fds.
func (m *Manager) take(pid int, fds []int, content []byte, flags int) {
	defer func() { closeAll(fds) }()
	refuse := func(why string) { m.report(Event{Kind: Refused, PID: pid, Text: why}) }
	if pid == 0 || pid != m.acceptFrom {
		refuse("not the process in charge")
		return
	}
	if flags&unix.MSG_TRUNC != 0 || len(content) > maxMessage {
		refuse("message too long")
		return
	}
	if flags&unix.MSG_CTRUNC != 0 {
		refuse("too many descriptors")
		return
	}
	message, ok := parseMessage(string(content))
	if !ok {
		refuse("NUL byte in the message")
		return
	}
	m.tell(pid, message)
	if m.config.Forward != nil {
		m.config.Forward(string(content), fds)
	}
	if message.remove {
		m.remove(pid, message.name)
	}
	if message.store {
		m.store(pid, message, fds)
		fds = nil
	}
	// What is left is closed: that is all there is to BARRIER=1.
}

// tell reports the state of the process.
func (m *Manager) tell(pid int, message message) {
	for _, state := range []struct {
		on   bool
		kind Kind
	}{
		{message.reloading, Reloading},
		{message.ready, Ready},
		{message.stopping, Stopping},
		{message.alive, Alive},
		{message.trigger, Trigger},
		{message.hasStatus, Status},
	} {
		if state.on {
			m.report(Event{Kind: state.kind, PID: pid, Text: message.status})
		}
	}
}

// store takes ownership of fds.
func (m *Manager) store(pid int, message message, fds []int) {
	name := message.name
	if name == "" {
		name = "stored" // sd_notify(3): without a name
	}
	m.sweep()
	for _, fd := range fds {
		m.report(Event{Kind: m.table.add(name, fd, !message.noPoll), PID: pid, Name: name})
	}
}

func (m *Manager) remove(pid int, name string) {
	if name == "" {
		m.report(Event{Kind: Refused, PID: pid, Text: "FDSTOREREMOVE=1 without a name"})
		return
	}
	for _, name := range m.table.drop(func(e entry) bool { return e.Name == name }) {
		m.report(Event{Kind: Removed, PID: pid, Name: name})
	}
}

// parseControl returns the sender's pid, 0 when the kernel gave none, and the
// descriptors of one message (unix(7), SCM_CREDENTIALS and SCM_RIGHTS).
func parseControl(control []byte) (pid int, fds []int) {
	messages, err := unix.ParseSocketControlMessage(control)
	if err != nil {
		return 0, nil
	}
	for i := range messages {
		if messages[i].Header.Level != unix.SOL_SOCKET {
			continue
		}
		switch messages[i].Header.Type {
		case unix.SCM_CREDENTIALS:
			if cred, err := unix.ParseUnixCredentials(&messages[i]); err == nil {
				pid = int(cred.Pid)
			}
		case unix.SCM_RIGHTS:
			if rights, err := unix.ParseUnixRights(&messages[i]); err == nil {
				fds = append(fds, rights...)
			}
		}
	}
	return pid, fds
}

func closeAll(fds []int) {
	for _, fd := range fds {
		unix.Close(fd)
	}
}
