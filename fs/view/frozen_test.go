package view

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"flag"
	"io"
	"os"
	"runtime"
	"testing"

	"linuxcontainers.org/lxcfs/cgroup/container"
)

var freeze = flag.Bool("freeze", false, "write the sample of this version of the accounts anew, which only a change of the version allows")

// The sample holds the accounts of two containers on a machine of four CPUs, as
// a daemon of version 2 left them: word i of the container n is n*1000+i. A
// daemon that can't go on with it shows CPU time that goes back at an upgrade.
const (
	sample     = "testdata/accounts-2.gz"
	sampleCPUs = 4
)

func sampleKeys() []container.Key {
	return []container.Key{{Inode: 4711, StartTicks: 99}, {Inode: 4712}}
}

// sampleWords returns the account's words in the order of the memory.
func sampleWords(a *account) []*uint64 {
	words := a.words()
	all := words[:]
	for cpu := range a.cpus {
		of := a.cpus[cpu].words()
		all = append(all, of[:]...)
	}
	return all
}

// makeSample writes the sample.
func makeSample(t *testing.T) {
	t.Helper()
	mem := memory(t, int(AccountsSize(sampleCPUs)), nil)
	accounts, err := OpenAccounts(mem, sampleCPUs)
	if err != nil {
		t.Fatal(err)
	}
	for n, key := range sampleKeys() {
		for _, step := range []uint64{7, uint64(n) * 1000} { // the last step counts
			r := accounts.open(key)
			for i, w := range sampleWords(&r.account) {
				*w = step + uint64(i)
			}
			accounts.commit(r)
			r.mu.Unlock()
		}
	}
	var packed bytes.Buffer
	w, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	w.Write(mem[:32<<10])
	w.Close()
	if err := os.WriteFile(sample, packed.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

// openSample returns the sample in memory of its own.
func openSample(t *testing.T) []byte {
	t.Helper()
	f, err := os.Open(sample)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	head, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return memory(t, int(AccountsSize(sampleCPUs)), head)
}

func needLittleEndian(t *testing.T) {
	t.Helper()
	if binary.NativeEndian.Uint16([]byte{1, 0}) != 1 {
		t.Skipf("needs a little-endian machine; have: %s", runtime.GOARCH)
	}
}

// This version goes on with the accounts of version 2.
func TestFrozenAccounts(t *testing.T) {
	needLittleEndian(t)
	if *freeze {
		makeSample(t)
	}
	accounts, err := OpenAccounts(openSample(t), sampleCPUs)
	if err != nil {
		t.Fatal(err)
	}
	for n, key := range sampleKeys() {
		r := accounts.open(key)
		if r.generation != 2 {
			t.Errorf("%+v: generation %d, want 2", key, r.generation)
		}
		for i, w := range sampleWords(&r.account) {
			if want := uint64(n*1000 + i); *w != want {
				t.Errorf("%+v, word %d: got %d, want %d", key, i, *w, want)
			}
		}
		r.mu.Unlock()
	}
}

// Accounts of a version that this one does not know begin anew, whatever is in
// them.
func TestAccountsOfTheFuture(t *testing.T) {
	needLittleEndian(t)
	mem := openSample(t)
	binary.NativeEndian.PutUint64(mem[8:], accountsVersion+1)
	accounts, err := OpenAccounts(mem, sampleCPUs)
	if err != nil {
		t.Fatal(err)
	}
	r := accounts.open(sampleKeys()[0])
	defer r.mu.Unlock()
	if r.generation != 0 || r.account.last != 0 {
		t.Errorf("got generation %d, last %d, want a new account", r.generation, r.account.last)
	}
}
