package fdstore

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// raw sends a message as no Client would, and waits until it is worked off.
func raw(t *testing.T, client *Client, content string, fds ...int) {
	t.Helper()
	err := unix.Sendmsg(client.fd, []byte(content), unix.UnixRights(fds...), &client.address, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := client.Barrier(testContext(t)); err != nil {
		t.Fatal(err)
	}
}

func TestMostDescriptorsInOneMessage(t *testing.T) {
	manager, client := pair(t, ManagerConfig{Max: MaxFiles})
	var fds []int
	for range MaxFiles {
		fds = append(fds, newMemfd(t, ""))
	}
	raw(t, client, "FDSTORE=1\nFDNAME=all", fds...)
	if got := manager.Count(); got != MaxFiles {
		t.Errorf("got %d, want %d", got, MaxFiles)
	}
	raw(t, client, "FDSTOREREMOVE=1\nFDNAME=all")
	if got := manager.Count(); got != 0 {
		t.Errorf("after the removal: got %d, want 0", got)
	}
}

func TestFullStoreDropsWithoutAWord(t *testing.T) {
	recorder := newRecorder()
	manager, client := pair(t, ManagerConfig{Max: 1, Report: recorder.report})
	raw(t, client, "FDSTORE=1\nFDNAME=two", newMemfd(t, "1"), newMemfd(t, "2"))
	if got := manager.Count(); got != 1 {
		t.Errorf("got %d, want 1", got)
	}
	if e := recorder.wait(t, Full); e.Name != "two" {
		t.Errorf("got %+v", e)
	}
}

func TestSameFileIsStoredOnce(t *testing.T) {
	recorder := newRecorder()
	manager, client := pair(t, ManagerConfig{Max: 9, Report: recorder.report})
	fd := newMemfd(t, "")
	raw(t, client, "FDSTORE=1\nFDNAME=a", fd)
	raw(t, client, "FDSTORE=1\nFDNAME=b", fd)
	raw(t, client, "FDSTORE=1\nFDNAME=a", newMemfd(t, ""))
	if got := manager.Names(); !slices.Equal(got, []string{"a", "a"}) {
		t.Errorf("got %q", got)
	}
	if e := recorder.wait(t, Duplicate); e.Name != "b" {
		t.Errorf("got %+v", e)
	}
}

func TestDescriptorWithoutAName(t *testing.T) {
	manager, client := pair(t, ManagerConfig{Max: 9})
	raw(t, client, "FDSTORE=1", newMemfd(t, ""))
	raw(t, client, "FDSTORE=1\nFDNAME=a:b", newMemfd(t, ""))
	raw(t, client, "FDSTOREREMOVE=1")
	if got := manager.Names(); !slices.Equal(got, []string{"stored", "stored"}) {
		t.Errorf("got %q", got)
	}
}

func TestHangUp(t *testing.T) {
	recorder := newRecorder()
	manager, client := pair(t, ManagerConfig{Max: 9, Report: recorder.report})
	var pipe [2]int
	if err := unix.Pipe2(pipe[:], unix.O_CLOEXEC); err != nil {
		t.Fatal(err)
	}
	duplicate, err := unix.Open("/proc/self/fd/"+itoa(pipe[0]), unix.O_RDONLY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	raw(t, client, "FDSTORE=1\nFDNAME=polled", pipe[0])
	raw(t, client, "FDSTORE=1\nFDNAME=kept\nFDPOLL=0", duplicate)
	raw(t, client, "FDSTORE=1\nFDNAME=memfd", newMemfd(t, ""))
	if got := manager.Count(); got != 3 {
		t.Fatalf("before the hang-up: got %d, want 3", got)
	}
	closeAll([]int{pipe[0], pipe[1], duplicate})
	if got := manager.Names(); !slices.Equal(got, []string{"memfd", "kept"}) {
		t.Errorf("got %q", got)
	}
	if e := recorder.wait(t, HungUp); e.Name != "polled" {
		t.Errorf("got %+v", e)
	}
}

func TestRefusedMessages(t *testing.T) {
	for _, row := range []struct{ name, in, why string }{
		{"too long", "READY=1\nFDSTORE=1\nSTATUS=" + strings.Repeat("x", maxMessage), "too long"},
		{"far too long", "READY=1\nFDSTORE=1\nSTATUS=" + strings.Repeat("x", 100000), "too long"},
		{"NUL", "READY=1\x00\nFDSTORE=1", "NUL"},
	} {
		t.Run(row.name, func(t *testing.T) {
			recorder := newRecorder()
			manager, client := pair(t, ManagerConfig{Max: 9, Report: recorder.report})
			raw(t, client, row.in, newMemfd(t, ""))
			events := recorder.drain()
			if len(events) != 1 || events[0].Kind != Refused || !strings.Contains(events[0].Text, row.why) {
				t.Errorf("got %v, want one refusal: %s", events, row.why)
			}
			if got := manager.Count(); got != 0 {
				t.Errorf("stored: got %d, want 0", got)
			}
		})
	}
}

func TestLongestMessage(t *testing.T) {
	recorder := newRecorder()
	_, client := pair(t, ManagerConfig{Report: recorder.report})
	status := strings.Repeat("x", maxMessage-len("STATUS="))
	if err := client.Notify("STATUS=" + status); err != nil {
		t.Fatal(err)
	}
	if e := recorder.wait(t, Status); e.Text != status {
		t.Errorf("got %d bytes, want %d", len(e.Text), len(status))
	}
}

func TestStrangerIsNotBelieved(t *testing.T) {
	recorder := newRecorder()
	manager, client := pair(t, ManagerConfig{Max: 9, Report: recorder.report})
	raw(t, client, "FDSTORE=1\nFDNAME=mine", newMemfd(t, ""))
	recorder.drain()
	stranger := role(t, "stranger", "NOTIFY_SOCKET="+manager.Address())
	if err := stranger.Run(); err != nil {
		t.Fatal(err)
	}
	if err := manager.Drain(); err != nil {
		t.Fatal(err)
	}
	if got := manager.Names(); !slices.Equal(got, []string{"mine"}) {
		t.Errorf("got %q", got)
	}
	for _, e := range recorder.drain() {
		if e.Kind != Refused || e.PID != stranger.Process.Pid {
			t.Errorf("got %+v, want refusals of %d", e, stranger.Process.Pid)
		}
	}
}

func TestPrivateDirectory(t *testing.T) {
	dir := t.TempDir()
	manager, _ := pair(t, ManagerConfig{Dir: dir})
	info, err := os.Stat(manager.dir)
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Fatalf("got %v, %v, want mode 0700", info.Mode(), err)
	}
	if err := manager.Close(); err != nil {
		t.Fatal(err)
	}
	if left, _ := os.ReadDir(dir); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestNewManagerErrors(t *testing.T) {
	checkLeaks(t)
	fd, err := unix.MemfdCreate("owned", unix.MFD_CLOEXEC)
	if err != nil {
		t.Fatal(err)
	}
	long := t.TempDir() + "/" + strings.Repeat("d", 100)
	if err := os.Mkdir(long, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{"/does/not/exist", long} {
		if _, err := NewManager(ManagerConfig{Dir: dir, UID: -1, Files: []File{{"owned", fd}}}); err == nil {
			t.Errorf("NewManager in %s: got nil, want an error", dir)
		}
	}
	if left, _ := os.ReadDir(long); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

// An os/exec that turns the descriptors' open file description to blocking
// would change it for every process that shares it.
func TestStartLeavesFilesAsTheyAre(t *testing.T) {
	manager, client := pair(t, ManagerConfig{Max: 1})
	var pipe [2]int
	if err := unix.Pipe2(pipe[:], unix.O_CLOEXEC|unix.O_NONBLOCK); err != nil {
		t.Fatal(err)
	}
	defer closeAll(pipe[:])
	if err := client.Store("pipe", pipe[0], false); err != nil {
		t.Fatal(err)
	}
	if err := client.Barrier(testContext(t)); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("/bin/true")
	if err := manager.Start(cmd, nil); err != nil {
		t.Fatal(err)
	}
	if status := manager.Wait(cmd); status != 0 {
		t.Errorf("status: got %v, want 0", status)
	}
	if flags, err := unix.FcntlInt(uintptr(pipe[0]), unix.F_GETFL, 0); err != nil || flags&unix.O_NONBLOCK == 0 {
		t.Errorf("flags: got %#x, %v, want O_NONBLOCK", flags, err)
	}
}

func TestEnvironmentOfTheCommand(t *testing.T) {
	m := &Manager{config: ManagerConfig{Max: 5, Watchdog: 2e9}, address: "@x"}
	old := []string{"A=1", "LISTEN_PID=1", "LISTEN_FDS=9", "LISTEN_FDNAMES=x", "LISTEN_PIDFDID=7", "NOTIFY_SOCKET=/y",
		"WATCHDOG_USEC=1", "WATCHDOG_PID=1", "FDSTORE=1", KeeperVariable + "=1"}
	got := append(without(old), m.environment([]File{{"a", 9}, {"b", 8}}, []string{"E=2"})...)
	want := []string{"A=1", "NOTIFY_SOCKET=@x", "FDSTORE=5", "WATCHDOG_USEC=2000000", "LISTEN_FDS=2", "LISTEN_FDNAMES=a:b", "E=2"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
