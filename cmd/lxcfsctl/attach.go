package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"linuxcontainers.org/lxcfs/cgroup"
	"linuxcontainers.org/lxcfs/cgroup/container"
	"linuxcontainers.org/lxcfs/cgroup/hostfile"
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
	timeout time.Duration // of --all
}

const attachHelp = `Binds the files of lxcfs over those of containers that run already, of any
runtime. A container is named by a process id, by NAME or RUNTIME/NAME (lxc/web,
nspawn/web), by the first digits of its id (docker, podman, Kubernetes), or by
its unit. Either all of its files are attached, or none; what is attached already
stays as it is.

Mounts of an lxcfs that died are replaced. --all does that everywhere, also in
units and nested containers, and attaches every container that a runtime made:
so a host changes from another lxcfs to this one, and no container is restarted.
Containers of runtimes come first, several are worked on at a time, none gets more
than 30 s, and all --timeout; who was left is said.`

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
	f.DurationVar(&a.timeout, "timeout", allTimeout, "with --all: `TIME` for all")
	f.BoolVarP(&a.request.DryRun, "dry-run", "n", false, "change nothing, say what would be done")
	f.BoolVarP(&a.verbose, "verbose", "v", false, "say what is done about each file")
	treeFlag(cmd, &a.request.Tree)
}

// run works on the containers that are named, one after another, or on all. An
// error of one does not keep the others from it.
func (a *attaching) run(cmd *cobra.Command, args []string) error {
	if a.all == (len(args) > 0) {
		return usageError{errors.New("name containers, or give --all")}
	}
	if a.timeout <= 0 {
		return usageError{errors.New("--timeout has to be positive")}
	}
	host, err := cgroup.Detect(hostfile.OS{})
	if err != nil {
		return err
	}
	found, err := attach.Scan(container.New(host, container.Options{}))
	if err != nil {
		return err
	}
	refused, err := attach.Refuse()
	if err != nil {
		return err
	}
	if a.all {
		return a.everywhere(cmd, refused, found)
	}
	names := attach.Names{All: found, MainPID: mainPID(cmd.Context())}
	found = nil
	for _, name := range args {
		some, err := names.Select(name)
		if err != nil {
			return err
		}
		found = append(found, some...)
	}
	var errs []error
	for _, f := range found {
		errs = append(errs, a.one(cmd.Context(), cmd.OutOrStdout(), refused, f))
	}
	return errors.Join(errs...)
}

func (a *attaching) verb() string {
	if a.request.Detach {
		return "detach"
	}
	return "attach"
}

// mainPID asks the service manager.
func mainPID(ctx context.Context) func(unit string) int {
	const wait = 10 * time.Second
	return func(unit string) int {
		ctx, cancel := context.WithTimeout(ctx, wait)
		defer cancel()
		out, err := exec.CommandContext(ctx, "systemctl", "show", "--property=MainPID", "--value", "--", unit).Output()
		if err != nil {
			return 0
		}
		pid, _ := strconv.Atoi(strings.TrimSpace(string(out))) // 0: it has none
		return pid
	}
}

func (a *attaching) one(ctx context.Context, out io.Writer, refused *attach.Refused, f attach.Found) error {
	request := a.request
	if a.all && !f.Known() {
		if request.Detach || !f.Stale(a.request.Tree) {
			return nil
		}
		request.Heal = true
	}
	target, err := f.Open()
	if err != nil {
		return err
	}
	defer target.Close()
	ctx, cancel := context.WithTimeout(ctx, attachTimeout)
	defer cancel()
	result, err := attach.Run(ctx, refused, target, request)
	if a.all && (errors.Is(err, attach.ErrDaemon) || errors.Is(err, attach.ErrHost)) {
		return nil // this program's own, where lxcfs itself runs in a container
	}
	if err != nil {
		return err
	}
	if !request.Heal || result.Changed() {
		var text strings.Builder // written at once: others write, too
		err := report(screenOf(&text), target.String(), result, a.verbose || request.DryRun)
		_, failed := io.WriteString(out, text.String())
		return errors.Join(err, failed)
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
