//go:build integration

package integration

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// besideVariable names the cgroup beside the fuzzing client's.
const besideVariable = "LXCFS_CLIENT_BESIDE"

const fuzzThreads = 16

// fuzzSeconds is for how long the client goes on; $LXCFS_TEST_SECONDS.
func fuzzSeconds() int {
	if n, err := strconv.Atoi(os.Getenv("LXCFS_TEST_SECONDS")); err == nil && n > 0 {
		return n
	}
	return 4
}

// fuzzer is one thread of the client.
type fuzzer struct {
	*rand.Rand
	own, beside string
	held        []int // descriptors of directories
	ops         int
	escapes     *atomic.Int64
}

// fuzzClient does whatever comes to mind to a cgroup tree, from many threads.
func fuzzClient() int {
	names, _ := listDirectories("memory")
	var escapes, ops atomic.Int64
	var wg sync.WaitGroup
	end := time.Now().Add(time.Duration(fuzzSeconds()) * time.Second)
	for i := range fuzzThreads {
		f := &fuzzer{Rand: rand.New(rand.NewPCG(uint64(i), uint64(os.Getppid()))), own: names[1:], beside: os.Getenv(besideVariable), escapes: &escapes}
		wg.Go(func() {
			for time.Now().Before(end) {
				f.once()
				f.ops++
			}
			ops.Add(int64(f.ops))
		})
	}
	wg.Wait()
	fmt.Println(ops.Load(), escapes.Load())
	return 0
}

func (f *fuzzer) pick(from ...string) string { return from[f.IntN(len(from))] }

// path returns a path, and whether it leads outside.
func (f *fuzzer) path() (string, bool) {
	h := f.pick("memory", "pids", "systemd", "unified")
	if f.IntN(4) == 0 {
		return h + "/" + f.pick(f.beside, f.beside+"/sub", "", f.own+"/../"+f.beside, ".", "..", "../..", f.own+"\x01", "\xff\xfe", "cgroup.procs") +
			f.pick("", "/cgroup.procs", "/tasks", "/x", "/release_agent"), true
	}
	name := h + "/" + f.own
	for range f.IntN(4) {
		name += "/" + f.pick("a", "b", "c", "d\ne", " ", "é", "x:y", `\134`, strings.Repeat("n", 255))
	}
	return name + f.pick("", "", "", "/cgroup.procs", "/tasks", "/memory.limit_in_bytes", "/pids.max", "/cgroup.kill.not", "/cgroup.subtree_control", "/cgroup.freeze.not"), false
}

func (f *fuzzer) once() {
	name, out := f.path()
	outside := out && strings.Contains(name, f.beside)
	var err error
	switch f.IntN(12) {
	case 0, 1, 2:
		err = syscall.Mkdir(name, f.Uint32()&0o777|0o700)
	case 3:
		err = syscall.Rmdir(name)
	case 4, 5:
		err = writeOnce(name, f.text(name))
	case 6:
		_, err = os.ReadFile(name)
	case 7:
		_, err = os.ReadDir(name)
	case 8:
		other, _ := f.path()
		err = syscall.Rename(name, other)
		outside = name != other // to itself, it succeeds
	case 9:
		err = syscall.Chmod(name, f.Uint32()&0o777|0o600)
	case 10:
		_, err = os.Stat(name)
	case 11:
		f.hold(name)
		return
	}
	if err == nil && outside {
		fmt.Fprintf(os.Stderr, "escape: %q\n", name)
		f.escapes.Add(1)
	}
}

// text is something to write. No limit is so small that the client, which may
// be in that very cgroup, is ended or can't go on.
func (f *fuzzer) text(name string) string {
	if strings.HasSuffix(name, "/memory.limit_in_bytes") || strings.HasSuffix(name, "/pids.max") {
		return f.pick("1000000000", "x", "", strings.Repeat("x", f.IntN(5000)))
	}
	return f.pick("0", "1", "2", "x", "-1", "", strconv.Itoa(f.IntN(40000)), strings.Repeat("9", f.IntN(5000)), "+memory", "max")
}

// hold keeps directories open that may go meanwhile, and uses those it has.
func (f *fuzzer) hold(name string) {
	if fd, err := syscall.Open(name, syscall.O_RDONLY|syscall.O_DIRECTORY|syscall.O_CLOEXEC, 0); err == nil {
		f.held = append(f.held, fd)
	}
	if len(f.held) == 0 {
		return
	}
	i := f.IntN(len(f.held))
	syscall.Mkdirat(f.held[i], f.pick("a", "b", "../x", ".."), 0o755)
	var st syscall.Stat_t
	syscall.Fstat(f.held[i], &st)
	if len(f.held) > 16 {
		syscall.Close(f.held[i])
		f.held = append(f.held[:i], f.held[i+1:]...)
	}
}

func TestCgroupTreeFuzz(t *testing.T) {
	d := start(t, "--keeper", "--enable-cgroup")
	name := jailName()
	beside := newJail(t, d, "start", name+"x")
	beside.do("list memory/C")
	victims := hostPID(t, beside)
	t.Setenv(besideVariable, beside.name)
	j := newJail(t, d, "start-fuzz", name)
	churned := make(chan struct{})
	stop := make(chan struct{})
	go churn(name, stop, churned)
	said := make(chan string, 1)
	go func() {
		line, _ := j.out.ReadString('\n')
		said <- strings.TrimSpace(line)
	}()
	select {
	case line := <-said:
		var ops, escapes int
		if _, err := fmt.Sscan(line, &ops, &escapes); err != nil || escapes != 0 || ops < 100 {
			t.Errorf("the client said %q: operations, escapes", line)
		}
		t.Logf("%d operations", ops)
	case <-time.After(time.Duration(fuzzSeconds())*time.Second + patience):
		t.Error("the client does not end")
	}
	close(stop)
	<-churned
	if got := hostPID(t, beside); got != victims {
		t.Errorf("the container beside has process %d, had %d", got, victims)
	}
	for _, h := range treeHierarchies() {
		beside.steps([][2]string{{"list " + h + "/C", "="}, {"read " + h + "/C/cgroup.procs", "=1"}})
		if _, err := os.Stat(filepath.Join("/sys/fs/cgroup", h, "x")); err == nil {
			t.Errorf("%s: a cgroup was made above", h)
		}
	}
}

// churn renames cgroups of the client's, and makes and removes some with like
// names beside it, as a host may.
func churn(name string, stop, done chan struct{}) {
	defer close(done)
	top := "/sys/fs/cgroup/memory/" + name
	for {
		select {
		case <-stop:
			syscall.Rmdir(top + "y")
			return
		default:
		}
		syscall.Rename(top+"/a", top+"/b")
		syscall.Rename(top+"/b", top+"/c")
		syscall.Mkdir(top+"y", 0o755)
		syscall.Rmdir(top + "y")
		time.Sleep(time.Millisecond)
	}
}
