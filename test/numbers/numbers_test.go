package numbers

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"testing"

	"linuxcontainers.org/lxcfs/cgroup"
	"linuxcontainers.org/lxcfs/fs/view"
)

// worlds runs f for machines of both versions.
func worlds(t *testing.T, count uint64, f func(t *testing.T, w *world)) {
	for version := 1; version <= 2; version++ {
		for seed := range count {
			t.Run(fmt.Sprintf("v%d/%d", version, seed), func(t *testing.T) { f(t, newWorld(t, seed, version)) })
		}
	}
}

// values returns the numbers of a file's lines, by their first word.
func values(t testing.TB, text string) map[string][]uint64 {
	t.Helper()
	all := make(map[string][]uint64)
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		if len(f) == 0 {
			continue
		}
		name := strings.TrimSuffix(f[0], ":")
		for _, field := range f[1:] {
			if n, err := strconv.ParseUint(field, 10, 64); err == nil {
				all[name] = append(all[name], n)
			}
		}
	}
	return all
}

// least is the smallest limit of the levels that have it.
func (w *world) least(n int, limit func(l level) uint64) uint64 {
	least := uint64(math.MaxUint64)
	for _, l := range w.levels[:n] {
		least = min(least, limit(l))
	}
	return least
}

// visible is which CPUs the container is to see by a policy.
func (w *world) visible(policy view.CPUPolicy) cgroup.CPUSet {
	n := len(w.levels)
	if w.version == 2 {
		n = w.cpusFrom
	}
	cpus := w.online
	for i := n - 1; i >= 0; i-- {
		if !w.levels[i].cpus.Empty() {
			cpus = w.levels[i].cpus
			break
		}
	}
	quota := w.least(len(w.levels), func(l level) uint64 { return l.quota })
	if policy != view.Quota || quota == math.MaxUint64 {
		return cpus
	}
	return cpus.First(int(max(1, (quota+99_999)/100_000)))
}

// For any limits, each file says what the limits are, and all say the same.
func TestCoherence(t *testing.T) {
	worlds(t, 40, func(t *testing.T, w *world) {
		for _, policy := range []view.CPUPolicy{view.Auto, view.CPUSet, view.Quota} {
			w.Options.CPU = policy
			want := w.visible(policy)
			for name, want := range map[string]string{
				"online": want.String() + "\n", "offline": w.possible().AndNot(want).String() + "\n",
				"present": w.Files["/sys/devices/system/cpu/present"], "possible": w.Files["/sys/devices/system/cpu/possible"],
			} {
				if got := w.read(t, "/sys/devices/system/cpu/"+name); got != want {
					t.Errorf("policy %d: %s: got %q, want %q", policy, name, got, want)
				}
			}
			if got := cpusOf(t, w.read(t, "/proc/cpuinfo"), "processor\t: "); !got.Equal(want) {
				t.Errorf("policy %d: cpuinfo: got %s, want %s", policy, got, want)
			}
			if got := cpusOf(t, w.read(t, "/proc/stat"), "cpu"); !got.Equal(want) {
				t.Errorf("policy %d: stat: got %s, want %s", policy, got, want)
			}
			w.pass()
		}
		w.checkMemory(t)
	})
}

// cpusOf returns the CPUs whose numbers follow a prefix at the start of a line.
func cpusOf(t testing.TB, text, prefix string) cgroup.CPUSet {
	t.Helper()
	var list []int
	for line := range strings.Lines(text) {
		rest, ok := strings.CutPrefix(line, prefix)
		if !ok || strings.HasPrefix(rest, " ") {
			continue
		}
		n, err := strconv.Atoi(strings.Fields(rest)[0])
		if err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		list = append(list, n)
	}
	return cgroup.CPUSetOf(list...)
}

// checkMemory compares meminfo and swaps with what the levels say.
func (w *world) checkMemory(t *testing.T) {
	t.Helper()
	m := values(t, w.read(t, "/proc/meminfo"))
	n := len(w.levels)
	if w.version == 2 {
		n = w.memoryFrom
	}
	limit := min(w.total, w.least(n, func(l level) uint64 { return l.memory }))
	if got := m["MemTotal"][0]; got != limit>>10 {
		t.Errorf("MemTotal %d kB, want %d", got, limit>>10)
	}
	if got, want := m["MemFree"][0], limit>>10-min(limit>>10, (w.usage+4095)>>12<<2); got != want {
		t.Errorf("MemFree %d kB, want %d", got, want)
	}
	if w.version == 2 {
		swap := min(w.swapTotal, w.least(n, func(l level) uint64 { return l.swap }))
		if got := m["SwapTotal"][0]; got != swap>>10 {
			t.Errorf("SwapTotal %d kB, want %d", got, swap>>10)
		}
	}
	w.checkSwaps(t, m)
	w.checkVmstat(t, m)
}

