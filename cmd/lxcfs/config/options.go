package config

import (
	"fmt"
	"slices"
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

// option is one name of mount options and files. field is the switch that it stands
// for; nil for cpu, which takes a value.
type option struct {
	name  string
	field func(*Options) *bool
}

// table is all there is to say of the options but for cpu's values; cpu is the first.
func table() []option {
	return []option{
		{"cpu", nil},
		{"swap", func(o *Options) *bool { return &o.Swap }},
		{"zswap", func(o *Options) *bool { return &o.Zswap }},
		{"loadavg", func(o *Options) *bool { return &o.Loadavg }},
		{"psi-poll", func(o *Options) *bool { return &o.PSIPoll }},
		{"cgroup", func(o *Options) *bool { return &o.Cgroup }},
	}
}

// lookup finds the place of a name in the table.
func lookup(name string) (place int, ok bool) {
	place = slices.IndexFunc(table(), func(o option) bool { return o.name == name })
	return place, place >= 0
}

// Settings are options of which only some were given.
type Settings struct {
	options Options
	given   uint64 // bit set of places in the table
}

// Over returns base with what was given in s put over it.
func (s Settings) Over(base Options) Options {
	for place, o := range table() {
		switch {
		case s.given&(1<<place) == 0:
		case o.field == nil:
			base.CPU = s.options.CPU
		default:
			*o.field(&base) = *o.field(&s.options)
		}
	}
	return base
}

// give sets the option of a place: cpu to a value, another one on or off.
func (s *Settings) give(place int, value string, on bool) error {
	if field := table()[place].field; field != nil {
		*field(&s.options) = on
	} else if err := s.options.CPU.parse(value); err != nil {
		return err
	}
	s.given |= 1 << place
	return nil
}

func (p *CPUPolicy) parse(value string) error {
	for known := Auto; known <= Quota; known++ {
		if value == known.String() {
			*p = known
			return nil
		}
	}
	return fmt.Errorf("cpu=%s is not one of cpu=auto, cpu=cpuset, cpu=quota", quote(value))
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
	if place, ok := lookup(key); ok {
		if hasValue && table()[place].field != nil {
			return fmt.Errorf("%s takes no value (use %s or no%s)", key, key, key)
		}
		return s.give(place, value, true)
	}
	positive, negated := strings.CutPrefix(option, "no")
	if place, ok := lookup(positive); ok && negated && table()[place].field != nil {
		return s.give(place, "", false)
	}
	return fmt.Errorf("unknown option %s", quote(option))
}

// quote bounds what a stranger can put into an error.
func quote(s string) string { return fmt.Sprintf("%.64q", s) }

// String returns the options as mount options, all of them.
func (o Options) String() string {
	words := []string{"cpu=" + o.CPU.String()}
	for _, option := range table()[1:] {
		word := option.name
		if !*option.field(&o) {
			word = "no" + word
		}
		words = append(words, word)
	}
	return strings.Join(words, ",")
}
