package daemon

import (
	"os"

	"golang.org/x/sys/unix"

	"linuxcontainers.org/lxcfs/cmd/lxcfs/process"
	"linuxcontainers.org/lxcfs/units/mount"
)

// partsOf picks the descriptors of one connection.
func partsOf(f process.Files, id string) parts {
	p := noParts()
	for _, kind := range kinds() {
		if fd, ok := f[kind+"-"+id]; ok {
			*p.of(kind) = fd
		}
	}
	p.served = p.journal >= 0
	return p
}

// files lists the descriptors of all connections.
func (s *server) files() process.Files {
	files := make(process.Files)
	for _, c := range s.connections() {
		p := c.parts()
		for _, kind := range kinds() {
			files[kind+"-"+c.id] = *p.of(kind)
		}
	}
	return files
}

// askKeeper has the keeper execute the installed program anew, and it this one; it
// reports whether there is a keeper.
func (s *service) askKeeper() bool {
	keeper := s.client.Keeper()
	return keeper != 0 && unix.Kill(keeper, unix.SIGUSR1) == nil
}

// takeOver executes the program installed now with all that a service holds.
func (s *service) takeOver() {
	s.taking.Lock() // or a mount half taken would be in the store and not in the new program
	defer s.taking.Unlock()
	s.log.Info("executing anew", "binary", process.Executable())
	s.store.notify(s.log, "RELOADING=1", monotonic())
	files := s.files()
	s.client.PassKeeperOn()
	if s.listener >= 0 {
		files[mount.SocketName] = s.listener
	}
	s.leave(true)
	err := process.Reexec(files, os.Args)
	s.leave(false)
	s.log.Error("not executed anew, serving on", "error", err)
	s.store.notify(s.log, "READY=1", "STATUS="+s.status())
}
