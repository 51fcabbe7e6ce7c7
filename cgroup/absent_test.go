package cgroup

import (
	"errors"
	"io/fs"
	"testing"
)

func TestRareContent(t *testing.T) {
	h, a := captured(t, "v2")
	var read []string
	h.FS = recorder{a, &read}
	buf := new([]byte)
	const dir, file = "/sys/fs/cgroup/lxc/c1", "memory.rare"
	look := func() error {
		_, err := h.rareContent(buf, dir, file)
		return err
	}
	for range missesRetried {
		if err := look(); !errors.Is(err, fs.ErrNotExist) {
			t.Fatalf("got %v", err)
		}
	}
	if n := len(read); n != missesBelieved+1 {
		t.Errorf("got %d looks of %d, want %d", n, missesRetried, missesBelieved+1)
	}
	a.Files[dir+"/"+file] = "7\n"
	found := 0
	for range 2 * missesRetried {
		if look() == nil {
			found++
		}
	}
	if found < missesRetried {
		t.Errorf("found %d times of %d after it came", found, 2*missesRetried)
	}
	delete(a.Files, dir+"/"+file)
	for range 2 * missesBelieved {
		_ = look()
	}
	a.Files[dir+"/"+file] = "7\n"
	if err := look(); err != nil {
		t.Errorf("a file seen before, absent in some cgroups: %v", err)
	}
}
