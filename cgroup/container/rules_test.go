package container

import (
	"strings"
	"testing"
)

// spell is a verdict as a line of a table: what is shown, the reason, the detail,
// and what is to be found out again.
func spell(v verdict) string {
	shown := "host"
	if v.ofInit {
		shown = "init"
	}
	for i, s := range v.cgroups {
		if i == 0 {
			shown = ""
		}
		shown += s.kind.String() + " " + s.path + " "
	}
	line := strings.TrimSpace(shown) + ": " + string(v.reason) + ": " + v.detail + v.note
	if v.weak {
		line += " weak"
	}
	if v.passing {
		line += " passing"
	}
	return line
}

// The rules alone: no machine has to be made up for them.
func TestRules(t *testing.T) {
	const (
		dockerA = "/system.slice/docker-" + idA + ".scope"
		pods    = "/kubepods.slice/kubepods-pod1.slice/cri-containerd-"
	)
	for _, tt := range []struct {
		name  string
		f     facts
		given string // a cgroup that root gave away: names below it are not trusted
		want  string
	}{
		{"root", facts{path: "/", depth: 1}, "", "host: root cgroup or init.scope: /"},
		{"a slice", facts{path: "/system.slice", depth: 1}, "", "host: cgroup of no unit and no container: /system.slice"},
		{"unit", facts{path: "/system.slice/a.service/x", depth: 1}, "", "unit /system.slice/a.service: systemd unit of the caller: "},
		{"unit, no pid namespaces", facts{path: "/system.slice/a.service", depth: 1, blind: true}, "",
			"unit /system.slice/a.service: systemd unit of the caller:  (the kernel says nothing of pid namespaces)"},
		{"unit of a user", facts{path: userDir + "/app.slice/x.service/y", depth: 1}, userDir,
			"unit " + userDir + " unit " + userDir + "/app.slice/x.service: systemd unit of the caller: "},
		{"crun's cgroup in a user's scope", facts{path: userDir + "/user.slice/libpod-" + idA + ".scope/container", depth: 1}, userDir,
			"unit " + userDir + " unit " + userDir + "/user.slice/libpod-" + idA + ".scope/container: systemd unit of the caller: "},
		{"scope on the host's pid namespace", facts{path: dockerA + "/x", depth: 1}, "", "application " + dockerA + ": runtime scope of the caller: " + dockerA},
		{"forged scope in a unit", facts{path: "/system.slice/d.service/lxc.payload.x", depth: 1}, "/system.slice/d.service",
			"unit /system.slice/d.service: systemd unit of the caller: "},
		{"forged scope in no unit", facts{path: "/made/lxc.payload.x", depth: 1}, "/made", "host: cgroup of no unit and no container: /made/lxc.payload.x"},

		{"init", facts{path: "/lxc.payload.a/b", depth: 2, how: ReasonInit, init: 7, initPath: "/lxc.payload.a"}, "",
			"init: init of the caller's pid namespace: /proc/7"},
		{"init, its cgroup not known", facts{path: pods + idB + ".scope", depth: 2, how: ReasonMount, init: 7}, "",
			"init: root mount of the caller is that of the init: /proc/7"},
		{"pod that shares a pid namespace", facts{path: pods + idB + ".scope", depth: 2, how: ReasonInit, init: 7, initPath: pods + idA + ".scope"}, "",
			"application " + pods + idB + ".scope: runtime scope of the caller, not that of its pid namespace's init: " + pods + idB + ".scope"},
		{"the same in a container", facts{path: "/lxc.payload.a/docker/" + idB, depth: 3, how: ReasonInit, init: 7, initPath: "/lxc.payload.a/docker/" + idA}, "",
			"system /lxc.payload.a application /lxc.payload.a/docker/" + idB + ": runtime scope of the caller, not that of its pid namespace's init: /lxc.payload.a/docker/" + idB},
		{"the same, forged", facts{path: "/lxc.payload.a/docker/" + idB, depth: 3, how: ReasonInit, init: 7, initPath: "/lxc.payload.a/docker/" + idA}, "/lxc.payload.a",
			"init: init of the caller's pid namespace: /proc/7"},
		{"below the init's cgroup", facts{path: "/lxc.payload.a/lxc.payload.b", depth: 2, how: ReasonInit, init: 7, initPath: "/lxc.payload.a"}, "",
			"init: init of the caller's pid namespace: /proc/7"},
		{"the init in the root cgroup", facts{path: dockerA, depth: 2, how: ReasonKnown, init: 7, initPath: "/"}, "",
			"application " + dockerA + ": runtime scope of the caller, not that of its pid namespace's init: " + dockerA},
		{"processes changed", facts{path: "/x", depth: 2, how: ReasonKnown, init: 7, initPath: "/x", hasty: true}, "",
			"init: known container above the caller's cgroup: /proc/7 passing"},

		{"entered, no init found", facts{path: dockerA, depth: 2}, "",
			"application " + dockerA + ": runtime scope of the caller: " + dockerA + noInit + " weak"},
		{"entered, nothing looked for", facts{path: dockerA, depth: 2, resting: true}, "",
			"application " + dockerA + ": " + string(ReasonBusy) + ": " + dockerA + noInit + " weak passing"},
		{"entered, found among the known", facts{path: "/x", depth: 2, resting: true, how: ReasonKnown, init: 7, initPath: "/x"}, "",
			"init: known container above the caller's cgroup: /proc/7"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.f.trusted = func(path string) bool { return tt.given == "" || path == tt.given || !within(path, tt.given) }
			if got := spell(decide(tt.f)); got != tt.want {
				t.Errorf("\n got %s\nwant %s", got, tt.want)
			}
		})
	}
}
