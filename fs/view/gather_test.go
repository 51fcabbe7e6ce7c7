package view_test

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"testing"
	"time"

	"linuxcontainers.org/lxcfs/cgroup"
	"linuxcontainers.org/lxcfs/cgroup/container"
	"linuxcontainers.org/lxcfs/cgroup/hostfile"
	"linuxcontainers.org/lxcfs/fs/view"
	"linuxcontainers.org/lxcfs/test/hosts"
	"linuxcontainers.org/lxcfs/test/hosts/machine"
)

const all = view.NeedMemory | view.NeedCPUs | view.NeedCPUTime | view.NeedUptime | view.NeedLoad | view.NeedIO | view.NeedTasks

// The view of every captured container, all the way from its init.
func TestGatherCaptured(t *testing.T) {
	for _, c := range hosts.Containers() {
		t.Run(path.Join(c.Host, c.Name), func(t *testing.T) {
			m := machine.New(t, hosts.Load(t, c.Host))
			who := m.Container(t, c.PID)
			for _, e := range c.Membership(t, m.FS) {
				if got, ok := who.Membership.Path(firstOf(e)); !ok || got != e.Path {
					t.Errorf("cgroup %q of %v, want %q", got, e.Controllers, e.Path)
				}
			}
			var v view.View
			if err := m.Gatherer.Gather(&v, who, all, m.Options); err != nil {
				t.Fatal(err)
			}
			online, err := m.Host.ReadCPUList("/sys/devices/system/cpu/online")
			if err != nil || v.CPUs.Empty() || v.CPUs.AndNot(online).Count() > 0 {
				t.Errorf("CPUs %v of %v, %v", v.CPUs, online, err)
			}
			if len(v.CPUTicks) != v.CPUs.Count() {
				t.Errorf("ticks of %d CPUs, want %d", len(v.CPUTicks), v.CPUs.Count())
			}
			if (v.Memory.Limit.Value != cgroup.Max) != c.Limited {
				t.Errorf("limit %d, want one: %v", v.Memory.Limit.Value, c.Limited)
			}
			if v.Uptime <= 0 || v.Uptime > m.Now {
				t.Errorf("up %v on a machine up %v", v.Uptime, m.Now)
			}
			if v.Threads < 1 || v.LastPID < 1 {
				t.Errorf("%d threads, last pid %d", v.Threads, v.LastPID)
			}
		})
	}
}

func firstOf(e cgroup.Entry) string {
	if len(e.Controllers) > 0 {
		return e.Controllers[0]
	}
	return ""
}

// A machine of one container whose files are as given.
func made(t *testing.T, change map[string]string) (*machine.Machine, *view.View, error) {
	t.Helper()
	a := hosts.Load(t, "6.12-debian13-v2-unit")
	for name, text := range change {
		if text == "" {
			delete(a.Files, name)
		} else {
			a.Files[name] = text
		}
	}
	m := machine.New(t, a)
	var v view.View
	err := m.Gatherer.Gather(&v, m.Container(t, 231), all, m.Options)
	return m, &v, err
}

// The boot clock is that of the reader's time namespace, and without a reader the
// init's; all offsets are from the initial one, in which the daemon need not be.
func TestTimeNamespaces(t *testing.T) {
	const none, ten = "monotonic 0 0\nboottime 0 0\n", "monotonic 0 0\nboottime 864000 0\n"
	const day = 24 * time.Hour
	for _, test := range []struct {
		name               string
		own, init, another string
		reader             uint32
		want               time.Duration
		broken             bool
	}{
		{"a kernel without any", "", ten, ten, 231, 0, false},
		{"nobody in one", none, none, none, 231, 0, false},
		{"the init in one", none, ten, none, 231, 10 * day, false},
		{"the init in one, no reader", none, ten, none, 0, 10 * day, false},
		{"the reader in one", none, none, ten, 4711, 10 * day, false},
		{"the reader not in the init's", none, ten, none, 4711, 0, false},
		{"all in the daemon's", ten, ten, ten, 231, 0, false},
		{"the daemon in one", ten, none, none, 231, -10 * day, false},
		{"a reader who is gone", none, ten, "", 4711, 0, false},
		{"garbage", none, "boottime x 0\n", none, 231, 0, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			a := hosts.Load(t, "6.12-debian13-v2-unit")
			for name, text := range map[string]string{"self": test.own, "231": test.init, "4711": test.another} {
				if text != "" {
					a.Files["/proc/"+name+"/timens_offsets"] = text
				}
			}
			m := machine.New(t, a)
			who := &container.Container{
				InitPID: 231, StartTicks: m.Container(t, 231).StartTicks,
				Membership: m.Container(t, 231).Membership, CgroupPath: "/system.slice/limited.service",
			}
			v := view.View{Reader: test.reader, ClockOffset: 5}
			err := m.Gatherer.Gather(&v, who, view.NeedUptime|view.NeedClock, m.Options)
			if (err != nil) != test.broken {
				t.Fatal(err)
			}
			if test.broken {
				return
			}
			uptime := m.Now - time.Duration(who.StartTicks)*10*time.Millisecond
			if test.want != 0 {
				uptime = max(0, m.Now+test.want)
			}
			if v.ClockOffset != test.want || v.Uptime != uptime {
				t.Errorf("got offset %v, up %v, want %v, %v", v.ClockOffset, v.Uptime, test.want, uptime)
			}
		})
	}
}

