package view

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"linuxcontainers.org/lxcfs/cgroup"
	"linuxcontainers.org/lxcfs/cgroup/container"
)

// given is all the time that the CPUs of an account have, but idle.
func given(a *account) (p pool) {
	for i := range a.cpus {
		p.add(pool{a.cpus[i].user, a.cpus[i].nice, a.cpus[i].system})
	}
	return p
}

// On v2 nothing is invented and nothing is lost: what the CPUs have and what is
// carried is what the cgroup used, kind by kind; no CPU has more than the time
// that passed; one that was visible all the time was busy or idle all the time.
func TestSpreadIsExact(t *testing.T) {
	for seed := range uint64(40) {
		const cpus = 5
		w := &world{r: rand.New(rand.NewPCG(seed, 2)), cpus: cpus, noReset: true}
		w.s = slice{now: 50_000_000, uptime: 0, busy: make([]uint64, cpus)}
		a := account{cpus: make([]cpuAccount, cpus)}
		w.step(false)
		w.s.uptime = 0 // all of it is older than the container
		a.advance(&w.s)
		if got := given(&a); got.sum() != 0 {
			t.Fatalf("seed %d: a container of age 0 has %+v", seed, got)
		}
		start := w.usage
		for n := range 200 {
			before, since := append([]cpuAccount(nil), a.cpus...), a.last
			w.step(false)
			if !a.advance(&w.s) {
				continue
			}
			wall := a.last - since
			for i := range a.cpus {
				checkCPU(t, seed, n, i, before[i], a.cpus[i], wall)
			}
			got := given(&a)
			got.add(a.carry)
			want := pool{
				user:   w.usage.UserUsec - w.usage.NiceUsec - (start.UserUsec - start.NiceUsec),
				nice:   w.usage.NiceUsec - start.NiceUsec,
				system: w.usage.SystemUsec - start.SystemUsec,
			}
			if got != want {
				t.Fatalf("seed %d, step %d: %+v given or carried, the cgroup used %+v", seed, n, got, want)
			}
		}
	}
}

func checkCPU(t *testing.T, seed uint64, n, cpu int, b, a cpuAccount, wall uint64) {
	t.Helper()
	busy := a.user - b.user + a.nice - b.nice + a.system - b.system
	idle := a.idle - b.idle
	if busy+idle > wall || a.visible == 1 && b.visible == 1 && busy+idle != wall {
		t.Fatalf("seed %d, step %d, CPU %d: busy %d, idle %d in %d µs", seed, n, cpu, busy, idle, wall)
	}
}

// A container that keeps one CPU busy shows so in the end even where the host's
// ticks miss it.
func TestNothingIsCarriedForEver(t *testing.T) {
	usage := cgroup.CPUUsage{}
	s := slice{now: 1_000_000, visible: cgroup.CPUSetOf(0, 1), busy: []uint64{0, 0}, usage: &usage}
	a := account{cpus: make([]cpuAccount, 2)}
	a.advance(&s)
	for range 100 {
		s.now += 1_000_000
		usage.UserUsec += 1_000_000
		a.advance(&s)
	}
	if got := given(&a); got.user < 99_000_000 || a.carry.sum() > 1_000_000 {
		t.Errorf("given %d µs of 100 s, %d carried", got.user, a.carry.sum())
	}
}

// Readers that come every millisecond change nothing.
func TestFastReaders(t *testing.T) {
	usage := cgroup.CPUUsage{}
	s := slice{now: 1_000_000, visible: cgroup.CPUSetOf(0), busy: []uint64{0}, usage: &usage}
	a := account{cpus: make([]cpuAccount, 1)}
	a.advance(&s)
	for i := range 10_000 {
		s.now += 1_000
		usage.UserUsec += 500
		s.busy[0] = uint64(i) / 20 * 10_000
		a.advance(&s)
	}
	if got := given(&a).user; got < 4_950_000 || got > 5_000_000 {
		t.Errorf("given %d µs, want 5 s but for the last slices", got)
	}
	if idle := a.cpus[0].idle; idle < 4_900_000 || idle > 5_100_000 {
		t.Errorf("idle %d µs, want 5 s", idle)
	}
}

