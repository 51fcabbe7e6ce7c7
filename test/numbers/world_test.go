package numbers

import (
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"linuxcontainers.org/lxcfs/cgroup"
	"linuxcontainers.org/lxcfs/cgroup/container"
	"linuxcontainers.org/lxcfs/cgroup/hostfile"
	"linuxcontainers.org/lxcfs/cgroup/hostfile/hosttest"
	"linuxcontainers.org/lxcfs/fs/proc"
	"linuxcontainers.org/lxcfs/fs/sys"
	"linuxcontainers.org/lxcfs/fs/view"
	"linuxcontainers.org/lxcfs/test/hosts"
	"linuxcontainers.org/lxcfs/test/hosts/machine"
)

const (
	initPID = 500
	mib     = 1 << 20
)

// level is one cgroup on the way to the container's, the outermost first. Values
// are those of the files; math.MaxUint64 is "max".
type level struct {
	memory, swap uint64 // limits
	quota        uint64 // of 100000
	cpus         cgroup.CPUSet
}

// world is a made-up machine with one container. It is what the tests know of it
// by other ways than reading its files.
type world struct {
	*hosttest.Archive
	*machine.Machine
	r       *rand.Rand
	version int
	levels  []level

	online               cgroup.CPUSet
	total, swapTotal     uint64 // the host's, bytes
	usage, swapUsage     uint64
	anon, file, slab     uint64
	started              time.Duration
	ran                  []uint64 // the container's CPU time, microseconds by CPU
	busy                 []uint64 // the host's
	counted              uint64   // ctxt, intr and softirq
	rbytes               uint64
	restless             bool // changes at each read of a file
	container            *container.Container
	memoryFrom, cpusFrom int // levels that have no such controller begin here
}

// Append reads a file of the machine, which changes meanwhile if it is restless.
func (w *world) Append(dst []byte, name string) ([]byte, error) {
	if w.restless && w.r.IntN(8) == 0 {
		w.change()
		w.write()
	}
	return w.Archive.Append(dst, name)
}

// newWorld makes a machine at random.
func newWorld(t testing.TB, seed uint64, version int) *world {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, uint64(version)))
	w := &world{r: r, version: version, Archive: &hosttest.Archive{
		Files: maps.Clone(hosts.Load(t, "6.18-debian12-hybrid-lxc").Files),
		Dirs:  map[string]hostfile.Info{},
	}}
	for name := range w.Files {
		if strings.HasPrefix(name, "/sys/fs/cgroup/") || strings.HasPrefix(name, "/proc/") && name[6] <= '9' || name == "/proc/self/mountinfo" {
			delete(w.Files, name)
		}
	}
	var cpus []int
	for cpu := range 1 + r.IntN(12) {
		if cpu == 0 || r.IntN(5) > 0 {
			cpus = append(cpus, cpu)
		}
	}
	w.online = cgroup.CPUSetOf(cpus...)
	w.ran, w.busy = make([]uint64, 12), make([]uint64, 12)
	w.total, w.swapTotal = uint64(64+r.IntN(1<<18))*mib, uint64(r.IntN(3)*r.IntN(1<<12))*mib
	w.levels = make([]level, 1+r.IntN(12))
	w.memoryFrom, w.cpusFrom = 1+r.IntN(len(w.levels)), 1+r.IntN(len(w.levels))
	w.usage, w.swapUsage = uint64(r.Int64N(int64(w.total))), uint64(r.Int64N(64*mib))
	now := time.Duration(1000+r.IntN(100_000)) * time.Second
	w.started = time.Duration(r.Int64N(int64(now/time.Second))) * time.Second
	w.counted = uint64(r.Int64N(1 << 40))
	w.change()
	w.Files["/proc/uptime"] = fmt.Sprintf("%d.00 1.00\n", now/time.Second)
	w.write()
	w.Machine = machine.New(t, w)
	w.container = w.Container(t, initPID)
	return w
}

// limit returns "max" or a number.
func (w *world) limit(below uint64) uint64 {
	if w.r.IntN(3) == 0 {
		return math.MaxUint64
	}
	return uint64(w.r.Int64N(int64(below))) &^ 4095
}

