package attach

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"linuxcontainers.org/lxcfs/units/mount"
)

const hostMounts = `20 1 254:0 / / rw shared:1 - ext4 /dev/vda rw
21 20 0:20 / /proc rw shared:5 - proc proc rw
30 20 0:50 / /var/lib/lxcfs rw shared:9 - fuse.lxcfs lxcfs rw
`

// containerMounts is a container's, with more lines after them.
const containerMounts = `100 1 254:1 / / rw - ext4 /dev/vdb rw
101 100 0:60 / /proc rw - proc proc rw
102 100 0:61 / /sys rw - sysfs sysfs rw
`

func parse(t *testing.T, text string) mount.Table {
	t.Helper()
	table, err := mount.ParseTable([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return table
}

// newPlanner is a container with these mounts besides. Filesystem 0:50 is the
// lxcfs to attach, 0:40 one that died, 0:41 one that is alive.
func newPlanner(t *testing.T, request Request, more string) *planner {
	table := parse(t, containerMounts+more).Reachable()
	return &planner{
		request: request, hostGroups: parse(t, hostMounts).PeerGroups(), table: table, index: table.Index(), tree: device{0, 50},
		served: []string{"/proc/meminfo", "/proc/pressure/io", "/sys/devices/system/cpu"},
		dead: func(point string) (bool, error) {
			top, _ := table.At(point)
			return top.Minor == 40, nil
		},
		lacks: func(string) string { return "" },
	}
}

// spell writes changes as "ACTION PATH LAYERS SOURCE: REASON".
func spell(changes []Change) []string {
	var lines []string
	for _, c := range changes {
		line := fmt.Sprintf("%s %s", c.Action, c.Path)
		if len(c.layers) > 0 {
			line += fmt.Sprintf(" -%d", len(c.layers))
		}
		if c.source != "" {
			line += " +" + c.source
		}
		if c.Reason != "" {
			line += ": " + c.Reason
		}
		lines = append(lines, line)
	}
	return lines
}

func TestPlan(t *testing.T) {
	const pressure = "attach /proc/pressure/io +proc/pressure/io"
	const cpu = "attach /sys/devices/system/cpu +sys/devices/system/cpu"
	all := []string{"attach /proc/meminfo +proc/meminfo", pressure, cpu}
	for _, tt := range []struct {
		name    string
		request Request
		more    string
		want    []string
	}{
		{"nothing yet", Request{}, "", all},
		{"attached, and then covered", Request{}, "110 102 0:50 /sys/devices/system/cpu /sys/devices/system/cpu rw - fuse.lxcfs lxcfs rw\n" +
			"111 102 0:62 /devices /sys/devices rw - sysfs sysfs rw\n", all},
		{"attached already", Request{}, "110 101 0:50 /proc/meminfo /proc/meminfo rw - fuse.lxcfs lxcfs rw\n" +
			"111 101 0:50 /proc/pressure /proc/pressure rw - fuse.lxcfs lxcfs rw\n" +
			"112 102 0:50 /sys/devices/system/cpu /sys/devices/system/cpu rw - fuse.lxcfs lxcfs rw\n",
			[]string{"keep /proc/meminfo", "keep /proc/pressure/io: with /proc/pressure", "keep /sys/devices/system/cpu"}},
		{"dead mounts, stacked", Request{}, "110 101 0:40 /proc/meminfo//deleted /proc/meminfo rw - fuse.lxcfs lxcfs rw\n" +
			"111 110 0:40 /proc/meminfo /proc/meminfo rw - fuse.lxcfs lxcfs rw\n",
			[]string{"replace /proc/meminfo -2 +proc/meminfo", pressure, cpu}},
		{"a dead directory over what is bound by file", Request{}, "110 101 0:40 /proc/pressure /proc/pressure rw - fuse.lxcfs lxcfs rw\n",
			[]string{"detach /proc/pressure -1: not served here, or file by file", all[0], pressure, cpu}},
		{"a dead file that is not served", Request{}, "110 101 0:40 /proc/slabinfo /proc/slabinfo rw - fuse.lxcfs lxcfs rw\n",
			append([]string{"detach /proc/slabinfo -1: not served here, or file by file"}, all...)},
		{"a dead mount for nested containers", Request{}, "110 100 0:40 / /var/lib/lxcfs rw - fuse.lxcfs lxcfs rw\n",
			append([]string{"replace /var/lib/lxcfs -1 +./"}, all...)},
		{"ours under a dead one", Request{}, "110 101 0:50 /proc/meminfo /proc/meminfo rw - fuse.lxcfs lxcfs rw\n" +
			"111 110 0:40 /proc/meminfo /proc/meminfo rw - fuse.lxcfs lxcfs rw\n",
			[]string{"replace /proc/meminfo -1", pressure, cpu}},
		{"another that is alive", Request{}, "110 101 0:41 /proc/meminfo /proc/meminfo rw - fuse.lxcfs lxcfs rw\n" +
			"111 101 0:41 /proc/pressure /proc/pressure rw - fuse.lxcfs lxcfs rw\n",
			[]string{"skip /proc/meminfo: another lxcfs that is alive", "skip /proc/pressure: another lxcfs that is alive",
				"skip /proc/pressure/io: /proc/pressure is of another lxcfs", cpu}},
		{"the same, on demand", Request{ReplaceLive: true}, "110 101 0:41 /proc/meminfo /proc/meminfo rw - fuse.lxcfs lxcfs rw\n" +
			"111 100 0:41 / /var/lib/lxcfs rw - fuse.lxcfs lxcfs rw\n",
			[]string{"replace /proc/meminfo -1 +proc/meminfo", pressure, cpu}},
		{"something else over a file", Request{}, "110 101 0:61 /x /proc/meminfo rw - tmpfs tmpfs rw\n",
			[]string{"skip /proc/meminfo: tmpfs is mounted over it", pressure, cpu}},
		{"the kernel's own file once more", Request{}, "110 102 0:50 /sys/devices/system/cpu /sys/devices/system/cpu rw - fuse.lxcfs lxcfs rw\n" +
			"111 110 0:62 /devices/system/cpu /sys/devices/system/cpu ro - sysfs sysfs ro\n", all},
		{"another directory of the kernel's", Request{}, "110 102 0:61 /block /sys/devices/system/cpu ro - sysfs sysfs ro\n",
			append(slices.Clone(all[:len(all)-1]), "skip /sys/devices/system/cpu: sysfs is mounted over it")},
		{"heal only", Request{Heal: true}, "110 101 0:40 /proc/meminfo /proc/meminfo rw - fuse.lxcfs lxcfs rw\n" +
			"111 100 0:40 / /var/lib/lxcfs rw - fuse.lxcfs lxcfs rw\n",
			[]string{"replace /proc/meminfo -1 +proc/meminfo"}},
		{"detach", Request{Detach: true}, "110 101 0:40 /proc/meminfo /proc/meminfo rw - fuse.lxcfs lxcfs rw\n" +
			"111 110 0:50 /proc/meminfo /proc/meminfo rw - fuse.lxcfs lxcfs rw\n112 100 0:50 / /var/lib/lxcfs rw - fuse.lxcfs lxcfs rw\n",
			[]string{"detach /proc/meminfo -2"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			changes, err := newPlanner(t, tt.request, tt.more).plan()
			if got := spell(changes); err != nil || !slices.Equal(got, tt.want) {
				t.Errorf("got %v\n%s\nwant\n%s", err, strings.Join(got, "\n"), strings.Join(tt.want, "\n"))
			}
		})
	}
}

func TestPlanLacks(t *testing.T) {
	s := newPlanner(t, Request{}, "")
	s.lacks = func(path string) string { return map[bool]string{true: "none"}[path == "/proc/meminfo"] }
	changes, err := s.plan()
	if err != nil || spell(changes)[0] != "skip /proc/meminfo: none" {
		t.Errorf("got %q, %v", spell(changes), err)
	}
}

// A mount below one that is in a peer group with the host's would appear there.
func TestPlanRefusesShared(t *testing.T) {
	const shared = "120 101 0:20 / /proc rw shared:5 - proc proc rw\n"
	const dead = "130 120 0:40 /proc/stat /proc/stat rw - fuse.lxcfs lxcfs rw\n"
	for _, tt := range []struct {
		name    string
		request Request
		more    string
	}{
		{"attach", Request{}, shared}, {"heal", Request{Heal: true}, shared + dead}, {"detach", Request{Detach: true}, shared + dead},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if changes, err := newPlanner(t, tt.request, tt.more).plan(); !errors.Is(err, ErrShared) {
				t.Errorf("got %q, %v, want ErrShared", spell(changes), err)
			}
		})
	}
	s := newPlanner(t, Request{}, strings.Replace(shared, "shared:5", "shared:77", 1))
	if _, err := s.plan(); err != nil {
		t.Errorf("a peer group of its own: %v", err)
	}
}

