package config

import (
	"fmt"
	"strings"
)

// CPUPolicy says which CPUs a container is shown.
type CPUPolicy uint8

const (
	// Auto is Quota for application containers and CPUSet for all others.
	Auto CPUPolicy = iota
	// CPUSet shows the CPUs of the effective cpuset.
	CPUSet
	// Quota shows as many of them as the CPU quota amounts to, rounded up.
	Quota
)

// String returns the policy's name in options and files.
func (p CPUPolicy) String() string {
	switch p {
	case Auto:
		return "auto"
	case CPUSet:
		return "cpuset"
	case Quota:
		return "quota"
	}
	return fmt.Sprintf("CPUPolicy(%d)", uint8(p))
}

// Options are the settings of one connection.
type Options struct {
	// CPU is the option cpu=.
	CPU CPUPolicy
	// Swap shows swap in meminfo; else it is all zero.
	Swap bool
	// Zswap shows zswap in meminfo.
	Zswap bool
	// Loadavg shows the container's own load averages.
	Loadavg bool
	// PSIPoll answers poll(2) of pressure files. Off by default: an answered
	// POLL can block host suspend.
	PSIPoll bool
	// Cgroup serves the cgroup tree.
	Cgroup bool
}

// Default returns the built-in options.
func Default() Options {
	return Options{CPU: Auto, Swap: true, Zswap: true, Loadavg: true}
}

// name is one option: how to set it from a file's value.
type name uint8

const (
	nameCPU name = 1 << iota
	nameSwap
	nameZswap
	nameLoadavg
	namePSIPoll
	nameCgroup
)

// lookup finds an option by its name in mount options and files.
func lookup(s string) (name, bool) {
	switch s {
	case "cpu":
		return nameCPU, true
	case "swap":
		return nameSwap, true
	case "zswap":
		return nameZswap, true
	case "loadavg":
		return nameLoadavg, true
	case "psi-poll":
		return namePSIPoll, true
	case "cgroup":
		return nameCgroup, true
	}
	return 0, false
}

// field is the switch that a name stands for; nil for nameCPU.
func (o *Options) field(n name) *bool {
	switch n {
	case nameSwap:
		return &o.Swap
	case nameZswap:
		return &o.Zswap
	case nameLoadavg:
		return &o.Loadavg
	case namePSIPoll:
		return &o.PSIPoll
	case nameCgroup:
		return &o.Cgroup
	}
	return nil
}

// Settings are options of which only some were given.
type Settings struct {
	options Options
	given   name // bit set
}

// Over returns base with what was given in s put over it.
func (s Settings) Over(base Options) Options {
	if s.given&nameCPU != 0 {
		base.CPU = s.options.CPU
	}
	for n := nameSwap; n <= nameCgroup; n <<= 1 {
		if s.given&n != 0 {
			*base.field(n) = *s.options.field(n)
		}
	}
	return base
}

func (s *Settings) setCPU(value string) error {
	for p := Auto; p <= Quota; p++ {
		if value == p.String() {
			s.options.CPU = p
			s.given |= nameCPU
			return nil
		}
	}
	return fmt.Errorf("cpu=%s is not one of cpu=auto, cpu=cpuset, cpu=quota", quote(value))
}

func (s *Settings) setSwitch(n name, on bool) {
	*s.options.field(n) = on
	s.given |= n
}

// ParseMountOptions parses the lxcfs options of one mount, comma separated; the
// last one of a name counts.
//
//	cpu=quota,noswap
//	loadavg,psi-poll
//
// cpu takes a value, the others are switches: NAME or noNAME. Empty options are
// skipped; anything else is refused, all of it in one sentence.
func ParseMountOptions(options string) (Settings, error) {
	var s Settings
	var wrong []string
	for option := range strings.SplitSeq(options, ",") {
		if option == "" {
			continue
		}
		if err := s.mountOption(option); err != nil {
			wrong = append(wrong, err.Error())
		}
	}
	if len(wrong) > 0 {
		const most = 4
		if n := len(wrong) - most; n > 0 {
			wrong = append(wrong[:most], fmt.Sprintf("and %d more", n))
		}
		return Settings{}, fmt.Errorf("wrong mount options: %s", strings.Join(wrong, "; "))
	}
	return s, nil
}

func (s *Settings) mountOption(option string) error {
	key, value, hasValue := strings.Cut(option, "=")
	if n, ok := lookup(key); ok {
		switch {
		case n == nameCPU:
			return s.setCPU(value)
		case hasValue:
			return fmt.Errorf("%s takes no value (use %s or no%s)", key, key, key)
		}
		s.setSwitch(n, true)
		return nil
	}
	positive, negated := strings.CutPrefix(option, "no")
	if n, ok := lookup(positive); ok && negated && n != nameCPU {
		s.setSwitch(n, false)
		return nil
	}
	return fmt.Errorf("unknown option %s", quote(option))
}

// quote bounds what a stranger can put into an error.
func quote(s string) string { return fmt.Sprintf("%.64q", s) }

// String returns the options as mount options, all of them.
func (o Options) String() string {
	var b strings.Builder
	b.WriteString("cpu=" + o.CPU.String())
	for _, f := range []struct {
		name string
		on   bool
	}{
		{"swap", o.Swap}, {"zswap", o.Zswap}, {"loadavg", o.Loadavg},
		{"psi-poll", o.PSIPoll}, {"cgroup", o.Cgroup},
	} {
		b.WriteByte(',')
		if !f.on {
			b.WriteString("no")
		}
		b.WriteString(f.name)
	}
	return b.String()
}
