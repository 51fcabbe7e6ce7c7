// Package unit makes the drop-in by which a service of systemd sees its own
// MemoryMax=, AllowedCPUs= and so on in /proc and /sys: BindReadOnlyPaths= for each
// file of lxcfs (systemd.exec(5)).
//
// The package knows no D-Bus: its caller tells the service manager to reload.
package unit
