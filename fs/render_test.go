package fs

import (
	"errors"
	"strings"
	"syscall"
	"testing"

	"github.com/hanwen/go-fuse/v2/fuse"

	"linuxcontainers.org/lxcfs/cgroup/container"
	"linuxcontainers.org/lxcfs/cgroup/hostfile/hosttest"
	"linuxcontainers.org/lxcfs/fs/vfs"
	"linuxcontainers.org/lxcfs/fs/view"
)

// resolver answers by thread id.
type resolver map[uint32]container.Decision

func (r resolver) Resolve(tid uint32) (container.Decision, error) {
	d, ok := r[tid]
	if !ok {
		return d, errors.New("gone")
	}
	return d, nil
}

// gatherer fails for a container of the name "broken".
type gatherer struct{}

func (gatherer) Gather(dst *view.View, c *container.Container, _ view.Needs, _ view.Options) error {
	if c.Name == "broken" {
		return errors.New("no memory.current")
	}
	dst.LastPID = c.InitPID
	return nil
}

// upper renders the host's text in capitals, and an empty one or an error when
// the View's LastPID says so.
func upper(dst, host []byte, v *view.View) ([]byte, error) {
	switch v.LastPID {
	case 1:
		return append(dst, strings.ToUpper(string(host))...), nil
	case 2:
		return append(dst, "half a li"...), errors.New("bad line")
	}
	return dst, nil
}

func testRenderer(t *testing.T) (*Renderer, *[]Fallback) {
	t.Helper()
	var fallbacks []Fallback
	box := func(name string, pid uint32) container.Decision {
		return container.Decision{Container: &container.Container{Name: name, InitPID: pid}}
	}
	r := NewRenderer(Config{
		FS: &hosttest.Archive{Files: map[string]string{
			"/proc/stat":    "cpu 1\nbtime 1700000000\nintr 0\n",
			"/proc/meminfo": "memtotal\n",
		}},
		Resolver: resolver{1: {}, 2: box("good", 1), 3: box("broken", 1), 4: box("bad text", 2), 5: box("no text", 3)},
		Gatherer: gatherer{},
		Switches: new(Switches),
		Report:   func(f Fallback) { fallbacks = append(fallbacks, f) },
	}, []view.File{{Path: "/proc/meminfo", Append: upper}, {Path: "/proc/absent", Append: upper}})
	return r, &fallbacks
}

func TestRender(t *testing.T) {
	r, fallbacks := testRenderer(t)
	if len(r.files) != 1 {
		t.Fatalf("%d files, want 1: the host has no /proc/absent", len(r.files))
	}
	for _, tt := range []struct {
		name string
		tid  uint32
		want string
		err  string // of the fallback
	}{
		{"the host's own", 1, "memtotal\n", ""},
		{"a container's", 2, "MEMTOTAL\n", ""},
		{"nothing gathered", 3, "memtotal\n", "gather /proc/meminfo: no memory.current"},
		{"renderer failed half-way", 4, "memtotal\n", "render /proc/meminfo: bad line"},
		{"renderer lost everything", 5, "memtotal\n", "nothing rendered"},
		{"caller gone", 6, "memtotal\n", "resolve caller 6: gone"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			*fallbacks = nil
			got, _, err := r.Append([]byte("before:"), r.files[0], tt.tid)
			if err != nil || string(got) != "before:"+tt.want {
				t.Errorf("got %q, %v, want %q", got, err, tt.want)
			}
			if tt.err == "" && len(*fallbacks) > 0 {
				t.Errorf("fallback: %v", *fallbacks)
			}
			if tt.err != "" && (len(*fallbacks) != 1 || !strings.Contains((*fallbacks)[0].Err.Error(), tt.err)) {
				t.Errorf("fallbacks %v, want %q", *fallbacks, tt.err)
			}
		})
	}
	if got := r.Stats()[0]; got.Path != "/proc/meminfo" || got.Requests != 6 || got.FellBack() != 4 || got.Fallbacks["empty"] != 1 || got.InFlight != 0 {
		t.Errorf("got %+v, want 6 requests and 4 fallbacks, one for an empty file", got)
	}
}

