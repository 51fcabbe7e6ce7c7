package attach

import "linuxcontainers.org/lxcfs/units/mount"

// Action is what is done about one path of a container.
type Action string

// The actions.
const (
	// Bind puts the served file over the container's.
	Bind Action = "attach"
	// Replace takes a mount of another lxcfs away, and binds.
	Replace Action = "replace"
	// Remove takes an lxcfs mount away.
	Remove Action = "detach"
	// Keep: the file is attached already.
	Keep Action = "keep"
	// Skip: there is a reason not to.
	Skip Action = "skip"
)

// Change is what is done, or with a dry run would be done, about one path.
type Change struct {
	Path   string `json:"path"`
	Action Action `json:"action"`
	Reason string `json:"reason,omitempty"`

	layers []mount.Entry // mounts to take away first, the topmost first
	source string        // what to bind, below the tree; "" for nothing
}

// Request says what to do.
type Request struct {
	// Tree is where lxcfs is mounted on the host.
	Tree string `json:"tree"`
	// Detach takes lxcfs mounts below /proc and /sys away instead.
	Detach bool `json:"detach,omitempty"`
	// Heal replaces mounts of a dead lxcfs below /proc and /sys, and attaches
	// nothing else.
	Heal bool `json:"heal,omitempty"`
	// ReplaceLive also replaces the mounts of another lxcfs that is alive.
	ReplaceLive bool `json:"replaceLive,omitempty"`
	// DryRun changes nothing.
	DryRun bool `json:"dryRun,omitempty"`
}

// Result is what was done.
type Result struct {
	Changes []Change `json:"changes"`
}

// Changed reports whether something was, or would be, done.
func (r Result) Changed() bool {
	for _, c := range r.Changes {
		if c.Action != Keep && c.Action != Skip {
			return true
		}
	}
	return false
}