// checkVmstat: vmstat says in pages what meminfo says in kB.
func (w *world) checkVmstat(t *testing.T, m map[string][]uint64) {
	t.Helper()
	v := values(t, w.read(t, "/proc/vmstat"))
	for _, pair := range [][2]string{
		{"nr_free_pages", "MemFree"}, {"nr_active_anon", "Active(anon)"}, {"nr_inactive_anon", "Inactive(anon)"},
		{"nr_active_file", "Active(file)"}, {"nr_inactive_file", "Inactive(file)"}, {"nr_zone_inactive_file", "Inactive(file)"},
		{"nr_unevictable", "Unevictable"}, {"nr_mlock", "Mlocked"}, {"nr_anon_pages", "AnonPages"}, {"nr_mapped", "Mapped"},
		{"nr_dirty", "Dirty"}, {"nr_writeback", "Writeback"}, {"nr_shmem", "Shmem"}, {"nr_swapcached", "SwapCached"},
		{"nr_slab_reclaimable", "SReclaimable"}, {"nr_slab_unreclaimable", "SUnreclaim"},
		{"nr_page_table_pages", "PageTables"}, {"nr_sec_page_table_pages", "SecPageTables"},
	} {
		if pages, kB := v[pair[0]][0], m[pair[1]][0]; pages*4 != kB {
			t.Errorf("%s is %d pages, %s %d kB", pair[0], pages, pair[1], kB)
		}
	}
	if got, want := v["nr_file_pages"][0]*4, m["Cached"][0]+m["Buffers"][0]+m["SwapCached"][0]; got != want {
		t.Errorf("nr_file_pages is %d kB, the page cache %d", got, want)
	}
	if got, want := v["nr_kernel_stack"][0], m["KernelStack"][0]; got != want {
		t.Errorf("nr_kernel_stack %d, KernelStack %d", got, want)
	}
}

// checkSwaps: swaps says what meminfo says.
func (w *world) checkSwaps(t *testing.T, m map[string][]uint64) {
	t.Helper()
	s := values(t, w.read(t, "/proc/swaps"))
	total, free := m["SwapTotal"][0], m["SwapFree"][0]
	switch row := s["none"]; {
	case len(row) == 0:
		if total != 0 {
			t.Errorf("no swap in swaps, SwapTotal %d kB", total)
		}
	case row[0] != total || row[1] != total-free:
		t.Errorf("swaps %v, SwapTotal %d, SwapFree %d kB", row, total, free)
	}
}

// While limits, CPUs, usage and processes change under the reader, no number is
// ever absurd, and no counter goes back.
func TestInvariants(t *testing.T) {
	worlds(t, 25, func(t *testing.T, w *world) {
		w.restless = true
		var last reading
		for range 12 {
			w.Options.CPU = view.CPUPolicy(w.r.IntN(3))
			w.pass()
			if w.r.IntN(3) == 0 {
				w.Loads.Tick()
			}
			now := w.take(t)
			now.check(t, w)
			now.follows(t, &last)
			last = now
		}
	})
}

// reading is the files of one moment.
type reading struct {
	meminfo, stat, vmstat map[string][]uint64
	up, idle              float64
	diskstats, partitions string
}

func (w *world) take(t *testing.T) (r reading) {
	t.Helper()
	r.meminfo, r.stat = values(t, w.read(t, "/proc/meminfo")), values(t, w.read(t, "/proc/stat"))
	r.vmstat = values(t, w.read(t, "/proc/vmstat"))
	r.diskstats, r.partitions = w.read(t, "/proc/diskstats"), w.read(t, "/proc/partitions")
	if _, err := fmt.Sscan(w.read(t, "/proc/uptime"), &r.up, &r.idle); err != nil {
		t.Fatal(err)
	}
	var load [3]float64
	var running, threads, last int
	if _, err := fmt.Sscanf(w.read(t, "/proc/loadavg"), "%f %f %f %d/%d %d\n", &load[0], &load[1], &load[2], &running, &threads, &last); err != nil || threads < 1 {
		t.Errorf("loadavg: %d threads, %v", threads, err)
	}
	for path := range files() {
		if strings.HasPrefix(path, "/proc/") && w.Files[path] != "" {
			w.read(t, path)
		}
	}
	return r
}

