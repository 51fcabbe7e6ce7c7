package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"linuxcontainers.org/lxcfs/hooks/bind"
)

// treeFlag adds --mountpoint.
func treeFlag(cmd *cobra.Command, tree *string) {
	cmd.Flags().StringVar(tree, "mountpoint", bind.Mountpoint, "where lxcfs is mounted")
}

// served lists what is bound of a mounted tree and is there on the host.
func served(tree string) ([]string, error) {
	paths, err := bind.Served(os.DirFS(tree))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", tree, err)
	}
	var there []string
	for _, p := range paths {
		if _, err := os.Lstat(p); err == nil {
			there = append(there, p)
		}
	}
	return there, nil
}

// servedOrAll is served or, where nothing is mounted, all that may ever be.
func servedOrAll(tree string) ([]string, error) {
	paths, err := served(tree)
	if !errors.Is(err, bind.ErrNothing) {
		return paths, err
	}
	return bind.Files(), nil
}
