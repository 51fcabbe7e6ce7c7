package container

import "testing"

func TestLane(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"unit", "0::/system.slice/a.service\n", "/system.slice/a.service"},
		{"below a unit", "0::/system.slice/a.service/b/c\n", "/system.slice/a.service"},
		{"nested slices", "0::/user.slice/user-1.slice/user@1.service/app.slice/x.scope\n", "/user.slice/user-1.slice/user@1.service"},
		{"LXC", "0::/lxc.payload.a/b.slice\n", "/lxc.payload.a"},
		{"slice", "0::/a.slice\n", "/a.slice"},
		{"root", "0::/\n", "/"},
		{"systemd's hierarchy wins", "2:memory:/lxc/other/very/long\n1:name=systemd:/machine.slice/m.scope/x\n0::/\n", "/machine.slice/m.scope"},
		{"no systemd", "2:memory:/docker/0123\n0::/\n", "/docker"},
		{"colons in the name", "0::/a:b/c\n", "/a:b"},
		{"empty", "", ""},
		{"garbage", "a\nb:c\n::\n", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := lane([]byte(tt.in)); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func FuzzLane(f *testing.F) {
	f.Add("2:memory:/docker/0123\n0::/\n")
	f.Add("0::/user.slice/")
	f.Fuzz(func(t *testing.T, in string) {
		if got := lane([]byte(in)); len(got) > len(in) {
			t.Errorf("lane %q of %q", got, in)
		}
	})
}
