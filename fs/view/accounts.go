package view

import (
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"time"

	"linuxcontainers.org/lxcfs/cgroup/container"
)

// The accounts' memory: a header of one page, then records. A record is two
// copies of one account; the one with the higher generation counts. A step is
// written into the other copy, its generation last, so that a process that dies
// in the middle leaves the last step whole.
//
// Records are used from the first on; used says how many ever were. What lies
// beyond is never read: the memory is sparse, and a machine of many CPUs and few
// containers has no pages there.
//
//	header: magic, version, CPUs, records, used (8 bytes each, native order)
//	copy:   generation, inode, start ticks, then the words of an account, then
//	        9 words for each CPU
const (
	accountsMagic   = 0x5443_4143_4653_584c // "LXFSCACT"
	accountsVersion = 2
	usedWord        = 4
	headerSize      = 4096
	keyWords        = 3
	fixedWords      = keyWords + 11
	cpuWords        = 9
	maxRecords      = 4096
	maxAccounts     = 256 << 20 // bytes; the memory is sparse
)

// ErrAccounts says that the memory given is too small.
var ErrAccounts = errors.New("memory for CPU accounts too small")

func copySize(cpus int) int { return 8 * (fixedWords + cpuWords*cpus) }

func records(cpus int) int {
	return max(64, min(maxRecords, maxAccounts/(2*copySize(cpus))))
}

// AccountsSize returns how many bytes the accounts of a machine of so many
// possible CPUs take. Most are never touched.
func AccountsSize(cpus int) int64 {
	return headerSize + int64(records(cpus))*2*int64(copySize(cpus))
}

// Accounts holds the CPU accounts of containers. It keeps as many as fit, and
// gives up the one that nobody has read for longest.
type Accounts struct {
	mem   []byte
	cpus  int
	wrote func() // in tests: called after each word

	mu    sync.Mutex // guards what follows, and record.used and record.users
	byKey map[container.Key]*record
	free  []int // places below used that hold no record
	used  int
	uses  uint64
}

// record is one account. mu guards account and generation; it is held over the
// reading of the cgroup, and taken after Accounts.mu is given back.
type record struct {
	mu         sync.Mutex
	account    account
	generation uint64

	key   container.Key
	place int
	used  uint64
	users int
}

// OpenAccounts takes over the accounts in mem, AccountsSize(cpus) bytes that the
// caller keeps mapped. Memory that no process wrote, or one of another version
// or for another number of CPUs, is formatted: accounts then begin anew.
func OpenAccounts(mem []byte, cpus int) (*Accounts, error) {
	if cpus < 1 || int64(len(mem)) < AccountsSize(cpus) {
		return nil, fmt.Errorf("%w: %d bytes for %d CPUs", ErrAccounts, len(mem), cpus)
	}
	a := &Accounts{mem: mem, cpus: cpus, byKey: make(map[container.Key]*record)}
	header := []uint64{accountsMagic, accountsVersion, uint64(cpus), uint64(records(cpus))}
	for i, want := range header {
		if word(mem, i) != want {
			a.format(header)
			break
		}
	}
	a.used = min(int(min(word(mem, usedWord), maxRecords)), records(cpus))
	for place := range a.used {
		a.load(place)
	}
	return a, nil
}

func word(b []byte, i int) uint64 { return binary.NativeEndian.Uint64(b[8*i:]) }

func (a *Accounts) setWord(b []byte, i int, v uint64) {
	binary.NativeEndian.PutUint64(b[8*i:], v)
	if a.wrote != nil {
		a.wrote()
	}
}

// format marks every record as unused; the magic is written last.
func (a *Accounts) format(header []uint64) {
	a.setWord(a.mem, 0, 0)
	a.setWord(a.mem, usedWord, 0)
	for i := len(header) - 1; i >= 0; i-- {
		a.setWord(a.mem, i, header[i])
	}
}

// newPlace returns a place that was never used, -1 when there is none. What
// lies there, of memory that was formatted, is not taken for a record.
func (a *Accounts) newPlace() int {
	place := a.used
	if place == records(a.cpus) {
		return -1
	}
	for half := range 2 {
		a.setWord(a.copy(place, half), 0, 0)
	}
	a.used++
	a.setWord(a.mem, usedWord, uint64(a.used))
	return place
}

// copy returns the memory of one copy of a record.
func (a *Accounts) copy(place, half int) []byte {
	size := copySize(a.cpus)
	at := headerSize + (2*place+half)*size
	return a.mem[at : at+size]
}

