//go:build integration

package integration

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// churnCount is how many containers come and go; $LXCFS_TEST_CHURN.
func churnCount() int {
	if n, err := strconv.Atoi(os.Getenv("LXCFS_TEST_CHURN")); err == nil && n > 0 {
		return n
	}
	return 300
}

// shortLives is a shell script that makes containers, one after the other, each
// of which reads some files and ends: cgroups, and a pid namespace.
const shortLives = `
first=$1 last=$2 mnt=$3; shift 3
i=$first
while [ $i -lt $last ]; do
	for dir; do
		mkdir $dir/$i
		case $dir in */cpuset/*) cat $dir/cpuset.mems >$dir/$i/cpuset.mems; cat $dir/cpuset.cpus >$dir/$i/cpuset.cpus;; esac
	done
	sh -ec 'i=$1 mnt=$2; shift 2; for dir; do echo $$ >$dir/$i/cgroup.procs; done
		exec unshare --pid --fork sh -c "cd $mnt/proc; cat meminfo stat loadavg uptime diskstats; exit" >/dev/null' sh $i $mnt "$@"
	for dir; do until rmdir $dir/$i 2>/dev/null; do sleep 0.01; done; done
	i=$((i + 1))
done`

// held counts the kernel's files that a process holds open, and the processes and
// cgroups that they are of.
func held(t *testing.T, pid int) (files int, dirs map[string]bool) {
	t.Helper()
	links, err := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
	if err != nil {
		t.Fatal(err)
	}
	dirs = make(map[string]bool)
	for _, link := range links {
		target, err := os.Readlink(link)
		if err != nil || !strings.HasPrefix(target, "/proc/") && !strings.HasPrefix(target, "/sys/fs/cgroup/") {
			continue
		}
		files++
		dirs[filepath.Dir(target)] = true
	}
	return files, dirs
}

// resident returns the VmRSS of a process, kB.
func resident(t *testing.T, pid int) uint64 {
	t.Helper()
	return field(t, mustRead(t, fmt.Sprintf("/proc/%d/status", pid)), "VmRSS:")
}

// Nothing is left in the daemon of containers that came and went: 900 of them
// left 8132 descriptors, nine each, until the pool of 16384 was full. What lives
// is served all the while.
func TestChurn(t *testing.T) {
	d := start(t)
	lives := newBox(t, d, limits{memory: "268435456"}, nil)
	read := func() uint64 { return field(t, lives.run("cat /proc/meminfo /proc/loadavg"), "MemTotal:") }
	args := func(first, last int) []string {
		return append([]string{"-euc", shortLives, "sh", strconv.Itoa(first), strconv.Itoa(last), d.dir}, lives.cgroups...)
	}
	pid := d.cmd.Process.Pid
	const warm = 30
	if text, err := exec.Command("sh", args(0, warm)...).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	read()
	before := resident(t, pid)
	if text, err := exec.Command("sh", args(warm, warm+churnCount())...).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	if got := read(); got != 262144 {
		t.Errorf("MemTotal %d kB in the one that lives, want 262144", got)
	}
	files, dirs := held(t, pid)
	t.Logf("after %d containers: %d files held in %d directories", churnCount(), files, len(dirs))
	waitFor(t, "the files of dead containers to be closed", func() bool {
		files, dirs = held(t, pid)
		for dir := range dirs {
			if _, err := os.Stat(dir); err != nil {
				return false
			}
		}
		return true
	})
	after := resident(t, pid)
	t.Logf("then %d files in %d directories; %d kB resident, before %d kB", files, len(dirs), after, before)
	more := uint64(16 << 10)
	if raceEnabled {
		more *= 4 // it keeps a shadow of all memory that was ever used
	}
	if after > before+more {
		t.Errorf("%d kB resident after %d containers, before %d kB", after, churnCount(), before)
	}
	if got := read(); got != 262144 {
		t.Errorf("MemTotal %d kB in the one that lives, want 262144", got)
	}
}