// change sets new limits and a new usage, which may be above the limit, and lets
// the counters go on.
func (w *world) change() {
	for i := range w.levels {
		l := &w.levels[i]
		if w.r.IntN(2) == 0 || l.quota == 0 {
			l.memory, l.swap = w.limit(2*w.total), w.limit(2*w.swapTotal+1)
			l.quota = w.limit(1<<21) | 1<<10
		}
		parent := w.online
		if i > 0 && !w.levels[i-1].cpus.Empty() {
			parent = w.levels[i-1].cpus
		}
		l.cpus = nil
		for cpu := range parent.All() {
			if w.r.IntN(3) > 0 {
				l.cpus = cgroup.CPUSetOf(append(all(l.cpus), cpu)...)
			}
		}
	}
	if w.r.IntN(2) == 0 {
		w.usage = uint64(w.r.Int64N(int64(w.total)))
		w.swapUsage = uint64(w.r.Int64N(int64(w.swapTotal + 4096)))
	}
	w.anon = uint64(w.r.Int64N(int64(w.usage + 1)))
	w.file = uint64(w.r.Int64N(int64(w.usage + mib))) // memory.stat lags behind
	w.slab = uint64(w.r.Int64N(int64(w.usage/8 + 1)))
	w.rbytes += uint64(w.r.IntN(mib))
}

func all(s cgroup.CPUSet) (list []int) {
	for cpu := range s.All() {
		list = append(list, cpu)
	}
	return list
}

// pass lets time pass: the container runs, and the host does other work too.
func (w *world) pass() {
	d := time.Duration(w.r.Int64N(int64(3 * time.Second)))
	w.Now += d
	for cpu := range w.online.All() {
		ran := uint64(w.r.Int64N(int64(d/time.Microsecond) + 1))
		w.ran[cpu] += ran
		w.busy[cpu] += ran + uint64(w.r.Int64N(int64(d/time.Microsecond)-int64(ran)+1))
	}
	w.counted += uint64(w.r.IntN(10_000))
	w.change()
	w.write()
}

// write brings the files up to date.
func (w *world) write() {
	f := w.Files
	f["/proc/meminfo"] = setLines(f["/proc/meminfo"], map[string]uint64{
		"MemTotal": w.total >> 10, "SwapTotal": w.swapTotal >> 10, "SwapFree": w.swapTotal >> 11,
		"CommitLimit": w.total>>11 + w.swapTotal>>10, // vm.overcommit_ratio 50
	})
	f["/proc/swaps"] = "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n"
	if w.swapTotal > 0 {
		f["/proc/swaps"] += fmt.Sprintf("/dev/vdb                                partition\t%d\t\t0\t\t-2\n", w.swapTotal>>10)
	}
	var cpuinfo, stat strings.Builder
	var busy uint64
	for cpu := range w.online.All() {
		fmt.Fprintf(&cpuinfo, "processor\t: %d\nmodel name\t: made up\n\n", cpu)
		fmt.Fprintf(&stat, "cpu%d %d 0 0 1 0 0 0 0 0 0\n", cpu, w.busy[cpu]/10_000)
		busy += w.busy[cpu] / 10_000
	}
	f["/proc/cpuinfo"] = cpuinfo.String()
	f["/proc/stat"] = fmt.Sprintf("cpu  %d 0 0 1 0 0 0 0 0 0\n%sintr %d 0 7 9\nctxt %d\nbtime 1\nprocesses 9\nprocs_running 1\nprocs_blocked 0\nsoftirq %d 1 2\n",
		busy, &stat, w.counted, w.counted, w.counted)
	for name, cpus := range map[string]cgroup.CPUSet{
		"online": w.online, "present": w.online, "possible": w.possible(), "offline": w.possible().AndNot(w.online),
	} {
		f["/sys/devices/system/cpu/"+name] = cpus.String() + "\n"
	}
	w.process(1, 0, "1", 1)
	w.process(initPID, 1, fmt.Sprint(initPID, "\t1"), uint64(w.started/(10*time.Millisecond)))
	if w.version == 2 {
		w.writeV2()
	} else {
		w.writeV1()
	}
}

