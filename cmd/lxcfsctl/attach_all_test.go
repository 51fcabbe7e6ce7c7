package main

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"linuxcontainers.org/lxcfs/hooks/attach"
)

func inTops(tops, each int, prefix string) []attach.Found {
	var all []attach.Found
	for range each {
		for top := range tops {
			all = append(all, attach.Found{PID: 1 + len(all), Top: fmt.Sprintf("/%s%d", prefix, top)})
		}
	}
	return all
}

// A container that lets everybody wait costs its own share of time, and others get
// theirs; who waited is named.
func TestSweepIsFair(t *testing.T) {
	for _, tt := range []struct {
		name            string
		hostile, nested int // top-level containers that let wait, and namespaces in each
		quiet           int
		done, left      int
		longest         time.Duration
	}{
		{"nobody is hostile", 0, 0, 500, 500, 0, time.Minute},
		{"one with a thousand nested", 1, 1000, 500, 500, 1000, time.Minute},
		{"a thousand", 1000, 1, 0, 0, 1000, allTimeout},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(context.Background(), allTimeout)
				defer cancel()
				var done, atOnce, most atomic.Int32
				one := func(ctx context.Context, f attach.Found) error {
					most.Store(max(most.Load(), atOnce.Add(1)))
					defer atOnce.Add(-1)
					if strings.HasPrefix(f.Top, "/hostile") {
						<-ctx.Done()
						return ctx.Err()
					}
					time.Sleep(50 * time.Millisecond)
					done.Add(1)
					return nil
				}
				var s sweep
				begun := time.Now()
				s.run(ctx, append(inTops(tt.hostile, tt.nested, "hostile"), inTops(tt.quiet, 1, "quiet")...), make(map[string]time.Duration), one)
				if took := time.Since(begun); took > tt.longest {
					t.Errorf("took %v, want at most %v", took, tt.longest)
				}
				if int(done.Load()) != tt.done || len(s.left) != tt.left {
					t.Errorf("%d done and %d left, want %d and %d", done.Load(), len(s.left), tt.done, tt.left)
				}
				if most.Load() > allAtATime {
					t.Errorf("%d at a time, want at most %d", most.Load(), allAtATime)
				}
				err := s.result("attach", allTimeout)
				if (err != nil) != (tt.left > 0) {
					t.Errorf("got %v", err)
				}
				if err != nil && (!strings.Contains(err.Error(), "lxcfsctl attach NAME") || !strings.Contains(err.Error(), " and 980 more")) {
					t.Errorf("got %v, which does not say what to do", err)
				}
			})
		})
	}
}

// What a container used in the first round is gone in the second.
func TestSweepShareIsForAllRounds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hang := func(ctx context.Context, _ attach.Found) error { <-ctx.Done(); return ctx.Err() }
		spent := make(map[string]time.Duration)
		var s sweep
		begun := time.Now()
		for range 3 {
			s.run(context.Background(), inTops(1, 2, "hostile"), spent, hang)
		}
		if took := time.Since(begun); took > allPerTop || len(s.left) != 6 {
			t.Errorf("took %v, left %q", took, s.left)
		}
	})
}
