package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"linuxcontainers.org/lxcfs/hooks/nspawn"
)

// nspawnDirectory holds the administrator's settings, systemd.nspawn(5).
const nspawnDirectory = "/etc/systemd/nspawn"

// nspawnOptions is what the command line says.
type nspawnOptions struct {
	tree                       string
	install, remove, arguments bool
}

func nspawnVerb() *cobra.Command {
	var o nspawnOptions
	cmd := &cobra.Command{
		Use:   "nspawn [MACHINE]",
		Short: "give containers of systemd-nspawn views of their own",
		Long: `Prints the settings that bind the files of lxcfs into a container of systemd-nspawn,
as a file for /etc/systemd/nspawn or, with --arguments, for its command line:

    systemd-nspawn $(lxcfsctl nspawn --arguments) -D /var/lib/machines/web --boot`,
		Args: arguments(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd.OutOrStdout(), args) },
	}
	f := cmd.Flags()
	f.BoolVar(&o.install, "install", false, "write the settings of MACHINE")
	f.BoolVar(&o.remove, "remove", false, "remove the settings of MACHINE")
	f.BoolVar(&o.arguments, "arguments", false, "print options for the command line")
	treeFlag(cmd, &o.tree)
	return cmd
}

func (o nspawnOptions) run(out io.Writer, args []string) error {
	switch {
	case o.install && o.remove, o.arguments && (o.install || o.remove):
		return usageError{errors.New("--install, --remove and --arguments exclude each other")}
	case (o.install || o.remove) && len(args) == 0:
		return usageError{errors.New("name a machine")}
	case o.remove:
		return o.removeFile(out, args[0])
	}
	paths, err := served(o.tree)
	if err != nil {
		return err
	}
	switch {
	case o.install:
		return o.installFile(out, args[0], nspawn.Settings(o.tree, paths))
	case o.arguments:
		_, err = fmt.Fprintln(out, strings.Join(nspawn.Arguments(o.tree, paths), "\n"))
	default:
		_, err = io.WriteString(out, nspawn.Settings(o.tree, paths))
	}
	return err
}

func (o nspawnOptions) installFile(out io.Writer, machine, text string) error {
	name, err := nspawn.File(nspawnDirectory, machine)
	if err != nil {
		return usageError{err}
	}
	if err := nspawn.Install(name, text); err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "%s written; it counts from the next start of the machine on\n", name)
	return err
}

func (o nspawnOptions) removeFile(out io.Writer, machine string) error {
	name, err := nspawn.File(nspawnDirectory, machine)
	if err != nil {
		return usageError{err}
	}
	if err := nspawn.Remove(name); err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "%s removed\n", name)
	return err
}
