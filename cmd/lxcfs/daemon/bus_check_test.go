package daemon

import "testing"

func TestKindOf(t *testing.T) {
	for path, want := range map[string]string{
		"/proc/meminfo": "/proc/meminfo",
		"/sys/devices/system/cpu/cpu12/topology/core_id": "/sys/devices/system/cpu/cpu#/topology/core_id",
		"/sys/devices/system/node/node0/memory7/state":   "/sys/devices/system/node/node#/memory#/state",
		"": "",
	} {
		if got := kindOf(path); got != want {
			t.Errorf("%s: got %s, want %s", path, got, want)
		}
	}
}
