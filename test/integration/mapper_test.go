//go:build integration

package integration

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// mapperEnv makes the test binary a mapper: see mapFile.
const mapperEnv = "LXCFS_TEST_MAP"

// mapFile maps the first page of a file, tells so by a file OUT.mapped, waits
// for the file GO, and writes what it then finds in the page to OUT: nothing, if
// there is no page. It is run in a container, as a process of its own.
func mapFile(args string) error {
	var path, goFile, out string
	if _, err := fmt.Sscan(args, &path, &goFile, &out); err != nil {
		return err
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	page, err := unix.Mmap(int(f.Fd()), 0, os.Getpagesize(), unix.PROT_READ, unix.MAP_PRIVATE)
	if err != nil {
		return fmt.Errorf("map %s: %w", path, err)
	}
	if err := os.WriteFile(out+".mapped", nil, 0o644); err != nil {
		return err
	}
	for {
		if _, err := os.Stat(goFile); err == nil {
			if err := os.WriteFile(out, page, 0o644); !errors.Is(err, unix.EFAULT) {
				return err
			}
			return nil
		}
		time.Sleep(time.Millisecond)
	}
}

// A mapping reads through the page cache, direct I/O or not, and the containers
// share it. So nothing ever gets there: neither what is one's own nor what
// somebody else fills the pages with.
func TestNoMappedPageOfAnother(t *testing.T) {
	d := start(t)
	small := newBox(t, d, limits{memory: "268435456"}, nil)
	large := newBox(t, d, limits{memory: "536870912"}, nil)
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	mapper := func(goFile, out string) string {
		return fmt.Sprintf("%s='/proc/meminfo %s %s' %s", mapperEnv, goFile, out, os.Args[0])
	}
	pid, said := small.background(mapper(path("go"), path("small")))
	waitFor(t, "the mapping of the small container", func() bool {
		_, err := os.Stat(path("small.mapped"))
		return err == nil || small.ended(pid)
	})
	if err := os.WriteFile(path("now"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	large.run(mapper(path("now"), path("large")))
	if err := os.WriteFile(path("go"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "the small container's mapper", func() bool { return small.ended(pid) })
	for _, name := range []string{"small", "large"} {
		text, err := os.ReadFile(path(name))
		if err != nil {
			t.Fatalf("%v; it said %q", err, mustRead(t, said))
		}
		if len(text) > 0 {
			t.Errorf("%.100q is mapped in the %s container", text, name)
		}
	}
}

// The kernel copies requests into the journal, and replies out of a buffer. If a
// page of them were missing when the process is being killed, the copy would
// fail and the reader get EIO. So they are there, and locked, from the start: 256
// slots of 8 KiB. Those that requests of a crowd wait in are written by us.
func TestJournalIsLocked(t *testing.T) {
	d := start(t, "--keeper")
	mustRead(t, d.path("proc/meminfo"))
	smaps := mustRead(t, fmt.Sprintf("/proc/%d/smaps", d.worker()))
	slots := regexp.MustCompile(`rw-s 0+ \S+ \d+ +/memfd:lxcfs-journal`).FindStringIndex(smaps)
	if slots == nil {
		t.Fatalf("no mapping of the journal in:\n%s", smaps)
	}
	size := func(label string) uint64 { // kB
		return field(t, smaps[slots[0]:], label+":")
	}
	if size("Rss") < 256*8 || size("Locked") != size("Rss") {
		t.Errorf("journal of %d kB: %d there, %d locked; want 2048 at least, all locked", size("Size"), size("Rss"), size("Locked"))
	}
}
