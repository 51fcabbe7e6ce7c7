package process

import (
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"linuxcontainers.org/lxcfs/cmd/lxcfs/logs"
)

func TestProfiles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pprof")
	log := logs.New(io.Discard, false)
	if _, err := ServeProfiles("", log); err != nil {
		t.Error(err)
	}
	for range 2 { // the second takes the place of a dead one's socket
		stop, err := ServeProfiles(path, log)
		if err != nil {
			t.Fatal(err)
		}
		defer stop()
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("got %v, %v, want mode 600", info, err)
	}
	for request, some := range map[string]bool{
		"heap\n": true, "goroutine\n": true, "cpu 0\n": true, "cpu x\n": false, "nonsense\n": false, "\n": false,
	} {
		c, err := net.Dial("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(c, request); err != nil {
			t.Fatal(err)
		}
		answer, err := io.ReadAll(c)
		if err != nil || (len(answer) > 0) != some {
			t.Errorf("%q: got %d bytes, %v", request, len(answer), err)
		}
		c.Close()
	}
	if _, err := ServeProfiles(filepath.Join(path, "x"), log); err == nil {
		t.Error("a socket below a socket: no error")
	}
}

func TestHeldOf(t *testing.T) {
	for _, tt := range []struct {
		limit uint64
		want  int
	}{{256, 128}, {1024, 512}, {20000, 20000 - ownFiles}, {1 << 20, maxHeld}} {
		if got := heldOf(tt.limit); got != min(tt.want, maxHeld) {
			t.Errorf("limit %d: got %d, want %d", tt.limit, got, tt.want)
		}
	}
}

func TestProcessors(t *testing.T) {
	for cpus, want := range map[int]int{1: 4, 2: 4, 4: 6, 64: 16} {
		if got := processors(cpus); got != want {
			t.Errorf("%d CPUs: got %d, want %d", cpus, got, want)
		}
	}
}

// TestTune: the ballast is there.
func TestTune(t *testing.T) {
	Tune()
	if len(ballast) != ballastSize {
		t.Errorf("got a ballast of %d bytes, want %d", len(ballast), ballastSize)
	}
	if got, least := runtime.GOMAXPROCS(0), min(runtime.NumCPU(), 16); os.Getenv("GOMAXPROCS") == "" && got < least {
		t.Errorf("got %d processors of Go's, want at least %d", got, least)
	}
}
