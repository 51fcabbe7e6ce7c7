package main

import (
	"errors"
	"fmt"
	"strings"
)

const usage = `Usage: mount.fuse.lxcfs SOURCE MOUNTPOINT [-sfnv] [-o OPTIONS]

Mounts lxcfs and hands the mount to the running daemon. Meant to be run by
mount(8):  mount -t fuse.lxcfs lxcfs MOUNTPOINT [-o OPTIONS]

Options of a mount, comma separated:
  cpu=auto|cpuset|quota   which CPUs a container sees
  loadavg, noloadavg      load averages of the container
  swap, noswap            swap in meminfo
  zswap, nozswap          zswap in meminfo
  psi-poll, nopsi-poll    poll(2) of pressure files
  cgroup, nocgroup        the cgroup tree; "cgroup" is served by lxcfs-cgroup.service
  ro, noatime, ...        the generic options of mount(8)

  -f  check this line, no mount    -v  say what was done
  -n, -s  accepted and ignored     -t TYPE  must be fuse.lxcfs
  --detach-dead MOUNTPOINT  take away a mount there whose daemon is gone for
      good, and mount nothing; for lxcfs-heal.service
  --help, --version

In fstab use nofail,x-systemd.requires=lxcfs.socket,x-systemd.after=lxcfs.socket
$LXCFS_MOUNT_SOCKET names another socket of the daemon than ` + "%s" + `

Exit status: 0 mounted, 1 usage or permission, 2 system error, 8 interrupted,
32 the mount failed or the daemon did not take it.
`

// arguments is the command line as libmount gives it: the two names first, then
// options, which may be bundled.
type arguments struct {
	source, target string
	options        string
	fake, verbose  bool
	help, version  bool
	detach         string // --detach-dead
}

// parseArguments does what getopt(3) does for "sfnvho:t:N:" and two long
// options.
func parseArguments(args []string) (a arguments, err error) {
	var names, options []string
	for len(args) > 0 {
		arg := args[0]
		args = args[1:]
		switch {
		case arg == "--help" || arg == "-h":
			a.help = true
		case arg == "--version" || arg == "-V":
			a.version = true
		case arg == "--detach-dead":
			if len(args) == 0 {
				return a, errors.New("--detach-dead needs a mountpoint")
			}
			a.detach, args = args[0], args[1:]
		case arg == "--":
			names = append(names, args...)
			args = nil
		case strings.HasPrefix(arg, "-") && arg != "-":
			if args, err = a.bundle(arg[1:], args, &options); err != nil {
				return a, err
			}
		default:
			names = append(names, arg)
		}
	}
	a.options = strings.Join(options, ",")
	if a.help || a.version || a.detach != "" && len(names) == 0 {
		return a, nil
	}
	if len(names) != 2 {
		return a, fmt.Errorf("want a source and a mountpoint, got %d names", len(names))
	}
	a.source, a.target = names[0], names[1]
	return a, nil
}

// bundle takes one argument of short options and returns the arguments left.
func (a *arguments) bundle(letters string, args []string, options *[]string) ([]string, error) {
	for i, letter := range letters {
		switch letter {
		case 's', 'n':
		case 'f':
			a.fake = true
		case 'v':
			a.verbose = true
		case 'o', 't', 'N':
			value := letters[i+1:]
			if value == "" {
				if len(args) == 0 {
					return nil, fmt.Errorf("option -%c needs a value", letter)
				}
				value, args = args[0], args[1:]
			}
			return args, a.value(letter, value, options)
		default:
			return nil, fmt.Errorf("unknown option -%c", letter)
		}
	}
	return args, nil
}

func (a *arguments) value(letter rune, value string, options *[]string) error {
	switch letter {
	case 'o':
		*options = append(*options, value)
	case 't':
		if value != "lxcfs" && value != "fuse.lxcfs" {
			return fmt.Errorf("type %q is not fuse.lxcfs", value)
		}
	case 'N':
		return errors.New("-N is not supported: run mount inside the other mount namespace")
	}
	return nil
}
