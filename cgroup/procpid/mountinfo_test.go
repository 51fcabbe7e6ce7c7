package procpid

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

// show is a mount as a line of a test's table.
func show(m Mount) string {
	return strings.Join([]string{m.Root.String(), m.Point.String(), string(m.Optional), m.FSType.String(), string(m.Options)}, "|")
}

func TestParseMount(t *testing.T) {
	for _, tt := range []struct {
		name, in, want string // "" is ErrFormat
	}{
		{"plain", "27 1 254:3 / / rw,relatime - ext4 /dev/vda rw\n", "/|/||ext4|rw"},
		{"optional fields", "27 1 254:3 / / rw shared:93 master:1 - ext4 /dev/vda rw\n", "/|/|shared:93 master:1|ext4|rw"},
		{"escapes", `27 1 254:3 /a\040b\134 /\043\011\012c rw - fuse.x\040y x rw` + "\n", "/a b\\|/#\t\nc||fuse.x y|rw"},
		{"backslashes that are none", `27 1 254:3 /\1 /\12\999\777 rw - ext4 x rw` + "\n", `/\1|/\12\999\777||ext4|rw`},
		{"a name space's file", "27 1 254:3 net:[4026531840] /run/n rw - nsfs nsfs rw\n", "net:[4026531840]|/run/n||nsfs|rw"},
		{"no source", "27 1 254:3 / / rw - tmpfs  rw\n", "/|/||tmpfs|rw"},
		{"cut after the mount point", "27 1 254:3 / / rw,rel", "/|/|||"},
		{"cut after the type", "27 1 254:3 / / rw - ext4 /dev", "/|/||ext4|"},
		{"cut in the options", "27 1 254:3 / / rw - overlay overlay rw,lowerdir=/v", "/|/||overlay|rw,lowerdir=/v"},
		{"cut in the mount point", "27 1 254:3 / /sys", ""},
		{"empty", "\n", ""},
		{"nothing", "", ""},
		{"no end", "27 1 254:3 / / rw ext3 /dev rw\n", ""},
		{"no mount options", "27 1 254:3 / / - ext3 /dev rw\n", ""},
		{"no superblock options", "27 1 254:3 / / rw - ext3 /dev\n", ""},
		{"no id", "x 1 254:3 / / rw - ext3 /dev rw\n", ""},
		{"no device", "27 1 254 / / rw - ext3 /dev rw\n", ""},
		{"minor no number", "27 1 254:x / / rw - ext3 /dev rw\n", ""},
		{"major too large", "27 1 99999999999:3 / / rw - ext3 /dev rw\n", ""},
		{"relative", "27 1 254:3 / m rw - ext3 /dev rw\n", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m, err := ParseMount([]byte(tt.in))
			if tt.want == "" {
				if !errors.Is(err, ErrFormat) {
					t.Errorf("got %s, %v, want ErrFormat", show(m), err)
				}
				return
			}
			if got := show(m); err != nil || got != tt.want {
				t.Errorf("got %s, %v; want %s", got, err, tt.want)
			}
			if m.ID != 27 || m.Parent != 1 || m.Major != 254 || m.Minor != 3 {
				t.Errorf("got %+v", m)
			}
		})
	}
}

func TestPeerGroup(t *testing.T) {
	for in, want := range map[string]int{"": 0, "master:4": 0, "shared:93": 93, "master:1 shared:7 propagate_from:2": 7} {
		if got, err := (Mount{Optional: []byte(in)}).PeerGroup(); got != want || err != nil {
			t.Errorf("%q: got %d, %v, want %d", in, got, err, want)
		}
	}
	if _, err := (Mount{Optional: []byte("shared:x")}).PeerGroup(); !errors.Is(err, ErrFormat) {
		t.Errorf("got %v, want ErrFormat", err)
	}
}

func TestParseMountAllocations(t *testing.T) {
	in := []byte("27 1 254:3 / / rw shared:93 - ext4 /dev/vda rw\n")
	if n := testing.AllocsPerRun(100, func() { _, _ = ParseMount(in) }); n > 0 {
		t.Errorf("got %v allocations, want 0", n)
	}
}

func FuzzParseMount(f *testing.F) {
	f.Add([]byte("27 1 0:24 / / rw shared:1 - ext4 /dev/root rw\n23 27 0:22 / /sys rw - sysfs sysfs rw"))
	f.Add([]byte(`1 1 0:0 / /\1\12\999\134 a - b c d` + "\n"))
	f.Fuzz(func(t *testing.T, in []byte) {
		for line := range bytes.Lines(in) {
			m, err := ParseMount(line)
			if err != nil && !errors.Is(err, ErrFormat) || err == nil && m.Point[0] != '/' {
				t.Errorf("%q: got %s, %v", line, show(m), err)
			}
			if _, err := m.PeerGroup(); err != nil && !errors.Is(err, ErrFormat) {
				t.Errorf("%q: got %v", line, err)
			}
		}
	})
}
