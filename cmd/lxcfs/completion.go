package main

import (
	"io"

	"github.com/spf13/cobra"

	"linuxcontainers.org/lxcfs/cmd/lxcfs/process"
)

// printCompletion writes the completion script of a shell: for packages, which
// install it.
func printCompletion(cmd *cobra.Command, shell string, w io.Writer) error {
	switch shell {
	case "bash":
		return cmd.GenBashCompletionV2(w, true)
	case "fish":
		return cmd.GenFishCompletion(w, true)
	case "zsh":
		return cmd.GenZshCompletion(w)
	}
	return process.Usage("no completion for %q: want bash, fish or zsh", shell)
}
