// Package servicemanager is a stand-in for systemd in tests: it runs one
// service of Type=notify-reload with sockets and a descriptor store, as the
// protocol of sd_notify(3) and sd_listen_fds(3) has it, on machines where
// systemd does not run.
//
// What it has of systemd.service(5): Restart=always with RestartSec=0 and no
// start limit, FileDescriptorStoreMax=, FileDescriptorStorePreserve=restart,
// NotifyAccess=main, KillMode=mixed (by process group). What it has not: sandboxes, control
// groups, dependencies, timeouts other than those of the contexts given.
//
// LISTEN_PID is set by a shell that then executes the service under the same
// pid, so any program that knows the protocol can be the service.
package servicemanager
