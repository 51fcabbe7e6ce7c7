// Package fdstore keeps file descriptors past the end of a process. It speaks
// the protocol of sd_notify(3), sd_pid_notify_with_fds(3) and sd_listen_fds(3)
// from both sides:
//
//   - [Client] and [Inherited] are the daemon's side. They talk to systemd or
//     to a Keeper and cannot tell which.
//   - [Manager] is the other side: a socket that takes messages, a store of
//     descriptors, and the preparation of a command that gets them back.
//   - [Keeper] supervises one worker by means of a Manager, on machines that
//     have no service manager, and below one that is not to know of the
//     worker's deaths: to that it passes on what the worker says and stores
//     ([Config.Upstream]).
//
// # LISTEN_PID and the keeper
//
// sd_listen_fds(3) demands that LISTEN_PID is the pid of the reader, which is
// known only after the fork; Go cannot set it between fork and execve. The
// keeper therefore sets [KeeperVariable] to its own pid in its stead, and
// Inherited takes the descriptors when that is the pid of the parent. It
// guards against the same accident (a variable inherited by a grandchild) and
// costs no second execve on each restart. Programs of others do not know the
// variable, so the keeper runs only ours.
//
// # When the keeper dies
//
// The worker does not die with its keeper. It holds every descriptor itself,
// so containers go on reading; PR_SET_PDEATHSIG would turn the loss of a
// supervisor into "Transport endpoint is not connected" in all of them. What
// is lost is the next restart. [Client.KeeperGone] tells the worker, which can
// then execute a keeper in its own place: [Config.Files] is how a new keeper
// is given descriptors that already live. Below a service manager that does not
// arise: it ends the worker and starts the keeper anew.
//
// A keeper can replace itself by another program under its pid ([Config.Reexec]),
// which takes over the worker, the socket and the store ([Handover]).
//
// The package does not log, does not exit, handles no signals of its own
// accord, and does not know what the descriptors are. Descriptors are raw
// ints with one owner, never an os.File, whose finalizer would close a live
// FUSE connection.
package fdstore
