package view

import (
	"bytes"
	"math/rand/v2"
	"syscall"
	"testing"

	"linuxcontainers.org/lxcfs/cgroup"
	"linuxcontainers.org/lxcfs/cgroup/container"
)

// world is a made-up machine whose container runs on some of its CPUs.
type world struct {
	r     *rand.Rand
	s     slice
	usage cgroup.CPUUsage
	cpus  int

	noReset bool
}

// memory returns so many bytes that take no room before they are used, with the
// head of others in them: as a new process maps them.
func memory(t *testing.T, size int, head []byte) []byte {
	t.Helper()
	mem, err := syscall.Mmap(-1, 0, size, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_PRIVATE|syscall.MAP_ANON)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := syscall.Munmap(mem); err != nil {
			t.Error(err)
		}
	})
	copy(mem, head[:min(len(head), 32<<10)]) // more than any of these tests uses
	return mem
}

// step lets time pass and changes what can change.
func (w *world) step(v1 bool) {
	wall := uint64(w.r.IntN(3_000_000))
	w.s.now += wall
	w.s.uptime += wall
	w.s.visible, w.s.partial = nil, w.r.IntN(4) == 0
	var list []int
	for cpu := range w.cpus {
		if w.r.IntN(3) > 0 {
			list = append(list, cpu)
		}
	}
	w.s.visible = cgroup.CPUSetOf(append(list, w.r.IntN(w.cpus))...)
	if v1 && w.usage.PerCPU == nil {
		w.usage.PerCPU = make([]cgroup.CPUTime, w.cpus)
	}
	for cpu := range w.cpus {
		ran := uint64(w.r.Int64N(int64(wall) + 1))
		w.s.busy[cpu] += ran
		w.usage.UserUsec += ran / 2
		w.usage.NiceUsec += ran / 8
		w.usage.SystemUsec += ran - ran/2
		if v1 {
			w.usage.PerCPU[cpu].UserNsec += ran / 2 * 1000
			w.usage.PerCPU[cpu].SystemNsec += (ran - ran/2) * 1000
		}
	}
	if w.r.IntN(20) == 0 && !w.noReset { // the cgroup was made anew, or its counters written to
		w.usage = cgroup.CPUUsage{}
		if v1 {
			w.usage.PerCPU = make([]cgroup.CPUTime, w.cpus)
		}
	}
	w.s.usage = &w.usage
}

// Whatever happens to usage, cpusets, quotas and to the process itself, no
// column goes back, and no CPU has more time than has passed.
func TestAccountsNeverGoBack(t *testing.T) {
	for seed := range uint64(12) {
		const cpus = 4
		mem := memory(t, int(AccountsSize(cpus)), nil)
		accounts, err := OpenAccounts(mem, cpus)
		if err != nil {
			t.Fatal(err)
		}
		w := &world{r: rand.New(rand.NewPCG(seed, 1)), cpus: cpus}
		w.s = slice{now: 50_000_000, uptime: 7_000_000, busy: make([]uint64, cpus)}
		key := container.Key{Inode: 7, StartTicks: 9}
		var last View
		for range 100 {
			w.step(seed%2 == 0)
			r := accounts.open(key)
			var v View
			v.CPUs = w.s.visible
			r.account.advance(&w.s)
			accounts.commit(r)
			r.account.report(&v)
			r.mu.Unlock()
			check(t, seed, &last, &v)
			last = v
			if w.r.IntN(5) == 0 { // SIGKILL: a new process finds the memory
				if accounts, err = OpenAccounts(memory(t, len(mem), mem), cpus); err != nil {
					t.Fatal(err)
				}
				mem = accounts.mem
			}
		}
	}
}

func check(t *testing.T, seed uint64, last, v *View) {
	t.Helper()
	a, b := last.CPUTotal, v.CPUTotal
	if b.User < a.User || b.Nice < a.Nice || b.System < a.System || b.Idle < a.Idle {
		t.Fatalf("seed %d: went back from %+v to %+v", seed, a, b)
	}
	var sum uint64
	for _, c := range v.CPUTicks {
		sum += c.User + c.Nice + c.System + c.Idle
	}
	if total := b.User + b.Nice + b.System + b.Idle; sum > total {
		t.Fatalf("seed %d: CPUs have %d ticks, all together %d", seed, sum, total)
	}
}

// One busy CPU's worth of use on v2 shows as that: on a CPU that the host was
// busy on, and never more than the time that passed.
func TestSpread(t *testing.T) {
	a := account{cpus: make([]cpuAccount, 2)}
	usage := cgroup.CPUUsage{}
	s := slice{now: 1_000_000, uptime: 1, visible: cgroup.CPUSetOf(0, 1), busy: []uint64{0, 0}, usage: &usage}
	a.advance(&s)
	s.now, s.busy = 3_000_000, []uint64{0, 2_000_000}
	usage.UserUsec = 2_000_000
	a.advance(&s)
	if got := a.cpus[1].user; got != 2_000_000 {
		t.Errorf("CPU 1 has %d µs, want 2 s", got)
	}
	if c := a.cpus[0]; c.user != 0 || c.idle < 2_000_000 {
		t.Errorf("CPU 0: %+v, want it idle", c)
	}
	s.now, s.busy = 4_000_000, []uint64{100_000, 2_500_000}
	usage.UserUsec = 3_000_000 // more than the host was busy: carried
	a.advance(&s)
	if got := a.cpus[0].user + a.cpus[1].user; got != 2_600_000 || a.carry.user != 400_000 {
		t.Errorf("gave %d µs and carries %d, want 2600000 and 400000", got, a.carry.user)
	}
}

