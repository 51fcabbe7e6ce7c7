// Command lxcfs-oci-hook is the createContainer hook that podman and CRI-O run
// by hooks.d/50-lxcfs.json: it gives a container the files of lxcfs.
//
// It never keeps a container from starting: it says on standard error, which
// the runtime logs, what is wrong, and exits with 0. With LXCFS_HOOK_STRICT set
// in its environment, a file /etc/lxcfs/hook-strict, or the container's
// annotation org.linuxcontainers.lxcfs=strict it exits with 1, and the container
// does not start. The annotation org.linuxcontainers.lxcfs=off leaves a
// container alone. LXCFS_MOUNTPOINT names a mount other than /var/lib/lxcfs.
package main

import (
	"cmp"
	"fmt"
	"io"
	"os"

	"linuxcontainers.org/lxcfs/hooks/bind"
	"linuxcontainers.org/lxcfs/hooks/oci"
)

// strictFile makes failures of hooks count, for all containers.
const strictFile = "/etc/lxcfs/hook-strict"

func main() {
	strict := os.Getenv("LXCFS_HOOK_STRICT") != ""
	if _, err := os.Stat(strictFile); err == nil {
		strict = true
	}
	os.Exit(run(os.Stdin, os.Stderr, cmp.Or(os.Getenv("LXCFS_MOUNTPOINT"), bind.Mountpoint), strict))
}

// run is main with its world given; it returns the exit status.
func run(stdin io.Reader, stderr io.Writer, tree string, strict bool) int {
	state, err := oci.ReadState(stdin)
	switch state.Annotations[oci.Annotation] {
	case "off":
		return 0
	case "strict":
		strict = true
	}
	if err == nil {
		err = bindAll(state, tree)
	}
	if err == nil {
		return 0
	}
	fmt.Fprintf(stderr, "lxcfs: container %s sees the host's numbers: %v\n", state.ID, err)
	if strict {
		return 1
	}
	return 0
}

func bindAll(state oci.State, tree string) error {
	root, err := state.Root()
	if err != nil {
		return err
	}
	return oci.Bind(tree, root)
}
