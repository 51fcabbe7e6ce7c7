package mount

import "testing"

func TestSocketFor(t *testing.T) {
	for options, want := range map[string]string{
		"":                     Socket,
		"cpu=quota,noswap":     Socket,
		"cgroup":               CgroupSocket,
		"cpu=quota,cgroup":     CgroupSocket,
		"cgroup,nocgroup":      Socket,
		"nocgroup,swap,cgroup": CgroupSocket,
	} {
		if got := SocketFor(options); got != want {
			t.Errorf("%q: got %s, want %s", options, got, want)
		}
	}
}
