package cgroup

import (
	"path"
	"testing"
)

func TestReadCPUTotal(t *testing.T) {
	for _, tt := range []struct {
		host, file, content string
		want                uint64
	}{
		{"v1", "cpuacct.usage", "123456789\n", 123456789},
		{"v2", "cpu.stat", "usage_usec 4711\nuser_usec 4000\nsystem_usec 711\n", 4711},
	} {
		t.Run(tt.host, func(t *testing.T) {
			h, a := captured(t, tt.host)
			m := on(t, "/lxc/c1")
			dir, _, err := h.Dir(m, "cpuacct")
			if err != nil {
				t.Fatal(err)
			}
			file := path.Join(dir, tt.file)
			a.Files[file] = tt.content
			if got, err := h.ReadCPUTotal(m); err != nil || got != tt.want {
				t.Errorf("got %d, %v, want %d", got, err, tt.want)
			}
			a.Files[file] = "garbage\n"
			mustBe(t, second(h.ReadCPUTotal(m)), ErrFormat)
		})
	}
}

func second[T any](_ T, err error) error { return err }
