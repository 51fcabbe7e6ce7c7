package cgroup

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"slices"
	"strings"
)

// AnyNumber stands for every number in a [DeviceRule]; no device has it.
const AnyNumber = math.MaxUint32

// DeviceRule lets block devices be read or written: those of a major and a minor
// number.
type DeviceRule struct{ Major, Minor uint32 }

// Has says whether the rule is about a device.
func (r DeviceRule) Has(major, minor uint32) bool {
	return (r.Major == AnyNumber || r.Major == major) && (r.Minor == AnyNumber || r.Minor == minor)
}

// Single says whether the rule names one device.
func (r DeviceRule) Single() bool { return r.Major != AnyNumber && r.Minor != AnyNumber }

// DevicePolicy is what the device controller of a cgroup allows.
type DevicePolicy struct {
	Rules []DeviceRule
	// From is where it comes from: devices.list, or the first file of a unit and
	// the cgroup that systemd made for that; the zero Origin where it is not known.
	From Origin
	// Own: it is all that binds the cgroup. Otherwise there may be more.
	Own bool
}

// ReadDevicePolicy returns what m's cgroup may open. That is exact on v1, where
// devices.list says it. On v2 the policy is a BPF program, which only root can
// see; what systemd was told to make one of is in files that everybody may read,
// and that is how Docker, Podman and nspawn order theirs. Where there is none
// (LXC has a program of its own) anything may be allowed, and Own is false.
func (h *Host) ReadDevicePolicy(m Membership) (DevicePolicy, error) {
	p, err := h.place(m, "devices")
	if err == nil && p.hierarchy.Version == 1 {
		return h.readDevicesList(p)
	}
	_, path := h.Identity(m)
	u := UnitOf(path)
	everything := DevicePolicy{Rules: []DeviceRule{{AnyNumber, AnyNumber}}}
	if u.Name == "" || u.User != "" {
		return everything, nil
	}
	policy, err := h.readUnitDevices(u.Name)
	if errors.Is(err, fs.ErrNotExist) {
		return everything, nil
	}
	policy.From.path = u.Path
	// What is deeper than where a runtime puts its container has been put there
	// by somebody inside, who may have given it less.
	rest := strings.TrimPrefix(path, u.Path)
	policy.Own = rest == "" || rest == "/container" || rest == "/payload"
	return policy, err
}

func (h *Host) readDevicesList(p place) (DevicePolicy, error) {
	const file = "devices.list"
	name := p.dir + "/" + file
	buf := h.buffer()
	defer h.release(buf)
	var err error
	if *buf, err = h.FS.Append((*buf)[:0], name); err != nil {
		return DevicePolicy{}, err
	}
	rules, err := parseDevicesList(*buf)
	if err != nil {
		return DevicePolicy{}, fmt.Errorf("%s: %w", name, err)
	}
	return DevicePolicy{Rules: rules, From: p.origin(file), Own: true}, nil
}

// parseDevicesList parses v1 devices.list
// (Documentation/admin-guide/cgroup-v1/devices.rst) and returns the rules of
// block devices that let them be read or written:
//
//	b 7:* rwm
//	c 1:3 rwm
//	a *:* rwm
//
// The third is all that there is in a cgroup that may open everything; exceptions
// from that are not shown by the kernel.
func parseDevicesList(content []byte) ([]DeviceRule, error) {
	var rules []DeviceRule
	for len(content) > 0 {
		line, rest, terminated := cutLine(content)
		content = rest
		kind, tail := cutField(line)
		device, access := cutField(tail)
		r, ok := parseDeviceRule(device)
		if !ok || !terminated || len(kind) != 1 || len(access) == 0 {
			return nil, formatError(line)
		}
		if kind[0] != 'c' && bytes.ContainsAny(access, "rw") {
			rules = append(rules, r)
		}
	}
	return rules, nil
}

// parseDeviceRule parses "7:0", "7:*" and "*:*".
func parseDeviceRule(b []byte) (r DeviceRule, ok bool) {
	const bits12, bits20 = 1 << 12, 1 << 20 // MAJOR, MINOR: include/linux/kdev_t.h
	high, low, _ := bytes.Cut(b, []byte(":"))
	var ok1, ok2 bool
	r.Major, ok1 = parseDeviceNumber(high, bits12)
	r.Minor, ok2 = parseDeviceNumber(low, bits20)
	return r, ok1 && ok2
}

func parseDeviceNumber(b []byte, end uint64) (uint32, bool) {
	if string(b) == "*" {
		return AnyNumber, true
	}
	n, ok := parseDigits(b)
	return uint32(n), ok && n < end
}

// DeviceOf returns the device of a name as in /proc/partitions, fs.ErrNotExist
// for one that is no block device.
func (h *Host) DeviceOf(name string) (DeviceRule, error) {
	// "/" in a name is "!" in sysfs (cciss!c0d0).
	file := "/sys/class/block/" + strings.ReplaceAll(name, "/", "!") + "/dev"
	text, err := h.FS.Append(nil, file)
	if err != nil {
		return DeviceRule{}, err
	}
	r, ok := parseDeviceRule(bytes.TrimSuffix(text, []byte("\n")))
	if !ok || !r.Single() {
		return DeviceRule{}, fmt.Errorf("%s: %w", file, formatError(text))
	}
	return r, nil
}

// parseBlockMajors returns the major numbers of the drivers that match, from
// /proc/devices:
//
//	Character devices:
//	  1 mem
//
//	Block devices:
//	  7 loop
//	259 blkext
func parseBlockMajors(content []byte, match func(driver string) bool) []uint32 {
	var majors []uint32
	_, content, _ = bytes.Cut(content, []byte("Block devices:\n"))
	for line := range bytes.Lines(content) {
		f := bytes.Fields(line)
		if len(f) != 2 || !match(string(f[1])) {
			continue
		}
		if n, ok := parseDigits(f[0]); ok && n < AnyNumber && !slices.Contains(majors, uint32(n)) {
			majors = append(majors, uint32(n))
		}
	}
	return majors
}
