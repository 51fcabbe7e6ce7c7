//go:build integration

package integration

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// idlerEnv makes the test binary an idler: see idleFile.
const idlerEnv = "LXCFS_TEST_IDLE"

// idleFile opens a file COUNT times and says so. At the next line of its standard
// input it reads on through each descriptor and says so.
func idleFile(args string) error {
	var path string
	var count int
	if _, err := fmt.Sscan(args, &path, &count); err != nil {
		return err
	}
	fds := make([]int, count)
	for i := range fds {
		fd, err := syscall.Open(path, syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
		if err != nil {
			return fmt.Errorf("descriptor %d of %d: %w", i, count, err)
		}
		fds[i] = fd
	}
	in := bufio.NewReader(os.Stdin)
	buf := make([]byte, 64)
	for {
		fmt.Println("done")
		if _, err := in.ReadString('\n'); err != nil {
			return nil
		}
		for _, fd := range fds {
			if _, err := syscall.Read(fd, buf); err != nil {
				return err
			}
		}
	}
}

// idler is a process with many open files.
type idler struct {
	t   *testing.T
	in  io.WriteCloser
	out *bufio.Scanner
}

func startIdler(t *testing.T, path string, count int) *idler {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%s %d", idlerEnv, path, count))
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		cmd.Wait()
	})
	i := &idler{t: t, in: in, out: bufio.NewScanner(out)}
	i.wait()
	return i
}

func (i *idler) wait() {
	i.t.Helper()
	if !i.out.Scan() || i.out.Text() != "done" {
		i.t.Fatalf("an idler says %q", i.out.Text())
	}
}

// read has the idler read on through each descriptor.
func (i *idler) read() {
	i.t.Helper()
	io.WriteString(i.in, "\n")
	i.wait()
}

// Descriptors that nobody reads cost the daemon nothing, however many there are.
// Where each was read once, what is kept of them is bounded, and is theirs who
// read them: another container's half-read file is read on as it was, by the next
// process too.
func TestIdleDescriptors(t *testing.T) {
	const (
		each    = 10_000
		idlers  = 10
		slackKB = 4 << 10 // garbage that is not collected yet
	)
	bound := uint64(128 << 10) // of the daemon altogether, kB
	if raceEnabled {
		bound *= 4 // it keeps a shadow of all memory that was ever used
	}
	d := start(t, "--keeper")
	b := newBox(t, d, limits{memory: "536870912"}, nil)
	rest := b.halfRead("/proc/meminfo")
	path := d.path("proc/meminfo")
	startIdler(t, path, each).read()
	before := resident(t, d.worker())
	var all []*idler
	for range idlers {
		all = append(all, startIdler(t, path, each))
	}
	idle := resident(t, d.worker())
	t.Logf("%d idle descriptors: from %d to %d kB", each*idlers, before, idle)
	if idle > before+slackKB {
		t.Errorf("%d idle descriptors: %d kB resident, %d before; want no more than %d kB more", each*idlers, idle, before, slackKB)
	}
	for _, i := range all {
		i.read()
	}
	read := resident(t, d.worker())
	t.Logf("each was read once: %d kB", read)
	if read > bound {
		t.Errorf("%d descriptors that were read: %d kB resident, want at most %d", each*idlers, read, bound)
	}
	b.limit(limits{memory: "1073741824"}) // what is rendered anew tells
	old := d.worker()
	syscall.Kill(old, syscall.SIGKILL)
	waitFor(t, "the next worker", func() bool { w := d.worker(); return w != 0 && w != old })
	startIdler(t, path, each).read() // takes room in the journal of the next process
	text := rest()
	if total, free := field(t, text, "MemTotal:"), field(t, text, "MemFree:"); total != 524288 || free > total || !strings.HasSuffix(text, "kB") {
		t.Errorf("a file that was read in part before: MemTotal %d kB, MemFree %d kB, want 524288 and no more:\n%s", total, free, text)
	}
}

// halfRead reads the first line of a file in the container. The function that it
// returns reads the rest through the same descriptor and returns both.
func (b *box) halfRead(path string) (rest func() string) {
	b.t.Helper()
	goFile := filepath.Join(b.t.TempDir(), "go")
	pid, output := b.background("{ read -r line; echo \"$line\"; while ! test -e " + goFile + "; do sleep 0.1; done; cat; } <" + path)
	waitFor(b.t, "the first line", func() bool {
		text, _ := os.ReadFile(output) // not there yet
		return strings.HasSuffix(string(text), "\n")
	})
	return func() string {
		b.t.Helper()
		b.run("touch " + goFile)
		waitFor(b.t, "the rest", func() bool { return b.ended(pid) })
		return strings.TrimSpace(mustRead(b.t, output))
	}
}
