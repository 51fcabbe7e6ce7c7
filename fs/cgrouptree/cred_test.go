package cgrouptree

import (
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

func TestMay(t *testing.T) {
	shifted := idmap{{0, 100000, 65536}}
	all := idmap{{0, 0, 1<<32 - 1}}
	for _, tt := range []struct {
		name     string
		cred     cred
		uid, gid uint32
		mode     uint32
		want     uint32
		ok       bool
	}{
		{"owner", cred{uid: 5}, 5, 6, unix.S_IFREG | 0o200, mayWrite, true},
		{"owner, for whom the mode has less", cred{uid: 5, gid: 6}, 5, 6, unix.S_IFREG | 0o466, mayWrite, false},
		{"group", cred{uid: 5, gid: 6}, 7, 6, unix.S_IFREG | 0o020, mayWrite, true},
		{"further group", cred{uid: 5, gid: 1, groups: []uint32{9, 6}}, 7, 6, unix.S_IFREG | 0o020, mayWrite, true},
		{"others", cred{uid: 5, gid: 1}, 7, 6, unix.S_IFREG | 0o644, mayWrite, false},
		{"read and write", cred{uid: 5}, 5, 6, unix.S_IFREG | 0o400, mayRead | mayWrite, false},
		{"root without capabilities", cred{uid: 0, uids: all, gids: all}, 7, 6, unix.S_IFREG | 0o644, mayWrite, false},
		{"root", cred{caps: allCaps, uids: all, gids: all}, 7, 6, unix.S_IFREG | 0o644, mayWrite, true},
		{"root, nobody may", cred{caps: allCaps, uids: all, gids: all}, 7, 6, unix.S_IFREG | 0o444, mayWrite, false},
		{"root of a user namespace, its file", cred{uid: 100000, caps: allCaps, uids: shifted, gids: shifted}, 100007, 100006, unix.S_IFREG | 0o644, mayWrite, true},
		{"root of a user namespace, the host's", cred{uid: 100000, caps: allCaps, uids: shifted, gids: shifted}, 0, 0, unix.S_IFREG | 0o644, mayWrite, false},
		{"root of a user namespace, the host's group", cred{uid: 100000, caps: allCaps, uids: shifted, gids: shifted}, 100007, 0, unix.S_IFREG | 0o644, mayWrite, false},
		{"may search", cred{caps: 1 << unix.CAP_DAC_READ_SEARCH, uids: all, gids: all}, 7, 6, unix.S_IFDIR | 0o700, mayRead | mayExec, true},
		{"and not write", cred{caps: 1 << unix.CAP_DAC_READ_SEARCH, uids: all, gids: all}, 7, 6, unix.S_IFDIR | 0o700, mayWrite | mayExec, false},
	} {
		st := unix.Stat_t{Uid: tt.uid, Gid: tt.gid, Mode: tt.mode}
		if got := tt.cred.may(&st, tt.want); got != tt.ok {
			t.Errorf("%s: got %v", tt.name, got)
		}
	}
}

func TestMayChown(t *testing.T) {
	shifted := idmap{{0, 100000, 65536}}
	root := cred{uid: 100000, gid: 100000, caps: allCaps, uids: shifted, gids: shifted}
	user := cred{uid: 100007, gid: 100007, groups: []uint32{100009}, uids: shifted, gids: shifted}
	id := func(n uint32) *uint32 { return &n }
	for _, tt := range []struct {
		name     string
		cred     cred
		owner    uint32
		uid, gid *uint32
		ok       bool
	}{
		{"root, inside", root, 100007, id(100008), id(100008), true},
		{"root, to the host's", root, 100007, id(8), nil, false},
		{"root, to the host's group", root, 100007, nil, id(8), false},
		{"root, the host's file", root, 0, id(100007), nil, false},
		{"user, away", user, 100007, id(100008), nil, false},
		{"user, to itself", user, 100007, id(100007), nil, true},
		{"user, to a group of its", user, 100007, nil, id(100009), true},
		{"user, to another group", user, 100007, nil, id(100010), false},
		{"user, not its file", user, 100008, nil, id(100009), false},
		{"nothing", user, 100008, nil, nil, true},
	} {
		st := unix.Stat_t{Uid: tt.owner, Gid: tt.owner, Mode: unix.S_IFREG | 0o644}
		if got := tt.cred.mayChown(&st, tt.uid, tt.gid); got != tt.ok {
			t.Errorf("%s: got %v", tt.name, got)
		}
	}
}

// The capabilities of a task count only while it has the ids of the request.
func TestCredentialsOfSuccessor(t *testing.T) {
	w := newWorld(t)
	c := w.caller(1001)
	if cr, err := w.tree.credentials(c); err != nil || cr.caps == 0 || !cr.initial() || !cr.inGroup(77) {
		t.Errorf("got %+v, %v", cr, err)
	}
	c.UID = uint32(os.Getuid()) + 1
	if cr, err := w.tree.credentials(c); err != nil || cr.caps != 0 || cr.uids != nil || cr.inGroup(77) {
		t.Errorf("got %+v, %v", cr, err)
	}
}

func FuzzParseStatus(f *testing.F) {
	f.Add([]byte("Tgid:\t1\nPPid:\t0\nUid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\nGroups:\t\nNStgid:\t1\nNSpid:\t1\nCapEff:\t000001ffffffffff\n"))
	f.Add([]byte("Tgid:\nUid: 1 2 3\nNSpid:\t-1\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		s, err := parseStatus(text)
		if err == nil && (s.depth() == 0 || len(s.nstgid) != s.depth()) {
			t.Errorf("%q: got %+v", text, s)
		}
	})
}

func FuzzParseIDMap(f *testing.F) {
	f.Add([]byte(initialMap))
	f.Add([]byte("0 100000 65536\n65536 4294967295 2"))
	f.Fuzz(func(t *testing.T, text []byte) {
		m, err := parseIDMap(text)
		if err != nil {
			return
		}
		for _, r := range m {
			if id, ok := m.outside(r.inside); r.count > 0 && !ok {
				t.Errorf("%q: %d has no outside number but %d", text, r.inside, id)
			}
		}
	})
}

func FuzzAppendDirents(f *testing.F) {
	f.Add([]byte{1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 24, 0, 4, 'a', 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, buf []byte) { appendDirents(nil, buf) })
}
