package fdstore

import (
	"os"
	"syscall"
)

// Handover is what a keeper leaves to the program that is executed in its place,
// under the same pid, beside the descriptors of the store: its worker is the new
// program's child, and goes on talking to the same socket.
type Handover struct {
	Socket int    // the notify socket
	Worker int    // pid of the worker, 0: none runs
	Ready  bool   // the worker has said READY=1
	Stored []File // what is stored, for [Config.Files]; not used there
}

// reexec hands over to another program; p is the worker, nil when none runs.
func (k *Keeper) reexec(p process, ready bool) {
	h := Handover{Ready: ready, Stored: k.manager.files()}
	if p != nil {
		h.Worker = p.PID()
	}
	err := k.manager.raw.Control(func(fd uintptr) { h.Socket = int(fd) })
	if err == nil {
		err = k.config.Reexec(h)
	}
	k.report(Event{Kind: Kept, PID: h.Worker, Err: err})
}

// files lists the store, oldest first. The descriptors stay the Manager's.
func (m *Manager) files() []File {
	m.mu.Lock()
	defer m.mu.Unlock()
	files := make([]File, 0, len(m.table.entries))
	for _, e := range m.table.entries {
		files = append(files, e.File)
	}
	return files
}

// adopt returns the worker that a keeper before has left, once; nil if there is none.
func (k *Keeper) adopt() process {
	h := k.left
	k.left = Handover{}
	if h.Worker == 0 {
		return nil
	}
	child, err := os.FindProcess(h.Worker)
	if err != nil {
		return nil // it is gone, and the next one is started
	}
	if h.Ready {
		k.inbox.put(Ready)
	}
	return &adopted{child: child, manager: k.manager}
}

// adopted is a worker that this program has not started, but whose parent it is.
type adopted struct {
	child   *os.Process
	manager *Manager
}

func (a *adopted) PID() int                   { return a.child.Pid }
func (a *adopted) Signal(sig os.Signal) error { return a.child.Signal(sig) }

// Wait is that of a process. One that was reaped already counts as killed: nobody
// knows more about its end.
func (a *adopted) Wait() syscall.WaitStatus {
	a.manager.outlive(a.child.Pid)
	if state, err := a.child.Wait(); err == nil {
		if status, ok := state.Sys().(syscall.WaitStatus); ok {
			return status
		}
	}
	return syscall.WaitStatus(syscall.SIGKILL)
}