func TestGatherCPUs(t *testing.T) {
	const cg = "/sys/fs/cgroup/system.slice/limited.service/"
	for _, test := range []struct {
		name   string
		policy view.CPUPolicy
		change map[string]string
		want   string
	}{
		{"the effective cpuset", view.CPUSet, map[string]string{cg + "cpuset.cpus.effective": "0-1\n"}, "0-1"},
		{"a quota of half a CPU", view.Quota, map[string]string{cg + "cpuset.cpus.effective": "0-1\n"}, "0"},
		{"a quota of a CPU and a half", view.Quota, map[string]string{cg + "cpuset.cpus.effective": "0-1\n", cg + "cpu.max": "150000 100000\n"}, "0-1"},
		{"an ancestor's quota", view.Quota, map[string]string{
			cg + "cpuset.cpus.effective": "0-1\n", cg + "cpu.max": "max 100000\n", "/sys/fs/cgroup/system.slice/cpu.max": "90000 100000\n"}, "0"},
		{"auto, a unit", view.Auto, map[string]string{cg + "cpuset.cpus.effective": "0-1\n"}, "0-1"},
		{"only what is online", view.CPUSet, map[string]string{cg + "cpuset.cpus.effective": "0-4095\n"}, "0-1"},
		{"nothing that is online", view.CPUSet, map[string]string{cg + "cpuset.cpus.effective": "7-9\n"}, "0-1"},
		{"no cpuset controller", view.CPUSet, map[string]string{
			cg + "cpuset.cpus.effective": "", "/sys/fs/cgroup/system.slice/cpuset.cpus.effective": "", "/sys/fs/cgroup/cpuset.cpus.effective": ""}, "0-1"},
	} {
		t.Run(test.name, func(t *testing.T) {
			m, _, _ := made(t, test.change)
			m.Options.CPU = test.policy
			var v view.View
			if err := m.Gatherer.Gather(&v, m.Container(t, 231), view.NeedCPUs, m.Options); err != nil {
				t.Fatal(err)
			}
			if got := v.CPUs.String(); got != test.want {
				t.Errorf("got CPUs %s, want %s", got, test.want)
			}
		})
	}
}

