package cgroup

import (
	"reflect"
	"strings"
	"testing"
)

func TestParseMembership(t *testing.T) {
	long := "/" + strings.Repeat("x", 255) + strings.Repeat("/"+strings.Repeat(`a b:\`, 50), 15)
	tests := []struct {
		name, in string
		want     Membership
	}{
		{"empty", "", Membership{}},
		{"v2", "0::/system.slice/a.service\n", Membership{{Path: "/system.slice/a.service"}}},
		{"v1", "5:cpuacct,cpu:/lxc/c1\n1:name=systemd:/\n", Membership{
			{Controllers: []string{"cpuacct", "cpu"}, Path: "/lxc/c1"},
			{Controllers: []string{"name=systemd"}, Path: "/"}}},
		{"colons and more", "0::/a:b::c\\x d\t\r\n", Membership{{Path: "/a:b::c\\x d\t\r"}}},
		{"long", "0::" + long + "\n", Membership{{Path: long}}},
		{"called deleted", "0::/a (deleted)\n", Membership{{Path: "/a (deleted)"}}},
		{"of v1", "2:pids:/a (deleted)\n", Membership{{Controllers: []string{"pids"}, Path: "/a (deleted)"}}},
		{"no newline", "0::/a", nil},
		{"no path", "0::\n", nil},
		{"only deleted", "0:: (deleted)\n", nil},
		{"relative path", "0::a\n", nil},
		{"two fields", "0:/a\n", nil},
		{"no number", "x::/a\n", nil},
		{"no controllers", "1::/a\n", nil},
		{"v2 with controllers", "0:cpu:/a\n", nil},
		{"NUL", "0::/a\x00b\n", nil},
		{"empty line", "\n", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := ParseMembership([]byte(tt.in))
			if !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
			if tt.want == nil {
				mustBe(t, err, ErrFormat)
			}
		})
	}
}

func TestMembershipPath(t *testing.T) {
	m := membership(t, "5:cpuacct,cpu:/c\n1:name=systemd:/s\n0::/u\n")
	for _, tt := range []struct {
		controller, want string
		ok               bool
	}{{"cpu", "/c", true}, {"name=systemd", "/s", true}, {"", "/u", true}, {"systemd", "", false}, {"memory", "", false}} {
		if got, ok := m.Path(tt.controller); got != tt.want || ok != tt.ok {
			t.Errorf("%q: got %q, %v, want %q, %v", tt.controller, got, ok, tt.want, tt.ok)
		}
	}
}

func FuzzParseMembership(f *testing.F) {
	f.Add([]byte("5:cpuacct,cpu:/lxc/c1\n1:name=systemd:/\n0::/a:b\\ c (deleted)\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := ParseMembership(b)
		if err != nil {
			return
		}
		var out strings.Builder // nothing is lost but the number
		for _, e := range m {
			out.WriteString(strings.Join(e.Controllers, ",") + ":" + e.Path + "\n")
		}
		var want strings.Builder
		for line := range strings.Lines(string(b)) {
			_, rest, _ := strings.Cut(line, ":")
			want.WriteString(rest)
		}
		if out.String() != want.String() {
			t.Errorf("got %q, want %q", out.String(), want.String())
		}
	})
}
