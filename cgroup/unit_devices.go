package cgroup

import (
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// unitDirs are where the system manager looks for units, the first first
// (systemd.unit(5)), those of generators left out.
func unitDirs() []string {
	return []string{
		"/etc/systemd/system.control", "/run/systemd/system.control", "/run/systemd/transient",
		"/etc/systemd/system", "/run/systemd/system", "/usr/local/lib/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system",
	}
}

// readUnitDevices returns the device policy of a unit of the system manager, as
// its files have it (systemd.resource-control(5)). The error is fs.ErrNotExist
// for a unit without files, such as a scope that systemd did not make.
func (h *Host) readUnitDevices(name string) (DevicePolicy, error) {
	u := unitPolicy{host: h}
	var from Origin
	for _, file := range h.unitFiles(name) {
		text, err := h.FS.Append(nil, file)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return DevicePolicy{}, err
		}
		if from.file == "" {
			from.file = file
		}
		u.parse(string(text))
	}
	if from.file == "" {
		return DevicePolicy{}, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return DevicePolicy{Rules: u.result(), From: from}, nil
}

// unitFiles returns the names of a unit's file and of its drop-ins, in the order
// in which systemd reads them.
func (h *Host) unitFiles(name string) []string {
	if name == "" {
		return nil
	}
	names := []string{name}
	if at, dot := strings.IndexByte(name, '@'), strings.LastIndexByte(name, '.'); at >= 0 && at < dot {
		names = append(names, name[:at+1]+name[dot:]) // its template
	}
	var files []string
	for _, n := range names {
		for _, dir := range unitDirs() {
			if _, err := h.FS.Stat(dir + "/" + n); err == nil && files == nil {
				files = append(files, dir+"/"+n)
			}
		}
	}
	dropIns := make(map[string]string) // of each name the first that there is
	for _, n := range names {
		for _, dir := range unitDirs() {
			list, err := h.FS.ReadDir(dir + "/" + n + ".d")
			if err != nil {
				continue
			}
			for _, file := range list {
				if _, known := dropIns[file]; !known && strings.HasSuffix(file, ".conf") {
					dropIns[file] = dir + "/" + n + ".d/" + file
				}
			}
		}
	}
	order := make([]string, 0, len(dropIns))
	for file := range dropIns {
		order = append(order, file)
	}
	slices.Sort(order)
	for _, file := range order {
		files = append(files, dropIns[file])
	}
	return files
}

// unitPolicy is what the lines of unit files said so far.
type unitPolicy struct {
	host       *Host
	restricted bool // DevicePolicy= is not "auto"
	private    bool // PrivateDevices=
	allowed    bool // DeviceAllow= is there
	rules      []DeviceRule
}

// parse reads the lines of a unit file that are about devices:
//
//	DevicePolicy=strict
//	DeviceAllow=
//	DeviceAllow=/dev/block/7:0 rwm
//	DeviceAllow=block-loop rwm
//	DeviceAllow=/dev/sda r
//	DeviceAllow=char-pts rwm
//
// An empty DeviceAllow= drops those before. Without DevicePolicy=closed or strict
// all is allowed until there is a DeviceAllow=.
func (u *unitPolicy) parse(text string) {
	for line := range strings.Lines(text) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		value = strings.TrimSpace(value)
		switch strings.TrimSpace(key) {
		case "DevicePolicy":
			u.restricted = value == "closed" || value == "strict"
		case "PrivateDevices":
			u.private = slices.Contains([]string{"1", "yes", "y", "true", "t", "on"}, strings.ToLower(value))
		case "DeviceAllow":
			if u.allowed = value != ""; !u.allowed {
				u.rules = nil
			} else {
				u.allow(strings.Fields(value))
			}
		}
	}
}

// allow adds the rules of one DeviceAllow=. What is not there, or not of block
// devices, adds none.
func (u *unitPolicy) allow(words []string) {
	node := words[0]
	if len(words) > 1 && !strings.ContainsAny(words[1], "rw") {
		return
	}
	if numbers, ok := strings.CutPrefix(node, "/dev/block/"); ok {
		if r, ok := parseDeviceRule([]byte(numbers)); ok && r.Single() {
			u.rules = append(u.rules, r)
		}
		return
	}
	if name, ok := strings.CutPrefix(node, "/dev/"); ok {
		if r, err := u.host.DeviceOf(name); err == nil {
			u.rules = append(u.rules, r)
		}
		return
	}
	if group, ok := strings.CutPrefix(node, "block-"); ok {
		u.rules = append(u.rules, u.host.deviceGroup(group)...)
	}
}

// deviceGroup returns the rules of a group of block devices: a driver's name in
// /proc/devices, which may be a pattern, or a major number. That is what crun
// writes for the device with minor number 0, too.
func (h *Host) deviceGroup(group string) []DeviceRule {
	if group == "*" {
		return []DeviceRule{{AnyNumber, AnyNumber}}
	}
	if r, ok := parseDeviceRule([]byte(group + ":0")); ok {
		return []DeviceRule{r, {r.Major, AnyNumber}}
	}
	text, err := h.FS.Append(nil, "/proc/devices")
	if err != nil {
		return nil
	}
	var rules []DeviceRule
	for _, major := range parseBlockMajors(text, func(driver string) bool { m, err := path.Match(group, driver); return m && err == nil }) {
		rules = append(rules, DeviceRule{major, AnyNumber})
	}
	return rules
}

// result returns the rules of all that was parsed.
func (u *unitPolicy) result() []DeviceRule {
	if u.restricted || u.private || u.allowed {
		return u.rules
	}
	return []DeviceRule{{AnyNumber, AnyNumber}}
}
