package main

import (
	"context"

	"github.com/spf13/cobra"

	"linuxcontainers.org/lxcfs/dbusapi"
)

func reloadVerb() *cobra.Command {
	return manageVerb("reload", "make the daemon read its configuration again",
		"Makes the daemon read its configuration files again. A mistake in them is printed,\nand the configuration in force stays.", (*dbusapi.Client).Reload)
}

func reexecVerb() *cobra.Command {
	return manageVerb("reexec", "replace the daemon by the program that is installed now",
		"Makes the daemon execute the installed program under the same PID, and waits until\nthat is on the bus. No mount is lost and no read fails.", (*dbusapi.Client).Reexecute)
}

// manageVerb is a verb without arguments that root may use, and who polkit
// lets.
func manageVerb(use, short, long string, do func(*dbusapi.Client, context.Context) error) *cobra.Command {
	return &cobra.Command{
		Use: use, Short: short, Long: long,
		Args: arguments(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return ask(cmd, manageTimeout, func(ctx context.Context, c *dbusapi.Client) error { return do(c, ctx) })
		},
	}
}

func virtualizationVerb() *cobra.Command {
	return &cobra.Command{
		Use:   "virtualization {on|off}",
		Short: "switch the containers' own numbers on or off",
		Long: `Off: every file shows the host's numbers, until it is on again or the daemon is
restarted. A way out for an operator who finds a number wrong.`,
		Args:      arguments(cobra.MatchAll(cobra.ExactArgs(1), cobra.OnlyValidArgs)),
		ValidArgs: []string{"on", "off"},
		RunE: func(cmd *cobra.Command, args []string) error {
			return ask(cmd, manageTimeout, func(ctx context.Context, c *dbusapi.Client) error {
				return c.SetVirtualization(ctx, args[0] == "on")
			})
		},
	}
}