// A container of a user's Podman, as captured from root's but below the user's manager: its name could be forged, and
// its CPUs are counted by its quota all the same; a forged one is shown what it may use, never more.
func TestGatherRootless(t *testing.T) {
	const (
		id     = "4b9574a550bb0b012205b7aacdd3f313a75ec9c8aa4e7f992c21cc15464814bc"
		user   = "/user.slice/user-1000.slice/user@1000.service"
		system = "/machine.slice/libpod-" + id + ".scope"
		own    = user + "/user.slice/libpod-" + id + ".scope"
	)
	for _, test := range []struct{ name, scope, quota, want string }{
		{"a quota of one CPU", own, "100000 100000\n", "0"},
		{"a quota of two CPUs", own, "200000 100000\n", "0-1"},
		{"none", own, "max 100000\n", "0-1"},
		{"a name of an application that has more CPUs than there are", own, "9900000 100000\n", "0-1"},
		{"a name of no runtime", user + "/app.slice/x.service", "100000 100000\n", "0-1"},
		{"a name of LXC", user + "/app.slice/lxc.payload.x", "100000 100000\n", "0-1"},
	} {
		t.Run(test.name, func(t *testing.T) {
			a := hosts.Load(t, "6.12-debian13-v2-podman")
			for name, text := range a.Files {
				delete(a.Files, name)
				a.Files[strings.Replace(name, system, test.scope, 1)] = strings.ReplaceAll(text, system, test.scope)
			}
			for dir := user; dir != "/user.slice"; dir = path.Dir(dir) {
				a.Files["/sys/fs/cgroup"+dir+"/cpuset.cpus.effective"] = "0-1\n"
			}
			a.Dirs["/sys/fs/cgroup"+user] = hostfile.Info{UID: 1000, GID: 1000}
			a.Files["/sys/fs/cgroup"+test.scope+"/container/cpu.max"] = test.quota
			a.Files["/sys/fs/cgroup"+test.scope+"/cpu.max"] = test.quota
			m := machine.New(t, a)
			who := m.Container(t, 364)
			if who.Runtime != "" || who.Name != "" {
				t.Errorf("an untrusted name counts: %q %q", who.Runtime, who.Name)
			}
			var v view.View
			if err := m.Gatherer.Gather(&v, who, view.NeedCPUs, m.Options); err != nil {
				t.Fatal(err)
			}
			if got := v.CPUs.String(); got != test.want {
				t.Errorf("%s: got CPUs %s, want %s", who.CgroupPath, got, test.want)
			}
		})
	}
}

// What is malformed or gone is an error that names the file, never a number.
func TestGatherErrors(t *testing.T) {
	const cg = "/sys/fs/cgroup/system.slice/limited.service/"
	for _, test := range []struct{ name, file, text string }{
		{"garbage in memory.current", cg + "memory.current", "garbage\n"},
		{"garbage in memory.stat", cg + "memory.stat", "anon x\n"},
		{"garbage in cpu.stat", cg + "cpu.stat", "usage_usec -1\n"},
		{"no cpu.stat", cg + "cpu.stat", ""},
		{"garbage in io.stat", cg + "io.stat", "8:0 rbytes=z\n"},
		{"garbage in memory.events", cg + "memory.events", "oom_kill many\n"},
		{"garbage in cpuset", cg + "cpuset.cpus.effective", "0-99999999\n"},
		{"garbage in cgroup.procs", cg + "cgroup.procs", "x\n"},
		{"garbage in the host's online", "/sys/devices/system/cpu/online", "\xff\n"},
		{"no CPU online", "/sys/devices/system/cpu/online", "\n"},
		{"garbage in the host's stat", "/proc/stat", "cpu0 1 x\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			a := hosts.Load(t, "6.12-debian13-v2-unit")
			m := machine.New(t, a)
			who := m.Container(t, 231)
			if a.Files[test.file] = test.text; test.text == "" {
				delete(a.Files, test.file)
			}
			var v view.View
			err := m.Gatherer.Gather(&v, who, all|view.NeedEvents, m.Options)
			if err == nil || !strings.Contains(err.Error(), path.Base(test.file)) {
				t.Errorf("got error %v, want one that names %s", err, test.file)
			}
		})
	}
}

// Where no controller counts I/O, the container used no device; where none
// counts memory, that is an error, for the host's numbers hold.
func TestGatherWithoutControllers(t *testing.T) {
	const cg = "/sys/fs/cgroup/system.slice/"
	_, v, err := made(t, map[string]string{cg + "limited.service/io.stat": "", cg + "io.stat": ""})
	if err != nil || len(v.IO) != 0 {
		t.Errorf("without io: %v, %v", v.IO, err)
	}
	_, _, err = made(t, map[string]string{cg + "limited.service/memory.current": "", cg + "memory.current": ""})
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("without memory: %v", err)
	}
}

// The base of ctxt and its like is the machine's mean, kept from the first read.
func TestCountsSinceTheStart(t *testing.T) {
	a := hosts.Load(t, "6.12-debian13-v2-unit")
	a.Files["/proc/stat"] = "cpu  9 9 9 9 9\ncpu0 9 9 9 9 9\nintr 4000 1 2\nctxt 8000\nsoftirq 12000 3\n"
	m := machine.New(t, a)
	who := m.Container(t, 231)
	m.Now = 4 * time.Duration(who.StartTicks) * 10 * time.Millisecond
	var v view.View
	for range 2 {
		if err := m.Gatherer.Gather(&v, who, all, m.Options); err != nil {
			t.Fatal(err)
		}
		if want := (view.HostCounts{Intr: 1000, Ctxt: 2000, Softirq: 3000}); v.Base != want {
			t.Errorf("got %+v, want %+v", v.Base, want)
		}
		m.Now += time.Hour
		a.Files["/proc/stat"] = "cpu  9 9 9 9 9\ncpu0 9 9 9 9 9\nintr 99999 1 2\n"
	}
}

