package daemon

import (
	"os"

	"linuxcontainers.org/lxcfs/cmd/lxcfs/config"
	"linuxcontainers.org/lxcfs/cmd/lxcfs/logs"
	"linuxcontainers.org/lxcfs/fs/view"
)

// Config is what the command line says.
type Config struct {
	Log     logs.Logger
	Version string

	// Of the one connection of a process that is no service.
	Mountpoint string
	Flags      uintptr // of mount(2)
	Options    string  // of the view
	Pidfile    string
}

// loadConfig reads the configuration files below root ("/" but in tests).
func loadConfig(root string) (config.Config, error) { return config.Load(os.DirFS(root)) }

// optionsOf returns the options in force for a connection: its own over those of
// the configuration files over the defaults. With an error about its own these
// are left out.
func (s *server) optionsOf(o origin) (config.Options, error) {
	own, err := config.ParseMountOptions(o.Options)
	s.mu.Lock()
	defer s.mu.Unlock()
	return own.Over(s.config.View.Over(config.Default())), err
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
