package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/expfmt"
	"github.com/spf13/cobra"

	"linuxcontainers.org/lxcfs/dbusapi"
)

// metricsOptions is what the command line of metrics says.
type metricsOptions struct {
	output string
	listen bool
	asJSON bool
}

func metricsVerb() *cobra.Command {
	var m metricsOptions
	cmd := &cobra.Command{
		Use:   "metrics",
		Short: "print the daemon's counters as OpenMetrics text",
		Long: `Prints the daemon's counters as OpenMetrics text, or writes them to a file for the
textfile collector of node_exporter. lxcfs-metrics.socket runs it with --listen, for
Prometheus to scrape.`,
		Args: arguments(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if m.listen {
				if m.output != "" || m.asJSON {
					return usageError{errors.New("--listen goes with no other option")}
				}
				return serveMetrics(cmd.Context(), cmd.ErrOrStderr())
			}
			return ask(cmd, askTimeout, func(ctx context.Context, c *dbusapi.Client) error { return m.run(ctx, c, cmd.OutOrStdout()) })
		},
	}
	cmd.Flags().StringVarP(&m.output, "output", "o", "", "write to this file, which always is a whole one")
	cmd.Flags().BoolVar(&m.listen, "listen", false, "answer HTTP on the socket of lxcfs-metrics.socket")
	jsonFlag(cmd, &m.asJSON)
	return cmd
}

func (m *metricsOptions) run(ctx context.Context, c *dbusapi.Client, out io.Writer) error {
	s, err := takeSample(ctx, c)
	if err != nil {
		return err
	}
	switch {
	case m.asJSON:
		return printJSON(out, s)
	case m.output != "":
		return replaceFile(m.output, func(w io.Writer) error { return s.write(w, expfmt.NewFormat(expfmt.TypeTextPlain)) })
	}
	return s.write(out, openMetrics())
}

// openMetrics is the format that is printed, version 1.0.0.
func openMetrics() expfmt.Format { return expfmt.NewFormat(expfmt.TypeOpenMetrics) }

// sample is what is measured at one time.
type sample struct {
	Status      dbusapi.Status       `json:"status"`
	Connections []dbusapi.Connection `json:"connections"`
	Containers  map[string]int       `json:"containers"` // by runtime
}

func takeSample(ctx context.Context, c *dbusapi.Client) (s sample, err error) {
	if s.Status, err = c.Status(ctx); err != nil {
		return s, err
	}
	if s.Connections, err = c.Connections(ctx); err != nil {
		return s, err
	}
	s.Containers, err = c.CountByRuntime(ctx)
	return s, err
}

// write prints the sample in a format.
func (s sample) write(w io.Writer, format expfmt.Format) error {
	registry := prometheus.NewPedanticRegistry()
	if err := registry.Register(collector{func() (sample, error) { return s, nil }}); err != nil {
		return err
	}
	families, err := registry.Gather()
	if err != nil {
		return err
	}
	e := expfmt.NewEncoder(w, format)
	for _, f := range families {
		if err := e.Encode(f); err != nil {
			return err
		}
	}
	if closer, ok := e.(expfmt.Closer); ok {
		return closer.Close()
	}
	return nil
}

// replaceFile writes a file beside name and then gives it that name.
func replaceFile(name string, write func(io.Writer) error) error {
	f, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // in vain when all went well
	err = errors.Join(write(f), f.Chmod(0o644), f.Close())
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return os.Rename(f.Name(), name)
}
