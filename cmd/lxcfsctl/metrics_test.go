package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"

	"linuxcontainers.org/lxcfs/dbusapi"
)

func testSample() sample {
	return sample{
		Status: dbusapi.Status{
			Version: "1.2", StartedAt: time.Unix(1700000000, 0), Restarts: 3, Virtualization: true, CgroupLayout: "v2",
			LatencyBounds: []uint64{100, 1000}, Latency: []uint64{7, 2, 1},
			Files: []dbusapi.FileStats{
				{Path: "/proc/meminfo", Requests: 9, Errors: 1, InFlight: 2, BusyUSec: 1500000, Fallbacks: map[string]uint64{"format": 3, "other": 1}},
				{Path: "/proc/stat", Requests: 1},
			},
		},
		Connections: []dbusapi.Connection{{ID: "1", Mountpoint: "/var/lib/lx\"c\nf\xffs", Requests: 99, Replayed: 4, Deaths: 2, InFlight: 1, LongestUSec: 2500000}},
		Containers:  map[string]int{"lxc": 3, "": 1},
	}
}

// families parses text as Prometheus does.
func families(t *testing.T, text []byte, format expfmt.Format) map[string]*dto.MetricFamily {
	t.Helper()
	all := make(map[string]*dto.MetricFamily)
	d := expfmt.NewDecoder(bytes.NewReader(text), format)
	for {
		f := new(dto.MetricFamily)
		err := d.Decode(f)
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatalf("%v in\n%s", err, text)
		}
		all[f.GetName()] = f
	}
}

// What promtool would say: names, units, help, type, and the end.
func TestMetricsAreOpenMetrics(t *testing.T) {
	var out bytes.Buffer
	if err := testSample().write(&out, openMetrics()); err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(out.String(), "\n# EOF\n") {
		t.Errorf("no end:\n%s", out.String())
	}
	all := families(t, out.Bytes(), openMetrics())
	name := regexp.MustCompile(`^lxcfs_[a-z_]+$`)
	for n, f := range all {
		if !name.MatchString(n) || len(f.GetHelp()) < 10 || !strings.HasSuffix(f.GetHelp(), ".") {
			t.Errorf("%s: %q", n, f.GetHelp())
		}
		if strings.HasSuffix(strings.TrimSuffix(n, "_total"), "_seconds") != (f.GetUnit() == "seconds") {
			t.Errorf("%s: unit %q", n, f.GetUnit())
		}
		if f.GetType() == dto.MetricType_UNTYPED {
			t.Errorf("%s has no type", n)
		}
	}
	if len(all) < 18 {
		t.Errorf("%d metrics", len(all))
	}
	for _, line := range []string{
		`lxcfs_build_info{cgroups="v2",version="1.2"} 1.0`,
		`lxcfs_file_requests_total{file="/proc/meminfo"} 9.0`,
		`lxcfs_file_busy_seconds_total{file="/proc/meminfo"} 1.5`,
		`lxcfs_file_fallbacks_total{file="/proc/meminfo",reason="format"} 3.0`,
		`lxcfs_connection_deaths_total{id="1",mountpoint="/var/lib/lx\"c\\nf\\377s"} 2.0`,
		`lxcfs_containers{runtime="lxc"} 3.0`,
		`lxcfs_request_duration_seconds_bucket{le="0.001"} 9`,
		`lxcfs_request_duration_seconds_bucket{le="+Inf"} 10`,
		`lxcfs_request_duration_seconds_sum 1.5`,
		`lxcfs_start_time_seconds 1.7e+09`,
		`lxcfs_up 1.0`,
	} {
		if !strings.Contains(out.String(), "\n"+line+"\n") {
			t.Errorf("no line %s in\n%s", line, out.String())
		}
	}
}

// The textfile collector never sees half a file, and no other one.
func TestReplaceFile(t *testing.T) {
	name := filepath.Join(t.TempDir(), "lxcfs.prom")
	s := testSample()
	write := func(w io.Writer) error { return s.write(w, expfmt.NewFormat(expfmt.TypeTextPlain)) }
	if err := replaceFile(name, write); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if families(t, text, expfmt.NewFormat(expfmt.TypeTextPlain))["lxcfs_file_requests_total"] == nil {
		t.Errorf("got\n%s", text)
	}
	if err := replaceFile(name, func(w io.Writer) error { io.WriteString(w, "half"); return io.ErrShortWrite }); !errors.Is(err, io.ErrShortWrite) {
		t.Error(err)
	}
	again, err := os.ReadFile(name)
	entries, dirErr := os.ReadDir(filepath.Dir(name))
	if err != nil || dirErr != nil || !bytes.Equal(text, again) || len(entries) != 1 {
		t.Errorf("after a failure: %v, %v, %d files", err, dirErr, len(entries))
	}
	if info, err := os.Stat(name); err != nil || info.Mode().Perm() != 0o644 {
		t.Errorf("mode: %v, %v", info.Mode(), err)
	}
}

// Prometheus scrapes; a daemon that is away is a metric and no error; and the
// process ends when nobody asks.
func TestServeMetrics(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	takes := make(chan error, 1)
	done := make(chan error, 1)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		done <- serveMetricsOn(ctx, l, time.Minute, func() (sample, error) { return testSample(), <-takes })
	}()
	for _, tt := range []struct {
		err  error
		want string
	}{{nil, "lxcfs_up 1"}, {dbusapi.ErrNotRunning, "lxcfs_up 0"}} {
		takes <- tt.err
		response, err := http.Get("http://" + l.Addr().String() + "/metrics")
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(response.Body)
		response.Body.Close()
		if err != nil || response.StatusCode != http.StatusOK || !strings.Contains(string(text), tt.want) {
			t.Errorf("%d, %v:\n%s", response.StatusCode, err, text)
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	l, err = net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := serveMetricsOn(t.Context(), l, time.Millisecond, nil); err != nil {
		t.Errorf("idle: %v", err)
	}
}
