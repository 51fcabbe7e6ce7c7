package cgroup

import (
	"strings"
	"testing"
)

func TestUnitOf(t *testing.T) {
	tests := []struct {
		name, path string
		want       Unit
	}{
		{"service", "/system.slice/cron.service",
			Unit{Slice: "system.slice", Name: "cron.service", Path: "/system.slice/cron.service"}},
		{"below the service", "/system.slice/cron.service/sub/x.service",
			Unit{Slice: "system.slice", Name: "cron.service", Path: "/system.slice/cron.service"}},
		{"init", "/init.scope", Unit{Slice: "-.slice", Name: "init.scope", Path: "/init.scope"}},
		{"instance in nested slices", `/system.slice/system-getty.slice/getty@tty1.service`,
			Unit{Slice: "system-getty.slice", Name: "getty@tty1.service", Path: "/system.slice/system-getty.slice/getty@tty1.service"}},
		{"session", "/user.slice/user-0.slice/session-3.scope",
			Unit{Slice: "user-0.slice", Name: "session-3.scope", Path: "/user.slice/user-0.slice/session-3.scope"}},
		{"user unit", "/user.slice/user-1000.slice/user@1000.service/app.slice/foot.scope/x",
			Unit{Slice: "user-1000.slice", Name: "user@1000.service", User: "foot.scope",
				Path: "/user.slice/user-1000.slice/user@1000.service/app.slice/foot.scope"}},
		{"user manager, no unit", "/user.slice/user-1000.slice/user@1000.service/app.slice",
			Unit{Slice: "user-1000.slice", Name: "user@1000.service", Path: "/user.slice/user-1000.slice/user@1000.service"}},
		{"no user manager", "/system.slice/user@x.service/a.service",
			Unit{Slice: "system.slice", Name: "user@x.service", Path: "/system.slice/user@x.service"}},
		{"machine scope", `/machine.slice/machine-a\x2db.scope/payload/system.slice/ssh.service`,
			Unit{Slice: "machine.slice", Name: `machine-a\x2db.scope`, Machine: "a-b", Path: `/machine.slice/machine-a\x2db.scope`}},
		{"nspawn service", "/machine.slice/systemd-nspawn@a-b.service/payload",
			Unit{Slice: "machine.slice", Name: "systemd-nspawn@a-b.service", Machine: "a-b", Path: "/machine.slice/systemd-nspawn@a-b.service"}},
		{"docker", "/system.slice/docker-0123.scope/init.scope",
			Unit{Slice: "system.slice", Name: "docker-0123.scope", Path: "/system.slice/docker-0123.scope"}},
		{"escaped component", "/system.slice/_cpu.service",
			Unit{Slice: "system.slice", Name: "cpu.service", Path: "/system.slice/_cpu.service"}},
		{"mount unit", "/system.slice/var-lib-lxcfs.mount",
			Unit{Slice: "system.slice", Name: "var-lib-lxcfs.mount", Path: "/system.slice/var-lib-lxcfs.mount"}},
		{"root", "/", Unit{}},
		{"empty", "", Unit{}},
		{"relative", "a.service", Unit{}},
		{"slice only", "/system.slice", Unit{}},
		{"no systemd", "/lxc.payload.c1/a.service", Unit{}},
		{"no unit type", "/system.slice/a.timer/b.service", Unit{}},
		{"only a type", "/.service", Unit{}},
		{"bad character", "/a b.service", Unit{}},
		{"too long", "/" + strings.Repeat("x", 250) + ".service", Unit{}},
		{"empty component", "//a.service", Unit{}},
		{"empty machine", "/machine-.scope", Unit{Slice: "-.slice", Name: "machine-.scope", Path: "/machine-.scope"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := UnitOf(tt.path); got != tt.want {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}

func TestEscape(t *testing.T) {
	tests := []struct{ in, escaped string }{
		{"", ""}, {"abc:_.9", "abc:_.9"}, {"a-b", `a\x2db`}, {"a/b", "a-b"}, {".a", `\x2ea`},
		{`a\b`, `a\x5cb`}, {"a b@é", `a\x20b\x40\xc3\xa9`}, {"\x00\xff", `\x00\xff`},
	}
	for _, tt := range tests {
		if got := Escape(tt.in); got != tt.escaped {
			t.Errorf("Escape(%q): got %q, want %q", tt.in, got, tt.escaped)
		}
		if got := Unescape(tt.escaped); got != tt.in {
			t.Errorf("Unescape(%q): got %q, want %q", tt.escaped, got, tt.in)
		}
	}
	for _, in := range []string{`\`, `\x`, `\x2`, `\xzz`, `a\y2d`, `\x+1`} {
		if got := Unescape(in); got != in {
			t.Errorf("Unescape(%q): got %q, want it as it is", in, got)
		}
	}
}

func FuzzUnit(f *testing.F) {
	f.Add("/user.slice/user-1000.slice/user@1000.service/app.slice/foot.scope")
	f.Add(`a\x2db-c/.`)
	f.Fuzz(func(t *testing.T, s string) {
		if got := Unescape(Escape(s)); got != s {
			t.Errorf("got %q, want %q", got, s)
		}
		if u := UnitOf(s); (u.Name == "") != (u == Unit{}) || !strings.HasPrefix(s, u.Path) {
			t.Errorf("got %+v of %q", u, s)
		}
	})
}
