package proc

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"linuxcontainers.org/lxcfs/fs/view"
	"linuxcontainers.org/lxcfs/test/hosts"
)

// figuresIn reads figures in a file's text, as programs do.
func figuresIn(t *testing.T, file string, text []byte) (f Figures) {
	t.Helper()
	lines := strings.Split(string(text), "\n")
	switch file {
	case "meminfo":
		for _, line := range lines {
			var name string
			var kB uint64
			fmt.Sscan(line, &name, &kB)
			for n, into := range map[string]*uint64{
				"MemTotal:": &f.MemTotal, "MemFree:": &f.MemFree, "MemAvailable:": &f.MemAvailable,
				"SwapTotal:": &f.SwapTotal, "SwapFree:": &f.SwapFree,
			} {
				if n == name {
					*into = kB << 10
				}
			}
		}
	case "stat":
		var name string
		var user, nice, system uint64
		fmt.Sscan(lines[0], &name, &user, &nice, &system)
		f.CPUTicks = user + nice + system
	case "loadavg":
		var running uint64
		fmt.Sscanf(lines[0], "%g %g %g %d/%d", &f.Load[0], &f.Load[1], &f.Load[2], &running, &f.Threads)
	case "uptime":
		var seconds, hundredths int64
		fmt.Sscanf(lines[0], "%d.%d", &seconds, &hundredths)
		f.Uptime = time.Duration(seconds)*time.Second + time.Duration(hundredths)*10*time.Millisecond
	}
	if f == (Figures{}) {
		t.Fatalf("no figures in %s: %s", file, text)
	}
	return f
}

// Figures are what the rendered files say, in whatever way these come to be.
func TestFiguresAreInTheFiles(t *testing.T) {
	seen := 0
	eachCaptured(t, func(t *testing.T, _ hosts.Container, file view.File, host []byte, v *view.View) {
		var f Figures
		take := map[string]func([]byte, *view.View) error{
			"meminfo": f.TakeMeminfo, "stat": f.TakeStat, "loadavg": f.TakeLoadavg, "uptime": f.TakeUptime,
		}[name(file)]
		if take == nil {
			return
		}
		seen++
		check := func(what string, text []byte, v *view.View) {
			t.Helper()
			f = Figures{}
			if err := take(host, v); err != nil {
				t.Fatalf("%s: %v", what, err)
			}
			if want := figuresIn(t, name(file), text); f != want {
				t.Errorf("%s:\n got %+v\nwant %+v", what, f, want)
			}
		}
		check("the host's", host, nil)
		for what, change := range map[string]func(*view.View){
			"the container's":      func(*view.View) {},
			"without loads":        func(v *view.View) { v.LoadKnown = false },
			"of no pid namespace":  func(v *view.View) { v.HostPIDs = true },
			"a second and 5.1e-3s": func(v *view.View) { v.Uptime += 1005100 * time.Microsecond },
		} {
			changed := *v
			change(&changed)
			text, err := file.Append(nil, host, &changed)
			if err != nil {
				t.Fatal(err)
			}
			check(what, text, &changed)
		}
		for _, cut := range []string{"", "x", "cpu 1 x 2 3\n", "y 2 3\n", "MemTotal: x kB\n"} {
			if take([]byte(cut), nil) == nil {
				t.Errorf("%q: no error", cut)
			}
		}
	})
	if seen < 3*len(hosts.Containers()) {
		t.Errorf("only %d files seen", seen)
	}
}
