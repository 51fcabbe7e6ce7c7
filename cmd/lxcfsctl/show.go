package main

import (
	"context"
	"errors"
	"path"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"linuxcontainers.org/lxcfs/dbusapi"
)

// showing is what the command line of show says.
type showing struct {
	pid                   uint32
	container, connection string
	asJSON                bool
}

func showVerb() *cobra.Command {
	var s showing
	cmd := &cobra.Command{
		Use:   "show FILE {--pid PID|--container CONTAINER}",
		Short: "show what a container reads in a file",
		Long: `Prints exactly what a process or a container reads in a file that lxcfs serves. The
daemon renders it; no mount is looked at, and the container is not entered. FILE is
a path, as /proc/meminfo, or its last part.`,
		Args: arguments(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			if (s.pid == 0) == (s.container == "") {
				return usageError{errors.New("give either --pid or --container")}
			}
			return ask(cmd, askTimeout, func(ctx context.Context, c *dbusapi.Client) error { return s.run(ctx, cmd, c, args[0]) })
		},
	}
	cmd.Flags().Uint32Var(&s.pid, "pid", 0, "as the process with this PID on the host")
	cmd.Flags().StringVar(&s.container, "container", "", "as this container")
	cmd.Flags().StringVar(&s.connection, "connection", "", "of the mount with this id, instead of the first")
	jsonFlag(cmd, &s.asJSON)
	return cmd
}

func (s *showing) run(ctx context.Context, cmd *cobra.Command, c *dbusapi.Client, file string) error {
	st, err := c.Status(ctx)
	if err != nil {
		return err
	}
	file = fullPath(st.Files, file)
	content, err := s.content(ctx, c, file)
	if err != nil {
		return err
	}
	if s.asJSON {
		return printJSON(cmd.OutOrStdout(), map[string]string{"file": file, "content": string(content)})
	}
	_, err = cmd.OutOrStdout().Write(content)
	return err
}

func (s *showing) content(ctx context.Context, c *dbusapi.Client, file string) ([]byte, error) {
	if s.pid != 0 {
		return c.Show(ctx, s.pid, file, s.connection)
	}
	all, err := c.Containers(ctx)
	if err != nil {
		return nil, err
	}
	k, err := pick(all, s.container)
	if err != nil {
		return nil, err
	}
	return c.ShowContainer(ctx, k.ID, file, s.connection)
}

// fullPath completes a file's name: "meminfo" is "/proc/meminfo". What is
// nothing that is served stays as it is.
func fullPath(files []dbusapi.FileStats, file string) string {
	whole := func(f dbusapi.FileStats) bool { return f.Path == path.Clean("/"+file) }
	if i := slices.IndexFunc(files, whole); i >= 0 {
		return files[i].Path
	}
	ends := func(f dbusapi.FileStats) bool { return strings.HasSuffix(f.Path, "/"+file) }
	if i := slices.IndexFunc(files, ends); i >= 0 {
		return files[i].Path
	}
	return file
}