// Nothing is looked up in a FUSE mount of the container's: who serves it may let a
// process wait that no signal ends.
func TestPlanStaysOutOfFUSE(t *testing.T) {
	const fuse = "110 100 0:70 / /proc rw - fuse.evil x rw\n111 102 0:71 / /sys/devices rw - fuse y rw\n"
	s := newPlanner(t, Request{}, fuse+"120 110 0:40 / /proc/stat rw - fuse.lxcfs lxcfs rw\n")
	s.dead = func(string) (bool, error) { t.Error("asked below a FUSE mount"); return true, nil }
	s.lacks = newPlaces(s, -1, -1).whyNot
	changes, err := s.plan()
	want := []string{
		"skip /proc/stat: /proc is a FUSE file system", "skip /proc/meminfo: not a file of the kernel's",
		"skip /proc/pressure/io: not a file of the kernel's", "skip /sys/devices/system/cpu: not a file of the kernel's",
	}
	if got := spell(changes); err != nil || !slices.Equal(got, want) {
		t.Errorf("got %v\n%s\nwant\n%s", err, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	s = newPlanner(t, Request{Detach: true}, fuse+"120 110 0:40 / /proc/stat rw - fuse.lxcfs lxcfs rw\n")
	if changes, err := s.plan(); err != nil || len(changes) > 0 {
		t.Errorf("detach: got %q, %v", spell(changes), err)
	}
}

// Whatever a container mounts where: no panic, nothing is bound over what is not its
// procfs or sysfs, and what is shared with the host is refused.
func FuzzPlan(f *testing.F) {
	f.Add(containerMounts, false, false)
	f.Add(containerMounts+"110 101 0:40 /proc/meminfo /proc/meminfo rw - fuse.lxcfs lxcfs rw\n111 110 0:50 / /proc/meminfo rw - fuse.lxcfs x rw\n", true, false)
	f.Add("1 2 0:40 / /proc/stat rw - fuse.lxcfs x rw\n2 1 0:40 / /proc/stat rw - fuse.lxcfs x rw\n3 1 0:40 / /proc/stat rw - fuse.lxcfs x rw\n", false, true)
	f.Add("1 2 0:1 / / rw shared:5 - proc x rw\n2 1 0:1 / / rw - fuse.lxcfs x rw\n3 3 0:1 / /proc rw - fuse.lxcfs x rw\n", false, true)
	f.Fuzz(func(t *testing.T, text string, replace, detach bool) {
		table, err := mount.ParseTable([]byte(text))
		if err != nil {
			return
		}
		s := newPlanner(t, Request{ReplaceLive: replace, Detach: detach}, "")
		s.table = table.Reachable()
		s.index = s.table.Index()
		for _, e := range s.table {
			want, _ := s.table.At(e.MountPoint)
			if got, _ := s.index.At(e.MountPoint); got != want {
				t.Errorf("%s: the index has %+v, the table %+v", e.MountPoint, got, want)
			}
		}
		changes, err := s.plan()
		if err != nil {
			return
		}
		for _, c := range changes {
			if c.Action == Keep || c.Action == Skip {
				continue
			}
			if e, ok := s.behind(c.Path); ok && len(c.layers) > 0 {
				t.Errorf("%s is below FUSE mount %s", c.Path, e.MountPoint)
			}
			if holder, _ := s.holder(c.Path); s.hostGroups[holder.Shared] {
				t.Errorf("%s is shared with the host", c.Path)
			}
		}
	})
}
