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
	"linuxcontainers.org/lxcfs/cgroup/hostfile"
	"linuxcontainers.org/lxcfs/cgroup/share"
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
	files    []*File
	subtrees map[uint64]*mounted // of the tree that is made of the renderer, for their counters
	options  atomic.Pointer[view.Options]
	pool     sync.Pool           // of *scratch
	gate     *share.Gate[string] // by top-level container
}

// Bounds of the files of one top-level container, with all in it, that are being
// rendered at a time, and that wait for it. A session has no more of them handled
// together (the rest waits there and holds no worker), so nobody is turned away
// but where nothing moves: what is read of a container hangs as long as it likes.
const (
	maxRendering   = 8
	renderRoom     = 56
	renderPatience = time.Second
)

// errBusy is for a container whose own requests hang: it is shown no numbers, for
// only the host's could be had.
var errBusy = fmt.Errorf("%w: %w", share.ErrBusy, syscall.EBUSY)

// scratch is what one rendering needs and the next one can use again.
type scratch struct {
	host []byte
	view view.View
}

// NewRenderer returns a renderer of those files that the host has.
func NewRenderer(cfg Config, files []*File) *Renderer {
	r := &Renderer{Config: cfg, gate: share.NewGate[string](maxRendering, renderRoom, renderPatience)}
	r.SetOptions(cfg.Options)
	r.pool.New = func() any { return new(scratch) }
	for _, f := range files {
		if _, err := cfg.FS.Stat(f.Path); err == nil {
			r.files = append(r.files, f)
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
	defer f.counters.End(f.counters.Begin())
	s := r.pool.Get().(*scratch)
	defer r.pool.Put(s)
	host, err := r.FS.Append(s.host[:0], f.Path)
	if err != nil {
		f.counters.Fail(err)
		return dst, "", fmt.Errorf("the host's file: %w", err)
	}
	s.host = host
	out, owner, err = r.virtual(dst, s, f, tid)
	if errors.Is(err, errBusy) {
		r.refused(Fallback{Path: f.Path, TID: tid, Top: owner, Err: err})
		return dst, owner, err
	}
	if err != nil {
		r.fellBack(Fallback{Path: f.Path, TID: tid, Top: owner, Err: err})
		return append(dst, host...), owner, nil
	}
	return out, owner, nil
}

// owner returns whose the handle is that the thread tid opens or reads.
func (r *Renderer) owner(tid uint32) string {
	if r.hostOnly() {
		return ""
	}
	decision, _ := r.Resolver.Resolve(tid)
	return decision.Top
}

// fellBack counts and reports a fallback, of whatever is served.
func (r *Renderer) fellBack(f Fallback) {
	if c := r.counters(f.Path); c != nil {
		c.FellBack(f.Err)
	}
	if r.Report != nil {
		r.Report(f)
	}
}

// refused counts and reports that somebody in a container got an error.
func (r *Renderer) refused(f Fallback) {
	if c := r.counters(f.Path); c != nil {
		c.Fail(f.Err)
	}
	if f.Refused = true; r.Report != nil {
		r.Report(f)
	}
}

// counters returns those of a served path: a file of the table has its own, all
// of a subtree share some. nil: nothing serves it.
func (r *Renderer) counters(path string) *Counters {
	if f, err := r.file(path); err == nil {
		return &f.counters
	}
	for _, s := range r.subtrees {
		if strings.HasPrefix(path+"/", s.Path+"/") {
			return &s.counters
		}
	}
	return nil
}

// errEmpty guards against a renderer that lost everything.
var errEmpty = errors.New("nothing rendered")

// virtual appends the container's version of s.host, or s.host itself for a
// caller that is to see the host. The owner is as in Append.
func (r *Renderer) virtual(dst []byte, s *scratch, f *File, tid uint32) (out []byte, owner string, err error) {
	if r.hostOnly() {
		return append(dst, s.host...), "", nil
	}
	decision, err := r.Resolver.Resolve(tid)
	if err != nil {
		return dst, decision.Top, fmt.Errorf("resolve caller %d: %w", tid, err)
	}
	if decision.Container == nil {
		return append(dst, s.host...), decision.Top, nil
	}
	decision.Container.CountRead()
	out, err = r.contained(dst, s, f, decision.Container, tid)
	return out, decision.Top, err
}

// hostOnly says that nobody gets numbers of their own now.
func (r *Renderer) hostOnly() bool {
	return r.Switches.HostOnly.Load() || r.Degraded != nil && r.Degraded()
}

// View fills in the parts of v that are needed for the caller tid, and returns
// false for a caller that is to see the host: one on the host, and one whose
// numbers can't be had, which is reported as a fallback of the file path. An error
// is as in Append.
func (r *Renderer) View(path string, tid uint32, needs view.Needs, v *view.View) (bool, error) {
	if r.hostOnly() {
		return false, nil
	}
	decision, err := r.Resolver.Resolve(tid)
	if err == nil && decision.Container == nil {
		return false, nil
	}
	if err == nil {
		v.Reader = tid
		err = r.gather(v, decision.Container, needs)
	}
	if err != nil {
		err = fmt.Errorf("gather %s: %w", path, err)
	}
	f := Fallback{Path: path, TID: tid, Top: decision.Top, Err: err}
	switch {
	case errors.Is(err, errBusy):
		r.refused(f)
		return false, err
	case err != nil:
		r.fellBack(f)
	}
	return err == nil, nil
}

func (r *Renderer) gather(v *view.View, c *container.Container, needs view.Needs) error {
	if !r.gate.Enter(c.Top) {
		return errBusy
	}
	defer r.gate.Leave(c.Top)
	return r.Gatherer.Gather(v, c, needs, *r.options.Load())
}

// contained appends a container's version of s.host, as the thread tid reads it;
// 0 for nobody.
func (r *Renderer) contained(dst []byte, s *scratch, f *File, c *container.Container, tid uint32) ([]byte, error) {
	if !r.gate.Enter(c.Top) {
		return dst, fmt.Errorf("render %s: %w", f.Path, errBusy)
	}
	defer r.gate.Leave(c.Top)
	s.view.Reader = tid
	if err := r.Gatherer.Gather(&s.view, c, f.Needs, *r.options.Load()); err != nil {
		return dst, fmt.Errorf("gather %s: %w", f.Path, err)
	}
	out, err := f.Append(dst, s.host, &s.view)
	if err != nil {
		return dst, fmt.Errorf("render %s: %w", f.Path, err)
	}
	if len(out) == len(dst) && len(s.host) > 0 {
		return dst, fmt.Errorf("render %s: %w", f.Path, errEmpty)
	}
	return out, nil
}

// fileSize returns the size to claim for a file, see sizeFor.
func (r *Renderer) fileSize(path string) uint64 {
	host, err := r.FS.Append(nil, path)
	if err != nil {
		return minSize
	}
	return sizeFor(len(host))
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
