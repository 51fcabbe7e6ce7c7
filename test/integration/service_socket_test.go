//go:build integration

package integration

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"linuxcontainers.org/lxcfs/units/mount"
)

// misuse is a client of the mount socket that is not a mount helper.
type misuse struct {
	name    string
	uid     int
	message []byte
	fds     []int
	silent  bool
	want    string // in the log
}

// Nobody but root hands over, and nothing but one mounted connection is taken.
// Whoever tries is refused or timed out, logged once, and harms nobody.
func TestServiceSocketMisuse(t *testing.T) {
	s := newService(t, nobody)
	dir := s.up("a")[0]
	if err := os.Chmod(s.socket, 0o666); err != nil { // what file modes keep out is not tested here
		t.Fatal(err)
	}
	null, fuse, file := open(t, "/dev/null", unix.O_RDWR), open(t, "/dev/fuse", unix.O_RDWR), open(t, s.program, unix.O_RDONLY)
	request := []byte("lxcfs-mount 1\nmountpoint=\"/x\"\noptions=\"\"\nconnection=\"0\"\n")
	long := append(request[:len(request):len(request)], make([]byte, 1<<20)...)
	for i := range long[len(request):] {
		long[len(request)+i] = 'x'
	}
	for _, m := range []misuse{
		{name: "not root", uid: nobody, message: request, fds: []int{fuse}, want: "only root may"},
		{name: "no descriptor", message: request, want: "want 1 file descriptor"},
		{name: "two descriptors", message: request, fds: []int{fuse, null}, want: "want 1 file descriptor"},
		{name: "a regular file", message: request, fds: []int{file}, want: "not /dev/fuse"},
		{name: "another device", message: request, fds: []int{null}, want: "not /dev/fuse"},
		{name: "not mounted", message: request, fds: []int{fuse}, want: "not mounted"},
		{name: "1 MiB of options", message: long, fds: []int{fuse}, want: "longer than"},
		{name: "not a message", message: []byte("mount, please"), fds: []int{fuse}, want: "not a message"},
		{name: "silent", silent: true, want: "nothing in time"},
	} {
		t.Run(m.name, func(t *testing.T) { m.try(t, s) })
	}
	mustRead(t, filepath.Join(dir, "proc/meminfo"))
	if state := s.State(); state.Deaths != 0 {
		t.Errorf("the daemon died: %+v", state)
	}
	if dir, err := s.mount("b"); err != nil {
		t.Errorf("a mount after all that: %v", err)
	} else {
		mustRead(t, filepath.Join(dir, "proc/meminfo"))
	}
}

func open(t *testing.T, path string, mode int) int {
	t.Helper()
	fd, err := unix.Open(path, mode|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	return fd
}

// try misuses the socket, and wants one line about it in the log.
func (m misuse) try(t *testing.T, s *service) {
	before := strings.Count(s.log.String(), "no mount taken")
	reply := make(chan error, 1)
	go func() { reply <- m.asUser(func() error { return m.talk(s.socket) }) }()
	select {
	case err := <-reply:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(patience):
		t.Fatal("no reply, and no end of the connection")
	}
	waitFor(t, "a line in the log", func() bool { return strings.Count(s.log.String(), "no mount taken") > before })
	lines := regexp.MustCompile(`.*no mount taken.*`).FindAllString(s.log.String(), -1)
	if len(lines) != before+1 || !strings.Contains(lines[len(lines)-1], m.want) {
		t.Errorf("the log says %q, want one line more that says %q", lines[before:], m.want)
	}
}

// asUser calls f as the user, on this thread. It goes on as root: a thread that ended
// would take the service with it, if it had started that (PR_SET_PDEATHSIG).
func (m misuse) asUser(f func() error) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	become := func(uid int) error { // of this thread alone; the saved one stays root
		if _, _, errno := unix.RawSyscall(unix.SYS_SETRESUID, uintptr(uid), uintptr(uid), 0); errno != 0 {
			return errno
		}
		return nil
	}
	if err := become(m.uid); err != nil {
		return err
	}
	return errors.Join(f(), become(0))
}

