package daemon

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"golang.org/x/sys/unix"

	"linuxcontainers.org/lxcfs/cmd/lxcfs/session"
	"linuxcontainers.org/lxcfs/fs"
	"linuxcontainers.org/lxcfs/fs/proc"
	"linuxcontainers.org/lxcfs/fs/psi"
	"linuxcontainers.org/lxcfs/fs/sys"
	"linuxcontainers.org/lxcfs/fs/view"
)

const (
	// slots is how many requests of a connection are under way at a time: more than
	// twice what one top-level container may have, with those that wait, in packages
	// container and fs. A slot takes 8 KiB, and one that was ever used 128 KiB more.
	slots = 256
	// waiting is how many more may wait for their turn. Each takes 4 KiB while there is
	// a crowd.
	waiting = 12288
)

// connection is one mount that this process serves.
type connection struct {
	id       string
	session  *session.Session
	renderer *fs.Renderer
	gatherer *view.Gatherer
	tree     *fs.Tree
	accounts region
	origin   origin
	originFD int
	triggers *psi.Engine // nil: off
	restored bool

	using  sync.RWMutex // held for reading by use, for writing by close
	closed bool
}

// region is a memfd and its mapping.
type region struct {
	fd  int
	mem []byte
}

// openRegion maps the memfd, or a new one of that size when fd is -1. What it
// returns with an error is to be closed as well.
func openRegion(name string, fd int, size int64) (r region, err error) {
	if r.fd = fd; fd < 0 {
		if r.fd, err = unix.MemfdCreate(name, unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING); err != nil {
			return r, fmt.Errorf("memfd_create: %w", err)
		}
	}
	var st unix.Stat_t
	if err := unix.Fstat(r.fd, &st); err != nil {
		return r, fmt.Errorf("size of the memfd %s: %w", name, err)
	}
	if st.Size < size {
		if err := unix.Ftruncate(r.fd, size); err != nil {
			return r, fmt.Errorf("size of the memfd %s: %w", name, err)
		}
	}
	if r.mem, err = unix.Mmap(r.fd, 0, int(size), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED); err != nil {
		return r, fmt.Errorf("map the memfd %s: %w", name, err)
	}
	return r, nil
}

// close unmaps and closes what there is.
func (r region) close() {
	if r.mem != nil {
		unix.Munmap(r.mem)
	}
	closeFD(r.fd)
}

// closeFD closes a descriptor that may not be there, -1.
func closeFD(fd int) {
	if fd >= 0 {
		unix.Close(fd)
	}
}

// open makes a connection of its parts, which it owns from the call on: a fresh one
// when it has no journal, else the continuation of what an earlier process served.
func (s *server) open(id string, p parts, o origin) (*connection, error) {
	c := &connection{id: id, restored: p.served, origin: o, originFD: p.origin, accounts: region{fd: p.accounts}}
	if err := s.assemble(c, p); err != nil {
		c.abandon(p)
		return nil, err
	}
	return c, nil
}

// abandon lets go of what a connection has that could not be opened, and of its
// parts.
func (c *connection) abandon(p parts) {
	if c.session != nil {
		c.session.Close() // nothing is served: it has no reason to refuse
	} else {
		closeFD(p.fuse)
		closeFD(p.journal)
	}
	c.accounts.close()
	closeFD(c.originFD)
}

