package mount

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"linuxcontainers.org/lxcfs/cgroup/hostfile"
)

func TestMain(m *testing.M) {
	if IsProbe(os.Args) {
		os.Exit(ProbeMain(os.Args))
	}
	os.Exit(m.Run())
}

func needRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root to mount")
	}
	if _, err := os.Stat(Device); err != nil {
		t.Skipf("needs %s; have: %v", Device, err)
	}
}

// openFDs counts this process's descriptors.
func openFDs(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

// leaves checks at the end of the test that no descriptor and no mount is left.
func leaves(t *testing.T) {
	t.Helper()
	before, mounts := openFDs(t), len(ours(t))
	t.Cleanup(func() {
		deadline := time.Now().Add(5 * time.Second)
		for openFDs(t) > before && time.Now().Before(deadline) {
			time.Sleep(10 * time.Millisecond)
		}
		if n := openFDs(t); n > before {
			t.Errorf("%d descriptors are left, %d before", n, before)
		}
		if n := len(ours(t)); n != mounts {
			t.Errorf("%d mounts are left, %d before", n, mounts)
		}
	})
}

func ours(t *testing.T) []Entry {
	t.Helper()
	table, err := ReadTable(hostfile.OS{})
	if err != nil {
		t.Fatal(err)
	}
	var mine []Entry // other packages' tests mount at the same time
	for _, e := range table.Ours() {
		if strings.Contains(e.MountPoint, "/"+t.Name()) {
			mine = append(mine, e)
		}
	}
	return mine
}

// mounted makes a mount that nobody serves; it is gone at the end of the test.
func mounted(t *testing.T) (fd int, dir string) {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	fd, err = OpenDevice()
	if err != nil {
		t.Fatal(err)
	}
	if err := Mount(fd, "lxcfs", dir, unix.MS_NOSUID|unix.MS_NODEV, Owner{}); err != nil {
		unix.Close(fd)
		t.Fatal(err)
	}
	t.Cleanup(func() {
		Detach(dir)
		unix.Close(fd)
	})
	return fd, dir
}

type refusal struct {
	peer unix.Ucred
	err  error
}

// daemon is the far end: a server whose handler is the test's.
type daemon struct {
	path    string
	mu      sync.Mutex // guards refused
	refused []refusal
}

func startDaemon(t *testing.T, s Server) *daemon {
	t.Helper()
	d := &daemon{path: filepath.Join(t.TempDir(), "mount.sock")}
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(unix.Bind(fd, &unix.SockaddrUnix{Name: d.path}), unix.Listen(fd, 64), os.Chmod(d.path, 0o666)); err != nil {
		t.Fatal(err)
	}
	s.Report = func(peer unix.Ucred, err error) {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.refused = append(d.refused, refusal{peer, err})
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, fd) }()
	t.Cleanup(func() {
		cancel()
		select {
		case err := <-done:
			if err != nil {
				t.Errorf("Serve: %v", err)
			}
		case <-time.After(10 * time.Second):
			t.Error("Serve does not return")
		}
		unix.Close(fd)
	})
	return d
}

func (d *daemon) reports() []refusal {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]refusal(nil), d.refused...)
}

// waitReports waits for n reports, then a moment for one too many.
func (d *daemon) waitReports(t *testing.T, n int) []refusal {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if len(d.reports()) >= n {
			break
		}
	}
	got := d.reports()
	if len(got) != n {
		t.Fatalf("got %d reports, want %d: %v", len(got), n, got)
	}
	return got
}

func ctxFor(t *testing.T, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), d)
	t.Cleanup(cancel)
	return ctx
}

func TestHandOver(t *testing.T) {
	needRoot(t)
	leaves(t)
	got := make(chan Request, 1)
	d := startDaemon(t, Server{Handle: func(_ context.Context, r Request) error {
		got <- r
		return nil
	}})
	fd, dir := mounted(t)
	h := Handover{FD: fd, Mountpoint: dir, Options: "cpu=quota,noswap", Connection: 7}
	if err := HandOver(ctxFor(t, 10*time.Second), d.path, h); err != nil {
		t.Fatal(err)
	}
	r := <-got
	defer unix.Close(r.FD)
	if r.Mountpoint != dir || r.Options != h.Options || r.Connection != 7 || int(r.Peer.Pid) != os.Getpid() || r.Peer.Uid != 0 {
		t.Errorf("got %+v", r)
	}
	if flags, err := unix.FcntlInt(uintptr(r.FD), unix.F_GETFD, 0); err != nil || flags&unix.FD_CLOEXEC == 0 {
		t.Errorf("descriptor flags %#x, %v: not close-on-exec", flags, err)
	}
	// It is the connection: its INIT request waits there.
	buf := make([]byte, 8192)
	if n, err := unix.Read(r.FD, buf); err != nil || n < 40 || buf[4] != 26 {
		t.Errorf("read INIT: %d bytes, %v", n, err)
	}
	if len(d.reports()) != 0 {
		t.Errorf("reports: %v", d.reports())
	}
}