func TestSeed(t *testing.T) {
	const s = 1_000_000
	for _, test := range []struct {
		name    string
		uptime  uint64
		visible cgroup.CPUSet
		busy    []uint64
		used    uint64
		want    []uint64
	}{
		{"evenly", 100 * s, cgroup.CPUSetOf(0, 1), []uint64{500 * s, 500 * s}, 60 * s, []uint64{30 * s, 30 * s}},
		{"not where the host was idle", 100 * s, cgroup.CPUSetOf(0, 1), []uint64{10 * s, 500 * s}, 60 * s, []uint64{10 * s, 50 * s}},
		{"ticks missed it", 100 * s, cgroup.CPUSetOf(0, 1), []uint64{10 * s, 10 * s}, 60 * s, []uint64{30 * s, 30 * s}},
		{"never more than its age", 10 * s, cgroup.CPUSetOf(0, 1), []uint64{500 * s, 500 * s}, 60 * s, []uint64{10 * s, 10 * s}},
		{"it ran on others before", 10 * s, cgroup.CPUSetOf(0), []uint64{500 * s, 500 * s, 5 * s}, 60 * s, []uint64{10 * s, 10 * s, 5 * s}},
	} {
		t.Run(test.name, func(t *testing.T) {
			a := account{cpus: make([]cpuAccount, len(test.busy))}
			usage := cgroup.CPUUsage{UserUsec: test.used}
			a.advance(&slice{now: 1000 * s, uptime: test.uptime, visible: test.visible, busy: test.busy, usage: &usage})
			for i, want := range test.want {
				if got := a.cpus[i].user; got != want {
					t.Errorf("CPU %d has %d µs, want %d", i, got, want)
				}
			}
			if a.carry.sum() != 0 {
				t.Errorf("%+v carried: it is older than the container", a.carry)
			}
		})
	}
}

// On v1 a container at its quota shows its CPUs busy, wherever it ran.
func TestQuotaOnV1(t *testing.T) {
	const s = 1_000_000
	usage := cgroup.CPUUsage{PerCPU: make([]cgroup.CPUTime, 4)}
	w := slice{now: 10 * s, visible: cgroup.CPUSetOf(0), partial: true, busy: make([]uint64, 4), usage: &usage}
	a := account{cpus: make([]cpuAccount, 4)}
	a.advance(&w)
	for range 10 {
		w.now += s
		for i := range usage.PerCPU { // a quota of one CPU, used on four
			usage.PerCPU[i].UserNsec += 250_000_000
		}
		a.advance(&w)
	}
	if c := a.cpus[0]; c.user != 10*s || c.idle != 0 {
		t.Errorf("CPU 0: %+v, want 10 s busy", c)
	}
}

// The process may end after any word that it writes: the next one finds an
// account as it was before the step or after it, and no other.
func TestDeathAtAnyWord(t *testing.T) {
	const cpus = 2
	w := &world{r: rand.New(rand.NewPCG(3, 3)), cpus: cpus}
	w.s = slice{now: 50_000_000, uptime: 7_000_000, busy: make([]uint64, cpus)}
	mem := memory(t, int(AccountsSize(cpus)), nil)
	accounts, err := OpenAccounts(mem, cpus)
	if err != nil {
		t.Fatal(err)
	}
	keys := []container.Key{{Inode: 1}, {Inode: 2, StartTicks: 9}}
	states := make(map[container.Key][]pool) // the last two of each
	deaths := 0
	accounts.wrote = func() {
		deaths++
		again, err := OpenAccounts(memory(t, len(mem), mem), cpus)
		if err != nil {
			t.Fatal(err)
		}
		for key, want := range states {
			r := again.byKey[key]
			if r == nil {
				if len(want) > 1 {
					t.Fatalf("death %d: no account of %+v", deaths, key)
				}
				continue
			}
			if got := given(&r.account); got != want[0] && got != want[len(want)-1] {
				t.Fatalf("death %d: %+v of %+v, want one of %+v", deaths, got, key, want)
			}
		}
	}
	for n := range 8 {
		w.step(n%2 == 0)
		w.s.now += minSlice
		key := keys[n/2%2]
		r := accounts.open(key)
		r.account.advance(&w.s)
		states[key] = append(states[key], given(&r.account))
		states[key] = states[key][max(0, len(states[key])-2):]
		accounts.commit(r)
		r.mu.Unlock()
	}
	if deaths < 100 {
		t.Errorf("only %d deaths", deaths)
	}
}

// Memory that nobody used stays untouched by a start, and what an older version
// left in it is not read.
func TestOnlyUsedRecordsAreRead(t *testing.T) {
	const cpus = 1
	mem := bytes.Repeat([]byte{0xff}, int(AccountsSize(cpus)))
	accounts, err := OpenAccounts(mem, cpus)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(accounts.byKey); n != 0 {
		t.Fatalf("%d accounts of garbage", n)
	}
	for i := range uint64(3) {
		r := accounts.open(container.Key{Inode: i + 1})
		r.account.last = i + 1
		accounts.commit(r)
		r.mu.Unlock()
	}
	again, err := OpenAccounts(bytes.Clone(mem), cpus)
	if err != nil {
		t.Fatal(err)
	}
	if len(again.byKey) != 3 || again.used != 3 || len(again.free) != 0 {
		t.Errorf("%d accounts, %d used, %d free: want 3, 3 and 0", len(again.byKey), again.used, len(again.free))
	}
	if !bytes.Equal(mem[headerSize+6*copySize(cpus):][:64], bytes.Repeat([]byte{0xff}, 64)) {
		t.Error("what lies beyond the used records was written to")
	}
}
