package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"linuxcontainers.org/lxcfs/cgroup"
	"linuxcontainers.org/lxcfs/cgroup/hostfile"
	"linuxcontainers.org/lxcfs/fs/container"
	"linuxcontainers.org/lxcfs/hooks/attach"
)

// attachTimeout bounds the work on one container: a daemon that is away makes
// it wait.
const attachTimeout = 30 * time.Second

// attaching is what the command line of attach and detach says.
type attaching struct {
	request attach.Request
	all     bool
	verbose bool
}

const attachHelp = `Binds the files of lxcfs over those of containers that run already, of any
runtime. A container is named by a process id, by NAME or RUNTIME/NAME (lxc/web,
nspawn/web), by the first digits of its id (docker, podman, Kubernetes), or by
its unit. Either all of its files are attached, or none; what is attached already
stays as it is.

Mounts of an lxcfs that died are replaced. --all does that everywhere, also in
units and nested containers, and attaches every container that a runtime made:
so a host changes from another lxcfs to this one, and no container is restarted.`

func attachVerb() *cobra.Command {
	var a attaching
	cmd := &cobra.Command{
		Use:   "attach {CONTAINER|PID...|--all}",
		Short: "bind the files of lxcfs into containers that run",
		Long:  attachHelp,
		RunE:  func(cmd *cobra.Command, args []string) error { return a.run(cmd, args) },
	}
	a.flags(cmd)
	cmd.Flags().BoolVar(&a.request.ReplaceLive, "replace", false, "also replace the mounts of another lxcfs that is alive")
	return cmd
}

func detachVerb() *cobra.Command {
	a := attaching{request: attach.Request{Detach: true}}
	cmd := &cobra.Command{
		Use:   "detach {CONTAINER|PID...|--all}",
		Short: "take the files of lxcfs away from containers that run",
		Long: `Unmounts what is mounted of any lxcfs below /proc and /sys in containers that run.
They see the host's numbers then. Containers are named as for attach.`,
		RunE: func(cmd *cobra.Command, args []string) error { return a.run(cmd, args) },
	}
	a.flags(cmd)
	return cmd
}

func (a *attaching) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.BoolVar(&a.all, "all", false, "all containers")
	f.BoolVarP(&a.request.DryRun, "dry-run", "n", false, "change nothing, say what would be done")
	f.BoolVarP(&a.verbose, "verbose", "v", false, "say what is done about each file")
	treeFlag(cmd, &a.request.Tree)
}

// run works on one container after another; an error of one does not keep the
// others from it.
func (a *attaching) run(cmd *cobra.Command, args []string) error {
	if a.all == (len(args) > 0) {
		return usageError{errors.New("name containers, or give --all")}
	}
	found, err := a.found(args)
	if err != nil {
		return err
	}
	var errs []error
	for _, f := range found {
		err := a.one(cmd.Context(), cmd.OutOrStdout(), f)
		if a.all && errors.Is(err, attach.ErrGone) {
			continue // it ended meanwhile
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// found lists the mount namespaces to work on.
func (a *attaching) found(names []string) ([]attach.Found, error) {
	host, err := cgroup.Detect(hostfile.OS{})
	if err != nil {
		return nil, err
	}
	all, err := attach.Scan(container.New(host, container.Options{}), a.request.Tree)
	if err != nil {
		return nil, err
	}
	if a.all {
		return all, nil
	}
	var found []attach.Found
	for _, name := range names {
		some, err := attach.Select(all, name)
		if err != nil {
			return nil, err
		}
		found = append(found, some...)
	}
	return found, nil
}

func (a *attaching) one(ctx context.Context, out io.Writer, f attach.Found) error {
	request := a.request
	if a.all && !f.Known() {
		if !f.Stale || request.Detach {
			return nil
		}
		request.Heal = true
	}
	target, err := attach.Open(f.PID)
	if err != nil {
		return err
	}
	defer target.Close()
	target.Name = f.Name()
	ctx, cancel := context.WithTimeout(ctx, attachTimeout)
	defer cancel()
	result, err := attach.Run(ctx, target, request)
	if a.all && (errors.Is(err, attach.ErrDaemon) || errors.Is(err, attach.ErrHost)) {
		return nil // this program's own, where lxcfs itself runs in a container
	}
	if err != nil {
		return err
	}
	if !request.Heal || result.Changed() {
		return report(screenOf(out), target.String(), result, a.verbose || request.DryRun)
	}
	return nil
}

// report prints one line for the container and, on demand, one for each file.
func report(s screen, container string, r attach.Result, files bool) error {
	count := make(map[attach.Action]int)
	for _, c := range r.Changes {
		count[c.Action]++
	}
	var parts []string
	for _, action := range []struct {
		name attach.Action
		past string
	}{
		{attach.Bind, "attached"}, {attach.Replace, "replaced"}, {attach.Remove, "detached"},
		{attach.Keep, "attached already"}, {attach.Skip, "left alone"},
	} {
		if n := count[action.name]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, action.past))
		}
	}
	if len(parts) == 0 {
		parts = []string{"nothing to do"}
	}
	err := s.say("%s: %s", container, strings.Join(parts, ", "))
	if !files {
		return err
	}
	for _, c := range r.Changes {
		line := fmt.Sprintf("  %-8s %s", c.Action, c.Path)
		if c.Reason != "" {
			line += ": " + c.Reason
		}
		err = errors.Join(err, s.say("%s", line))
	}
	return err
}