// possible are the CPUs that the machine may ever have.
func (w *world) possible() cgroup.CPUSet {
	return cgroup.CPUSetOf(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11)
}

func setLines(text string, values map[string]uint64) string {
	var out strings.Builder
	for line := range strings.Lines(text) {
		name, _, _ := strings.Cut(line, ":")
		if v, ok := values[name]; ok {
			line = fmt.Sprintf("%-16s%8d kB\n", name+":", v)
		}
		out.WriteString(line)
	}
	return out.String()
}

func (w *world) process(pid, parent int, ns string, start uint64) {
	dir := fmt.Sprintf("/proc/%d/", pid)
	w.Files[dir+"status"] = fmt.Sprintf("Name:\tsh\nState:\tS (sleeping)\nTgid:\t%d\nPid:\t%d\nPPid:\t%d\nNStgid:\t%s\nNSpid:\t%s\nThreads:\t1\n", pid, pid, parent, ns, ns)
	w.Files[dir+"stat"] = fmt.Sprintf("%d (sh) S %d %d %d 0 -1 4194560 1 0 0 0 1 1 0 0 20 0 1 0 %d 1 1\n", pid, parent, pid, pid, start)
}

// path returns the path of the first n levels.
func (w *world) path(n int) string {
	path := "/lxc.payload.c1"
	for i := 1; i < n; i++ {
		path += fmt.Sprintf("/level%d", i)
	}
	return path
}

func maxOr(v uint64) string {
	if v == math.MaxUint64 {
		return "max\n"
	}
	return fmt.Sprintln(v)
}

func (w *world) writeV2() {
	f, top := w.Files, "/sys/fs/cgroup"
	f["/proc/self/mountinfo"] = "22 1 0:21 / / rw - ext4 none rw\n30 23 0:26 / " + top + " rw - cgroup2 cgroup2 rw\n"
	f["/proc/1/cgroup"], f["/proc/500/cgroup"] = "0::/init.scope\n", "0::"+w.path(len(w.levels))+"\n"
	f[top+"/cgroup.controllers"] = "cpuset cpu io memory pids\n"
	f[top+"/cpuset.cpus.effective"] = w.online.String() + "\n"
	var ran uint64
	for _, r := range w.ran {
		ran += r
	}
	for i, l := range w.levels {
		dir := top + w.path(i+1) + "/"
		f[dir+"cgroup.procs"] = ""
		f[dir+"cpu.stat"] = fmt.Sprintf("usage_usec %d\nuser_usec %d\nsystem_usec %d\nnice_usec %d\n", ran, ran-ran/3, ran/3, ran/9)
		f[dir+"cpu.max"] = strings.TrimSuffix(maxOr(l.quota), "\n") + " 100000\n"
		if i < w.cpusFrom {
			f[dir+"cpuset.cpus.effective"] = l.cpus.String() + "\n"
		}
		if i < w.memoryFrom {
			f[dir+"memory.max"], f[dir+"memory.swap.max"] = maxOr(l.memory), maxOr(l.swap)
			f[dir+"memory.current"], f[dir+"memory.swap.current"] = fmt.Sprintln(w.usage), fmt.Sprintln(w.swapUsage)
			f[dir+"memory.stat"] = fmt.Sprintf("anon %d\nfile %d\nshmem %d\nfile_mapped %d\nswapcached %d\ninactive_anon %d\nactive_anon %d\ninactive_file %d\nactive_file %d\nslab_reclaimable %d\nslab_unreclaimable %d\nslab %d\npgfault 12\n",
				w.anon, w.file, w.file/2, w.file/3, w.swapUsage, w.anon/2, w.anon/2, w.file/2, w.file/2, w.slab, w.slab, 2*w.slab)
			f[dir+"io.stat"] = fmt.Sprintf("254:0 rbytes=%d wbytes=0 rios=%d wios=0 dbytes=0 dios=0\n", w.rbytes, w.rbytes/512)
		}
	}
	f[top+w.path(len(w.levels))+"/cgroup.procs"] = "500\n"
}

