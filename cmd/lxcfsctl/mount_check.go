package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"linuxcontainers.org/lxcfs/units/mount"
)

// tellTimeout bounds the wait for the daemon's answer.
const tellTimeout = 5 * time.Second

func mountCheckVerb() *cobra.Command {
	return &cobra.Command{
		Use:   "mount-check MOUNTPOINT",
		Short: "tell the daemon why its mount does not come; for lxcfs-mount-check@.service",
		Long: `Looks why systemd has not mounted lxcfs at MOUNTPOINT, of those that units of lxcfs
mount, and tells the daemon that waits for it. It says nothing when all is well.`,
		Args: arguments(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			socket, p := placeOf(args[0])
			if socket == "" {
				return usageError{fmt.Errorf("no unit of lxcfs mounts %s", args[0])}
			}
			return checkPlace(cmd.Context(), thisMachine(cmd.Context()), socket, p)
		},
	}
}

func mountStopVerb() *cobra.Command {
	return &cobra.Command{
		Use:   "mount-stop UNIT",
		Short: "stop the mount of a service that is being stopped; for lxcfs.service",
		Long: `Has systemd stop the mount UNIT, var-lib-lxcfs.mount, when the service that serves it is
being stopped, and does nothing when that is being restarted. A mount that is just being
made is waited for.`,
		Args: arguments(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			p := standardPlace()
			if args[0] != p.unit {
				return usageError{fmt.Errorf("%s is no mount of lxcfs.service", args[0])}
			}
			return p.stop(cmd.Context(), thisMachine(cmd.Context()))
		},
	}
}

// foreignMount is there when what is mounted is not of our making (lxcfs-heal.service).
const foreignMount = "/run/lxcfs/foreign"

// mountTries times mountPause is how long a mount that is being made is waited for.
const (
	mountTries = 50
	mountPause = 100 * time.Millisecond
)

// stop stops the mount with its service. systemd would kill a mount(8) that is at
// work, and leave what that has mounted.
func (p place) stop(ctx context.Context, w *world) error {
	if w.job(p.service) != "stop" || w.exists(foreignMount) {
		return nil
	}
	if err := p.await(ctx, w); err != nil {
		return err
	}
	_, err := w.run("systemctl", "stop", p.unit) // to its end: a start could take a job back that has not begun
	return err
}

// await waits a while for the end of what systemd does to make the mount.
func (p place) await(ctx context.Context, w *world) error {
	for range mountTries {
		if w.job(p.unit) != "start" {
			break
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(mountPause):
		}
	}
	return nil
}

// job is what systemd is about to do with a unit, such as "start"; "" for nothing.
func (w *world) job(unit string) string {
	out, err := w.run("systemctl", "list-jobs", "--no-legend", unit)
	if f := strings.Fields(out); err == nil && len(f) == 4 { // 123 lxcfs.service stop running
		return f[2]
	}
	return ""
}

// place is where a unit of ours mounts.
type place struct{ mountpoint, unit, service string }

// standardPlace is that of lxcfs.service.
func standardPlace() place {
	return place{mount.Home(mount.Socket), "var-lib-lxcfs.mount", "lxcfs.service"}
}

// placeOf returns the place with a mountpoint, and the socket of its daemon; "" when
// there is none.
func placeOf(mountpoint string) (socket string, p place) {
	switch mountpoint {
	case mount.Home(mount.Socket):
		return mount.Socket, standardPlace()
	case mount.Home(mount.CgroupSocket):
		return mount.CgroupSocket, place{mountpoint, "var-lib-lxcfs.cgroup.mount", "lxcfs-cgroup.service"}
	}
	return "", place{}
}

