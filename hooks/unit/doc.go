// Package unit makes the drop-in by which a plain systemd unit is a container
// to lxcfs: BindReadOnlyPaths= for each file (systemd.exec(5)). A unit with it
// sees its own MemoryMax=, AllowedCPUs= and so on.
//
// It knows no D-Bus: the service manager has to be told to reload.
package unit
