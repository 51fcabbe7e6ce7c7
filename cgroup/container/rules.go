package container

import (
	"linuxcontainers.org/lxcfs/cgroup"
	"linuxcontainers.org/lxcfs/cgroup/procpid"
)

// facts are what the rules go by.
type facts struct {
	path  string // the caller's cgroup in the identity hierarchy
	depth int    // of the caller's pid namespace; 1 is the host's
	blind bool   // the kernel says nothing of pid namespaces
	// trusted: root chose the cgroup's name. It is asked only of a name on which the
	// answer depends, for that is looked up then.
	trusted func(path string) bool
	// how the init of the caller's pid namespace was found; "" if it was not.
	how  Reason
	init uint32
	// initPath is the init's cgroup in the same hierarchy; "" if that is not known.
	initPath string
	// resting: none was looked for, see [restTime]. hasty: processes changed under the
	// reader.
	resting, hasty bool
}

// verdict is what the rules make of facts.
type verdict struct {
	// cgroups are those that are Containers: the caller's, and before it the top-level
	// one that it is in, if it is in one. None: the host's content, or the init's
	// Container.
	cgroups []scope
	ofInit  bool
	reason  Reason
	detail  string // "": the cgroup that is shown
	note    string // ends the detail
	// weak: for want of something better; a container that becomes known later
	// may be better.
	weak bool
	// passing: for want of time; to be decided anew at the next question.
	passing bool
}

// What a decision by cgroup adds when there should have been an init.
const (
	noInit       = " (entered a pid namespace whose init was not found)"
	noNamespaces = " (the kernel says nothing of pid namespaces)"
)

// decide applies the rules, in the order of the reasons.
func decide(f facts) verdict {
	var v verdict
	if f.how != "" {
		var own bool
		if v, own = ownScope(f); !own {
			v = verdict{ofInit: true, reason: f.how, detail: procpid.Dir(f.init)}
		}
	} else {
		v = byCgroup(f.path, f.trusted)
		switch {
		case f.depth > 1:
			v.weak, v.note = true, noInit
			if f.resting {
				v.reason = ReasonBusy
			}
		case f.blind:
			v.note = noNamespaces
		}
	}
	v.passing = f.hasty || f.resting && f.how == ""
	return v
}

// ownScope: a caller in a runtime's scope that neither holds the init nor is below
// the init's cgroup belongs to that scope (pods that share a pid namespace), which
// is nested in the outermost one. Below the init's cgroup, names are the
// container's own choice.
func ownScope(f facts) (verdict, bool) {
	if f.initPath == "" {
		return verdict{}, false
	}
	for _, s := range scopesOf(f.path) {
		if within(f.initPath, s.path) {
			continue
		}
		if f.initPath != "/" && within(s.path, f.initPath) || !f.trusted(s.path) {
			break
		}
		v := verdict{cgroups: []scope{s}, reason: ReasonOwnScope, detail: s.path}
		if outer, ok := outerScope(f.path, f.trusted); ok && outer.path != s.path {
			v.cgroups = []scope{outer, s}
		}
		return v, true
	}
	return verdict{}, false
}

// byCgroup decides by the caller's cgroup alone: in the host's pid namespace, or for
// want of an init.
func byCgroup(path string, trusted func(string) bool) verdict {
	if path == "/" {
		return verdict{reason: ReasonRoot, detail: path}
	}
	top, ok := topLevel(path, trusted)
	if !ok {
		return verdict{reason: ReasonNoUnit, detail: path}
	}
	v := verdict{cgroups: []scope{top}, reason: ReasonScope, detail: top.path}
	if top.kind == Unit {
		v.reason, v.detail = ReasonUnit, ""
		if inner := userUnit(path, top.path); inner != "" {
			v.cgroups = append(v.cgroups, unitScope(inner))
		}
	}
	return v
}

// topLevel returns the cgroup that decides for all in it, if its name is to be
// believed: the outermost runtime's scope, or else the system manager's unit.
func topLevel(path string, trusted func(string) bool) (scope, bool) {
	if s, ok := outerScope(path, trusted); ok {
		return s, true
	}
	unit := systemUnit(path)
	return unitScope(unit), unit != "" && trusted(unit)
}

// outerScope returns the outermost runtime scope that a path is in, if its name can
// be believed.
func outerScope(path string, trusted func(string) bool) (scope, bool) {
	all := scopesOf(path)
	if len(all) == 0 || !trusted(all[0].path) {
		return scope{}, false
	}
	return all[0], true
}

// systemUnit returns the path of the system manager's unit that a path is in;
// "" for none.
func systemUnit(path string) string {
	found := ""
	for ; path != "/"; path = parentPath(path) {
		if cgroup.UnitOf(path).Name == "" {
			break
		}
		found = path
	}
	return found
}

// userUnit returns the cgroup of the unit of a user's manager that a path is in,
// below the system's unit that the manager is; "" for none.
func userUnit(path, system string) string {
	unit := cgroup.UnitOf(path)
	if unit.User == "" || unit.Path == system || !within(unit.Path, system) {
		return ""
	}
	if inner := unit.Path + "/container"; claimed(unit.Path) && within(path, inner) {
		return inner // crun's; 1.8 limits a user's container there, and not in the scope
	}
	return unit.Path
}

// claimed: the unit's name is that of a runtime's scope.
func claimed(unit string) bool {
	all := scopesOf(unit)
	return len(all) > 0 && all[len(all)-1].path == unit
}