// load reads a record of an earlier process.
func (a *Accounts) load(place int) {
	c := a.copy(place, 0)
	if other := a.copy(place, 1); word(other, 0) > word(c, 0) {
		c = other
	}
	r := &record{key: container.Key{Inode: word(c, 1), StartTicks: word(c, 2)}, place: place, generation: word(c, 0)}
	_, twice := a.byKey[r.key]
	if r.generation == 0 || twice {
		a.free = append(a.free, place)
		return
	}
	r.account = decode(c, a.cpus)
	a.byKey[r.key] = r
}

// open returns the record of a container, locked.
func (a *Accounts) open(key container.Key) *record {
	a.mu.Lock()
	r := a.byKey[key]
	if r == nil {
		r = a.create(key)
	}
	a.uses++
	r.used = a.uses
	r.users++
	a.mu.Unlock()
	r.mu.Lock()
	a.mu.Lock()
	r.users--
	a.mu.Unlock()
	return r
}

// create makes a record, in the place of the one least recently used when there
// is none free. Where all are in use, the account lives in this process alone.
func (a *Accounts) create(key container.Key) *record {
	r := &record{key: key, place: -1}
	r.account.cpus = make([]cpuAccount, a.cpus)
	if n := len(a.free); n > 0 {
		r.place, a.free = a.free[n-1], a.free[:n-1]
	} else if r.place = a.newPlace(); r.place >= 0 {
		// Both of its copies have generation 0.
	} else if old := a.oldest(); old != nil {
		delete(a.byKey, old.key)
		r.place, r.generation = old.place, old.generation
		old.place = -1
		old.mu.Unlock()
	}
	a.byKey[key] = r
	return r
}

// forget gives the place of a container that is no more to others, unless somebody
// uses the record: then it is left to age.
func (a *Accounts) forget(key container.Key) {
	a.mu.Lock()
	defer a.mu.Unlock()
	r := a.byKey[key]
	if r == nil || r.users > 0 || !r.mu.TryLock() {
		return
	}
	defer r.mu.Unlock()
	delete(a.byKey, key)
	if r.place >= 0 {
		for half := range 2 {
			a.setWord(a.copy(r.place, half), 0, 0)
		}
		a.free = append(a.free, r.place)
		r.place = -1
	}
}

// oldest returns the least recently used record that nobody uses, locked.
func (a *Accounts) oldest() *record {
	var old *record
	for _, r := range a.byKey {
		if r.users == 0 && r.place >= 0 && (old == nil || r.used < old.used) {
			old = r
		}
	}
	if old == nil || !old.mu.TryLock() {
		return nil
	}
	return old
}

// commit writes a record, which the caller has locked.
func (a *Accounts) commit(r *record) {
	if r.place < 0 {
		return
	}
	r.generation++
	c := a.copy(r.place, int(r.generation&1))
	a.setWord(c, 0, 0)
	a.setWord(c, 1, r.key.Inode)
	a.setWord(c, 2, r.key.StartTicks)
	for i, w := range r.account.words() {
		a.setWord(c, keyWords+i, *w)
	}
	for cpu := range r.account.cpus {
		for i, w := range r.account.cpus[cpu].words() {
			a.setWord(c, fixedWords+cpu*cpuWords+i, *w)
		}
	}
	a.setWord(c, 0, r.generation)
}

// words lists the account's fields in the order of the memory.
func (a *account) words() [fixedWords - keyWords]*uint64 {
	return [...]*uint64{
		&a.last, &a.user, &a.nice, &a.system, &a.carry.user, &a.carry.nice, &a.carry.system,
		&a.processes, &a.base.Ctxt, &a.base.Intr, &a.base.Softirq,
	}
}

func (c *cpuAccount) words() [cpuWords]*uint64 {
	return [cpuWords]*uint64{&c.user, &c.nice, &c.system, &c.idle, &c.hostBusy, &c.v1User, &c.v1System, &c.recent, &c.visible}
}

func decode(c []byte, cpus int) account {
	a := account{cpus: make([]cpuAccount, cpus)}
	for i, w := range a.words() {
		*w = word(c, keyWords+i)
	}
	for cpu := range a.cpus {
		for i, w := range a.cpus[cpu].words() {
			*w = word(c, fixedWords+cpu*cpuWords+i)
		}
	}
	return a
}

// duration converts microseconds.
func duration(usec uint64) time.Duration { return time.Duration(usec) * time.Microsecond }
