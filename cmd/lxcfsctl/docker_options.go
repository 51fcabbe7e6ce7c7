package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"linuxcontainers.org/lxcfs/hooks/bind"
)

func dockerOptionsVerb() *cobra.Command {
	var tree string
	cmd := &cobra.Command{
		Use:   "docker-options",
		Short: "print the options by which docker binds the files",
		Long: `Prints one option a line. docker runs no hooks, and its runtime, runc, lets mounts
be made over some files of /proc only; the others keep showing the host's numbers
until "lxcfsctl attach" is run:

    docker run $(lxcfsctl docker-options) -m 512m debian free -m`,
		Args: arguments(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			paths, err := served(tree)
			if err != nil {
				return err
			}
			for _, p := range paths {
				if bind.RuncAllows(p) {
					if _, err := fmt.Fprintf(cmd.OutOrStdout(), "-v=%s%s:%s:ro\n", tree, p, p); err != nil {
						return err
					}
				}
			}
			return nil
		},
	}
	treeFlag(cmd, &tree)
	return cmd
}
