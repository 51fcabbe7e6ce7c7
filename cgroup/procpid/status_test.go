package procpid

import (
	"errors"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"linuxcontainers.org/lxcfs/cgroup/hostfile/hosttest"
)

const sampleStatus = "Name:\tcat\nUmask:\t0022\nTgid:\t14184\nNgid:\t0\nPid:\t14184\nPPid:\t14182\n" +
	"Uid:\t100000\t100001\t100002\t100003\nGid:\t7\t7\t7\t7\nGroups:\t100010 100004 \nNStgid:\t14184\t12\t1\nNSpid:\t14185\t13\t2\n" +
	"CapPrm:\t0000000000000001\nCapEff:\t000001ffffffffff\nCapBnd:\tffffffffffffffff\n"

func TestStatus(t *testing.T) {
	s := Status([]byte(sampleStatus))
	for _, tt := range []struct {
		line Line
		want []uint32
	}{
		{s.Line("Tgid"), []uint32{14184}}, {s.Line("PPid"), []uint32{14182}}, {s.Line("Uid"), []uint32{100000, 100001, 100002, 100003}}, {s.Line("Gid"), []uint32{7, 7, 7, 7}},
		{s.Line("Groups"), []uint32{100010, 100004}}, {s.Line("NStgid"), []uint32{14184, 12, 1}}, {s.Line("NSpid"), []uint32{14185, 13, 2}},
	} {
		if got, err := tt.line.Numbers(nil); !slices.Equal(got, tt.want) || err != nil {
			t.Errorf("%q: got %v, %v", tt.line, got, err)
		}
	}
	if got, err := s.Line("Tgid").Number(); got != 14184 || err != nil {
		t.Errorf("got %d, %v", got, err)
	}
	if got, err := s.Line("Uid").IDs(); got != [4]uint32{100000, 100001, 100002, 100003} || err != nil {
		t.Errorf("got %v, %v", got, err)
	}
	for want, line := range map[uint64]Line{1: s.Line("CapPrm"), 1<<41 - 1: s.Line("CapEff"), 1<<64 - 1: s.Line("CapBnd")} {
		if got, err := line.Mask(); got != want || err != nil {
			t.Errorf("%q: got %x, %v", line, got, err)
		}
	}
}

// What stands in a name is no line; if it were, the kernel's own would count.
func TestStatusForged(t *testing.T) {
	s := Status([]byte("Name:\tx\\nPPid:\t7\nTgid:\t8\nTgid:\t9\n"))
	if n, err := s.Line("Tgid").Number(); n != 9 || err != nil || s.Line("PPid") != nil {
		t.Errorf("got Tgid %d, %v, PPid %q", n, err, s.Line("PPid"))
	}
}

func TestLineRefuses(t *testing.T) {
	for _, in := range []string{
		"", "Tgid", "Tgid:", "Tgid:\t\n", "Tgid:\tx\n", "Tgid:\t-1\n", "Tgid:\t4294967296\n", "Tgid:\t1 2\n", "tgid:\t1\n",
	} {
		s := Status([]byte(in))
		_, err1 := s.Line("Tgid").Number()
		_, err2 := s.Line("Tgid").IDs()
		if !errors.Is(err1, ErrFormat) || !errors.Is(err2, ErrFormat) {
			t.Errorf("%q: got %v, %v, want ErrFormat", in, err1, err2)
		}
	}
	var none Status
	if _, err := none.Line("Groups").Numbers(nil); !errors.Is(err, ErrFormat) {
		t.Errorf("no line: got %v", err)
	}
	if _, err := none.Line("CapEff").Mask(); !errors.Is(err, ErrFormat) {
		t.Errorf("no line: got %v", err)
	}
	if list, err := Status([]byte("Groups:\t \n")).Line("Groups").Numbers(nil); len(list) != 0 || err != nil {
		t.Errorf("in no group: got %v, %v", list, err)
	}
}

func TestStatusAllocations(t *testing.T) {
	in := []byte(sampleStatus)
	if n := testing.AllocsPerRun(100, func() {
		s := Status(in)
		var room [64]uint32
		_, _ = s.Line("Tgid").Number()
		_, _ = s.Line("NStgid").Numbers(room[:0])
		_, _ = s.Line("CapEff").Mask()
	}); n > 0 {
		t.Errorf("got %v allocations, want 0", n)
	}
}

func FuzzStatus(f *testing.F) {
	f.Add([]byte(sampleStatus))
	f.Add([]byte("Tgid:\nUid: 1 2 3\nNSpid:\t-1\nCapEff:\tx"))
	f.Fuzz(func(t *testing.T, in []byte) {
		s := Status(in)
		for _, name := range []string{"Tgid", "PPid", "Uid", "Groups", "NStgid", "CapEff"} {
			line := s.Line(name)
			list, err := line.Numbers(nil)
			_, err1 := line.Number()
			ids, err4 := line.IDs()
			if (err1 == nil) != (err == nil && len(list) == 1) || err4 == nil && !slices.Equal(ids[:], list) {
				t.Errorf("%q: got %v, %v; %v; %v, %v", line, list, err, err1, ids, err4)
			}
			if _, err := line.Mask(); err != nil && !errors.Is(err, ErrFormat) {
				t.Errorf("%q: got %v", line, err)
			}
		}
	})
}

// Read names the file in what a parser refuses, and leaves what the system refuses.
func TestRead(t *testing.T) {
	machine := &hosttest.Archive{Files: map[string]string{"/proc/7/status": sampleStatus, "/proc/8/status": "Name:\tx\n"}}
	if got, err := Read(machine, 7, "status", PIDs); !slices.Equal(got, []uint32{14184, 12, 1}) || err != nil {
		t.Errorf("got %v, %v", got, err)
	}
	if _, err := Read(machine, 8, "status", PIDs); !errors.Is(err, ErrFormat) || !strings.Contains(err.Error(), "/proc/8/status") {
		t.Errorf("no NStgid: got %v", err)
	}
	if _, err := Read(machine, 9, "status", PIDs); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no process: got %v", err)
	}
}
