package container

// Reason is the rule by which a caller was resolved.
type Reason string

// The reasons, in the order in which the rules are tried.
const (
	// ReasonInvisible: thread id 0; the caller is in a pid namespace that is not
	// below that of the mount.
	ReasonInvisible Reason = "caller not visible in this pid namespace"
	// ReasonInit: the walk over PPid came to the init.
	ReasonInit Reason = "init of the caller's pid namespace"
	// ReasonKnown: the walk left the pid namespace (lxc-attach, docker exec) or
	// was too long, or its processes died; a container already known is above the caller's cgroup.
	ReasonKnown Reason = "known container above the caller's cgroup"
	// ReasonProcs: as ReasonKnown, but the init was found in a cgroup.procs.
	ReasonProcs Reason = "init found in cgroup.procs above the caller's cgroup"
	// ReasonMount: as ReasonKnown, but only the root mount is shared.
	ReasonMount Reason = "root mount of the caller is that of the init"
	// ReasonOwnScope: a pod that shares a pid namespace, or an own scope inside a
	// pid namespace of somebody else.
	ReasonOwnScope Reason = "runtime scope of the caller, not that of its pid namespace's init"
	// ReasonScope: the caller has no init to go by (--pid=host, or one that was
	// not found) and is in a runtime's scope.
	ReasonScope Reason = "runtime scope of the caller"
	// ReasonUnit: no pid namespace of its own, no runtime's scope.
	ReasonUnit Reason = "systemd unit of the caller"
	// ReasonBusy: no more can be found out about the caller now. It is decided anew
	// at the next question.
	ReasonBusy Reason = "runtime scope or unit of the caller, for there is too much to look at"
	// ReasonQuota: the top-level container has too many containers in it.
	ReasonQuota Reason = "too many nested containers: that of the parent"
	// ReasonRoot: the host's content.
	ReasonRoot Reason = "root cgroup or init.scope"
	// ReasonNoUnit: the host's content.
	ReasonNoUnit Reason = "cgroup of no unit and no container"
)

// Decision is what [Resolver.Resolve] found.
type Decision struct {
	// Container is nil for the host's content.
	Container *Container
	// Reason is the rule that decided.
	Reason Reason
	// Detail names the cgroup or process that the rule was applied to.
	Detail string
	// Top is the cgroup of the caller's top-level container, also of one who sees
	// the host's content: [Container.Top], else that of the caller himself. "" of a
	// caller of whom nothing is known.
	Top string
}
