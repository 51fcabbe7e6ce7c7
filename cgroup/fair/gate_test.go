package fair

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestGateLetsInUpToItsLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewGate[string](2, 9, time.Second)
		for range 2 {
			if !g.Enter("a") {
				t.Fatal("turned away below the limit")
			}
		}
		if !g.Enter("b") {
			t.Error("turned away for the requests of another")
		}
		began := time.Now()
		if g.Enter("a") {
			t.Error("let in above the limit")
		}
		if waited := time.Since(began); waited != time.Second {
			t.Errorf("waited %v, want 1s", waited)
		}
		began = time.Now()
		if g.Enter("a") || time.Since(began) != 0 {
			t.Error("waited for requests that are known not to move")
		}
		g.Leave("a")
		if !g.Enter("a") {
			t.Error("turned away after one left")
		}
	})
}

func TestGateWaitsForThoseThatMove(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewGate[int](1, 10, time.Second)
		g.Enter(7)
		const waiters = 10
		in := make(chan bool, waiters)
		for range waiters {
			go func() {
				ok := g.Enter(7)
				in <- ok
				if ok {
					time.Sleep(900 * time.Millisecond)
					g.Leave(7)
				}
			}()
		}
		synctest.Wait()
		time.Sleep(900 * time.Millisecond)
		g.Leave(7)
		for range waiters { // 9 s for the last one, and each moved in time
			if !<-in {
				t.Error("turned away although requests moved")
			}
		}
		synctest.Wait()
		time.Sleep(time.Second)
		g.mu.Lock()
		defer g.mu.Unlock()
		if len(g.lanes) != 0 || len(g.spare) != 1 {
			t.Errorf("%d lanes, %d spare ones left; want 0 and 1", len(g.lanes), len(g.spare))
		}
	})
}

// Those for whom there is no room are turned away at once, though requests move, and those who wait are not.
func TestGateHasRoomForSoMany(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const limit, room = 2, 3
		g := NewGate[string](limit, room, time.Second)
		in := make(chan bool, limit+room)
		for range limit + room {
			go func() {
				ok := g.Enter("a")
				in <- ok
				time.Sleep(500 * time.Millisecond)
				if ok {
					g.Leave("a")
				}
			}()
		}
		synctest.Wait()
		began := time.Now()
		if g.Enter("a") || time.Since(began) != 0 {
			t.Error("one more waits")
		}
		if !g.Enter("b") {
			t.Error("another was turned away")
		}
		for range limit + room {
			if !<-in {
				t.Error("one of those who waited was turned away")
			}
		}
		synctest.Wait()
		time.Sleep(time.Second)
		if !g.Enter("a") {
			t.Error("turned away afterwards")
		}
	})
}

func BenchmarkGate(b *testing.B) {
	g := NewGate[string](8, 8, time.Second)
	b.ReportAllocs()
	for b.Loop() {
		g.Enter("a")
		g.Leave("a")
	}
}
