package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"linuxcontainers.org/lxcfs/dbusapi"
)

// explanation is what explain prints.
type explanation struct {
	PID uint32 `json:"pid"`
	dbusapi.Explanation
}

func explainVerb() *cobra.Command {
	var asJSON bool
	var file, connection string
	cmd := &cobra.Command{
		Use:   "explain PID",
		Short: "say why a process sees the numbers that it sees",
		Long: `Says by which rule the daemon finds the container of a process, and where each
number comes from: which cgroup, of the container's and those above, binds each
limit, and which interface file holds each number.`,
		Args: arguments(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			pid, err := strconv.ParseUint(args[0], 10, 31)
			if err != nil || pid == 0 {
				return usageError{fmt.Errorf("%q is no PID", args[0])}
			}
			return ask(cmd, askTimeout, func(ctx context.Context, c *dbusapi.Client) error {
				e, err := explain(ctx, c, uint32(pid), file, connection)
				if err != nil {
					return err
				}
				if asJSON {
					return printJSON(cmd.OutOrStdout(), e)
				}
				return e.print(screenOf(cmd.OutOrStdout()))
			})
		},
	}
	cmd.Flags().StringVar(&file, "file", "", "only the numbers of this file")
	cmd.Flags().StringVar(&connection, "connection", "", "of the mount with this id, instead of the first")
	jsonFlag(cmd, &asJSON)
	return cmd
}

func explain(ctx context.Context, c *dbusapi.Client, pid uint32, file, connection string) (explanation, error) {
	e := explanation{PID: pid}
	if file != "" {
		st, err := c.Status(ctx)
		if err != nil {
			return e, err
		}
		file = fullPath(st.Files, file)
	}
	var err error
	e.Explanation, err = c.Explain(ctx, pid, file, connection)
	return e, err
}

func (e explanation) print(s screen) error {
	why := e.Reason
	if e.Detail != "" {
		why += ": " + e.Detail
	}
	all := []field{{name: "Process", value: fmt.Sprint(e.PID)}, {name: "Rule", value: why}}
	if e.Container == nil {
		return s.fields(append(all, field{name: "Sees", value: "the host's numbers"}))
	}
	c := e.Container
	all = append(all,
		field{name: "Container", value: strings.TrimSpace(nameOf(*c) + " (" + strings.TrimSpace(c.Runtime+" "+c.Kind) + ")")},
		field{name: "Cgroup", value: c.Cgroup},
		field{name: "Unit", value: orDash(c.Unit)},
		field{name: "Init", value: pidOf(c.InitPID)},
	)
	if err := errors.Join(s.fields(all), s.say("")); err != nil {
		return err
	}
	rows := [][]string{{"NUMBER", "VALUE", "FROM", "IN"}}
	for _, f := range e.Sources {
		rows = append(rows, []string{f.Name, orDash(f.Value), orDash(f.File), f.Shown})
	}
	return s.table(rows)
}
