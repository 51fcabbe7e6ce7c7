package main

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"linuxcontainers.org/lxcfs/cmd/lxcfs/config"
	"linuxcontainers.org/lxcfs/cmd/lxcfs/process"
	"linuxcontainers.org/lxcfs/units/mount"
)

// settings are what the command line asks for.
type settings struct {
	Mountpoint string
	Options    []string // -o, each a comma separated list

	Debug      bool
	Foreground bool
	Pidfile    string
	RuntimeDir string

	Keeper  bool
	Worker  bool
	Pprof   string // socket
	Service bool
	Check   bool // the configuration

	Completion string // the shell whose completion script to print

	flags uintptr // of mount(2)
	view  string  // options of the view

	EnableLoadavg, EnableCFS, EnablePidfd, EnablePSIPoll, EnableCgroup bool
	DisableSwap, DisableZswap                                          bool
	Single                                                             bool
}

const longHelp = `lxcfs serves files that look like the kernel's in /proc and /sys, but whose
numbers are those of the container that reads them: memory, CPUs, CPU time,
load, swap, disk I/O and uptime. A runtime binds them over the container's own.

Without --keeper or --service, lxcfs mounts at MOUNTPOINT, serves in the
foreground, and unmounts on SIGTERM, SIGINT or SIGHUP.

Signals:
  SIGTERM, SIGINT          unmount and exit with status 0
  SIGHUP                   the same; with --service, read the configuration anew
  SIGUSR1                  execute the installed program anew; no read fails
  SIGUSR2                  virtualisation off or on; off: all files are the host's

Exit status: 0 orderly end, 1 failure, 64 wrong command line, 69 it can't work
here, and another start would not help, 75 another start will help.`

// newCommand builds the command line; serve is called with what it says.
func newCommand(serve func(settings) error) *cobra.Command {
	var s settings
	cmd := &cobra.Command{
		Use:                   "lxcfs [OPTION]... MOUNTPOINT",
		Short:                 "show containers their own /proc",
		Long:                  longHelp,
		Version:               version,
		Args:                  s.arguments,
		SilenceErrors:         true,
		SilenceUsage:          true,
		DisableFlagsInUseLine: true,
		CompletionOptions:     cobra.CompletionOptions{DisableDefaultCmd: true},
		RunE: func(cmd *cobra.Command, args []string) error {
			if s.Completion != "" {
				return printCompletion(cmd, s.Completion, cmd.OutOrStdout())
			}
			if s.Check {
				return serve(s)
			}
			if !s.Service {
				s.Mountpoint = args[0]
			}
			if err := s.complete(); err != nil {
				return process.Usage("%w", err)
			}
			return serve(s)
		},
	}
	cmd.SetVersionTemplate("{{.Version}}\n")
	cmd.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return process.Usage("%w", err) })
	s.define(cmd)
	return cmd
}

