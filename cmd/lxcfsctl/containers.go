package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"linuxcontainers.org/lxcfs/dbusapi"
)

func containersVerb() *cobra.Command {
	var asJSON, inBytes bool
	cmd := &cobra.Command{
		Use:   "containers",
		Short: "list the containers that have read a file, with their numbers",
		Long: `Lists the containers that have read a file since the daemon started. The numbers
are those that the container itself reads: MEMORY is MemTotal less MemAvailable of
its /proc/meminfo, LOAD the first of its /proc/loadavg.`,
		Args: arguments(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return ask(cmd, askTimeout, func(ctx context.Context, c *dbusapi.Client) error {
				list, err := c.Containers(ctx)
				if err != nil {
					return err
				}
				if asJSON {
					return printJSON(cmd.OutOrStdout(), list)
				}
				return screenOf(cmd.OutOrStdout()).table(containerRows(list, inBytes))
			})
		},
	}
	jsonFlag(cmd, &asJSON)
	cmd.Flags().BoolVar(&inBytes, "bytes", false, "print sizes in bytes")
	return cmd
}

func containerRows(list []dbusapi.ContainerUsage, inBytes bool) [][]string {
	unit := size
	if inBytes {
		unit = func(n uint64) string { return fmt.Sprint(n) }
	}
	rows := [][]string{{"NAME", "RUNTIME", "KIND", "PID", "MEMORY", "OF", "SWAP", "OF", "CPUS", "LOAD", "THREADS", "UPTIME", "READS"}}
	for _, c := range list {
		rows = append(rows, []string{
			abridged(nameOf(c.Container)), orDash(c.Runtime), c.Kind, pidOf(c.InitPID),
			unit(used(c.MemoryTotal, c.MemoryAvailable)), unit(c.MemoryTotal),
			unit(used(c.SwapTotal, c.SwapFree)), unit(c.SwapTotal),
			c.CPUs, fmt.Sprintf("%.2f", c.LoadAverage[0]), fmt.Sprint(c.Threads), uptime(c.UptimeUSec), fmt.Sprint(c.Reads),
		})
	}
	return rows
}

// nameOf is the name, or for want of one what its cgroup claims to be, marked so,
// or the cgroup.
func nameOf(c dbusapi.Container) string {
	switch {
	case c.Name != "":
		return shortened(c.Kind, c.Name)
	case c.ClaimedName != "":
		runtime, name, _ := strings.Cut(c.ClaimedName, "/")
		return runtime + "/" + shortened(c.Kind, name) + " (claimed)"
	}
	return c.Cgroup
}

// shortened cuts a long id as runtimes do.
func shortened(kind, name string) string {
	const short = 12
	if kind == "application" && len(name) > short {
		return name[:short]
	}
	return name
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

func pidOf(pid uint32) string {
	if pid == 0 {
		return "-"
	}
	return fmt.Sprint(pid)
}

// used is what is not free; the two numbers need not be of one moment.
func used(total, free uint64) uint64 { return total - min(total, free) }

func uptime(usec uint64) string {
	d := time.Duration(usec) * time.Microsecond
	if days := d / (24 * time.Hour); days > 0 {
		return fmt.Sprintf("%dd%dh", days, d%(24*time.Hour)/time.Hour)
	}
	return d.Round(time.Second).String()
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// abridged leaves out the middle of a name, which a container may have made as long
// as a path can be, and a column is as wide for all.
func abridged(name string) string {
	const most = 80
	r := []rune(name)
	if len(r) <= most {
		return name
	}
	return string(r[:most/2-1]) + "…" + string(r[len(r)-most/2:])
}
