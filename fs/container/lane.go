package container

import (
	"bytes"
	"errors"
	"strings"
	"time"

	"linuxcontainers.org/lxcfs/cgroup/hostfile"
	"linuxcontainers.org/lxcfs/fs/gate"
)

// Bounds of the callers of one lane that are being resolved at a time. A file of
// /proc can block its reader for as long as the process it is about wants: one
// in the middle of an execve(2) of a file that never comes does.
const (
	maxResolving    = 8
	resolvePatience = 100 * time.Millisecond
)

// inTurn resolves a caller that is not remembered. [gate.ErrBusy] is returned
// when too many callers of the same unit or container are being resolved, and
// none of them gets on.
func (r *Resolver) inTurn(tid uint32) (verdict, error) {
	file, err := hostfile.Hold(r.host.FS, procDir(tid)+"/cgroup")
	if err != nil {
		return verdict{}, gone("caller", tid, err)
	}
	v, err := r.inLane(tid, file)
	if err != nil {
		file.Close()
	}
	return v, err
}

// inLane is inTurn with the caller's open /proc/TID/cgroup, which on success is
// the Resolver's.
func (r *Resolver) inLane(tid uint32, file hostfile.File) (verdict, error) {
	lane, err := r.laneOf(file)
	if err != nil {
		return verdict{}, gone("caller", tid, err)
	}
	if !r.gate.Enter(lane) {
		return verdict{}, gate.ErrBusy
	}
	defer r.gate.Leave(lane)
	for try := 1; ; try++ {
		v, err := r.resolve(tid, file)
		if err == nil || !errors.Is(err, errChanged) || try == attempts {
			return v, err
		}
	}
}

// laneOf returns the top-level unit or container of a task, by the names of its
// cgroups alone: nothing that it reads can block.
func (r *Resolver) laneOf(file hostfile.File) (string, error) {
	buf := r.buffer()
	defer r.release(buf)
	var err error
	if *buf, err = file.Append((*buf)[:0]); err != nil {
		return "", err
	}
	return lane(*buf), nil
}

// lane returns the path up to its first component that is no slice, in the
// hierarchy that tells units and containers apart:
//
//	12:memory:/machine.slice/a.scope/payload/b
//	1:name=systemd:/machine.slice/a.scope/payload/b      -> /machine.slice/a.scope
//	0::/
func lane(membership []byte) string {
	var best []byte
	for line := range bytes.Lines(membership) {
		_, rest, _ := bytes.Cut(bytes.TrimSuffix(line, []byte("\n")), []byte(":"))
		controllers, path, _ := bytes.Cut(rest, []byte(":"))
		if string(controllers) == "name=systemd" {
			best = path
			break
		}
		if len(path) > len(best) {
			best = path
		}
	}
	end := 0
	for component := range strings.SplitSeq(strings.TrimPrefix(string(best), "/"), "/") {
		end += 1 + len(component)
		if !strings.HasSuffix(component, ".slice") {
			break
		}
	}
	return string(best[:min(end, len(best))])
}
