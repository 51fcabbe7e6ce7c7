package main

import (
	"linuxcontainers.org/lxcfs/fs/config"
	"linuxcontainers.org/lxcfs/fs/view"
)

// parseView parses the options of the view: what is left of the mount options
// when the generic flags are out.
func parseView(words string) (config.Options, error) {
	s, err := config.ParseMountOptions(words)
	if err != nil {
		return config.Options{}, err
	}
	return s.Over(config.Default()), nil
}

// viewOptions returns what the command line says about the view.
func (s *settings) viewOptions() (view.Options, error) {
	_, words, err := s.mountOptions()
	if err != nil {
		return view.Options{}, err
	}
	o, err := parseView(words)
	if err != nil {
		return view.Options{}, err
	}
	return viewOf(o), nil
}

// viewOf translates what is configured into what package view takes.
func viewOf(o config.Options) view.Options {
	policy := map[config.CPUPolicy]view.CPUPolicy{
		config.Auto:   view.Auto,
		config.CPUSet: view.CPUSet,
		config.Quota:  view.Quota,
	}[o.CPU]
	return view.Options{CPU: policy, Swap: o.Swap, Zswap: o.Zswap, Loadavg: o.Loadavg}
}