// assemble fills in c.
func (s *server) assemble(c *connection, p parts) error {
	id, o := c.id, c.origin
	opts, err := s.optionsOf(o)
	switch {
	case err != nil && c.restored:
		// Options of a newer version. A refusal would end the mount.
		s.log.Warn("options of a mount that are not known here", "id", id, "error", err)
	case err != nil:
		return err
	}
	if c.originFD < 0 {
		if c.originFD, err = o.save(); err != nil {
			return err
		}
	}
	if c.accounts, err = openRegion("lxcfs-acct", p.accounts, view.AccountsSize(s.machine.cpus)); err != nil {
		return err
	}
	accounts, err := view.OpenAccounts(c.accounts.mem, s.machine.cpus)
	if err != nil {
		return err
	}
	cfg := session.Config{
		Slots: slots, Waiting: waiting, Owner: s.machine.resolver.Top,
		Options: fs.ProtocolOptions(), Report: s.sessionEvent(id), Crashed: s.crashed,
	}
	if c.restored {
		c.session, err = session.Restore(p.fuse, p.journal, cfg)
	} else {
		c.session, err = session.Create(p.fuse, cfg)
	}
	if err != nil {
		return err
	}
	c.gatherer = view.New(s.machine.host, bootClock, accounts, s.machine.loads)
	c.renderer = fs.NewRenderer(fs.Config{
		FS:       s.machine.files,
		Resolver: s.machine.resolver,
		Gatherer: c.gatherer,
		Options:  viewOf(opts),
		Switches: s.switches,
		Degraded: c.session.Degraded,
		Report:   s.fallback,
	}, slices.Concat(proc.Files(), sys.Files()))
	trees := sys.Trees(c.renderer.View, c.renderer.Show)
	if opts.Cgroup {
		cgroups, err := s.cgroupMounts(o)
		if err != nil && !c.restored {
			return err
		}
		trees = append(trees, cgroups...)
	}
	if opts.PSIPoll {
		c.triggers = s.newTriggers(c.session)
	}
	c.tree = fs.NewTree(c.renderer, c.session.Handles(), trees...)
	return nil
}

// parts returns the descriptors.
func (c *connection) parts() parts {
	return parts{fuse: c.session.FD(), journal: c.session.JournalFD(), accounts: c.accounts.fd, origin: c.originFD, served: true}
}

// keep puts what is not there yet into the descriptor store: the journal first,
// for it must be there before anybody reads INIT. Of a restored connection that
// is a part that was lost or replaced.
func (c *connection) keep(ctx context.Context, store *descriptors) error {
	return store.put(ctx,
		stored{"journal-" + c.id, c.session.JournalFD(), true},
		stored{"acct-" + c.id, c.accounts.fd, true},
		stored{"origin-" + c.id, c.originFD, true},
		stored{"fuse-" + c.id, c.session.FD(), false},
	)
}

// begin answers INIT, or goes on where the last process was.
func (c *connection) begin() error {
	c.tree.SetReplayed(c.session.Replayed)
	c.tree.SetExpire(c.session.ExpireAttr)
	if c.triggers != nil {
		c.tree.SetTriggers(c.triggers)
	}
	if err := c.session.Init(c.tree); err != nil {
		return fmt.Errorf("connection %s: %w", c.id, err)
	}
	c.restoreTriggers()
	return nil
}

// serve answers requests until the mount is gone (nil) or ctx is done.
func (c *connection) serve(ctx context.Context) error {
	if c.triggers != nil {
		ticking, cancel := context.WithCancel(ctx)
		var running sync.WaitGroup
		running.Go(func() { c.triggers.Run(ticking) })
		defer running.Wait() // it writes to the connection, whose descriptor others get when it is closed
		defer cancel()
	}
	err := c.session.Serve(ctx)
	if errors.Is(err, session.ErrUnmounted) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("connection %s: %w", c.id, err)
	}
	return ctx.Err()
}

// use calls f unless the connection is closed, and keeps it open meanwhile:
// journal and accounts are memory that close unmaps.
func (c *connection) use(f func()) {
	c.using.RLock()
	defer c.using.RUnlock()
	if !c.closed {
		f()
	}
}

// close lets go of everything, unless a worker of the session is stuck: what that
// one uses must stay.
func (c *connection) close() {
	c.using.Lock()
	defer c.using.Unlock()
	c.closed = true
	if c.session.Close() != nil {
		return
	}
	c.accounts.close()
	closeFD(c.originFD)
}