// checkPlace tells the daemon behind the socket why there is no mount, if it waits.
// A message would start it otherwise. Where the service was started anew since, what
// this start comes to counts, and not the last one.
func checkPlace(ctx context.Context, w *world, socket string, p place) error {
	o := p.why(w)
	if o.text == "" || w.property(p.service, "ActiveState") != "activating" {
		return nil
	}
	if w.job(p.unit) == "start" {
		if err := p.await(ctx, w); err != nil {
			return err
		}
		if o = p.why(w); o.text == "" {
			return nil
		}
	}
	ctx, cancel := context.WithTimeout(ctx, tellTimeout)
	defer cancel()
	err := mount.Tell(ctx, socket, mount.Failure{Mountpoint: p.mountpoint, Reason: errors.New(o.String())})
	if refused := new(mount.RefusedError); err != nil && !errors.As(err, &refused) {
		return err
	}
	return nil
}

// obstacle is what stands in the way of a mount, and what to do; zero: nothing.
type obstacle struct{ text, mend string }

// String is both in one sentence.
func (o obstacle) String() string { return o.text + ": " + o.mend }

// why says why systemd has not made the mount, whose job is done.
func (p place) why(w *world) obstacle {
	if o, mounted := p.inTheWay(w); mounted || o.text != "" {
		return o
	}
	switch w.property(p.unit, "LoadState") {
	case "masked":
		return obstacle{p.unit + " is masked", "systemctl unmask " + p.unit}
	case "not-found":
		return obstacle{p.unit + " is not installed", "install the package lxcfs"}
	}
	look := "systemctl status " + p.unit
	switch skipped := w.property(p.unit, "ConditionResult") == "no"; {
	case w.property(p.unit, "ActiveState") == "failed":
		if !w.exists(mountHelper) {
			return obstacle{"mount(8) has no helper for lxcfs: " + mountHelper + " is not there", "install the package lxcfs"}
		}
		return obstacle{fmt.Sprintf("%s has failed (%s)", p.unit, w.property(p.unit, "Result")), look}
	case skipped && !w.exists(mount.Device):
		return obstacle{"there is no " + mount.Device, "modprobe fuse; in a container, let it have the device"}
	case skipped && w.property(p.unit, "ConditionTimestamp") != "": // it was asked
		return obstacle{"systemd has left out " + p.unit + ", by a condition of it", look}
	}
	return obstacle{}
}

// mountHelper is where mount(8) looks for the helper of our type first.
const mountHelper = "/sbin/mount." + mount.FSType

// inTheWay looks at the mountpoint, but not at a mount on it, which could wait for a
// daemon that is away. mounted says that lxcfs is there.
func (p place) inTheWay(w *world) (o obstacle, mounted bool) {
	table, err := mount.ReadTable(w.files)
	if err != nil {
		return obstacle{err.Error(), "mount -t proc proc /proc"}, false
	}
	e, any := table.At(p.mountpoint)
	switch {
	case any && e.Ours() && e.Root == "/":
		return obstacle{}, true
	case any && e.Ours():
		return obstacle{fmt.Sprintf("%s of lxcfs is mounted on %s, and not its root", e.Root, p.mountpoint), p.lay(table)}, false
	case any && (e.Root == "/" || strings.HasPrefix(e.FSType, "fuse")): // as mount.Inspect has it
		return obstacle{fmt.Sprintf("a file system of type %s is mounted on %s", e.FSType, p.mountpoint), p.lay(table)}, false
	}
	mode, err := w.lstat(p.mountpoint)
	switch {
	case errors.Is(err, fs.ErrNotExist), err == nil && mode.IsDir():
		return obstacle{}, false
	case err != nil:
		return obstacle{err.Error(), "make it a directory: mkdir -p " + p.mountpoint}, false
	}
	kind := "a file"
	if mode&fs.ModeSymlink != 0 {
		kind = "a symbolic link, where systemd mounts nothing"
	}
	return obstacle{p.mountpoint + " is " + kind, fmt.Sprintf("mv %s %s.old; systemctl restart %s", p.mountpoint, p.mountpoint, p.service)}, false
}

// lay takes away what is mounted over ours, or in its place: then all starts anew.
func (p place) lay(t mount.Table) string {
	umount := "umount " + p.mountpoint
	for _, e := range t.Ours() {
		if e.MountPoint == p.mountpoint && e.Root == "/" {
			return umount
		}
	}
	return umount + "; systemctl restart " + p.service
}
