package view

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"sync"
	"syscall"
	"time"

	"linuxcontainers.org/lxcfs/cgroup"
	"linuxcontainers.org/lxcfs/cgroup/container"
	"linuxcontainers.org/lxcfs/cgroup/hostfile"
	"linuxcontainers.org/lxcfs/cgroup/procpid"
)

// Devices are block devices that a container may open.
type Devices []cgroup.DeviceRule

// Has says whether a device is one of them.
func (d Devices) Has(major, minor uint32) bool {
	for _, r := range d {
		if r.Has(major, minor) {
			return true
		}
	}
	return false
}

// AllDevices are those of the host.
func AllDevices() Devices { return Devices{{Major: cgroup.AnyNumber, Minor: cgroup.AnyNumber}} }

// knownDevices remembers the Devices of containers. Safe for concurrent use.
type knownDevices struct {
	mu   sync.Mutex // guards what follows
	seen map[container.Key]deviceFacts
}

// deviceFacts are what a container may open, or why that is not known, and until
// when that is believed.
type deviceFacts struct {
	devices Devices // not changed any more
	err     error
	until   time.Duration
}

// What a container may open is looked up once a second at most, and in one part
// of deviceShare of the time if that takes long (a hostile container may have
// 100000 mounts). maxDeviceFacts bounds how many containers are remembered.
const (
	deviceAge      = time.Second
	deviceShare    = 64
	maxDeviceFacts = 4096
)

// maxMounts is how much of a mountinfo is read, bytes: some thousand mounts. A
// container can make as many as it likes, after those of its runtime.
const maxMounts = 1 << 20

// get returns what is known of a container. When it returns false the caller has
// to look it up; others go by what was known until then.
func (k *knownDevices) get(key container.Key, now time.Duration) (deviceFacts, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	f, ok := k.seen[key]
	if !ok || now < f.until {
		return f, ok
	}
	f.until = now + deviceAge
	k.seen[key] = f
	return f, false
}

func (k *knownDevices) put(key container.Key, f deviceFacts, now time.Duration) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.seen == nil {
		k.seen = make(map[container.Key]deviceFacts)
	}
	if len(k.seen) >= maxDeviceFacts {
		for old, f := range k.seen {
			if f.until <= now {
				delete(k.seen, old)
			}
		}
	}
	if len(k.seen) < maxDeviceFacts {
		k.seen[key] = f
	}
}

// readDevices finds out which block devices a container may open, from what
// everybody may read:
//
//   - a process in the initial user namespace may make a node for whatever the
//     device policy allows with CAP_MKNOD, or has a node for each device of the
//     host where a whole devtmpfs is mounted;
//   - a node may have been made for it by the runtime: then the policy names it;
//   - or been bound from the host's devtmpfs, which mountinfo shows; in a user
//     namespace, which can make no nodes, there are no others. The first
//     maxMounts bytes count.
//
// Where the policy can't be seen (see [cgroup.Host.ReadDevicePolicy]) all devices
// count as allowed to who has CAP_SYS_ADMIN: he may mount the kernel's own sysfs,
// which hides nothing, and none to others.
func (g *Gatherer) readDevices(c *container.Container) (Devices, error) {
	pid := c.InitPID
	if pid == 0 {
		_, err := g.host.WalkProcs(c.Membership, 1, func(p uint32) bool { pid = p; return false })
		if pid == 0 {
			return nil, passing(err)
		}
	}
	dir := procpid.Dir(pid)
	r, err := g.rightsOf(dir, c.InitPID != 0)
	if err != nil {
		return nil, passing(err)
	}
	policy, err := g.host.ReadDevicePolicy(c.Membership)
	if err != nil {
		return nil, passing(err)
	}
	trusted := r.initial && (policy.Own || r.has(capSysAdmin))
	if trusted && r.has(capMknod) {
		return policy.Rules, nil
	}
	mounts, err := hostfile.AppendHead(g.host.FS, nil, dir+"/mountinfo", maxMounts)
	if err != nil {
		return nil, passing(err)
	}
	names, whole := devtmpfsNodes(mounts)
	var devices Devices
	for _, rule := range policy.Rules {
		if trusted && (whole && r.has(capDacOverride) || policy.Own && rule.Single()) {
			devices = append(devices, rule)
		}
	}
	for _, name := range names {
		node, err := g.host.DeviceOf(name)
		if err == nil && !devices.Has(node.Major, node.Minor) && Devices(policy.Rules).Has(node.Major, node.Minor) {
			devices = append(devices, node)
		}
	}
	return devices, nil
}

// passing leaves out errors that say that a process or its cgroup is gone: it
// opens nothing any more.
func passing(err error) error {
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ESRCH) || errors.Is(err, syscall.ENODEV) || errors.Is(err, cgroup.ErrLimit) {
		return nil
	}
	return err
}

// Capabilities, by their numbers (include/uapi/linux/capability.h).
const (
	capDacOverride = 1
	capSysAdmin    = 21
	capMknod       = 27
)

// rights are what a process is allowed.
type rights struct {
	initial      bool // it is in the initial user namespace
	capabilities uint64
}

func (r rights) has(capability int) bool { return r.capabilities>>capability&1 == 1 }

// rightsOf reads the rights of a process. What counts of an init is its bounding
// set, for its runtime enters with that (docker exec), and programs that are
// set-user-ID root get it; of a service, what it is permitted.
func (g *Gatherer) rightsOf(dir string, init bool) (r rights, err error) {
	set := "CapPrm"
	if init {
		set = "CapBnd"
	}
	text, err := g.host.FS.Append(nil, dir+"/status")
	if err != nil {
		return r, err
	}
	line := procpid.Status(text).Line(set)
	if r.capabilities, err = line.Mask(); line != nil && err != nil {
		return r, fmt.Errorf("%s/status: %w", dir, err)
	}
	// CONFIG_USER_NS=n has no such file; then nobody counts as privileged.
	text, err = g.host.FS.Append(text[:0], dir+"/uid_map")
	if err != nil {
		return r, passing(err)
	}
	r.initial = identity(text)
	return r, nil
}

// identity says whether a /proc/PID/uid_map, user_namespaces(7), is that of the
// initial user namespace, which nobody but root can give to another one:
//
//	0          0 4294967295
func identity(uidMap []byte) bool {
	f := bytes.Fields(uidMap)
	return len(f) == 3 && string(f[0]) == "0" && string(f[1]) == "0" && string(f[2]) == "4294967295"
}

// devtmpfsNodes returns what of the host's devtmpfs is mounted in a mount
// namespace: names of files, as in /proc/partitions if they are block devices,
// and whether all of it is, by /proc/PID/mountinfo:
//
//	26 23 0:6 / /dev rw,nosuid shared:9 - devtmpfs devtmpfs rw,size=4096k
//	205 198 0:6 /loop0 /dev/loop0 rw,nosuid shared:146 master:9 - devtmpfs devtmpfs rw
//
// The last line may be cut off.
func devtmpfsNodes(mountinfo []byte) (names []string, whole bool) {
	const maxNames = 256
	for line := range bytes.Lines(mountinfo) {
		m, err := procpid.ParseMount(line)
		if err != nil || string(m.FSType) != "devtmpfs" {
			continue
		}
		switch root := m.Root.String(); {
		case root == "/":
			whole = true
		case len(names) < maxNames && !slices.Contains(names, root[1:]):
			names = append(names, root[1:])
		}
	}
	return names, whole
}
