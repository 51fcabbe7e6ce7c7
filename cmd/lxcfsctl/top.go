package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"linuxcontainers.org/lxcfs/dbusapi"
)

// topOptions is what the command line of top says.
type topOptions struct {
	interval   time.Duration
	iterations int
	sort       string
	asJSON     bool
}

func topVerb() *cobra.Command {
	var t topOptions
	cmd := &cobra.Command{
		Use:   "top",
		Short: "watch the containers: CPU, memory, load, reads",
		Long: `Prints the containers again and again until it is interrupted: CPU time used in
percent of one CPU, memory, load, and files read in a second. On a terminal each
table takes the place of the one before.`,
		Args: arguments(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return t.run(cmd) },
	}
	f := cmd.Flags()
	f.DurationVarP(&t.interval, "interval", "i", 2*time.Second, "time between two tables")
	f.IntVarP(&t.iterations, "iterations", "n", 0, "end after so many tables; 0: never")
	f.StringVar(&t.sort, "sort", "cpu", "what the first has most of: cpu, memory, load, reads, or name")
	f.BoolVar(&t.asJSON, "json", false, "print one JSON object a line for each table")
	return cmd
}

// load is what a container did in an interval.
type load struct {
	dbusapi.ContainerUsage
	CPUPercent     float64 `json:"cpu_percent"`
	ReadsPerSecond float64 `json:"reads_per_second"`
}

func (t *topOptions) run(cmd *cobra.Command) error {
	order, ok := orders()[t.sort]
	if !ok || t.interval <= 0 || t.iterations < 0 {
		return usageError{errors.New("--sort takes cpu, memory, load, reads or name, --interval a time, --iterations a number")}
	}
	client, err := dbusapi.Connect(cmd.Context(), "")
	if err != nil {
		return err
	}
	defer client.Close()
	s := screenOf(cmd.OutOrStdout())
	var before []dbusapi.ContainerUsage
	var then time.Time
	for n := 0; t.iterations == 0 || n < t.iterations; n++ {
		if n > 0 && !pause(cmd.Context(), t.interval) {
			return nil
		}
		now, err := containersNow(cmd.Context(), client)
		if err != nil {
			return err
		}
		loads := loadsOf(before, now, time.Since(then))
		before, then = now, time.Now()
		slices.SortStableFunc(loads, order)
		if err := t.print(s, loads); err != nil {
			return err
		}
	}
	return nil
}

func containersNow(ctx context.Context, client *dbusapi.Client) ([]dbusapi.ContainerUsage, error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	return client.Containers(ctx)
}

// pause waits; false: interrupted.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// loadsOf compares two lists. A container that is new has done nothing yet.
func loadsOf(before, now []dbusapi.ContainerUsage, took time.Duration) []load {
	last := make(map[string]dbusapi.ContainerUsage)
	for _, c := range before {
		last[c.ID] = c
	}
	loads := []load{}
	for _, c := range now {
		l := load{ContainerUsage: c}
		if old, ok := last[c.ID]; ok && took > 0 {
			// Counters of a daemon that was restarted begin anew.
			l.CPUPercent = float64(used(c.CPUUsageUSec, old.CPUUsageUSec)) / float64(took.Microseconds()) * 100
			l.ReadsPerSecond = float64(used(c.Reads, old.Reads)) / took.Seconds()
		}
		loads = append(loads, l)
	}
	return loads
}

// orders are the ways to sort.
func orders() map[string]func(a, b load) int {
	return map[string]func(a, b load) int{
		"cpu":    func(a, b load) int { return cmp.Compare(b.CPUPercent, a.CPUPercent) },
		"memory": func(a, b load) int { return cmp.Compare(memoryUsed(b), memoryUsed(a)) },
		"load":   func(a, b load) int { return cmp.Compare(b.LoadAverage[0], a.LoadAverage[0]) },
		"reads":  func(a, b load) int { return cmp.Compare(b.ReadsPerSecond, a.ReadsPerSecond) },
		"name":   func(a, b load) int { return cmp.Compare(a.Name, b.Name) },
	}
}

func memoryUsed(l load) uint64 { return used(l.MemoryTotal, l.MemoryAvailable) }

// home moves to the top left corner; clearRest clears what is left of the
// table before, once the new one is there.
const (
	home      = "\x1b[H"
	clearLine = "\x1b[K"
	clearRest = "\x1b[J"
)

func (t *topOptions) print(s screen, loads []load) error {
	if t.asJSON {
		return json.NewEncoder(s).Encode(struct {
			Time       time.Time `json:"time"`
			Containers []load    `json:"containers"`
		}{time.Now(), loads})
	}
	rows := [][]string{{"NAME", "RUNTIME", "PID", "%CPU", "CPUS", "MEMORY", "OF", "%MEM", "LOAD", "THREADS", "READS/S"}}
	for _, l := range loads {
		percent := float64(memoryUsed(l)) * 100 / float64(max(l.MemoryTotal, 1))
		rows = append(rows, []string{
			abridged(nameOf(l.Container)), orDash(l.Runtime), pidOf(l.InitPID), fmt.Sprintf("%.1f", l.CPUPercent), l.CPUs,
			size(memoryUsed(l)), size(l.MemoryTotal), fmt.Sprintf("%.1f", percent),
			fmt.Sprintf("%.2f", l.LoadAverage[0]), fmt.Sprint(l.Threads), fmt.Sprintf("%.1f", l.ReadsPerSecond),
		})
	}
	if !s.terminal {
		return s.table(rows)
	}
	var text bytes.Buffer
	whole := s
	whole.Writer = &text
	if err := whole.table(rows); err != nil {
		return err
	}
	frame := home + string(bytes.ReplaceAll(text.Bytes(), []byte("\n"), []byte(clearLine+"\n"))) + clearRest
	_, err := s.Write([]byte(frame))
	return err
}
