package fs

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"linuxcontainers.org/lxcfs/cgroup/container"
	"linuxcontainers.org/lxcfs/cgroup/fair"
	"linuxcontainers.org/lxcfs/cgroup/hostfile"
	"linuxcontainers.org/lxcfs/fs/vfs"
	"linuxcontainers.org/lxcfs/fs/view"
)

// Resolver finds the container of a caller; [container.Resolver] is one.
type Resolver interface {
	Resolve(tid uint32) (container.Decision, error)
}

// Gatherer fills in a View; [view.Gatherer] is one.
type Gatherer interface {
	Gather(dst *view.View, c *container.Container, needs view.Needs, opts view.Options) error
}

// Switches are what an operator may change while files are served. They are
// shared by all connections of a process.
type Switches struct {
	// HostOnly, when true, makes every file the host's: the escape hatch for
	// an operator who finds a number wrong (SIGUSR2).
	HostOnly atomic.Bool
}

// Fallback says that a reader was given the host's file because something on
// the way to its own numbers failed.
type Fallback struct {
	Path    string // the served file
	TID     uint32 // the caller, a host thread id
	Top     string // the caller's top-level container, "" if that is not known
	Err     error
	Refused bool // he was given an error, and not the host's file
}

// Config is what a Renderer is made of.
type Config struct {
	FS       hostfile.FS
	Resolver Resolver
	Gatherer Gatherer
	Options  view.Options // at first; SetOptions changes them
	Switches *Switches
	// Degraded, when it returns true, makes files the host's by the shortest
	// path: the process has died too often of late. May be nil.
	Degraded func() bool
	// Report is told of every fallback; it must be cheap. May be nil.
	Report func(Fallback)
}

// Renderer turns a file and a caller into bytes: host text, container, view,
// rendered text. It is the one place where a failure becomes a fallback.
// Safe for concurrent use.
type Renderer struct {
	Config
	files   []*File
	over    map[vfs.Key]*mounted // of the tree that is made of the renderer, for their counters
	options atomic.Pointer[view.Options]
	pool    sync.Pool          // of *scratch
	gate    *fair.Gate[string] // by top-level container
}

// Bounds of the files of one top-level container, with all in it, whose numbers are
// being gathered at a time, and that wait for it. A session has no more of them handled
// together (the rest waits there and holds no worker), so nobody is turned away
// but where nothing moves: what is read of a container hangs as long as it likes.
const (
	maxRendering   = 8
	renderRoom     = 56
	renderPatience = time.Second
)

// errBusy is for a container whose own requests hang: it is shown no numbers, for
// only the host's could be had.
var errBusy = fmt.Errorf("%w: %w", fair.ErrBusy, syscall.EBUSY)

// scratch is what one rendering needs and the next one can use again.
type scratch struct {
	host []byte
	view view.View
}

// NewRenderer returns a renderer of those files that the host has.
func NewRenderer(cfg Config, files []view.File) *Renderer {
	r := &Renderer{Config: cfg, gate: fair.NewGate[string](maxRendering, renderRoom, renderPatience)}
	r.SetOptions(cfg.Options)
	r.pool.New = func() any { return new(scratch) }
	for _, f := range files {
		if _, err := cfg.FS.Stat(f.Path); err == nil {
			r.files = append(r.files, &File{File: f})
		}
	}
	return r
}

// SetOptions changes the options; renderings under way keep theirs.
func (r *Renderer) SetOptions(opts view.Options) { r.options.Store(&opts) }

// Options returns those in force.
func (r *Renderer) Options() view.Options { return *r.options.Load() }

// Append appends what the caller tid reads in file f, and says whose it is: the
// caller's top-level container, "" when nobody asked or nothing is known. An error
// means that not even the host's file could be read, or, with EBUSY, that those of
// the caller's container that are being rendered hang; dst is then returned
// unchanged.
func (r *Renderer) Append(dst []byte, f *File, tid uint32) (out []byte, owner string, err error) {
	return r.answer(dst, &f.counters, vfs.Caller{TID: tid}, func(dst []byte, c vfs.Caller) ([]byte, error) {
		return r.content(dst, f, c)
	})
}

// appender appends a file's content for a caller, as [vfs.Tree.Append] does.
type appender func(dst []byte, c vfs.Caller) ([]byte, error)

// answer is the way of every read: it counts, asks whose numbers the caller sees,
// has the file rendered, and answers with the host's text that comes with a
// [vfs.Fallback].
func (r *Renderer) answer(dst []byte, count *Counters, c vfs.Caller, render appender) (out []byte, owner string, err error) {
	defer count.End(count.Begin())
	r.resolve(&c)
	owner = c.Decision.Top
	if k := c.Decision.Container; k != nil {
		k.CountRead()
	}
	if out, err = render(dst, c); err == nil {
		return out, owner, nil
	}
	var f *vfs.Fallback
	if errors.As(err, &f) {
		r.failed(Fallback{Path: f.Path, Err: f.Err}, c)
		return out, owner, nil
	}
	if errors.Is(err, errHost) || !refusal(err) {
		count.Fail(err)
	}
	return out, owner, err
}

