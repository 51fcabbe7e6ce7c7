package view_test

import (
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"linuxcontainers.org/lxcfs/cgroup"
	"linuxcontainers.org/lxcfs/cgroup/hostfile"
	"linuxcontainers.org/lxcfs/fs/view"
	"linuxcontainers.org/lxcfs/test/hosts"
	"linuxcontainers.org/lxcfs/test/hosts/machine"
)

const (
	hostUsers = "         0          0 4294967295\n"
	ownUsers  = "         0     100000      65536\n"
	everyCap  = "000001ffffffffff"
	noMknod   = "000001fff7ffffff"
	docker    = "00000000a80425fb" // CAP_MKNOD, CAP_DAC_OVERRIDE
	podman    = "00000000800405fb" // CAP_DAC_OVERRIDE

	devtmpfs = "26 23 0:6 / /dev rw,nosuid shared:9 - devtmpfs devtmpfs rw,size=4096k\n"
	loopNode = "205 198 0:6 /loop0 /dev/loop0 rw,nosuid shared:146 master:9 - devtmpfs devtmpfs rw\n" +
		"206 198 0:6 /null /dev/null rw,nosuid shared:146 master:9 - devtmpfs devtmpfs rw\n"
	rootOnly = "27 1 0:24 / / rw,relatime shared:1 - ext4 /dev/root rw\n"
)

// of is the machine of a container whose init is process 2540 (LXC) or that is
// process 231 (a service), with rights as given.
func of(t *testing.T, host string, pid int, users, caps, mounts string, more map[string]string) *machine.Machine {
	t.Helper()
	a := hosts.Load(t, host)
	dir := fmt.Sprintf("/proc/%d/", pid)
	a.Files[dir+"status"] = regexp.MustCompile(`(Cap(Prm|Bnd)):.*`).ReplaceAllString(a.Files[dir+"status"], "$1:\t"+caps)
	a.Files[dir+"uid_map"] = users
	a.Files[dir+"mountinfo"] = rootOnly + mounts
	a.Files["/sys/class/block/loop0/dev"] = "7:0\n"
	for name, text := range more {
		a.Files[name] = text
	}
	return machine.New(t, a)
}

func rules(all ...cgroup.DeviceRule) view.Devices { return all }

// What may be opened, by whose rights, policy and nodes.
func TestDevices(t *testing.T) {
	const lxc, unit = "6.12-debian13-v2-lxc", "6.12-debian13-v2-unit"
	const service = "/run/systemd/system/limited.service"
	loop0 := cgroup.DeviceRule{Major: 7}
	loops := cgroup.DeviceRule{Major: 7, Minor: cgroup.AnyNumber}
	strict := map[string]string{service: "DevicePolicy=strict\nDeviceAllow=block-7 rw\n"}
	closed := map[string]string{service: "DevicePolicy=closed\n"}
	open := map[string]string{service: "[Service]\n"}
	for _, tt := range []struct {
		name                string
		host                string
		users, caps, mounts string
		more                map[string]string
		want                view.Devices
	}{
		{"LXC, privileged: the policy can't be seen", lxc, hostUsers, everyCap, "", nil, view.AllDevices()},
		{"LXC with a user namespace", lxc, ownUsers, everyCap, devtmpfs, nil, nil},
		{"which has a node", lxc, ownUsers, everyCap, loopNode, nil, rules(loop0)},
		{"LXC without CAP_SYS_ADMIN", lxc, hostUsers, docker, "", nil, nil},
		{"which has a node", lxc, hostUsers, docker, loopNode, nil, rules(loop0)},
		{"LXC that can make no nodes", lxc, hostUsers, noMknod, "", nil, nil},
		{"and has all", lxc, hostUsers, noMknod, devtmpfs, nil, view.AllDevices()},
		{"users are not known", lxc, "", everyCap, devtmpfs, nil, nil},

		{"a service", unit, hostUsers, everyCap, "", open, view.AllDevices()},
		{"whose policy is strict", unit, hostUsers, everyCap, "", strict, rules(loop0, loops)},
		{"and that has nothing but the node of its runtime", unit, hostUsers, podman, "", strict, rules(loop0)},
		{"and that makes nodes, without CAP_SYS_ADMIN", unit, hostUsers, docker, "", strict, rules(loop0, loops)},
		{"whose policy is closed", unit, hostUsers, everyCap, devtmpfs, closed, nil},
		{"whose policy is closed, with a node", unit, ownUsers, everyCap, loopNode, closed, nil},
		{"without rights", unit, hostUsers, "0000000000000000", devtmpfs, open, nil},
	} {
		pid := map[string]int{lxc: 2540, unit: 231}[tt.host]
		m := of(t, tt.host, pid, tt.users, tt.caps, tt.mounts, tt.more)
		var v view.View
		if err := m.Gatherer.Gather(&v, m.Container(t, pid), view.NeedDisks, m.Options); err != nil || !reflect.DeepEqual(v.Devices, tt.want) {
			t.Errorf("%s: got %v, %v, want %v", tt.name, v.Devices, err, tt.want)
		}
	}
}

// TestManyMounts: a container makes more mounts than a file may have bytes. What
// it has of its runtime it keeps, and it is not shown the host's disks.
func TestManyMounts(t *testing.T) {
	long := strings.Repeat("m", 4000)
	own := strings.Repeat("300 27 0:40 / /"+long+" rw - tmpfs none rw\n", 1+hostfile.MaxSize/len(long))
	late := "301 27 0:6 /loop1 /x rw - devtmpfs devtmpfs rw\n" // what is read of it all ends before
	m := of(t, "6.12-debian13-v2-lxc", 2540, ownUsers, everyCap, loopNode+own+late,
		map[string]string{"/sys/class/block/loop1/dev": "7:1\n"})
	var v view.View
	err := m.Gatherer.Gather(&v, m.Container(t, 2540), view.NeedDisks, m.Options)
	if want := rules(cgroup.DeviceRule{Major: 7}); err != nil || !reflect.DeepEqual(v.Devices, want) {
		t.Errorf("got %v, %v, want %v", v.Devices, err, want)
	}
}

