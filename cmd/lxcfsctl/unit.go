package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"linuxcontainers.org/lxcfs/hooks/unit"
)

// unitDirectories are systemd's for the administrator: until the next boot, and
// for good.
const (
	runtimeUnits    = "/run/systemd/system"
	persistentUnits = "/etc/systemd/system"
)

func unitVerb() *cobra.Command {
	var tree string
	var install, remove, runtime bool
	cmd := &cobra.Command{
		Use:   "unit NAME",
		Short: "give a systemd service a view of its own",
		Long: `Prints the drop-in that makes a plain service see its own limits and usage in
/proc and /sys, or installs it for the service NAME. It counts from the service's
next start on; "lxcfsctl attach NAME" does the same for a service that runs and
has a mount namespace of its own.`,
		Args: arguments(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			if install && remove {
				return usageError{errors.New("--install and --remove exclude each other")}
			}
			configuration := persistentUnits
			if runtime {
				configuration = runtimeUnits
			}
			directory, err := unit.Directory(configuration, args[0])
			if err != nil {
				return usageError{err}
			}
			out := cmd.OutOrStdout()
			switch {
			case remove:
				return removeUnit(out, directory)
			case install:
				return installUnit(out, directory, tree)
			}
			paths, err := servedOrAll(tree)
			if err == nil {
				_, err = io.WriteString(out, unit.DropIn(tree, paths))
			}
			return err
		},
	}
	cmd.Flags().BoolVar(&install, "install", false, "write the drop-in")
	cmd.Flags().BoolVar(&remove, "remove", false, "remove the drop-in")
	cmd.Flags().BoolVar(&runtime, "runtime", false, "with either: until the next boot")
	treeFlag(cmd, &tree)
	return cmd
}

// reloadHint is what is left to the administrator: this may be one of many.
const reloadHint = "now: systemctl daemon-reload, and restart the service"

func installUnit(out io.Writer, directory, tree string) error {
	paths, err := servedOrAll(tree)
	if err != nil {
		return err
	}
	name, err := unit.Install(directory, unit.DropIn(tree, paths))
	if err == nil {
		_, err = fmt.Fprintf(out, "%s written; %s\n", name, reloadHint)
	}
	return err
}

func removeUnit(out io.Writer, directory string) error {
	err := unit.Remove(directory)
	if err == nil {
		_, err = fmt.Fprintf(out, "%s/%s removed; %s\n", directory, unit.FileName, reloadHint)
	}
	return err
}