func TestHandOverRefused(t *testing.T) {
	needRoot(t)
	leaves(t)
	d := startDaemon(t, Server{Handle: func(_ context.Context, r Request) error {
		unix.Close(r.FD)
		return errors.New(`unknown option "bogus"`)
	}})
	fd, dir := mounted(t)
	err := HandOver(ctxFor(t, 10*time.Second), d.path, Handover{FD: fd, Mountpoint: dir, Options: "bogus"})
	var refused *RefusedError
	if !errors.As(err, &refused) || refused.Reason != `unknown option "bogus"` {
		t.Errorf("got %v", err)
	}
	d.waitReports(t, 1)
}

func TestHandOverNoDaemon(t *testing.T) {
	needRoot(t)
	leaves(t)
	fd, dir := mounted(t)
	h := Handover{FD: fd, Mountpoint: dir}
	if err := HandOver(ctxFor(t, time.Second), dir+".none", h); !errors.Is(err, unix.ENOENT) {
		t.Errorf("got %v, want ENOENT", err)
	}
	// A daemon that takes the request and says nothing.
	release := make(chan struct{})
	d := startDaemon(t, Server{Handle: func(_ context.Context, r Request) error {
		<-release
		return unix.Close(r.FD)
	}})
	begin := time.Now()
	err := HandOver(ctxFor(t, 200*time.Millisecond), d.path, h)
	if !errors.Is(err, ErrNoAnswer) || time.Since(begin) > time.Minute {
		t.Errorf("got %v after %v, want ErrNoAnswer", err, time.Since(begin))
	}
	close(release)
	if got := d.waitReports(t, 1)[0].err; !errors.Is(got, ErrHungUp) {
		t.Errorf("got %v, want ErrHungUp", got)
	}
}

// send writes one message with descriptors and returns the reply's error.
func send(t *testing.T, path string, content []byte, fds ...int) error {
	t.Helper()
	conn, err := net.DialUnix("unixpacket", nil, &net.UnixAddr{Name: path, Net: "unixpacket"})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	raw, err := conn.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	raw.Control(func(fd uintptr) {
		err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_SNDBUFFORCE, 4<<20)
	})
	if err != nil {
		t.Fatal(err)
	}
	var oob []byte
	if len(fds) > 0 {
		oob = unix.UnixRights(fds...)
	}
	if _, _, err := conn.WriteMsgUnix(content, oob, nil); err != nil {
		t.Fatal(err)
	}
	conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	buf := make([]byte, MaxMessage)
	n, err := conn.Read(buf)
	if err != nil {
		t.Fatalf("read of the reply: %v", err)
	}
	return parseReply(buf[:n])
}

