package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"linuxcontainers.org/lxcfs/dbusapi"
)

func statusVerb() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "status",
		Short: "show what the daemon serves and how it fares",
		Args:  arguments(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return ask(cmd, askTimeout, func(ctx context.Context, c *dbusapi.Client) error {
				r, err := statusReport(ctx, c)
				if err != nil {
					return err
				}
				if asJSON {
					return printJSON(cmd.OutOrStdout(), r)
				}
				return r.print(screenOf(cmd.OutOrStdout()))
			})
		},
	}
	jsonFlag(cmd, &asJSON)
	return cmd
}

// statusText is what status prints.
type statusText struct {
	dbusapi.Status
	Connections []dbusapi.Connection `json:"connections"`
	Containers  int                  `json:"containers"`
}

func statusReport(ctx context.Context, c *dbusapi.Client) (r statusText, err error) {
	if r.Status, err = c.Status(ctx); err != nil {
		return r, err
	}
	if r.Connections, err = c.Connections(ctx); err != nil {
		return r, err
	}
	r.Containers, err = c.CountContainers(ctx)
	return r, err
}

func (r statusText) print(s screen) error {
	state := field{"State", "serving", green}
	switch {
	case len(r.Connections) == 0:
		state.value, state.colour = "nothing is mounted", yellow
	case r.Degraded:
		state.value, state.colour = "degraded: too many crashes of late, every file is the host's", red
	case !r.Virtualization:
		state.value, state.colour = "virtualization is off: every file is the host's", yellow
	}
	all := []field{
		{name: "lxcfs", value: r.Version},
		state,
		{name: "Since", value: fmt.Sprintf("%s, restarted %d times under its mounts", r.StartedAt.Format(time.DateTime), r.Restarts)},
		{name: "Cgroups", value: fmt.Sprintf("%s (%s)", r.CgroupLayout, r.CgroupReason)},
		{name: "Containers", value: fmt.Sprint(r.Containers)},
	}
	for _, c := range r.Connections {
		all = append(all, field{name: "Mount", value: mountLine(c)})
	}
	if err := errors.Join(s.fields(all), s.say("")); err != nil {
		return err
	}
	return s.table(r.fileRows())
}

func mountLine(c dbusapi.Connection) string {
	options := ""
	if c.Options != "" {
		options = " (" + c.Options + ")"
	}
	return fmt.Sprintf("%s%s, %d requests, %d under way, %d processes of which %d died", c.Mountpoint, options, c.Requests, c.InFlight, c.Processes, c.Deaths)
}

// fileRows is the table of files that were read.
func (r statusText) fileRows() [][]string {
	rows := [][]string{{"FILE", "READS", "ERRORS", "FALLBACKS", "MEAN"}}
	for _, f := range r.Files {
		if f.Requests == 0 {
			continue
		}
		mean := time.Duration(f.BusyUSec/f.Requests) * time.Microsecond
		rows = append(rows, []string{f.Path, fmt.Sprint(f.Requests), fmt.Sprint(f.Errors), fallbacks(f), mean.String()})
	}
	return rows
}

// fallbacks counts them, with the reasons.
func fallbacks(f dbusapi.FileStats) string {
	var sum uint64
	var reasons []string
	for _, reason := range sortedKeys(f.Fallbacks) {
		sum += f.Fallbacks[reason]
		reasons = append(reasons, reason)
	}
	if sum == 0 {
		return "0"
	}
	return fmt.Sprintf("%d (%s)", sum, strings.Join(reasons, ", "))
}
