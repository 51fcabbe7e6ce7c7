package logs

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// letThrough counts which of n messages are let through.
func letThrough(l *Limiter, owner, kind string, n int, now time.Time) (passed int) {
	for range n {
		if ok, _ := l.Allow(owner, kind, now); ok {
			passed++
		}
	}
	return passed
}

// What one container has logged hides nothing of another.
func TestLimiterCountsPerContainer(t *testing.T) {
	l, now := NewLimiter(), time.Now()
	for _, row := range []struct {
		what, owner, kind string
		n, want           int
	}{
		{"a flood", "/docker/a", "/proc/stat", 1000, logPerKind},
		{"of another container", "/docker/b", "/proc/stat", 1, 1},
		{"of another file", "/docker/a", "/proc/meminfo", 1, 1},
		{"of nobody", "", "session restarted", 1000, logPerKind},
	} {
		if got := letThrough(l, row.owner, row.kind, row.n, now); got != row.want {
			t.Errorf("%s: got %d, want %d", row.what, got, row.want)
		}
	}
	now = now.Add(Period)
	if ok, suppressed := l.Allow("/docker/a", "/proc/stat", now); !ok || suppressed != 1000-logPerKind {
		t.Errorf("later: %v, %d", ok, suppressed)
	}
}

func TestLimiterBounds(t *testing.T) {
	l, now := NewLimiter(), time.Now()
	files := 0
	for i := range 10 * maxKinds {
		files += letThrough(l, "/docker/a", fmt.Sprint(i), 1, now)
	}
	if files != logPerOwner || len(l.owners["/docker/a"].kinds) != maxKinds+1 {
		t.Errorf("one container, many files: %d lines, %d kinds", files, len(l.owners["/docker/a"].kinds))
	}
	if got := letThrough(l, "/docker/b", "/proc/stat", 1, now); got != 1 {
		t.Errorf("another one meanwhile: got %d", got)
	}
	all := 0
	for i := range 10 * maxOwners {
		all += letThrough(l, fmt.Sprint("/user/", i), "x", 1, now)
	}
	if all != logInAll-logPerOwner-1 || len(l.owners) != maxOwners+1 {
		t.Errorf("many containers: %d lines, %d remembered", all, len(l.owners))
	}
	l.sum(now.Add(Period))
	if len(l.owners) != 0 {
		t.Errorf("%d remembered after the period", len(l.owners))
	}
}

// What no later message tells is summed up once.
func TestLimiterSums(t *testing.T) {
	l, now := NewLimiter(), time.Now()
	letThrough(l, "/docker/a", "/proc/stat", 15, now)
	letThrough(l, "/docker/b", "/proc/stat", 30, now)
	letThrough(l, "/docker/c", "/proc/stat", 5, now)
	if got := l.sum(now.Add(Period - 1)); got != nil {
		t.Errorf("within the period: %v", got)
	}
	now = now.Add(Period)
	want := []leftOut{{"/docker/b", 30 - logPerKind}, {"/docker/a", 15 - logPerKind}}
	if got := l.sum(now); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := l.sum(now); got != nil {
		t.Errorf("again: %v", got)
	}
	var out bytes.Buffer
	logLeftOut(New(&out, false), slices.Repeat(want, sumsLogged))
	if lines := strings.Count(out.String(), "\n"); lines != sumsLogged+1 || !strings.HasSuffix(out.String(), "containers=10 count=175\n") {
		t.Errorf("%d lines:\n%s", lines, &out)
	}
}
