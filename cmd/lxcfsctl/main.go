// Command lxcfsctl is the operator's tool of lxcfs. Each verb has its own file;
// verbs.go lists them.
//
// Exit statuses: 0 done, 1 a failure, 2 a wrong command line, 3 the daemon is
// not reached, 4 not allowed, 5 no such container, process, file or mount.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"linuxcontainers.org/lxcfs/hooks/attach"
)

// version is set by the build.
var version = "0.1.0-dev"

// Exit statuses.
const (
	exitOK          = 0
	exitFailure     = 1
	exitUsage       = 2
	exitUnreachable = 3
	exitDenied      = 4
	exitNotFound    = 5
)

func main() {
	if attach.IsChild(os.Args) {
		os.Exit(attach.ChildMain())
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	status := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(status)
}

// usageError is a wrong command line.
type usageError struct{ error }

// Unwrap returns what is wrong.
func (e usageError) Unwrap() error { return e.error }

// run is main with its world given.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	cmd := newCommand()
	cmd.SetArgs(args)
	cmd.SetOut(stdout)
	cmd.SetErr(stderr)
	err := cmd.ExecuteContext(ctx)
	status, s := statusOf(err), screenOf(stderr)
	switch {
	case status == exitUsage:
		_ = errors.Join(s.complain(err), s.say("Try 'lxcfsctl --help' for more information.")) // nowhere to say it
	case err != nil && err.Error() != "":
		_ = s.complain(inOneSentence(err))
	}
	return status
}

// exitHelp ends the help.
const exitHelp = `Exit status: 0 done, 1 a failure (doctor: something is wrong), 2 a wrong command
line, 3 the daemon is not reached, 4 not allowed, 5 no such container, process, file
or mount.`

// newCommand builds the command line of all verbs.
func newCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:           "lxcfsctl",
		Short:         "look at lxcfs, and connect containers to it",
		Long:          "Looks at lxcfs, and connects containers to it.\n\n" + exitHelp,
		Version:       version,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          func(_ *cobra.Command, args []string) error { return noVerb(args) },
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.SetVersionTemplate("{{.Version}}\n")
	cmd.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	for _, verb := range verbs() {
		cmd.AddCommand(verb())
	}
	return cmd
}

func noVerb(args []string) error {
	if len(args) > 0 {
		return usageError{fmt.Errorf("no verb %q", args[0])}
	}
	return nil
}

// arguments makes a wrong number of arguments a usage error.
func arguments(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if err := check(cmd, args); err != nil {
			return usageError{err}
		}
		return nil
	}
}