// A machine with disks has at least one that shows.
func TestStandInDisk(t *testing.T) {
	for _, tt := range []struct {
		name, io, diskstats string
		caps                string
		want                []cgroup.IOStat
	}{
		{"used", "8:0 rios=1\n", " 8 0 sda 1 0\n 8 16 sdb 1 0\n", docker, []cgroup.IOStat{{Major: 8, Rios: 1}}},
		{"used one that has gone", "9:0 rios=1\n", " 7 0 loop0 0 0\n 8 0 sda 1 0\n", docker, []cgroup.IOStat{{Major: 8}}},
		{"no I/O", "8:16 rios=0 cost.usage=1\n", " 7 0 loop0 0 0\n 8 0 sda 1 0\n 8 16 sdb 1 0\n", docker, []cgroup.IOStat{{Major: 8}}},
		{"a loop device of the host's, and a disk", "", " 1 0 ram0 1 0\n 7 0 loop0 1 0\n 8 0 sda 1 0\n", docker, []cgroup.IOStat{{Major: 8}}},
		{"loop devices of the host's", "", " 7 0 loop0 0 0\n 7 1 loop1 1 0\n 7 2 loop2 1 0\n", docker, []cgroup.IOStat{{Major: 7, Minor: 1}}},
		{"no disk that the host used", "", " 7 0 loop0 0 0\n 7 1 loop1 0 0\n", docker, []cgroup.IOStat{{Major: 7}}},
		{"one that it may open", "", " 7 0 loop0 0 0\n 8 0 sda 1 0\n", everyCap, []cgroup.IOStat{}},
		{"no disk", "", "", docker, []cgroup.IOStat{}},
	} {
		m := of(t, "6.12-debian13-v2-lxc", 2540, hostUsers, tt.caps, "", map[string]string{
			"/sys/fs/cgroup/lxc.payload.c1/io.stat": tt.io, "/proc/diskstats": tt.diskstats})
		var v view.View
		if err := m.Gatherer.Gather(&v, m.Container(t, 2540), view.NeedDisks, m.Options); err != nil || !slices.Equal(v.IO, tt.want) {
			t.Errorf("%s: got %v, %v, want %v", tt.name, v.IO, err, tt.want)
		}
	}
}

func TestDevicesFail(t *testing.T) {
	for _, tt := range []struct {
		name, file, text string
		want             error
	}{
		{"capabilities", "/proc/2540/status", "CapBnd:\tx\n", cgroup.ErrFormat},
		{"diskstats", "/proc/diskstats", " 8 0\n", cgroup.ErrFormat},
		{"diskstats without numbers", "/proc/diskstats", "x y z\n", cgroup.ErrFormat},
	} {
		a := hosts.Load(t, "6.12-debian13-v2-lxc")
		m := machine.New(t, a)
		who := m.Container(t, 2540)
		a.Files[tt.file] = tt.text
		var v view.View
		if err := m.Gatherer.Gather(&v, who, view.NeedDisks, m.Options); !errors.Is(err, tt.want) {
			t.Errorf("%s: got %v", tt.name, err)
		}
	}
	a := hosts.Load(t, "6.12-debian13-v2-lxc")
	m := machine.New(t, a)
	who := m.Container(t, 2540)
	a.Errors = map[string]error{"/proc/2540/status": syscall.ESRCH}
	var v view.View
	if err := m.Gatherer.Gather(&v, who, view.NeedDisks, m.Options); err != nil || v.Devices != nil {
		t.Errorf("one that is gone: got %v, %v", v.Devices, err)
	}
}

// What a container may open is asked for once a second.
func TestDevicesAreRemembered(t *testing.T) {
	a := hosts.Load(t, "6.12-debian13-v2-lxc")
	a.Files["/proc/2540/uid_map"] = hostUsers
	m := machine.New(t, a)
	who := m.Container(t, 2540)
	gather := func() int {
		var v view.View
		if err := m.Gatherer.Gather(&v, who, view.NeedDisks, m.Options); err != nil {
			t.Fatal(err)
		}
		return len(v.Devices)
	}
	before := gather()
	a.Files["/proc/2540/uid_map"] = ownUsers
	m.Now += 999 * time.Millisecond
	soon := gather()
	m.Now += time.Millisecond
	if later := gather(); before != 1 || soon != 1 || later != 0 {
		t.Errorf("got %d, then %d, and after a second %d, want 1, 1, 0", before, soon, later)
	}
}

// That it can't be found out is remembered as long.
func TestDeviceErrorsAreRemembered(t *testing.T) {
	a := hosts.Load(t, "6.12-debian13-v2-lxc")
	m := machine.New(t, a)
	who := m.Container(t, 2540)
	status := a.Files["/proc/2540/status"]
	gather := func() error {
		return m.Gatherer.Gather(new(view.View), who, view.NeedDisks, m.Options)
	}
	a.Files["/proc/2540/status"] = "CapBnd:\tx\n"
	before := gather()
	a.Files["/proc/2540/status"] = status // who asks again now is answered from memory
	soon := gather()
	m.Now += time.Second
	if later := gather(); !errors.Is(before, cgroup.ErrFormat) || !errors.Is(soon, cgroup.ErrFormat) || later != nil {
		t.Errorf("got %v, then %v, and after a second %v, want an error, the same, none", before, soon, later)
	}
}
