package main

import (
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"linuxcontainers.org/lxcfs/dbusapi"
)

// collector makes metrics of samples.
type collector struct {
	take func() (sample, error)
}

// description makes the name, the help and the labels of a metric, and its unit
// when that is in the name.
func description(name, help string, labels ...string) *prometheus.Desc {
	var opts []prometheus.DescOpt
	if strings.HasSuffix(strings.TrimSuffix(name, "_total"), "_seconds") {
		opts = append(opts, prometheus.WithUnit("seconds"))
	}
	return prometheus.V2.NewDesc("lxcfs_"+name, help, prometheus.UnconstrainedLabels(labels), nil, opts...)
}

// Describe says nothing beforehand: what there is depends on the daemon.
func (collector) Describe(chan<- *prometheus.Desc) {}

// Collect takes a sample. lxcfs_up tells whether there was one.
func (c collector) Collect(out chan<- prometheus.Metric) {
	s, err := c.take()
	up := 1.0
	if err != nil {
		up = 0
	}
	gauge(out, description("up", "Whether the daemon answers on the bus."), up)
	if err != nil {
		return
	}
	s.daemon(out)
	for _, f := range s.Status.Files {
		file(out, f)
	}
	for _, k := range s.Connections {
		connection(out, k)
	}
	containers := description("containers", "Containers that have read a file.", "runtime")
	for runtime, n := range s.Containers {
		gauge(out, containers, float64(n), runtime)
	}
}

func gauge(out chan<- prometheus.Metric, d *prometheus.Desc, v float64, labels ...string) {
	out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, visibly(labels)...)
}

func counter(out chan<- prometheus.Metric, d *prometheus.Desc, v float64, labels ...string) {
	out <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, v, visibly(labels)...)
}

// visibly makes labels of anybody's text: one that is not UTF-8 would be the end of
// all metrics.
func visibly(labels []string) []string {
	out := make([]string, len(labels))
	for i, label := range labels {
		out[i] = string(shown(label))
	}
	return out
}

func boolean(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// daemon is what is measured of the process.
func (s sample) daemon(out chan<- prometheus.Metric) {
	st := s.Status
	gauge(out, description("build_info", "The version of the daemon, and the layout of cgroups.", "version", "cgroups"), 1, st.Version, st.CgroupLayout)
	gauge(out, description("start_time_seconds", "When the process started, since the epoch."), float64(st.StartedAt.UnixMicro())/1e6)
	counter(out, description("restarts_total", "Times that the process was restarted or died under its mounts."), float64(st.Restarts))
	gauge(out, description("virtualization_enabled", "Whether containers see numbers of their own."), boolean(st.Virtualization))
	gauge(out, description("degraded", "Whether too many crashes of late make every file the host's."), boolean(st.Degraded))
	s.latency(out)
}

// latency is the histogram over all files.
func (s sample) latency(out chan<- prometheus.Metric) {
	st := s.Status
	var count, busy uint64
	for _, f := range st.Files {
		busy += f.BusyUSec
	}
	buckets := make(map[float64]uint64)
	for i, n := range st.Latency {
		count += n
		if i < len(st.LatencyBounds) {
			buckets[float64(st.LatencyBounds[i])/1e6] = count
		}
	}
	d := description("request_duration_seconds", "How long the rendering of a file took.")
	out <- prometheus.MustNewConstHistogram(d, count, float64(busy)/1e6, buckets)
}

// file is what is counted of one file.
func file(out chan<- prometheus.Metric, f dbusapi.FileStats) {
	counter(out, description("file_requests_total", "Renderings of a file.", "file"), float64(f.Requests), f.Path)
	counter(out, description("file_errors_total", "Renderings that failed: not even the host's file could be read.", "file"), float64(f.Errors), f.Path)
	counter(out, description("file_busy_seconds_total", "Time that the renderings of a file took.", "file"), float64(f.BusyUSec)/1e6, f.Path)
	gauge(out, description("file_requests_in_flight", "Renderings of a file that are under way.", "file"), float64(f.InFlight), f.Path)
	d := description("file_fallbacks_total", "Renderings answered with the host's file after a failure.", "file", "reason")
	for reason, n := range f.Fallbacks {
		counter(out, d, float64(n), f.Path, reason)
	}
}

// connection is what is counted of one mount.
func connection(out chan<- prometheus.Metric, c dbusapi.Connection) {
	labels := []string{c.ID, c.Mountpoint}
	about := func(name, help string) *prometheus.Desc {
		return description("connection_"+name, help, "id", "mountpoint")
	}
	counter(out, about("requests_total", "FUSE requests read."), float64(c.Requests), labels...)
	counter(out, about("replayed_total", "FUSE requests answered for a process that died before it could."), float64(c.Replayed), labels...)
	counter(out, about("deaths_total", "Processes that died while they served the mount."), float64(c.Deaths), labels...)
	gauge(out, about("requests_in_flight", "FUSE requests that are being handled."), float64(c.InFlight), labels...)
	gauge(out, about("oldest_request_seconds", "How long the oldest of these has been handled."), float64(c.LongestUSec)/1e6, labels...)
}
