package fdstore

import (
	"os"
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"
)

// process is what the supervisor needs of a worker.
type process interface {
	PID() int
	Signal(os.Signal) error
	// Wait returns after the end of the process and of its last message.
	Wait() syscall.WaitStatus
}

// worker is the process of a command that a Manager started.
type worker struct {
	cmd     *exec.Cmd
	manager *Manager
}

func (w *worker) PID() int                   { return w.cmd.Process.Pid }
func (w *worker) Signal(sig os.Signal) error { return w.cmd.Process.Signal(sig) }
func (w *worker) Wait() syscall.WaitStatus   { return w.manager.Wait(w.cmd) }

// Wait waits for the end of a command that Start started. What it had sent
// counts, down to the last message; what is sent later does not.
func (m *Manager) Wait(cmd *exec.Cmd) syscall.WaitStatus {
	m.outlive(cmd.Process.Pid)
	// An error is that of the exit status, which is returned.
	_ = cmd.Wait()
	status, _ := cmd.ProcessState.Sys().(syscall.WaitStatus)
	return status
}

// outlive waits for the end of a child, leaves it unreaped, and works off what it
// had sent.
func (m *Manager) outlive(pid int) {
	for {
		// WNOWAIT leaves the zombie, so that its pid is nobody else's.
		err := unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
		if err != unix.EINTR {
			break
		}
	}
	// An error means that the Manager is closed: there is nothing to lose.
	_ = m.Drain()
	m.AcceptFrom(0)
}