func TestRenderHostOnly(t *testing.T) {
	r, fallbacks := testRenderer(t)
	r.Switches.HostOnly.Store(true)
	if got, _, _ := r.Append(nil, r.files[0], 2); string(got) != "memtotal\n" {
		t.Errorf("virtualisation off: got %q", got)
	}
	r.Switches.HostOnly.Store(false)
	degraded := true
	r.Degraded = func() bool { return degraded }
	if got, _, _ := r.Append(nil, r.files[0], 2); string(got) != "memtotal\n" {
		t.Errorf("degraded: got %q", got)
	}
	degraded = false
	if got, _, _ := r.Append(nil, r.files[0], 2); string(got) != "MEMTOTAL\n" {
		t.Errorf("calm again: got %q", got)
	}
	if len(*fallbacks) > 0 {
		t.Errorf("fallbacks: %v", *fallbacks)
	}
}

// What a container's file is made of: the host's text, and the view unless the file is
// the host's.
func TestFigures(t *testing.T) {
	r, _ := testRenderer(t)
	for tid, want := range map[uint32]bool{2: true, 3: false, 4: true} { // 3 has no numbers
		called := false
		d, _ := r.Resolver.Resolve(tid)
		err := r.Figures("/proc/meminfo", d.Container, func(host []byte, v *view.View) error {
			called = true
			if string(host) != "memtotal\n" || (v != nil) != want || v != nil && v.LastPID != d.Container.InitPID {
				t.Errorf("%d: %q, %v", tid, host, v)
			}
			return nil
		})
		if !called || err != nil {
			t.Errorf("%d: called: %v, %v", tid, called, err)
		}
	}
	r.Switches.HostOnly.Store(true)
	failed := errors.New("x")
	d, _ := r.Resolver.Resolve(2)
	err := r.Figures("/proc/meminfo", d.Container, func(_ []byte, v *view.View) error {
		if v != nil {
			t.Error("a view while all is the host's")
		}
		return failed
	})
	if err != failed {
		t.Errorf("got %v", err)
	}
	if err := r.Figures("/proc/none", d.Container, nil); !errors.Is(err, ErrNotServed) {
		t.Errorf("no such file: %v", err)
	}
}

// stuck gathers for the containers called "stuck" when it is let to.
type stuck struct {
	gatherer
	entered, release chan struct{}
}

func (s stuck) Gather(dst *view.View, c *container.Container, needs view.Needs, opts view.Options) error {
	if c.Name == "stuck" {
		s.entered <- struct{}{}
		<-s.release
	}
	return s.gatherer.Gather(dst, c, needs, opts)
}

// Nested containers have one bound together: as many as they like block no more of the daemon than one does, and nobody else's
// files.
func TestRenderBoundsTopLevelContainers(t *testing.T) {
	r, _ := testRenderer(t)
	r.Report = nil
	g := stuck{entered: make(chan struct{}, 99), release: make(chan struct{})}
	r.Gatherer = g
	callers := resolver{1: {Container: &container.Container{Name: "good", InitPID: 1, Top: "/b"}}}
	const nested = maxRendering + renderRoom + 10
	for i := range uint32(nested) {
		callers[100+i] = container.Decision{Container: &container.Container{Name: "stuck", InitPID: 1, Top: "/a", Key: container.Key{Inode: uint64(i)}}}
	}
	r.Resolver = callers
	done := make(chan string, nested)
	refused := make(chan error, nested)
	for i := range uint32(nested) {
		go func() {
			text, _, err := r.Append(nil, r.files[0], 100+i)
			if err != nil {
				refused <- err
				return
			}
			done <- string(text)
		}()
	}
	for range nested - maxRendering { // turned away, for nothing moves
		select {
		case got := <-done:
			t.Errorf("one too many: got %q, want an error: the host's numbers are nobody's in a container", got)
		case err := <-refused:
			if status(err) != fuse.Status(syscall.EBUSY) {
				t.Errorf("one too many: got %v, want EBUSY", err)
			}
		}
	}
	if n := len(g.entered); n != maxRendering {
		t.Errorf("%d are under way, want %d", n, maxRendering)
	}
	if contained, err := r.View("/proc/meminfo", vfs.Caller{TID: 100}, 0, new(view.View)); contained || status(err) != fuse.Status(syscall.EBUSY) {
		t.Errorf("one too many looks at a tree: got %v, %v, want EBUSY", contained, err)
	}
	if got, _, err := r.Append(nil, r.files[0], 1); err != nil || string(got) != "MEMTOTAL\n" {
		t.Errorf("another's: %q, %v", got, err)
	}
	close(g.release)
	for range maxRendering {
		if got := <-done; got != "MEMTOTAL\n" {
			t.Errorf("one that was under way: got %q", got)
		}
	}
}