// errHost is for a file of the table that can't be read on the host.
var errHost = errors.New("the host's file")

// errEmpty guards against a renderer that lost everything.
var errEmpty = errors.New("nothing rendered")

// content appends the caller's version of a file of the table. Errors are those of
// [vfs.Tree.Append].
func (r *Renderer) content(dst []byte, f *File, c vfs.Caller) ([]byte, error) {
	s := r.pool.Get().(*scratch)
	defer r.pool.Put(s)
	host, err := r.FS.Append(s.host[:0], f.Path)
	if err != nil {
		return dst, fmt.Errorf("%w: %w", errHost, err)
	}
	s.host = host
	contained, err := r.View(f.Path, c, f.Needs, &s.view)
	if err != nil {
		return dst, err
	}
	if !contained {
		return append(dst, host...), nil
	}
	out, err := f.Append(dst, host, &s.view)
	if err == nil && len(out) == len(dst) && len(host) > 0 {
		err = errEmpty
	}
	if err != nil {
		return append(dst, host...), &vfs.Fallback{Path: f.Path, Err: fmt.Errorf("render %s: %w", f.Path, err)}
	}
	return out, nil
}

// owner returns whose the handle is that the thread tid opens or reads.
func (r *Renderer) owner(tid uint32) string {
	c := vfs.Caller{TID: tid}
	r.resolve(&c)
	return c.Decision.Top
}

// resolve fills in whose numbers a caller sees: nobody's while all is the host's.
func (r *Renderer) resolve(c *vfs.Caller) {
	if c.Resolved || r.hostOnly() {
		return
	}
	c.Resolved = true
	if c.Decision, c.Err = r.Resolver.Resolve(c.TID); c.Err != nil {
		c.Err = fmt.Errorf("resolve caller %d: %w", c.TID, c.Err)
	}
}

// hostOnly says that nobody gets numbers of their own now.
func (r *Renderer) hostOnly() bool {
	return r.Switches.HostOnly.Load() || r.Degraded != nil && r.Degraded()
}

// View fills in the parts of v that are needed for a caller, and returns false for
// one that is to see the host: one on the host, and one whose numbers can't be had,
// which is reported as a fallback of the file path. An error, EBUSY, is as in
// Append. It is a [vfs.Viewer].
func (r *Renderer) View(path string, c vfs.Caller, needs view.Needs, v *view.View) (bool, error) {
	r.resolve(&c)
	err := c.Err
	if err == nil {
		if c.Decision.Container == nil || r.hostOnly() {
			return false, nil
		}
		v.Reader = c.TID
		err = r.gather(v, path, c.Decision.Container, needs)
	}
	if err == nil {
		return true, nil
	}
	f := Fallback{Path: path, Err: err, Refused: errors.Is(err, errBusy)}
	r.failed(f, c)
	if f.Refused {
		return false, err
	}
	return false, nil
}

func (r *Renderer) gather(v *view.View, path string, c *container.Container, needs view.Needs) error {
	if !r.gate.Enter(c.Top) {
		return fmt.Errorf("gather %s: %w", path, errBusy)
	}
	defer r.gate.Leave(c.Top)
	if err := r.Gatherer.Gather(v, c, needs, *r.options.Load()); err != nil {
		return fmt.Errorf("gather %s: %w", path, err)
	}
	return nil
}

// failed counts and reports that somebody who reads was given the host's text, or an
// error.
func (r *Renderer) failed(f Fallback, c vfs.Caller) {
	if c.Quiet {
		return
	}
	if count := r.counters(f.Path); count != nil && f.Refused {
		count.Fail(f.Err)
	} else if count != nil {
		count.FellBack(f.Err)
	}
	if f.TID, f.Top = c.TID, c.Decision.Top; r.Report != nil {
		r.Report(f)
	}
}

// counters returns those of a served path: a file of the table has its own, all
// of another tree share some. nil: nothing serves it.
func (r *Renderer) counters(path string) *Counters {
	if f, err := r.file(path); err == nil {
		return &f.counters
	}
	for _, m := range r.over {
		if strings.HasPrefix(path+"/", m.Path+"/") {
			return &m.counters
		}
	}
	return nil
}

// bootTime returns the btime line of /proc/stat: seconds since the epoch, 0 if
// there is none.
func (r *Renderer) bootTime() uint64 {
	host, err := r.FS.Append(nil, "/proc/stat")
	if err != nil {
		return 0
	}
	_, rest, _ := bytes.Cut(host, []byte("\nbtime "))
	line, _, _ := bytes.Cut(rest, []byte("\n"))
	seconds, err := strconv.ParseUint(string(line), 10, 63)
	if err != nil {
		return 0
	}
	return seconds
}