func TestHostileClients(t *testing.T) {
	needRoot(t)
	leaves(t)
	handled := make(chan Request, 1)
	d := startDaemon(t, Server{Handle: func(_ context.Context, r Request) error {
		unix.Close(r.FD)
		handled <- r
		return nil
	}})
	fd, dir := mounted(t)
	open := func(name string, mode int) int {
		f, err := unix.Open(name, mode|unix.O_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { unix.Close(f) })
		return f
	}
	regular, unmounted := open(os.Args[0], unix.O_RDONLY), open(Device, unix.O_RDWR)
	null, dead := open("/dev/null", unix.O_RDWR), open(Device, unix.O_RDWR)
	gone := t.TempDir()
	if err := errors.Join(Mount(dead, "lxcfs", gone, 0, Owner{}), Unmount(gone)); err != nil {
		t.Fatal(err)
	}
	good := appendRequest(dir, "", 0)
	many := bytes.Repeat([]byte("x"), 1<<20)
	fds := make([]int, 200)
	for i := range fds {
		fds[i] = fd
	}
	for i, tt := range []struct {
		name    string
		content []byte
		fds     []int
		want    string
	}{
		{"no descriptor", good, nil, "want 1 file descriptor with the message, got 0"},
		{"two", good, []int{fd, regular}, "got 2"},
		{"two hundred", good, fds, "got more than"},
		{"regular file", good, []int{regular}, "not /dev/fuse"},
		{"another device", good, []int{null}, "not /dev/fuse"},
		{"path only", good, []int{open(Device, unix.O_PATH)}, "not open for reading and writing"},
		{"unmounted", good, []int{unmounted}, "not mounted"},
		{"unmounted again", good, []int{dead}, "not mounted"},
		{"1 MiB of options", append(appendLine([]byte(header+"\nmountpoint=\"/m\"\n"), "options", string(many)), "connection=\"1\"\n"...), []int{fd}, "longer than"},
		{"garbage", []byte{0, 1, 2}, []int{fd}, "not a message of lxcfs-mount 1"},
		{"a failure with a descriptor", appendFailure(Failure{Mountpoint: dir, Reason: errors.New("no")}), []int{fd}, "want 0 file descriptors with the message, got 1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := send(t, d.path, tt.content, tt.fds...)
			var refused *RefusedError
			if !errors.As(err, &refused) || !strings.Contains(refused.Reason, tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
			d.waitReports(t, i+1)
		})
	}
	if err := send(t, d.path, good, fd); err != nil {
		t.Errorf("the server does not serve on: %v", err)
	}
	if r := <-handled; r.Mountpoint != dir {
		t.Errorf("got %+v", r)
	}
}

// Silent clients are few and wait a bounded time; others get their turn.
func TestSilentClients(t *testing.T) {
	needRoot(t)
	leaves(t)
	d := startDaemon(t, Server{Timeout: 300 * time.Millisecond, Clients: 2, Handle: func(_ context.Context, r Request) error {
		return unix.Close(r.FD)
	}})
	before := openFDs(t)
	var silent []net.Conn
	for range 6 {
		conn, err := net.Dial("unixpacket", d.path)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		silent = append(silent, conn)
	}
	time.Sleep(100 * time.Millisecond)
	// And perhaps its listener, if Serve had not begun before.
	if held := openFDs(t) - before - len(silent); held > 2+1 {
		t.Errorf("the server holds %d clients, want at most 2", held-1)
	}
	fd, dir := mounted(t)
	if err := HandOver(ctxFor(t, 10*time.Second), d.path, Handover{FD: fd, Mountpoint: dir}); err != nil {
		t.Errorf("behind silent clients: %v", err)
	}
	for _, r := range d.waitReports(t, 6) {
		if !strings.Contains(r.err.Error(), "sent nothing in time") {
			t.Errorf("got %v", r.err)
		}
	}
	conn, err := net.Dial("unixpacket", d.path)
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
	if r := d.waitReports(t, 7)[6]; !strings.Contains(r.err.Error(), "hung up") {
		t.Errorf("got %v", r.err)
	}
}

// A client that is not root gets its refusal, though the daemon has not read
// its message. The client is this test program, run as nobody.
func TestClientThatIsNotRoot(t *testing.T) {
	if path := os.Getenv("HANDOVER_TEST_SOCKET"); path != "" {
		null, err := unix.Open("/dev/null", unix.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		err = HandOver(ctxFor(t, 10*time.Second), path, Handover{FD: null, Mountpoint: "/m"})
		t.Logf("reply: %v", err)
		return
	}
	needRoot(t)
	leaves(t)
	d := startDaemon(t, Server{Handle: func(_ context.Context, r Request) error {
		t.Errorf("handled: %+v", r)
		return unix.Close(r.FD)
	}})
	// A place that nobody can reach, unlike t.TempDir's parents.
	dir, err := os.MkdirTemp("/tmp", "handover")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	program, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	err = errors.Join(os.Chmod(dir, 0o755), os.WriteFile(dir+"/test", program, 0o755), os.Rename(d.path, dir+"/sock"))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(dir+"/test", "-test.run=^TestClientThatIsNotRoot$", "-test.v")
	cmd.Dir = "/"
	cmd.Env = append(os.Environ(), "HANDOVER_TEST_SOCKET="+dir+"/sock")
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "reply: a client of uid 65534 may not hand over mounts") {
		t.Errorf("%v\n%s", err, out)
	}
	if r := d.waitReports(t, 1)[0]; r.peer.Uid != 65534 {
		t.Errorf("reported peer %+v", r.peer)
	}
}

