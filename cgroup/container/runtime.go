package container

import (
	"slices"
	"strings"

	"linuxcontainers.org/lxcfs/cgroup"
)

// scope is a cgroup that is a Container by itself: that a runtime made for one,
// going by its name, or a systemd unit's.
type scope struct {
	path    string
	runtime string
	name    string
	kind    Kind
}

// unitScope returns that of a systemd unit's cgroup.
func unitScope(path string) scope { return scope{path: path, runtime: "systemd", kind: Unit} }

// claim returns the name for people to read; "" where it is not of letters,
// digits and "_.:@-" alone, so that it cannot pass for anything else.
func (s scope) claim() string {
	for _, c := range []byte(s.name) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && strings.IndexByte("_.:@-", c) < 0 {
			return ""
		}
	}
	return s.runtime + "/" + s.name
}

// idName is a form of cgroup name around a container's id: 12 hex digits or
// more, which "libpod-conmon-ID.scope" and "docker-compose.scope" don't have.
type idName struct{ prefix, suffix, runtime string }

// idNames returns the forms: systemd cgroup driver first, then cgroupfs driver.
func idNames() [8]idName {
	return [...]idName{
		{"docker-", ".scope", "docker"},
		{"libpod-", ".scope", "podman"},
		{"cri-containerd-", ".scope", "containerd"},
		{"nerdctl-", ".scope", "containerd"},
		{"crio-", ".scope", "cri-o"},
		{"libpod-payload-", "", "podman"}, // podman --cgroups=split
		{"libpod-", "", "podman"},
		{"crio-", "", "cri-o"},
	}
}

// scopesOf returns the runtime scopes on a cgroup path, outermost first. The
// forms, as seen in /proc/PID/cgroup:
//
//	/system.slice/docker-ID.scope                        docker, systemd driver
//	/docker/ID                                           docker, cgroupfs driver
//	/machine.slice/libpod-ID.scope/container             podman
//	/kubepods.slice/.../cri-containerd-ID.scope          containerd, systemd driver
//	/kubepods/burstable/podUID/ID                        containerd, cgroupfs driver
//	/system.slice/containerd.service/kubepods-podUID.slice:cri-containerd:ID
//	/kubepods.slice/.../crio-ID.scope                    CRI-O
//	/lxc.payload.NAME                                    LXC >= 4, Incus, LXD
//	/lxc.payload/NAME, /lxc/NAME                         LXC 4.0.0, older LXC
//	/machine.slice/machine-NAME.scope/payload            nspawn
//	/machine.slice/systemd-nspawn@NAME.service/payload   nspawn
//
// A monitor (lxc.monitor.NAME, libpod-conmon-ID.scope, .../supervisor) is none.
func scopesOf(path string) []scope {
	var found []scope
	names := strings.Split(path, "/")[1:] // the kernel's paths begin with '/'
	end := 0
	for i, name := range names {
		end += 1 + len(name)
		if s, ok := scopeNamed(names[:i], name); ok {
			s.path = path[:end]
			found = append(found, s)
		}
	}
	return found
}

// scopeNamed says whether the cgroup called name, below those called above, is
// a runtime's.
func scopeNamed(above []string, name string) (scope, bool) {
	parent := ""
	if len(above) > 0 {
		parent = above[len(above)-1]
	}
	if ct, ok := strings.CutPrefix(name, "lxc.payload."); ok && ct != "" {
		return scope{runtime: "lxc", name: ct, kind: System}, true
	}
	if name != "" && (parent == "lxc.payload" || parent == "lxc" && len(above) == 1) {
		return scope{runtime: "lxc", name: name, kind: System}, true
	}
	if machine := machineOf(parent); machine != "" && name == "payload" {
		return scope{runtime: "nspawn", name: machine, kind: System}, true
	}
	if runtime, id := applicationOf(above, parent, name); id != "" {
		return scope{runtime: runtime, name: id, kind: Application}, true
	}
	return scope{}, false
}

// machineOf returns the machine's name of the unit that nspawn runs in.
func machineOf(unit string) string { return cgroup.UnitOf("/" + unit).Machine }

func applicationOf(above []string, parent, name string) (runtime, id string) {
	for _, form := range idNames() {
		if s, ok := strings.CutPrefix(name, form.prefix); ok {
			if s, ok = strings.CutSuffix(s, form.suffix); ok && isID(s, 12) {
				return form.runtime, s
			}
		}
	}
	// What runc makes of systemd's SLICE:PREFIX:NAME with the cgroupfs driver.
	if parts := strings.Split(name, ":"); len(parts) == 3 && isID(parts[2], 12) {
		named := map[string]string{"cri-containerd": "containerd", "docker": "docker", "crio": "cri-o"}
		if runtime, ok := named[parts[1]]; ok {
			return runtime, parts[2]
		}
	}
	switch {
	case !isID(name, 64):
	case parent == "docker":
		return "docker", name
	case strings.HasPrefix(parent, "pod") && slices.Contains(above, "kubepods"):
		return "containerd", name
	}
	return "", ""
}

// isID: at least digits lower-case hex digits, and nothing else.
func isID(s string, digits int) bool {
	return len(s) >= digits && len(s) <= 64 && strings.Trim(s, "0123456789abcdef") == ""
}

// within: the cgroup path is the cgroup dir or below it. Everything is within "/".
func within(path, dir string) bool {
	if dir == "/" || path == dir {
		return true
	}
	return len(path) > len(dir) && path[:len(dir)] == dir && path[len(dir)] == '/'
}

// parentPath returns the path of the cgroup above; "/" for "/".
func parentPath(path string) string {
	if i := strings.LastIndexByte(path, '/'); i > 0 {
		return path[:i]
	}
	return "/"
}
