package mount

import (
	"fmt"
	"strings"

	"golang.org/x/sys/unix"
)

// Options is the -o string of a mount, split by who understands each option.
type Options struct {
	// Flags are mount(2)'s MS_ flags.
	Flags uintptr
	// Lxcfs are the remaining options, comma separated in the order given.
	// They are the daemon's to judge.
	Lxcfs string
}

// flag is what a generic mount option does to the flags.
type flag struct{ set, clear uintptr }

const atimeFlags = unix.MS_NOATIME | unix.MS_RELATIME | unix.MS_STRICTATIME

// genericFlags are the filesystem-independent options of mount(8) that act on
// mount(2)'s flags. suid and dev are missing on purpose: see [ParseOptions].
func genericFlags() map[string]flag {
	return map[string]flag{
		"ro":            {set: unix.MS_RDONLY},
		"rw":            {clear: unix.MS_RDONLY},
		"nosuid":        {set: unix.MS_NOSUID},
		"nodev":         {set: unix.MS_NODEV},
		"noexec":        {set: unix.MS_NOEXEC},
		"exec":          {clear: unix.MS_NOEXEC},
		"sync":          {set: unix.MS_SYNCHRONOUS},
		"async":         {clear: unix.MS_SYNCHRONOUS},
		"dirsync":       {set: unix.MS_DIRSYNC},
		"remount":       {set: unix.MS_REMOUNT},
		"atime":         {clear: unix.MS_NOATIME},
		"noatime":       {set: unix.MS_NOATIME, clear: atimeFlags},
		"relatime":      {set: unix.MS_RELATIME, clear: atimeFlags},
		"norelatime":    {clear: unix.MS_RELATIME},
		"strictatime":   {set: unix.MS_STRICTATIME, clear: atimeFlags},
		"nostrictatime": {clear: unix.MS_STRICTATIME},
		"diratime":      {clear: unix.MS_NODIRATIME},
		"nodiratime":    {set: unix.MS_NODIRATIME},
		"lazytime":      {set: unix.MS_LAZYTIME},
		"nolazytime":    {clear: unix.MS_LAZYTIME},
		"silent":        {set: unix.MS_SILENT},
		"loud":          {clear: unix.MS_SILENT},
		"symfollow":     {clear: unix.MS_NOSYMFOLLOW},
		"nosymfollow":   {set: unix.MS_NOSYMFOLLOW}, // since Linux 5.10
	}
}

// ignored are options that fstab, mount(8) or an upstream command line may
// carry and that say nothing here: some are for other readers of fstab,
// allow_other and nonempty are always in force, and lxcfs itself checks the
// permissions that default_permissions has the kernel check.
func ignored(name string) bool {
	switch name {
	case "defaults", "auto", "noauto", "user", "nouser", "users", "owner", "group",
		"_netdev", "nofail", "mand", "nomand", "suid", "dev",
		"allow_other", "default_permissions", "nonempty":
		return true
	}
	return strings.HasPrefix(name, "x-") || strings.HasPrefix(name, "X-") ||
		strings.HasPrefix(name, "comment=")
}

// ParseOptions splits a comma separated option string.
//
//	rw,nosuid,cpu=quota,noswap
//	ro,x-systemd.requires=lxcfs.socket,psi-poll
//
// The flags begin as nosuid, nodev and noexec. The mount shows text made by an
// unprivileged process: "exec" lifts the last (for a runtime that cannot
// remount a bind of a noexec mount inside a user namespace), but "suid" and
// "dev" are without effect. A NUL byte is an error, since mount(2) would cut
// the string there; an empty option is not.
func ParseOptions(s string) (Options, error) {
	o := Options{Flags: unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC}
	if strings.ContainsRune(s, 0) {
		return o, fmt.Errorf("mount options contain a NUL byte: %q", s)
	}
	flags := genericFlags()
	var lxcfs []string
	for name := range strings.SplitSeq(s, ",") {
		if f, ok := flags[name]; ok {
			o.Flags = o.Flags&^f.clear | f.set
		} else if name != "" && !ignored(name) {
			lxcfs = append(lxcfs, name)
		}
	}
	o.Lxcfs = strings.Join(lxcfs, ",")
	return o, nil
}