func TestServeRefusesOtherSockets(t *testing.T) {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	s := Server{}
	if err := s.Serve(context.Background(), fd); err == nil {
		t.Error("a stream socket is accepted")
	}
}

func TestProbe(t *testing.T) {
	needRoot(t)
	leaves(t)
	fd, dir := mounted(t)
	probe := ProbeChild(300 * time.Millisecond)
	// Held, not served: the request waits, the child is killed.
	begin := time.Now()
	if dead, err := probe(context.Background(), dir); dead || err != nil || time.Since(begin) > time.Minute {
		t.Errorf("unserved: got %v, %v after %v, want alive", dead, err, time.Since(begin))
	}
	if alive, err := ConnectionAlive(fd); !alive || err != nil {
		t.Errorf("got %v, %v, want alive", alive, err)
	}
	if _, err := ReplaceDead(context.Background(), hostfile.OS{}, dir, probe); !errors.Is(err, ErrMounted) {
		t.Errorf("unserved: got %v, want ErrMounted", err)
	}
}

// A mount whose server dies while it is asked is dead, too: the request that waits
// gets ECONNABORTED. Seen when a start met the end of the service before.
func TestProbeOfWhatDies(t *testing.T) {
	needRoot(t)
	leaves(t)
	fd, err := OpenDevice()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := Mount(fd, "lxcfs", dir, 0, Owner{}); err != nil {
		t.Fatal(err)
	}
	defer Detach(dir)
	answerInit(t, fd)
	type answer struct {
		dead bool
		err  error
	}
	answered := make(chan answer, 1)
	go func() {
		dead, err := ProbeChild(time.Minute)(context.Background(), dir)
		answered <- answer{dead, err}
	}()
	p := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
	if n, err := unix.Poll(p, 30000); n != 1 {
		t.Errorf("no request: %v", err)
	}
	unix.Close(fd)
	if got := <-answered; !got.dead || got.err != nil {
		t.Errorf("got %+v, want dead", got)
	}
}

// answerInit answers the kernel's INIT: struct fuse_init_out of linux/fuse.h,
// version 7.31, the rest 0.
func answerInit(t *testing.T, fd int) {
	t.Helper()
	request := make([]byte, 8192)
	if n, err := unix.Read(fd, request); n < 40 || err != nil {
		t.Fatalf("INIT: got %d bytes, %v", n, err)
	}
	reply := make([]byte, 16+64)
	binary.NativeEndian.PutUint32(reply, uint32(len(reply)))
	copy(reply[8:16], request[8:16])
	binary.NativeEndian.PutUint32(reply[16:], 7)
	binary.NativeEndian.PutUint32(reply[20:], 31)
	if _, err := unix.Write(fd, reply); err != nil {
		t.Fatalf("answer to INIT: %v", err)
	}
}

// Dead mounts, even stacked, are replaced; and the path is as it was.
func TestReplaceDead(t *testing.T) {
	needRoot(t)
	leaves(t)
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		fd, err := OpenDevice()
		if err != nil {
			t.Fatal(err)
		}
		// The second mount's path lookup ends at the first one's root, and
		// goes no further.
		if err := Mount(fd, "lxcfs", dir, 0, Owner{}); err != nil {
			t.Fatal(err)
		}
		unix.Close(fd)
	}
	defer Detach(dir)
	if got, err := ReplaceDead(context.Background(), hostfile.OS{}, dir, ProbeChild(5*time.Second)); err != nil || got != dir {
		t.Fatalf("got %q, %v", got, err)
	}
	if err := os.WriteFile(dir+"/file", nil, 0o600); err != nil {
		t.Error(err)
	}
}

func TestMountFlagsAndRemount(t *testing.T) {
	needRoot(t)
	leaves(t)
	_, dir := mounted(t)
	if err := Remount(dir, unix.MS_NOSUID|unix.MS_NODEV|unix.MS_RDONLY); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(mountinfoFile)
	if err != nil || !bytes.Contains(content, []byte(dir+" ro,nosuid,nodev,relatime ")) {
		t.Errorf("not remounted read-only: %v\n%s", err, content)
	}
	if err := Unmount(dir); err != nil {
		t.Error(err)
	}
	if err := Unmount(dir); !errors.Is(err, unix.EINVAL) {
		t.Errorf("got %v, want EINVAL", err)
	}
}
