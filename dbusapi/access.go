package dbusapi

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/godbus/dbus/v5"

	"linuxcontainers.org/lxcfs/cgroup/hostfile"
	"linuxcontainers.org/lxcfs/cgroup/procpid"
)

// Access says who may know of a process: whoever could read its /proc/PID.
type Access struct {
	// Hidden: /proc is mounted with hidepid=, so that others than the owner
	// and the members of GID see nothing of a process; proc(5).
	Hidden bool
	GID    uint32
	// Alone: not even the members of GID are exempt (hidepid=ptraceable).
	Alone bool

	files hostfile.FS
}

// ReadAccess reads the rules in force; without knowledge of them everything is
// hidden.
func ReadAccess(files hostfile.FS) Access {
	a := Access{Hidden: true, files: files}
	content, err := files.Append(nil, "/proc/self/mountinfo")
	if err != nil {
		return a
	}
	for line := range bytes.Lines(content) {
		m, err := procpid.ParseMount(line)
		if err == nil && string(m.Point) == "/proc" && string(m.FSType) == "proc" && m.Options != nil {
			a.parse(string(m.Options)) // of mounts over each other the last one counts
		}
	}
	return a
}

// parse parses the options of procfs, as in mountinfo; hidepid is a number before
// Linux 5.8, and a word from then on.
//
//	rw,gid=26,hidepid=invisible
func (a *Access) parse(options string) {
	a.Hidden, a.Alone, a.GID = false, false, 0
	for option := range strings.SplitSeq(options, ",") {
		key, value, _ := strings.Cut(option, "=")
		switch key {
		case "hidepid":
			a.Hidden = value != "0" && value != "off"
			a.Alone = value == "4" || value == "ptraceable"
		case "gid":
			if n, err := strconv.ParseUint(value, 10, 32); err == nil {
				a.GID = uint32(n)
			}
		}
	}
}

// caller is who sent a message.
type caller struct {
	uid    uint32
	groups []uint32
}

// sees says whether the caller may know of a process; pid 0 is none, a
// container without an init.
func (a Access) sees(c caller, pid uint32) bool {
	if !a.Hidden || c.uid == 0 || !a.Alone && slices.Contains(c.groups, a.GID) {
		return true
	}
	if pid == 0 {
		return false
	}
	info, err := a.files.Stat(fmt.Sprintf("/proc/%d", pid))
	return err == nil && info.UID == c.uid
}

// reads says whether the caller could read the host's own version of a file.
func (a Access) reads(c caller, file string) bool {
	if c.uid == 0 {
		return true
	}
	info, err := a.files.Stat(file)
	return err == nil && info.Mode&0o004 != 0
}

// caller asks the bus who sends a message. Unique names are never used again.
func (c *call) caller() (caller, error) {
	var credentials map[string]dbus.Variant
	err := c.bus(func(bus dbus.BusObject) error {
		return bus.Call("org.freedesktop.DBus.GetConnectionCredentials", 0, c.sender).Store(&credentials)
	})
	if err != nil {
		return caller{}, err
	}
	uid, ok := credentials["UnixUserID"].Value().(uint32)
	if !ok {
		return caller{}, newError(errorAccessDenied, "the bus does not know the user of %s", c.sender)
	}
	groups, _ := credentials["UnixGroupIDs"].Value().([]uint32)
	return caller{uid, groups}, nil
}

// mayKnow returns ErrNoSuchProcess when the caller may not know of a process.
func (c *call) mayKnow(pid uint32) error {
	access := c.manager.Access()
	if !access.Hidden {
		return nil
	}
	who, err := c.caller()
	if err != nil {
		return err
	}
	if !access.sees(who, pid) {
		return fmt.Errorf("%w: %d", ErrNoSuchProcess, pid)
	}
	return nil
}

// mayRead returns an error when the caller may not read a file's content.
func (c *call) mayRead(file string) error {
	access := c.manager.Access()
	if access.reads(caller{uid: ^uint32(0)}, file) {
		return nil
	}
	who, err := c.caller()
	if err != nil {
		return err
	}
	if !access.reads(who, file) {
		return newError(errorAccessDenied, "%s is for root only", file)
	}
	return nil
}

// containers returns the containers that the caller may know of.
func (c *call) containers() ([]Container, error) {
	all := c.manager.Containers()
	access := c.manager.Access()
	if !access.Hidden {
		return all, nil
	}
	who, err := c.caller()
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(all, func(k Container) bool { return !access.sees(who, k.InitPID) }), nil
}
