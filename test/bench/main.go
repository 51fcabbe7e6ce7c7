package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// settings are the command line.
type settings struct {
	ours, before, upstream, floor, box string
	work, out                          string
	scenes                             string
	rounds                             int
	slice                              time.Duration
	containers                         int
}

func main() {
	if len(os.Args) == 3 && os.Args[1] == "floor" {
		exit(serveFloor(os.Args[2]))
	}
	if len(os.Args) == 3 && os.Args[1] == "report" {
		exit(fromFile(os.Args[2], os.Stdout, report))
	}
	if len(os.Args) == 3 && os.Args[1] == "plot" {
		exit(fromFile(os.Args[2], os.Stdout, plot))
	}
	var s settings
	flag.StringVar(&s.ours, "ours", "", "the lxcfs under test")
	flag.StringVar(&s.before, "before", "", "an earlier build of it, measured beside; none: left out")
	flag.StringVar(&s.upstream, "upstream", "", "another lxcfs, unpacked below this `DIR`; none: left out")
	flag.StringVar(&s.floor, "floor", "", "the floor in C; none: left out")
	flag.StringVar(&s.box, "box", "", "the container's init")
	flag.StringVar(&s.work, "work", "", "an empty `DIR` for mount points")
	flag.StringVar(&s.out, "out", "", "write the results to `FILE` as JSON")
	flag.StringVar(&s.scenes, "scenes", strings.Join(sceneNames(), ","), "what to measure")
	flag.IntVar(&s.rounds, "rounds", 5, "rounds of each measurement")
	flag.DurationVar(&s.slice, "slice", 300*time.Millisecond, "time of one measurement in one round")
	flag.IntVar(&s.containers, "containers", 1000, "containers of the largest sweep")
	flag.Parse()
	exit(run(s))
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// results are all that was measured, in the order of the scenes.
type results struct {
	Machine []string // what was measured on, in words
	Rows    []row
}

// row is one figure of one server.
type row struct {
	Scene  string // "files", "readers", ...
	Case   string // what was measured: "meminfo pread"
	Server string
	Unit   string
	Value  float64
}

func (r *results) add(scene, what, server, unit string, value float64) {
	r.Rows = append(r.Rows, row{scene, what, server, unit, value})
	fmt.Fprintf(os.Stderr, "%-9s %-28s %-10s %12.2f %s\n", scene, what, server, value, unit)
}

// scene is a group of measurements.
type scene struct {
	name, title, about string
	run                func(*bench) error
}

func scenes() []scene {
	return []scene{
		{"files", "One reader", "Server and reader pinned to one CPU. pread: READ of an open file; once: open, read, close; cat: as cat(1) does; thread: cat by a thread that was never seen before.", (*bench).files},
		{"readers", "Many readers", "All CPUs, nothing pinned.", (*bench).readers},
		{"syscalls", "System calls", "Of the server, for one read; the cgroup is so many levels below the root. nanosleep(2) is by time, not by reads: Go's monitor.", (*bench).syscalls},
		{"restart", "A death in the middle", "", (*bench).restart},
		{"sweeps", "Many containers", "A sweep is meminfo, stat, cpuinfo, uptime and loadavg. Per container: its first sweep, further ones, and one by a new process.", (*bench).sweeps},
		{"loads", "Load averages", "CPU time of one refresh, every 5 s. native: a plain loop that reads the files of all processes.", (*bench).loads},
		{"hertz", "Many containers, once a second", "Each container sweeps once a second.", (*bench).hertz},
	}
}

func sceneNames() []string {
	var names []string
	for _, s := range scenes() {
		names = append(names, s.name)
	}
	return names
}

// bench is one run.
type bench struct {
	settings
	results results
	layout  layout
	names   int // of cgroups made so far
}

func run(s settings) error {
	if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_SHARED, ""); err != nil {
		return fmt.Errorf("mount namespace: %w", err)
	}
	b := &bench{settings: s, layout: findLayout()}
	b.results.Machine = describe(s)
	wanted := strings.Split(s.scenes, ",")
	for _, scene := range scenes() {
		if !slices.Contains(wanted, scene.name) {
			continue
		}
		if err := scene.run(b); err != nil {
			return fmt.Errorf("%s: %w", scene.name, err)
		}
		if err := b.save(); err != nil {
			return err
		}
	}
	return report(b.results, os.Stdout)
}

// save writes what is there so far.
func (b *bench) save() error {
	if b.out == "" {
		return nil
	}
	text, err := json.MarshalIndent(b.results, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(b.out, append(text, '\n'), 0o644)
}

// fromFile writes saved results in another form.
func fromFile(name string, w io.Writer, write func(results, io.Writer) error) error {
	text, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	var r results
	if err := json.Unmarshal(text, &r); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return write(r, w)
}

// describe says what the machine is.
func describe(s settings) []string {
	line := func(name string) string {
		text, _ := os.ReadFile(name)
		return strings.TrimSpace(string(text))
	}
	cpu := "unknown"
	count := 0
	for l := range strings.Lines(line("/proc/cpuinfo")) {
		key, value, _ := strings.Cut(l, ":")
		switch strings.TrimSpace(key) {
		case "model name":
			cpu = strings.TrimSpace(value)
		case "processor":
			count++
		}
	}
	memory, _, _ := strings.Cut(line("/proc/meminfo"), "\n")
	_, system, _ := strings.Cut(line("/etc/os-release"), "PRETTY_NAME=\"")
	system, _, _ = strings.Cut(system, "\"")
	return []string{
		fmt.Sprintf("%d CPUs, %s; %s", count, cpu, strings.Join(strings.Fields(memory), " ")),
		fmt.Sprintf("Linux %s, %s, cgroup %s", line("/proc/sys/kernel/osrelease"), system, findLayout()),
		"upstream: lxcfs " + strings.TrimSpace(line(filepath.Join(s.upstream, "version"))),
		fmt.Sprintf("%s, %d rounds of %v each", time.Now().UTC().Format("2006-01-02"), s.rounds, s.slice),
	}
}
