//go:build integration

package integration

import (
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// program is one that reads what lxcfs serves; check gets what it prints in a
// container of 512 MiB and CPU 1.
type program struct {
	command string
	check   func(t *testing.T, out string)
}

// The tools that people look at numbers with run in a container, and all say
// what its limits are.
func TestToolsAgree(t *testing.T) {
	d := start(t)
	b := newBox(t, d, limits{memory: "536870912", cpus: "1"}, nil)
	b.bindSystem(d)
	for _, p := range programs() {
		name, _, _ := strings.Cut(p.command, " ")
		t.Run(strings.ReplaceAll(strings.SplitN(p.command, "'", 2)[0], " ", "_"), func(t *testing.T) {
			if _, err := exec.LookPath(name); err != nil {
				t.Skipf("needs %s; have: none", name)
			}
			out, ok := strings.CutSuffix(strings.TrimSpace(b.run(p.command+" && echo well")), "well")
			if !ok {
				t.Fatalf("failed:\n%s", out)
			}
			p.check(t, out)
			if t.Failed() {
				t.Logf("printed:\n%s", out)
			}
		})
	}
}

func programs() []program {
	return []program{
		{"free -k", func(t *testing.T, out string) {
			want(t, out, `Mem: +(\d+)`, 524288, 524288)
			want(t, out, `Mem: +\d+ +(\d+)`, 0, 524288)
			want(t, out, `Mem: +\d+ +\d+ +(\d+)`, 0, 524288)
		}},
		{"top -b -n 1", func(t *testing.T, out string) {
			want(t, out, `MiB Mem : +([\d.]+) total`, 512, 512)
			want(t, out, `MiB Mem : .* ([\d.]+) used`, 0, 512)
			want(t, out, `Tasks: +(\d+) total`, 1, 20)
			want(t, out, `%Cpu.*?([\d.]+) id`, 0, 100)
		}},
		{"vmstat 1 2", checkVMStat},
		{"vmstat -s", func(t *testing.T, out string) { want(t, out, `(\d+) K total memory`, 524288, 524288) }},
		{"uptime", func(t *testing.T, out string) { want(t, out, `up +(\d+) min`, 0, 5) }},
		{"nproc", func(t *testing.T, out string) { want(t, out, `(\d+)`, 1, 1) }},
		{"nproc --all", func(t *testing.T, out string) { // those that are offline, too
			n := float64(possibleCPUs(t).Count())
			want(t, out, `(\d+)`, n, n)
		}},
		{"lscpu", func(t *testing.T, out string) { want(t, out, `On-line CPU\(s\) list: +(\d+)\n`, 1, 1) }},
		{"lscpu -p=CPU", func(t *testing.T, out string) { want(t, out, `(?m)^(\d+)\n`, 1, 1) }},
		{"ps aux", func(t *testing.T, out string) { want(t, out, `root +(\d+) .* sh\n`, 1, 1) }},
		{"mpstat -P ALL 1 1", func(t *testing.T, out string) {
			want(t, out, `Average: +all .* ([\d.]+)\n`, 0, 100)
			want(t, out, `Average: +(\d+) +[\d.]+ `, 1, 1)
		}},
		// Without -p it reads /sys/block, which is the host's.
		{"iostat -p ALL 1 2", func(t *testing.T, out string) {
			want(t, out, `avg-cpu.*\n.* ([\d.]+)\n`, 0, 100)
			want(t, out, `Device.*\n\w+ +[\d.]+ .* (\d+) +\d+ +\d+\n`, 0, 1<<18) // kB read
		}},
		{"sar -w 1 1", func(t *testing.T, out string) { want(t, out, `Average: +([\d.]+)`, 0, 1e6) }},
		// Its first line is what sysinfo(2) says, of the host.
		{"busybox free", func(t *testing.T, out string) { want(t, out, `Mem: .* (\d+)\n`, 0, 524288) }},
		{"busybox top -b -n 1", func(t *testing.T, out string) {
			want(t, out, `Mem: (\d+)K used`, 0, 524288)
			want(t, out, `(\d+)K free`, 0, 524288)
		}},
		{`node -p '[os.totalmem()/1024,os.cpus().length,os.uptime()].join(" ")'`, func(t *testing.T, out string) {
			want(t, out, `(\d+) `, 524288, 524288)
			want(t, out, ` (\d+) `, 1, 1)
			want(t, out, ` ([\d.]+)\s*$`, 0, 300)
		}},
	}
}

// want looks for a number and checks that it is in a range.
func want(t *testing.T, out, pattern string, least, most float64) {
	t.Helper()
	m := regexp.MustCompile(pattern).FindStringSubmatch(out)
	if m == nil {
		t.Errorf("no %s", pattern)
		return
	}
	if n, err := strconv.ParseFloat(m[1], 64); err != nil || n < least || n > most {
		t.Errorf("%s: got %s, %v, want %v to %v", pattern, m[1], err, least, most)
	}
}

// checkVMStat checks both reports; the first is the mean since the start.
//
//	r  b   swpd   free   buff  cache   si   so    bi    bo   in   cs us sy id wa st
func checkVMStat(t *testing.T, out string) {
	t.Helper()
	rows := regexp.MustCompile(`(?m)^ *\d+ +\d+ .*$`).FindAllString(out, -1)
	if len(rows) != 2 {
		t.Fatalf("%d reports, want 2", len(rows))
	}
	for _, row := range rows {
		most := []float64{20, 20, 524288, 524288, 524288, 524288, 1e5, 1e5, 1e6, 1e6, 1e6, 1e6, 100, 100, 100, 0, 0}
		for i, field := range strings.Fields(row) {
			if n, err := strconv.ParseFloat(field, 64); err != nil || i < len(most) && (n < 0 || n > most[i]) {
				t.Errorf("column %d is %s in %q", i, field, row)
			}
		}
	}
}
