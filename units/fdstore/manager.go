package fdstore

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// MaxFiles is how many descriptors one message carries at most: SCM_MAX_FD of
// the kernel, include/net/scm.h.
const MaxFiles = 253

// ManagerConfig configures a [Manager].
type ManagerConfig struct {
	// Max is how many descriptors the store holds (FileDescriptorStoreMax=).
	Max int
	// Dir is an existing directory, such as /run, in which a private one is
	// made for the socket. Empty: an abstract socket, which any process in
	// the network namespace can fill with messages that are not acceptFrom.
	Dir string
	// UID is the user of the commands, who owns what is made in Dir. -1: the
	// caller's.
	UID int
	// Watchdog is told to the commands as WATCHDOG_USEC. 0: none.
	Watchdog time.Duration
	// Files are in the store from the start, not polled. The Manager owns
	// their descriptors, from the call of NewManager on.
	Files []File
	// Socket is a notify socket that is open already, without a name in the
	// file system; the Manager owns it. 0: there is none.
	Socket int
	// AcceptFrom is the process whose messages count from the start. 0: nobody's.
	AcceptFrom int
	// Forward is given each message that counts, with the descriptors in it,
	// which stay the Manager's. It is called under the Manager's lock. nil:
	// nobody is.
	Forward func(message string, fds []int)
	// Report is told of every event. It is called under the Manager's lock:
	// it must not block or call the Manager. nil: nobody is told.
	Report func(Event)
}

// Manager is the service manager's side of the protocol: a datagram socket
// whose messages count when they come from one process, and a store of
// descriptors. A goroutine of its own reads the socket until Close.
type Manager struct {
	config  ManagerConfig
	address string
	dir     string // private directory, "" for an abstract socket
	socket  *os.File
	raw     rawConn
	done    chan struct{} // closed when the reading goroutine has ended

	mu         sync.Mutex // guards what follows, and every read of the socket
	acceptFrom int        // pid of the only process acceptFrom, 0: nobody
	table      table
	buffer     receiveBuffer
}

// rawConn is what the Manager needs of a syscall.RawConn.
type rawConn interface {
	Read(f func(fd uintptr) (done bool)) error
	Control(f func(fd uintptr)) error
}

// NewManager opens the socket and starts to read it.
func NewManager(config ManagerConfig) (*Manager, error) {
	m := &Manager{
		config:     config,
		acceptFrom: config.AcceptFrom,
		done:       make(chan struct{}),
		table:      table{max: config.Max},
		buffer:     newReceiveBuffer(),
	}
	for _, file := range config.Files {
		m.table.entries = append(m.table.entries, entry{File: file})
	}
	if err := m.listen(); err != nil {
		m.table.drop(func(entry) bool { return true })
		return nil, err
	}
	go m.read()
	return m, nil
}

// listen makes the socket: m.dir, m.address, m.socket and m.raw.
func (m *Manager) listen() (err error) {
	if m.config.Dir != "" && m.config.Socket == 0 {
		if m.dir, err = os.MkdirTemp(m.config.Dir, "lxcfs-keeper-"); err != nil {
			return fmt.Errorf("directory of the notify socket: %w", err)
		}
		defer func() {
			if err != nil {
				os.RemoveAll(m.dir)
			}
		}()
	}
	fd := m.config.Socket
	if fd == 0 {
		fd, err = receiveSocket(m.dir)
	}
	if err != nil {
		return fmt.Errorf("notify socket in %q: %w", m.dir, err)
	}
	m.socket = os.NewFile(uintptr(fd), "notify socket")
	defer func() {
		if err != nil {
			m.socket.Close()
		}
	}()
	if err = m.giveAway(); err != nil {
		return fmt.Errorf("notify socket in %q: %w", m.dir, err)
	}
	name, err := unix.Getsockname(fd)
	if err != nil {
		return fmt.Errorf("notify socket: %w", err)
	}
	local, ok := name.(*unix.SockaddrUnix)
	if !ok || local.Name == "" {
		return errors.New("notify socket: it has no name")
	}
	m.address = local.Name
	m.raw, err = m.socket.SyscallConn()
	return err
}

// giveAway makes the directory and the socket those of the commands' user.
func (m *Manager) giveAway() error {
	if m.dir == "" || m.config.UID < 0 || m.config.UID == os.Getuid() {
		return nil
	}
	return errors.Join(
		os.Chown(filepath.Join(m.dir, socketName), m.config.UID, -1),
		os.Chown(m.dir, m.config.UID, -1))
}