// talk sends the message and wants anything but an ack.
func (m misuse) talk(path string) error {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_SNDBUFFORCE, 4<<20); err != nil && m.uid == 0 {
		return err
	}
	if err := unix.Connect(fd, &unix.SockaddrUnix{Name: path}); err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	if !m.silent {
		var rights []byte
		if len(m.fds) > 0 {
			rights = unix.UnixRights(m.fds...)
		}
		// One that is refused before its message is read may find nobody to send it to.
		if err := unix.Sendmsg(fd, m.message, rights, nil, unix.MSG_NOSIGNAL); err != nil && !errors.Is(err, unix.EPIPE) && !errors.Is(err, unix.ECONNRESET) {
			return fmt.Errorf("send: %w", err)
		}
	}
	buf := make([]byte, mount.MaxMessage)
	n, err := unix.Read(fd, buf)
	if err == nil && strings.Contains(string(buf[:max(n, 0)]), "ok=") {
		return errors.New("an ack")
	}
	return nil
}

// A daemon that dies with a mount in its hands: the helper hands it over again.
func TestServiceDiesDuringHandOver(t *testing.T) {
	s := newService(t, nobody)
	dirs := s.up("a")
	mounted := make(chan error, 1)
	go func() {
		for i := range 6 {
			dir, err := s.mount(fmt.Sprintf("more-%d", i))
			if err == nil {
				_, err = os.ReadFile(filepath.Join(dir, "proc/uptime"))
			}
			if err != nil || i == 3 { // the store holds six
				mounted <- err
				return
			}
		}
	}()
	for {
		select {
		case err := <-mounted:
			if err != nil {
				t.Error(err)
			}
			mustRead(t, filepath.Join(dirs[0], "proc/meminfo"))
			return
		default:
			if err := s.kill(); err != nil {
				t.Fatal(err)
			}
			time.Sleep(20 * time.Millisecond) // or no hand-over ever comes to its end
		}
	}
}

// A mount for which the store has no room is refused in one sentence, and the
// others are as they were.
func TestServiceStoreIsFull(t *testing.T) {
	s := newService(t, nobody)
	dirs := s.up("a", "b", "c", "d", "e", "f")
	if dir, err := s.mount("g"); err == nil || !strings.Contains(err.Error(), "raise FileDescriptorStoreMax=") {
		t.Errorf("mounted at %s: %v, want a refusal", dir, err)
	}
	if _, err := s.mount("h", "cpu=many"); err == nil || !strings.Contains(err.Error(), "cpu=\"many\" is not one of") {
		t.Errorf("a wrong option: %v, want a refusal", err)
	}
	if n := strings.Count(ourMounts(), " "+s.dir+"/"); n != len(dirs) {
		t.Errorf("%d mounts, want %d", n, len(dirs))
	}
	if err := s.kill(); err != nil {
		t.Fatal(err)
	}
	for _, dir := range dirs {
		mustRead(t, filepath.Join(dir, "proc/meminfo"))
	}
}

// Without any privilege every file of a container is what root would serve.
func TestServiceServesWhatRootDoes(t *testing.T) {
	root := start(t)
	dir := newService(t, nobody).up("a")[0]
	b := newBox(t, root, limits{memory: "268435456", cpus: "0"}, nil)
	files := strings.Fields(b.run("cd " + root.dir + " && find proc sys -type f"))
	if len(files) < 10 {
		t.Fatalf("served: %q", files)
	}
	for _, file := range files {
		want := b.run("cd " + root.dir + " && cat " + file)
		got := b.run("cd " + dir + " && cat " + file)
		if still(file, got) != still(file, want) {
			t.Errorf("%s: got\n%s\nwant\n%s", file, got, want)
		}
	}
}

// still returns a file's content without what moves from one read to the next:
// all numbers of most files, no line of others.
func still(file, text string) string {
	switch filepath.Base(file) {
	case "cpuinfo":
		return regexp.MustCompile(`(?m)^cpu MHz.*$`).ReplaceAllString(text, "")
	case "online", "possible", "present", "swaps":
		return text
	case "meminfo":
		total, _, _ := strings.Cut(text, "\n")
		return total + regexp.MustCompile(` *\d+`).ReplaceAllString(text, " N")
	}
	return regexp.MustCompile(` *\d+`).ReplaceAllString(text, " N")
}