// parts are pairs of lines of meminfo: the sum of the first is not above the
// second.
var parts = [...]struct {
	parts []string
	whole string
}{
	{[]string{"MemFree"}, "MemTotal"},
	{[]string{"MemAvailable"}, "MemTotal"},
	{[]string{"MemFree", "Buffers", "Cached", "SReclaimable"}, "MemTotal"},
	{[]string{"Shmem"}, "Cached"},
	{[]string{"SwapFree", "SwapCached"}, "SwapTotal"},
	{[]string{"SReclaimable"}, "Slab"},
	{[]string{"Active(anon)"}, "Active"},
	{[]string{"Inactive(file)"}, "Inactive"},
	{[]string{"Mlocked"}, "Unevictable"},
	{[]string{"HugePages_Free"}, "HugePages_Total"},
	{[]string{"CommitLimit"}, "MemTotal and SwapTotal"},
	{[]string{"Committed_AS"}, "MemTotal and SwapTotal"},
}

func (r *reading) check(t *testing.T, w *world) {
	t.Helper()
	r.meminfo["MemTotal and SwapTotal"] = []uint64{r.meminfo["MemTotal"][0] + r.meminfo["SwapTotal"][0]}
	for _, p := range parts {
		var sum uint64
		for _, name := range p.parts {
			sum += r.meminfo[name][0]
		}
		if sum > r.meminfo[p.whole][0] {
			t.Errorf("%v: %d kB of %s %d", p.parts, sum, p.whole, r.meminfo[p.whole][0])
		}
	}
	for _, file := range []map[string][]uint64{r.meminfo, r.stat, r.vmstat} {
		for name, numbers := range file {
			for _, n := range numbers {
				if n > 1<<48 {
					t.Errorf("%s: %d", name, n)
				}
			}
		}
	}
	if r.meminfo["MemTotal"][0] > w.total>>10 || r.meminfo["SwapTotal"][0] > w.swapTotal>>10 {
		t.Errorf("more than the host has: %v", r.meminfo)
	}
	if host := w.Now.Seconds(); r.up < 0 || r.up > host || r.idle < 0 || r.idle > r.up*12+1 {
		t.Errorf("up %v, idle %v on a host up %v s", r.up, r.idle, host)
	}
	r.checkCPUs(t)
	for line := range strings.Lines(r.diskstats) {
		if name := strings.Fields(line)[2]; w.rbytes > 0 && !strings.Contains(r.partitions, " "+name+"\n") {
			t.Errorf("%s is not in partitions:\n%s", name, r.partitions)
		}
	}
}

// checkCPUs: the cpu line is at least the sum of the others, and no CPU has more
// time than the container is old.
func (r *reading) checkCPUs(t *testing.T) {
	t.Helper()
	var sum [4]uint64
	for name, columns := range r.stat {
		if !strings.HasPrefix(name, "cpu") || name == "cpu" {
			continue
		}
		var all uint64
		for i := range sum {
			sum[i] += columns[i]
			all += columns[i]
		}
		if most := uint64(r.up*100) + 2; all > most+300 { // uptime is read later, never 3 s
			t.Errorf("%s has %d ticks of %d", name, all, most)
		}
	}
	for i, n := range sum {
		if n > r.stat["cpu"][i] {
			t.Errorf("column %d: CPUs have %d, cpu %d", i, n, r.stat["cpu"][i])
		}
	}
}

// follows: counters have not gone back.
func (r *reading) follows(t *testing.T, last *reading) {
	t.Helper()
	if r.up < last.up || r.idle < last.idle {
		t.Errorf("uptime went from %v %v to %v %v", last.up, last.idle, r.up, r.idle)
	}
	for name, columns := range last.stat {
		if strings.HasPrefix(name, "procs_") || r.stat[name] == nil {
			continue
		}
		for i, before := range columns {
			if r.stat[name][i] < before {
				t.Errorf("%s went from %v to %v", name, columns, r.stat[name])
			}
		}
	}
	for _, name := range []string{"pgpgin", "pgpgout", "pgfault", "oom_kill"} {
		if last.vmstat != nil && r.vmstat[name][0] < last.vmstat[name][0] {
			t.Errorf("%s went from %v to %v", name, last.vmstat[name], r.vmstat[name])
		}
	}
}