func (w *world) writeV1() {
	f, top, path := w.Files, "/sys/fs/cgroup/", w.path(len(w.levels))
	f["/proc/self/mountinfo"] = "22 1 0:21 / / rw - ext4 none rw\n"
	f["/proc/1/cgroup"], f["/proc/500/cgroup"] = "", ""
	for i, name := range []string{"memory", "cpu,cpuacct", "cpuset", "blkio", "pids", "name=systemd"} {
		f["/proc/self/mountinfo"] += fmt.Sprintf("%d 23 0:%d / %s%s rw - cgroup cgroup rw,%s\n", 30+i, 30+i, top, strings.TrimPrefix(name, "name="), name)
		f["/proc/1/cgroup"] += fmt.Sprintf("%d:%s:/\n", i+1, name)
		f["/proc/500/cgroup"] += fmt.Sprintf("%d:%s:%s\n", i+1, name, path)
		f[top+strings.TrimPrefix(name, "name=")+"/release_agent"] = ""
	}
	usage := "cpu user system\n"
	for cpu, ran := range w.ran {
		usage += fmt.Sprintf("%d %d %d\n", cpu, (ran-ran/3)*1000, ran/3*1000)
	}
	for i, l := range w.levels {
		at := w.path(i+1) + "/"
		memsw := uint64(math.MaxInt64) &^ 4095
		if l.memory != math.MaxUint64 && l.swap != math.MaxUint64 {
			memsw = l.memory + l.swap
		}
		f[top+"memory"+at+"memory.limit_in_bytes"] = fmt.Sprintln(min(l.memory, math.MaxInt64&^4095))
		f[top+"memory"+at+"memory.memsw.limit_in_bytes"] = fmt.Sprintln(memsw)
		f[top+"memory"+at+"memory.usage_in_bytes"] = fmt.Sprintln(w.usage)
		f[top+"memory"+at+"memory.memsw.usage_in_bytes"] = fmt.Sprintln(w.usage + w.swapUsage)
		f[top+"memory"+at+"memory.stat"] = fmt.Sprintf("cache 1\ntotal_cache %d\ntotal_rss %d\ntotal_shmem %d\ntotal_swapcached %d\ntotal_inactive_file %d\ntotal_active_file %d\n",
			w.file, w.anon, w.file/2, w.swapUsage, w.file/2, w.file/2)
		f[top+"cpu,cpuacct"+at+"cpuacct.usage_all"] = usage
		f[top+"cpu,cpuacct"+at+"cpu.cfs_period_us"] = "100000\n"
		f[top+"cpu,cpuacct"+at+"cpu.cfs_quota_us"] = "-1\n"
		if l.quota != math.MaxUint64 {
			f[top+"cpu,cpuacct"+at+"cpu.cfs_quota_us"] = fmt.Sprintln(l.quota)
		}
		f[top+"cpuset"+at+"cpuset.effective_cpus"] = l.cpus.String() + "\n"
		f[top+"blkio"+at+"blkio.throttle.io_service_bytes_recursive"] = fmt.Sprintf("254:0 Read %d\nTotal %d\n", w.rbytes, w.rbytes)
		f[top+"blkio"+at+"blkio.throttle.io_serviced_recursive"] = fmt.Sprintf("254:0 Read %d\nTotal %d\n", w.rbytes/512, w.rbytes/512)
		f[top+"systemd"+at+"cgroup.procs"] = ""
	}
	f[top+"systemd"+path+"/cgroup.procs"] = "500\n"
}

// files are all that is rendered, by path.
func files() map[string]view.File {
	all := make(map[string]view.File)
	for _, f := range slices.Concat(proc.Files(), sys.Files()) {
		all[f.Path] = f
	}
	return all
}

// read renders a file for the container.
func (w *world) read(t testing.TB, path string) string {
	t.Helper()
	f, ok := files()[path]
	if !ok {
		t.Fatalf("%s is not rendered", path)
	}
	got, _, _, err := w.Read(w.container, f)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return string(got)
}