// Huge pages cost nothing on a host that has none; a container's part is looked
// for within a second of the pool's being filled.
func TestGatherHugetlb(t *testing.T) {
	const cg = "/sys/fs/cgroup/system.slice/limited.service/hugetlb.2MB."
	a := hosts.Load(t, "6.12-debian13-v2-unit")
	a.Files[cg+"current"], a.Files[cg+"max"] = "2097152\n", "8388608\n"
	m := machine.New(t, a)
	who := m.Container(t, 231)
	for _, test := range []struct {
		pages string
		want  view.Hugetlb
	}{
		{"       0\n", view.Hugetlb{}},
		{"      16\n", view.Hugetlb{Known: true, Usage: 2 << 20, Limit: 8 << 20}},
	} {
		a.Files["/proc/meminfo"] = "MemTotal: 9 kB\nHugePages_Total: " + test.pages + "Hugepagesize:       2048 kB\n"
		m.Now += 2 * time.Second
		var v view.View
		if err := m.Gatherer.Gather(&v, who, view.NeedHugetlb, m.Options); err != nil || v.Hugetlb != test.want {
			t.Errorf("got %+v, %v, want %+v", v.Hugetlb, err, test.want)
		}
	}
}

// A container that may allocate from some of the nodes only has no more memory
// than they have.
func TestNodesSize(t *testing.T) {
	const name, pid = "6.12-debian13-v2-lxc", 2540
	for _, tt := range []struct {
		has, mems string
		want      uint64
	}{
		{"0-3\n", "1,3\n", 2 * 500000 << 10},
		{"0-3\n", "0-3\n", 0},
		{"0-3\n", "0-7\n", 0},
		{"0\n", "0\n", 0},
		{"", "1\n", 0},                   // no NUMA
		{"0-4\n", "1,4\n", 500000 << 10}, // a node that is just taken away
	} {
		files := hosts.Load(t, name)
		if tt.has != "" {
			files.Files["/sys/devices/system/node/has_memory"] = tt.has
		}
		for n := range 4 {
			files.Files[fmt.Sprintf("/sys/devices/system/node/node%d/meminfo", n)] = fmt.Sprintf("Node %d MemTotal:  500000 kB\nNode %d HugePages_Total: %d\n", n, n, n)
		}
		for path := range files.Files {
			if strings.HasSuffix(path, "/cpuset.mems.effective") {
				files.Files[path] = tt.mems
			}
		}
		m := machine.New(t, files)
		var v view.View
		err := m.Gatherer.Gather(&v, m.Container(t, pid), view.NeedMemory|view.NeedHostMemory|view.NeedNodes|view.NeedUsageByNode, m.Options)
		if err != nil || v.NodesSize != tt.want {
			t.Errorf("%q of %q: %d bytes, %v, want %d", tt.mems, tt.has, v.NodesSize, err, tt.want)
		}
		if n := len(v.MemoryNodes()); tt.want > 0 && uint64(n)*500000<<10 != tt.want {
			t.Errorf("%q: %d nodes", tt.mems, n)
		}
		if len(v.UsageByNode) != 1 || v.UsageByNode[0].Usage == 0 || v.Host.Total == 0 {
			t.Errorf("usage by node %+v, host %+v", v.UsageByNode, v.Host)
		}
	}
	files := hosts.Load(t, name)
	files.Files["/sys/devices/system/node/has_memory"] = "0-1\n"
	files.Files["/sys/devices/system/node/node0/meminfo"] = "Node 0 MemTotal: x kB\n"
	m := machine.New(t, files)
	var v view.View
	err := m.Gatherer.Gather(&v, m.Container(t, pid), view.NeedMemory, m.Options)
	if !errors.Is(err, cgroup.ErrFormat) || !strings.Contains(err.Error(), "/sys/devices/system/node/node0/meminfo") {
		t.Errorf("got %v, want an error that names the file", err)
	}
}