func (s *settings) define(cmd *cobra.Command) {
	f := cmd.Flags()
	f.SortFlags = false
	f.BoolVarP(&s.Debug, "debug", "d", false, "log every request that was answered with the host's file")
	f.BoolVarP(&s.Foreground, "foreground", "f", false, "stay in the foreground (lxcfs always does)")
	f.StringArrayVarP(&s.Options, "options", "o", nil, "mount options: cpu=auto|cpuset|quota, [no]loadavg, [no]swap, [no]zswap, [no]psi-poll, ro, ...")
	f.StringVarP(&s.Pidfile, "pidfile", "p", "", "write the process id to `FILE` (default RUNTIME-DIR/lxcfs.pid)")
	f.StringVar(&s.RuntimeDir, "runtime-dir", "/run", "`DIR` of the pid file")
	f.BoolVar(&s.Keeper, "keeper", false, "hold the mounts and serve from a worker that is restarted when it dies")
	f.BoolVar(&s.Service, "service", false, "serve the mounts that mount.fuse.lxcfs hands over; for lxcfs.service")
	f.BoolVar(&s.Check, "check-config", false, "read the configuration files, log what is wrong in them, and exit")
	f.BoolVarP(&s.EnableLoadavg, "enable-loadavg", "l", false, "containers' own load averages (on unless -o noloadavg)")
	f.BoolVar(&s.EnableCFS, "enable-cfs", false, "count CPUs by quota: the same as -o cpu=quota")
	f.BoolVarP(&s.DisableSwap, "disable-swap", "u", false, "show no swap: the same as -o noswap")
	f.BoolVar(&s.DisableZswap, "disable-zswap", false, "show no zswap: the same as -o nozswap")
	f.BoolVar(&s.EnablePSIPoll, "enable-psi-poll", false, "allow pressure triggers: the same as -o psi-poll")
	f.BoolVar(&s.EnableCgroup, "enable-cgroup", false, "serve the cgroup tree: the same as -o cgroup")
	f.BoolVar(&s.EnablePidfd, "enable-pidfd", false, "accepted and without effect")
	f.BoolVarP(&s.Single, "single", "s", false, "accepted and without effect")
	f.StringVar(&s.Pprof, "pprof", "", "answer requests for profiles at the unix `SOCKET`")
	f.BoolVar(&s.Worker, "worker", false, "serve what a keeper passes on")
	f.StringVar(&s.Completion, "completion", "", "print the completion script of `SHELL`: bash, fish or zsh")
	f.BoolP("help", "h", false, "show this help")
	f.BoolP("version", "v", false, "show the version")
	for _, name := range []string{"enable-pidfd", "single", "worker", "completion"} {
		f.Lookup(name).Hidden = true
	}
}

// arguments wants one mountpoint, unless there is nothing to mount: a service is
// given its mounts.
func (s *settings) arguments(_ *cobra.Command, args []string) error {
	switch {
	case (s.Service || s.Check) && len(args) > 0:
		return process.Usage("--service and --check-config take no mountpoint: %s", strings.Join(args, " "))
	case s.Service, s.Check, s.Completion != "" && len(args) == 0:
		return nil
	}
	switch len(args) {
	case 0:
		return process.Usage("no mountpoint given")
	case 1:
		return nil
	}
	return process.Usage("more than one mountpoint given: %s", strings.Join(args, " "))
}

// complete checks what flags alone can't and fills in defaults.
func (s *settings) complete() error {
	if s.Debug && s.Foreground {
		return fmt.Errorf("-d and -f exclude each other")
	}
	if s.Pidfile == "" {
		s.Pidfile = filepath.Join(s.RuntimeDir, "lxcfs.pid")
	}
	return s.parseOptions()
}

// parseOptions parses mount(2)'s flags and the options of the view: those of the
// flags first, then -o, so that -o wins.
func (s *settings) parseOptions() error {
	words := s.flagOptions()
	for _, list := range s.Options {
		for word := range strings.SplitSeq(list, ",") {
			if !libfuse(word) {
				words = append(words, word)
			}
		}
	}
	o, err := mount.ParseOptions(strings.Join(words, ","))
	if err != nil {
		return err
	}
	s.flags, s.view = o.Flags, o.Lxcfs
	_, err = config.ParseMountOptions(o.Lxcfs)
	return err
}

// flagOptions spells the classic flags as mount options.
func (s *settings) flagOptions() []string {
	var words []string
	for _, f := range []struct {
		set  bool
		word string
	}{
		{s.EnableLoadavg, "loadavg"},
		{s.EnableCFS, "cpu=quota"},
		{s.DisableSwap, "noswap"},
		{s.DisableZswap, "nozswap"},
		{s.EnablePSIPoll, "psi-poll"},
		{s.EnableCgroup, "cgroup"},
	} {
		if f.set {
			words = append(words, f.word)
		}
	}
	return words
}

// libfuse says whether an option is one of libfuse's that scripts pass to
// lxcfs and that have no effect: the session decides these by itself.
func libfuse(word string) bool {
	name, _, _ := strings.Cut(word, "=")
	switch name {
	case "direct_io", "entry_timeout", "attr_timeout", "ac_attr_timeout", "negative_timeout",
		"auto_unmount", "max_read", "max_write", "max_background", "fsname", "subtype",
		"kernel_cache", "auto_cache", "big_writes", "intr", "debug", "use_ino", "hard_remove":
		return true
	}
	return false
}
