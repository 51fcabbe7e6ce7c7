package dbusapi

import (
	"bufio"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
	"golang.org/x/sys/unix"
)

// patience bounds each wait for what happens at once on a machine that is not
// busy.
const patience = 60 * time.Second

// daemonConfig lets everybody do everything; what lxcfs refuses, it refuses
// itself.
const daemonConfig = `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-BUS Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <listen>unix:path=SOCKET</listen>
  <auth>EXTERNAL</auth>
  <limit name="max_message_size">134217728</limit>
  <limit name="max_connections_per_user">4096</limit>
  <limit name="max_completed_connections">4096</limit>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
    <allow user="*"/>
  </policy>
</busconfig>
`

// bus is a private message bus.
type bus struct {
	t       *testing.T
	dir     string
	address string
	cmd     *exec.Cmd
}

// newBus makes a bus that does not run yet.
func newBus(t *testing.T) *bus {
	t.Helper()
	if _, err := exec.LookPath("dbus-daemon"); err != nil {
		t.Skipf("needs dbus-daemon; have: %v", err)
	}
	dir, err := os.MkdirTemp("", "lxcfs-bus")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	socket := filepath.Join(dir, "bus")
	config := strings.Replace(daemonConfig, "SOCKET", socket, 1)
	if err := os.WriteFile(filepath.Join(dir, "config"), []byte(config), 0o644); err != nil {
		t.Fatal(err)
	}
	b := &bus{t: t, dir: dir, address: "unix:path=" + socket}
	t.Cleanup(b.stop)
	return b
}

// start runs the bus until stop.
func (b *bus) start() *bus {
	b.t.Helper()
	b.cmd = exec.Command("dbus-daemon", "--config-file="+filepath.Join(b.dir, "config"), "--nofork", "--nosyslog", "--print-address")
	b.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := b.cmd.StdoutPipe()
	if err != nil {
		b.t.Fatal(err)
	}
	if err := b.cmd.Start(); err != nil {
		b.t.Fatal(err)
	}
	if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		b.t.Fatalf("dbus-daemon: %v", err)
	}
	return b
}

func (b *bus) stop() {
	if b.cmd != nil {
		b.cmd.Process.Kill()
		b.cmd.Wait()
		b.cmd = nil
	}
}

// serve puts a manager on the bus and waits until the name is owned. Where the
// tests are not root, polkit lets their clients do what root may.
func (b *bus) serve(m Manager) *Server {
	b.t.Helper()
	s := b.run(m)
	b.waitOwned()
	if os.Getuid() != 0 {
		b.polkit(&polkit{answer: polkitResult{Authorized: true, Details: map[string]string{}}, asked: make(chan string, 100)})
	}
	return s
}

// polkit puts a polkitd on the bus.
func (b *bus) polkit(p *polkit) {
	b.t.Helper()
	conn, err := dial(context.Background(), b.address, maxReply)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { conn.Close() })
	if err := conn.Export(p, "/org/freedesktop/PolicyKit1/Authority", "org.freedesktop.PolicyKit1.Authority"); err != nil {
		b.t.Fatal(err)
	}
	if _, err := conn.RequestName("org.freedesktop.PolicyKit1", 0); err != nil {
		b.t.Fatal(err)
	}
}

// run begins to serve, whether there is a bus or not.
func (b *bus) run(m Manager) *Server {
	b.t.Helper()
	s, err := NewServer(m, Config{
		Address: b.address, Interval: 10 * time.Millisecond, Poll: 20 * time.Millisecond, Retry: 10 * time.Millisecond,
	})
	if err != nil {
		b.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { s.Run(ctx); close(done) }()
	b.t.Cleanup(func() { cancel(); <-done })
	return s
}

func (b *bus) waitOwned() {
	b.t.Helper()
	waitFor(b.t, "the bus name", func() bool {
		c, err := Connect(b.t.Context(), b.address)
		if err != nil {
			return false
		}
		defer c.Close()
		_, err = c.Status(b.t.Context())
		return err == nil
	})
}

// client connects to the bus.
func (b *bus) client() *Client {
	b.t.Helper()
	c, err := Connect(b.t.Context(), b.address)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { c.Close() })
	return c
}

// nobody connects to the bus as another user than root: the user of one thread
// is what the kernel tells the bus.
func (b *bus) nobody(opts ...dbus.ConnOption) *Client {
	b.t.Helper()
	if os.Getuid() != 0 {
		b.t.Skipf("needs root; have: uid %d", os.Getuid())
	}
	const uid = 65534
	runtime.LockOSThread() // never unlocked if the thread cannot be root again
	groups, err := unix.Getgroups()
	if err != nil {
		b.t.Fatal(err)
	}
	set := func(id uintptr, call uintptr) {
		if _, _, errno := syscall.RawSyscall(call, id, id, 0); errno != 0 {
			b.t.Fatal(errno)
		}
	}
	if _, _, errno := syscall.RawSyscall(unix.SYS_SETGROUPS, 0, 0, 0); errno != 0 {
		b.t.Fatal(errno)
	}
	set(uid, unix.SYS_SETRESGID)
	set(uid, unix.SYS_SETRESUID)
	conn, err := dial(context.Background(), b.address, maxReply, opts...)
	set(0, unix.SYS_SETRESUID)
	set(0, unix.SYS_SETRESGID)
	if err := setGroups(groups); err != nil {
		b.t.Fatal(err)
	}
	runtime.UnlockOSThread()
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { conn.Close() })
	return &Client{conn: conn, manager: conn.Object(BusName, ManagerPath)}
}

// object is an object of the daemon for raw calls.
func (c *Client) object(path dbus.ObjectPath) dbus.BusObject { return c.conn.Object(BusName, path) }

func waitFor(t *testing.T, what string, condition func() bool) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for !condition() {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
		time.Sleep(5 * time.Millisecond)
	}
}
