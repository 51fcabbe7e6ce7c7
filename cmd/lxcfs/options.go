package main

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"linuxcontainers.org/lxcfs/fs/config"
	"linuxcontainers.org/lxcfs/fs/view"
)

// origin is what a connection was mounted with. It goes into the descriptor
// store with the connection: a successor cannot ask for it again.
type origin struct {
	Mountpoint string // for messages
	Options    string // of the view, comma separated
}

// save writes the record to a new memfd: "MOUNTPOINT\0OPTIONS".
func (o origin) save() (int, error) {
	fd, err := unix.MemfdCreate("lxcfs-origin", unix.MFD_CLOEXEC)
	if err != nil {
		return -1, fmt.Errorf("memfd_create: %w", err)
	}
	if _, err := unix.Pwrite(fd, []byte(o.Mountpoint+"\x00"+o.Options), 0); err != nil {
		unix.Close(fd)
		return -1, fmt.Errorf("record of the mount options: %w", err)
	}
	return fd, nil
}

// loadConfig reads the configuration files below root ("/" but in tests).
func loadConfig(root string) (config.Config, error) { return config.Load(os.DirFS(root)) }

// optionsOf returns the options in force for a connection: its own over those of
// the configuration files over the defaults.
func (s *server) optionsOf(o origin) (view.Options, error) {
	own, err := config.ParseMountOptions(o.Options)
	if err != nil {
		return view.Options{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return viewOf(own.Over(s.config.View.Over(config.Default()))), nil
}

// viewOf translates what is configured into what package view takes.
func viewOf(o config.Options) view.Options {
	v := view.Options{CPU: view.Auto, Swap: o.Swap, Zswap: o.Zswap, Loadavg: o.Loadavg}
	switch o.CPU {
	case config.CPUSet:
		v.CPU = view.CPUSet
	case config.Quota:
		v.CPU = view.Quota
	}
	return v
}