// A death between any two words of a step leaves the step before.
func TestDeathInTheMiddle(t *testing.T) {
	mem := memory(t, int(AccountsSize(1)), nil)
	accounts, err := OpenAccounts(mem, 1)
	if err != nil {
		t.Fatal(err)
	}
	r := accounts.open(container.Key{Inode: 1})
	defer r.mu.Unlock()
	r.account.last, r.account.cpus[0].user = 1, 11
	accounts.commit(r)
	place := r.place
	accounts.setWord(accounts.copy(place, 0), 0, 0) // the next step begins here...
	accounts.setWord(accounts.copy(place, 0), 3, 99)
	again, err := OpenAccounts(memory(t, len(mem), mem), 1) // ...and the process ends
	if err != nil {
		t.Fatal(err)
	}
	if got := again.byKey[container.Key{Inode: 1}].account; got.cpus[0].user != 11 || got.last != 1 {
		t.Errorf("got %+v, want the first step", got)
	}
}

func TestAccountsAreBounded(t *testing.T) {
	const cpus = 8192 // the fewest records
	accounts, err := OpenAccounts(memory(t, int(AccountsSize(cpus)), nil), cpus)
	if err != nil {
		t.Fatal(err)
	}
	for i := range uint64(records(cpus)) + 10 {
		r := accounts.open(container.Key{Inode: i + 1})
		r.mu.Unlock()
	}
	if n := len(accounts.byKey); n != records(cpus) {
		t.Errorf("%d records, want %d", n, records(cpus))
	}
	if accounts.byKey[container.Key{Inode: 1}] != nil {
		t.Error("the oldest is still there")
	}
}

// The place of a container that is no more is given to the next one, in this
// process and in one that takes over; an account in use is left alone.
func TestAccountsForget(t *testing.T) {
	mem := memory(t, int(AccountsSize(2)), nil)
	a, err := OpenAccounts(mem, 2)
	if err != nil {
		t.Fatal(err)
	}
	use := func(key container.Key) *record {
		r := a.open(key)
		r.account.last = key.Inode
		a.commit(r)
		return r
	}
	for i := range uint64(5000) { // more than there are places
		use(container.Key{Inode: i + 1}).mu.Unlock()
		a.forget(container.Key{Inode: i + 1})
	}
	if len(a.byKey) != 0 || a.used != 1 || len(a.free) != 1 {
		t.Errorf("%d accounts, %d of %d places free; want one place", len(a.byKey), len(a.free), a.used)
	}
	r := use(container.Key{Inode: 7})
	a.forget(container.Key{Inode: 7})
	r.mu.Unlock()
	a.forget(container.Key{Inode: 8}) // never known
	use(container.Key{Inode: 9}).mu.Unlock()
	a.forget(container.Key{Inode: 9})
	next, err := OpenAccounts(mem, 2)
	if err != nil {
		t.Fatal(err)
	}
	if kept := next.byKey[container.Key{Inode: 7}]; len(next.byKey) != 1 || kept == nil || kept.account.last != 7 {
		t.Errorf("the next process has %d accounts, want the one in use", len(next.byKey))
	}
}

func FuzzOpenAccounts(f *testing.F) {
	good := make([]byte, AccountsSize(1))
	if _, err := OpenAccounts(good, 1); err != nil {
		f.Fatal(err)
	}
	f.Add(good[:64])
	f.Add([]byte("garbage"))
	f.Fuzz(func(t *testing.T, head []byte) {
		mem := bytes.Clone(good)
		copy(mem, head)
		accounts, err := OpenAccounts(mem, 1)
		if err != nil {
			t.Fatal(err)
		}
		accounts.open(container.Key{Inode: 1}).mu.Unlock()
	})
}

func FuzzAppendBusy(f *testing.F) {
	f.Add([]byte("cpu  1 2 3 4 5 6 7 8 0 0\ncpu0 1 2 3 4 5 6 7 8 0 0\nintr 1\n"))
	f.Fuzz(func(t *testing.T, stat []byte) {
		if busy, err := appendBusy(nil, stat); err == nil && len(busy) > cgroup.MaxCPUs {
			t.Errorf("%d CPUs", len(busy))
		}
	})
}

func TestNextAverage(t *testing.T) {
	load := uint64(0)
	for range 12 { // a minute of one busy thread
		load = nextAverage(load, decay()[0], fixedOne)
	}
	if load < 1285 || load > 1300 { // 1 - 1/e of 2048
		t.Errorf("got %d after a minute, want about 1294", load)
	}
}