func TestRenderWithoutHostFile(t *testing.T) {
	r, _ := testRenderer(t)
	r.FS = &hosttest.Archive{}
	got, _, err := r.Append([]byte("x"), r.files[0], 2)
	if err == nil || string(got) != "x" || !strings.Contains(err.Error(), "/proc/meminfo") {
		t.Errorf("got %q, %v, want an error that names the file", got, err)
	}
	if s := r.Stats()[0]; s.Errors != 1 {
		t.Errorf("got %+v, want 1 error", s)
	}
}

// A read that the kernel refuses on the host, too, is no fault.
func TestRenderWhatTheHostRefuses(t *testing.T) {
	for _, row := range []struct {
		err  error
		want uint64
	}{{syscall.EIO, 0}, {syscall.EOPNOTSUPP, 0}, {syscall.ENOMEM, 1}} {
		r, _ := testRenderer(t)
		r.FS = &hosttest.Archive{Errors: map[string]error{"/proc/meminfo": row.err}}
		if _, _, err := r.Append(nil, r.files[0], 2); !errors.Is(err, row.err) {
			t.Errorf("%v: got %v", row.err, err)
		}
		if s := r.Stats()[0]; s.Errors != row.want {
			t.Errorf("%v: %d errors, want %d", row.err, s.Errors, row.want)
		}
	}
}

// Who reports a fallback knows whose it is: log lines are counted by that.
func TestFallbackNamesTheContainer(t *testing.T) {
	r, fallbacks := testRenderer(t)
	broken := r.Resolver.(resolver)[3]
	broken.Top = "/docker/a"
	r.Resolver = resolver{3: broken}
	var v view.View
	if _, _, err := r.Append(nil, r.files[0], 3); err != nil {
		t.Fatal(err)
	}
	if contained, err := r.View("/sys/x", vfs.Caller{TID: 3}, view.Needs(0), &v); contained || err != nil {
		t.Error("a view of a container that has none")
	}
	if len(*fallbacks) != 2 || (*fallbacks)[0].Top != "/docker/a" || (*fallbacks)[1].Top != "/docker/a" {
		t.Errorf("got %+v", *fallbacks)
	}
}

func TestBootTime(t *testing.T) {
	r, _ := testRenderer(t)
	if got := r.bootTime(); got != 1700000000 {
		t.Errorf("got %d", got)
	}
	for _, stat := range []string{"", "btime", "\nbtime x\n", "cpu 1\nbtime 99999999999999999999999\n"} {
		r.FS = &hosttest.Archive{Files: map[string]string{"/proc/stat": stat}}
		if got := r.bootTime(); got != 0 {
			t.Errorf("%q: got %d, want 0", stat, got)
		}
	}
}

// archive is a machine of files: path, content, path, content...
func archive(files ...string) *hosttest.Archive {
	a := &hosttest.Archive{Files: make(map[string]string)}
	for i := 0; i < len(files); i += 2 {
		a.Files[files[i]] = files[i+1]
	}
	return a
}