// Address is the value for NOTIFY_SOCKET.
func (m *Manager) Address() string { return m.address }

// AcceptFrom makes messages of process pid count, and of no other. 0: of nobody.
func (m *Manager) AcceptFrom(pid int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.acceptFrom = pid
}

// Count returns how many descriptors are stored.
func (m *Manager) Count() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.sweep()
	return len(m.table.entries)
}

// Names returns the names of the stored descriptors, newest first.
func (m *Manager) Names() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.sweep()
	var names []string
	for _, file := range m.table.newestFirst() {
		names = append(names, file.Name)
	}
	return names
}

// Start starts cmd with NOTIFY_SOCKET, FDSTORE, WATCHDOG_USEC and, as
// descriptors 3 and up, the sockets given and then the stored ones; and
// believes it. cmd.ExtraFiles must be empty; a nil cmd.Env is os.Environ().
// extra are more assignments for the environment. LISTEN_PID is not set: the
// caller knows how the command finds out.
func (m *Manager) Start(cmd *exec.Cmd, sockets []File, extra ...string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.sweep()
	files := append(append([]File(nil), sockets...), m.table.newestFirst()...)
	duplicates, err := duplicate(files)
	defer closeFiles(duplicates)
	if err != nil {
		return err
	}
	cmd.ExtraFiles = duplicates
	if cmd.Env == nil {
		cmd.Env = os.Environ()
	}
	cmd.Env = append(without(cmd.Env), m.environment(files, extra)...)
	err = cmd.Start()
	cmd.ExtraFiles = nil
	if err != nil {
		return err
	}
	m.acceptFrom = cmd.Process.Pid
	return nil
}

// environment returns the variables for a command that gets files.
func (m *Manager) environment(files []File, extra []string) []string {
	env := []string{
		"NOTIFY_SOCKET=" + m.address,
		"FDSTORE=" + strconv.Itoa(m.config.Max),
	}
	if m.config.Watchdog > 0 {
		env = append(env, "WATCHDOG_USEC="+strconv.FormatInt(m.config.Watchdog.Microseconds(), 10))
	}
	if len(files) > 0 {
		names := make([]string, len(files))
		for i, file := range files {
			names[i] = file.Name
		}
		env = append(env, "LISTEN_FDS="+strconv.Itoa(len(files)), "LISTEN_FDNAMES="+strings.Join(names, ":"))
	}
	return append(env, extra...)
}

// without returns env without the variables of a manager further up.
func without(env []string) []string {
	var kept []string
	for _, assignment := range env {
		switch name, _, _ := strings.Cut(assignment, "="); name {
		case "NOTIFY_SOCKET", "FDSTORE", "WATCHDOG_USEC", "WATCHDOG_PID",
			"LISTEN_PID", "LISTEN_PIDFDID", "LISTEN_FDS", "LISTEN_FDNAMES", KeeperVariable:
		default:
			kept = append(kept, assignment)
		}
	}
	return kept
}

// duplicate returns files as os/exec wants them. They are duplicates because
// an os.File closes its descriptor when it is collected.
func duplicate(files []File) ([]*os.File, error) {
	duplicates := make([]*os.File, 0, len(files))
	for _, file := range files {
		fd, err := unix.FcntlInt(uintptr(file.FD), unix.F_DUPFD_CLOEXEC, 0)
		if err != nil {
			return duplicates, fmt.Errorf("duplicate of descriptor %s: %w", file.Name, err)
		}
		duplicates = append(duplicates, os.NewFile(uintptr(fd), file.Name))
	}
	return duplicates, nil
}

func closeFiles(files []*os.File) {
	for _, file := range files {
		file.Close()
	}
}

// sweep drops what has hung up. The caller holds m.mu.
func (m *Manager) sweep() {
	for _, name := range m.table.sweep() {
		m.report(Event{Kind: HungUp, PID: m.acceptFrom, Name: name})
	}
}

func (m *Manager) report(e Event) {
	if m.config.Report != nil {
		m.config.Report(e)
	}
}

// Clear closes every stored descriptor and empties the store.
func (m *Manager) Clear() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.table.drop(func(entry) bool { return true })
}

// Close ends the reading, closes every stored descriptor and removes the
// socket.
func (m *Manager) Close() error {
	err := m.socket.Close()
	<-m.done
	m.mu.Lock()
	defer m.mu.Unlock()
	m.table.drop(func(entry) bool { return true })
	if m.dir != "" {
		err = errors.Join(err, os.RemoveAll(m.dir))
	}
	return err
}
