package numbers

import (
	"slices"
	"strings"
	"syscall"
	"testing"

	"linuxcontainers.org/lxcfs/fs"
	"linuxcontainers.org/lxcfs/fs/proc"
	"linuxcontainers.org/lxcfs/fs/sys"
)

// garbage is what no kernel writes into an interface file.
func garbage() map[string]string {
	return map[string]string{
		"nothing":        "",
		"no newline":     "12",
		"a word":         "garbage\n",
		"negative":       "-1\n",
		"2^64":           "18446744073709551616\n",
		"2^64-1":         "18446744073709551615\n",
		"all CPUs":       "0-4095\n",
		"too many CPUs":  "0-99999999\n",
		"NUL":            "\x00\x00\x00\x00\n",
		"no UTF-8":       "\xff\xfe\n",
		"CRLF":           "max\r\n",
		"a huge line":    strings.Repeat("9", 1<<16) + "\n",
		"huge values":    "usage_usec 18446744073709551615\nuser_usec 18446744073709551615\nsystem_usec 18446744073709551615\nanon 18446744073709551615\nfile 9223372036854775807\nslab_reclaimable 9223372036854775807\n",
		"huge I/O":       "254:0 rbytes=18446744073709551615 wbytes=18446744073709551615 rios=18446744073709551615 wios=18446744073709551615 dbytes=0 dios=0\n",
		"key, no value":  "anon\nfile\n",
		"every pid":      strings.Repeat("1\n500\n4194304\n", 2000),
		"another format": "cpu user system\n0 1 1\n",
	}
}

// renderer is what the file system reads through.
func (w *world) renderer(failures *[]fs.Fallback) (*fs.Renderer, []*fs.File) {
	r := fs.NewRenderer(fs.Config{
		FS: w, Resolver: w.Resolver, Gatherer: w.Gatherer, Options: w.Options, Switches: new(fs.Switches),
		Report: func(f fs.Fallback) { *failures = append(*failures, f) },
	}, slices.Concat(proc.Files(), sys.Files()))
	return r, r.Files()
}

// Whatever an interface file of the container holds, each of its files is the
// host's, reported, or passes for one of a container.
func TestGarbage(t *testing.T) {
	for version := 1; version <= 2; version++ {
		w := newWorld(t, 5, version)
		var failures []fs.Fallback
		r, list := w.renderer(&failures)
		for name, text := range w.Files {
			if !strings.HasPrefix(name, "/sys/fs/cgroup/") || !strings.Contains(name, w.path(1)) {
				continue
			}
			for what, bad := range garbage() {
				w.Files[name] = bad
				w.Now += 1e9
				for _, f := range list {
					failures = failures[:0]
					got, _, err := r.Append(nil, f, initPID)
					if err != nil {
						t.Fatalf("%s in %s: %s: %v", what, name, f.Path, err)
					}
					if len(failures) > 0 && string(got) != w.Files[f.Path] {
						t.Errorf("%s in %s: %s: a fallback that is not the host's file", what, name, f.Path)
					}
					if len(failures) == 0 {
						sane(t, what+" in "+name, f.Path, string(got))
					}
				}
			}
			w.Files[name] = text
		}
	}
}

// sane: a rendered file has no number that is below zero or wrapped, and no more
// CPUs than the machine has.
func sane(t *testing.T, what, path, text string) {
	t.Helper()
	for name, numbers := range values(t, text) {
		for i, n := range numbers {
			if n > 1<<63 && !(path == "/proc/diskstats" || path == "/proc/vmstat") {
				t.Errorf("%s: %s: %s column %d is %d", what, path, name, i, n)
			}
		}
	}
	if strings.Contains(text, " -") && path != "/proc/cpuinfo" && path != "/proc/slabinfo" && path != "/proc/swaps" {
		t.Errorf("%s: %s: %q", what, path, text)
	}
	if strings.HasPrefix(path, "/sys/devices/system/cpu/") && strings.Contains(text, "4095") {
		t.Errorf("%s: %s: %q", what, path, text)
	}
}

// A container that ends while it reads, or whose cgroup is removed, gets the
// host's files, and none of another container's.
func TestVanishing(t *testing.T) {
	w := newWorld(t, 7, 2)
	var failures []fs.Fallback
	r, list := w.renderer(&failures)
	dir := "/sys/fs/cgroup" + w.path(len(w.levels))
	for name := range w.Files {
		if strings.HasPrefix(name, dir+"/") {
			delete(w.Files, name)
		}
	}
	for _, f := range list {
		got, _, err := r.Append(nil, f, initPID)
		if err != nil || len(got) == 0 {
			t.Errorf("%s: %d bytes, %v", f.Path, len(got), err)
		}
	}
	w.Errors = map[string]error{"/proc/500/status": syscall.ESRCH, "/proc/500/stat": syscall.ESRCH, "/proc/500/cgroup": syscall.ESRCH, "/proc/500": syscall.ENOENT}
	for _, f := range list {
		got, _, err := r.Append(nil, f, initPID)
		if err != nil || string(got) != w.Files[f.Path] {
			t.Errorf("%s of a caller that is gone: %v, not the host's file", f.Path, err)
		}
	}
}
