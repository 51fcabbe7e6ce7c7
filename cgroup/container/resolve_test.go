package container

import (
	"fmt"
	"strings"
	"testing"
)

// lxc is an LXC system container with systemd inside, pid 500.
func lxc() []proc {
	return []proc{
		{pid: 400, ppid: 1, cg: "/lxc.monitor.web"},
		{pid: 500, ppid: 400, ns: "1", cg: "/lxc.payload.web/init.scope", root: 90},
		{pid: 501, ppid: 500, ns: "20", cg: "/lxc.payload.web/system.slice/ssh.service", root: 90},
		{pid: 502, ppid: 501, ns: "21", cg: "/lxc.payload.web/system.slice/ssh.service", root: 90},
	}
}

// docker is a container of Docker, pid 600, with its shim.
func docker() []proc {
	return []proc{
		{pid: 550, ppid: 1, cg: "/system.slice/containerd.service"},
		{pid: 600, ppid: 550, ns: "1", cg: "/system.slice/docker-" + idA + ".scope", root: 91},
		{pid: 601, ppid: 600, ns: "7", cg: "/system.slice/docker-" + idA + ".scope", root: 91},
	}
}

// pod is a Kubernetes pod with a shared pid namespace: pause is pid 700.
func pod() []proc {
	const dir = "/kubepods.slice/kubepods-pod1.slice/cri-containerd-"
	return []proc{
		{pid: 690, ppid: 1, cg: "/system.slice/containerd.service"},
		{pid: 700, ppid: 690, ns: "1", cg: dir + idA + ".scope", root: 92},
		{pid: 701, ppid: 690, ns: "8", cg: dir + idB + ".scope", root: 93},
		{pid: 702, ppid: 701, ns: "9", cg: dir + idB + ".scope", root: 93},
	}
}

func chain(from, to uint32, ns, cg string) []proc {
	var procs []proc
	for pid := from; pid <= to; pid++ {
		procs = append(procs, proc{pid: pid, ppid: pid - 1, ns: fmt.Sprintf("%s%d", ns, pid), cg: cg})
	}
	return procs
}

// shared is a container in each of two units, and process 802, which entered one
// from the outside in the cgroup of a.service, with that root mount.
func shared(dev string, root int) []proc {
	return []proc{
		{pid: 800, ppid: 1, ns: "1", cg: "/system.slice/a.service", root: 80, dev: "0:80"},
		{pid: 801, ppid: 1, ns: "1", cg: "/system.slice/b.service", root: 81, dev: "0:81"},
		{pid: 802, ppid: 1, ns: "5", cg: "/system.slice/a.service", root: root, dev: dev},
	}
}

// userDir is what systemd gives to user 1000.
const userDir = "/user.slice/user-1000.slice/user@1000.service"

// rootless is a container of that user's Podman, pid 41, and its monitor; with
// "host" one on the host's pid namespace.
func rootless(pid string) []proc {
	ns := []string{"1", "2"}
	if pid == "host" {
		ns = []string{"", ""}
	}
	const scope = userDir + "/user.slice/libpod-" + idA + ".scope"
	return []proc{
		{pid: 40, ppid: 1, cg: userDir + "/user.slice/libpod-conmon-" + idA + ".scope"},
		{pid: 41, ppid: 40, ns: ns[0], cg: scope + "/container", root: 95, dev: "0:95"},
		{pid: 42, ppid: 41, ns: ns[1], cg: scope + "/container", root: 95, dev: "0:95"},
	}
}

func TestDecide(t *testing.T) {
	const (
		webGist    = `system "lxc" "web" /lxc.payload.web init 500`
		dockerGist = `application "docker" "` + idA + `" /system.slice/docker-` + idA + `.scope init 600`
		podDir     = "/kubepods.slice/kubepods-pod1.slice/cri-containerd-"
	)
	for _, tt := range []struct {
		name   string
		procs  []proc
		prior  []uint32 // resolved before
		chown  string   // a cgroup that root does not own
		tid    uint32
		want   string
		reason Reason
	}{
		{"no pid", nil, nil, "", 0, "host", ReasonInvisible},
		{"pid 1 of the host", nil, nil, "", 1, "host", ReasonRoot},
		{"root cgroup", []proc{{pid: 9, ppid: 1, cg: "/"}}, nil, "", 9, "host", ReasonRoot},
		{"init itself", lxc(), nil, "", 500, webGist, ReasonInit},
		{"service in LXC", lxc(), nil, "", 502, webGist, ReasonInit},
		{"monitor of LXC", lxc(), nil, "", 400, "host", ReasonNoUnit},
		{"thread of a child", append(docker(), proc{pid: 610, tgid: 601, ppid: 600, ns: "7", cg: "/system.slice/docker-" + idA + ".scope"}), nil, "", 610, dockerGist, ReasonInit},
		{"thread of the init", append(docker(), proc{pid: 611, tgid: 600, ppid: 550, ns: "1", cg: "/system.slice/docker-" + idA + ".scope"}), nil, "", 611, dockerGist, ReasonInit},
		{"docker", docker(), nil, "", 601, dockerGist, ReasonInit},
		{"docker's shim", docker(), nil, "", 550, `unit "systemd" "containerd.service" /system.slice/containerd.service init 0`, ReasonUnit},
		{"in the init's 33rd generation", append(docker(), chain(602, 640, "", "/system.slice/docker-"+idA+".scope")...), nil, "", 640, dockerGist, ReasonProcs},
		{"and the container known", append(docker(), chain(602, 640, "", "/system.slice/docker-"+idA+".scope")...), []uint32{601}, "", 640, dockerGist, ReasonKnown},

		{"docker exec, container known", append(docker(), proc{pid: 620, ppid: 550, ns: "40", cg: "/system.slice/docker-" + idA + ".scope"}), []uint32{600}, "", 620, dockerGist, ReasonKnown},
		{"docker exec, container not known", append(docker(), proc{pid: 620, ppid: 550, ns: "40", cg: "/system.slice/docker-" + idA + ".scope"}), nil, "", 620, dockerGist, ReasonProcs},
		{"docker exec, another container known in a cgroup above", append(docker(), proc{pid: 620, ppid: 550, ns: "40", cg: "/system.slice/docker-" + idA + ".scope"},
			proc{pid: 810, ppid: 1, ns: "1", cg: "/system.slice", root: 85, dev: "0:85"}), []uint32{810}, "", 620, dockerGist, ReasonProcs},
		{"lxc-attach, init in init.scope", append(lxc(), proc{pid: 520, ppid: 1, ns: "44", cg: "/lxc.payload.web/.lxc"}), nil, "", 520, webGist, ReasonProcs},
		{"nsenter from a session, container known", append(docker(), proc{pid: 620, ppid: 1, ns: "40", cg: "/user.slice/user-0.slice/session-1.scope", root: 91}), []uint32{600}, "", 620, dockerGist, ReasonMount},
		{"nsenter from a session, not known", append(docker(), proc{pid: 620, ppid: 1, ns: "40", cg: "/user.slice/user-0.slice/session-1.scope", root: 91}), nil, "", 620,
			`unit "systemd" "session-1.scope" /user.slice/user-0.slice/session-1.scope init 0`, ReasonUnit},
		{"nsenter without the mount namespace", append(docker(), proc{pid: 620, ppid: 1, ns: "40", cg: "/", root: 27}), []uint32{600}, "", 620, "host", ReasonRoot},
		{"nsenter from the root cgroup, a stranger's init there", append(docker(), proc{pid: 640, ppid: 1, ns: "1", cg: "/", root: 94}, proc{pid: 620, ppid: 1, ns: "40", cg: "/", root: 91}), []uint32{600, 640}, "", 620, dockerGist, ReasonMount},
		{"entered one of two that share a cgroup", []proc{
			{pid: 800, ppid: 1, ns: "1", cg: "/system.slice/a.service", root: 80}, {pid: 801, ppid: 1, ns: "1", cg: "/system.slice/a.service", root: 81},
			{pid: 802, ppid: 1, ns: "5", cg: "/system.slice/a.service", root: 81}}, []uint32{800, 801}, "", 802,
			`system "" "" /system.slice/a.service init 801`, ReasonMount},

		{"entered another container than the one in the cgroup", shared("0:81", 81), []uint32{800, 801}, "", 802, `system "" "" /system.slice/b.service init 801`, ReasonMount},
		{"and none is known", shared("0:81", 81), nil, "", 802, `unit "systemd" "a.service" /system.slice/a.service init 0`, ReasonUnit},
		{"entered the container in the cgroup", shared("0:80", 80), nil, "", 802, `system "" "" /system.slice/a.service init 800`, ReasonProcs},
		{"and has a mount namespace of its own", shared("0:80", 99), nil, "", 802, `system "" "" /system.slice/a.service init 800`, ReasonProcs},
		{"and the container is known", shared("0:80", 99), []uint32{800}, "", 802, `system "" "" /system.slice/a.service init 800`, ReasonKnown},
		{"and has the host's root directory", shared("", 99), []uint32{800}, "", 802, `unit "systemd" "a.service" /system.slice/a.service init 0`, ReasonUnit},

		{"pod: pause", pod(), nil, "", 700, `application "containerd" "` + idA + `" ` + podDir + idA + `.scope init 700`, ReasonInit},
		{"pod with a shared pid namespace", pod(), nil, "", 702, `application "containerd" "` + idB + `" ` + podDir + idB + `.scope init 0`, ReasonScope},
		{"pod: started by the pause's child", append(pod(), proc{pid: 705, ppid: 700, ns: "10", cg: podDir + idB + ".scope"}), nil, "", 705, `application "containerd" "` + idB + `" ` + podDir + idB + `.scope init 0`, ReasonOwnScope},
		{"--pid=host", []proc{{pid: 600, ppid: 1, cg: "/docker/" + idA}}, nil, "", 600, `application "docker" "` + idA + `" /docker/` + idA + ` init 0`, ReasonScope},
		{"host process in the scope of a container", append(docker(), proc{pid: 630, ppid: 1, cg: "/system.slice/docker-" + idA + ".scope"}), nil, "", 630, dockerGist, ReasonScope},

		{"unit", []proc{{pid: 30, ppid: 1, cg: "/system.slice/db.service"}}, nil, "", 30, `unit "systemd" "db.service" /system.slice/db.service init 0`, ReasonUnit},
		{"below a unit", []proc{{pid: 30, ppid: 1, cg: "/system.slice/db.service/worker"}}, nil, "", 30, `unit "systemd" "db.service" /system.slice/db.service init 0`, ReasonUnit},
		{"slice", []proc{{pid: 30, ppid: 1, cg: "/system.slice"}}, nil, "", 30, "host", ReasonNoUnit},
		{"unit of a user", []proc{{pid: 30, ppid: 1, cg: userDir + "/app.slice/x.service"}}, nil, userDir, 30, `unit "systemd" "x.service" ` + userDir + `/app.slice/x.service init 0`, ReasonUnit},
		{"manager of a user", []proc{{pid: 30, ppid: 1, cg: userDir + "/init.scope"}}, nil, userDir, 30, `unit "systemd" "user@1000.service" ` + userDir + ` init 0`, ReasonUnit},
		{"PrivatePIDs=", []proc{{pid: 30, ppid: 1, ns: "1", cg: "/system.slice/db.service"}}, nil, "", 30, `system "" "" /system.slice/db.service init 30`, ReasonInit},

		{"nspawn@", []proc{{pid: 40, ppid: 1, cg: "/machine.slice/systemd-nspawn@m.service/supervisor"}, {pid: 41, ppid: 40, ns: "1", cg: "/machine.slice/systemd-nspawn@m.service/payload/init.scope"}}, nil, "", 41,
			`system "nspawn" "m" /machine.slice/systemd-nspawn@m.service/payload init 41`, ReasonInit},
		{"machine scope", []proc{{pid: 41, ppid: 1, ns: "1", cg: `/machine.slice/machine-a\x2db.scope/payload`}}, nil, "", 41,
			`system "nspawn" "a-b" /machine.slice/machine-a\x2db.scope/payload init 41`, ReasonInit},
		{"supervisor", []proc{{pid: 40, ppid: 1, cg: "/machine.slice/systemd-nspawn@m.service/supervisor"}}, nil, "", 40,
			`unit "systemd" "systemd-nspawn@m.service" /machine.slice/systemd-nspawn@m.service init 0`, ReasonUnit},

		{"Docker in LXC: innermost", append(lxc(), proc{pid: 560, ppid: 501, ns: "60 1", cg: "/lxc.payload.web/docker/" + idA}, proc{pid: 561, ppid: 560, ns: "61 2", cg: "/lxc.payload.web/docker/" + idA}), nil, "", 561,
			`application "" "" /lxc.payload.web/docker/` + idA + ` init 560 claims docker/` + idA, ReasonInit},
		{"nested without a cgroup of its own", append(lxc(), proc{pid: 560, ppid: 502, ns: "60 1", cg: "/lxc.payload.web/system.slice/ssh.service"}), nil, "", 560,
			`system "" "" /lxc.payload.web/system.slice/ssh.service init 560`, ReasonInit},
		{"--pid=host in LXC", append(lxc(), proc{pid: 560, ppid: 501, ns: "60", cg: "/lxc.payload.web/docker/" + idA}), nil, "", 560, webGist, ReasonInit},

		{"forged below the own container", append(lxc(), proc{pid: 560, ppid: 501, ns: "60", cg: "/lxc.payload.web/lxc.payload.victim"}), nil, "", 560, webGist, ReasonInit},
		{"forged in a delegated service", []proc{{pid: 30, ppid: 1, cg: "/system.slice/d.service/lxc.payload.victim"}}, nil, "/system.slice/d.service", 30, `unit "systemd" "d.service" /system.slice/d.service init 0`, ReasonUnit},
		{"forged with a pid namespace", []proc{{pid: 30, ppid: 1, ns: "1", cg: "/system.slice/d.service/docker-" + idA + ".scope"}}, nil, "/system.slice/d.service", 30,
			`application "" "" /system.slice/d.service/docker-` + idA + `.scope init 30 claims docker/` + idA, ReasonInit},
		{"forged for the eye", []proc{{pid: 30, ppid: 1, ns: "1", cg: "/system.slice/d.service/lxc.payload.web  lxc  system\x1b"}}, nil, "/system.slice/d.service", 30,
			`system "" "" /system.slice/d.service/lxc.payload.web  lxc  system` + "\x1b" + ` init 30`, ReasonInit},
		{"Docker in an unprivileged LXC", append(lxc(), proc{pid: 560, ppid: 501, ns: "60 1", cg: "/lxc.payload.web/docker/" + idA}), nil, "/lxc.payload.web", 560,
			`application "" "" /lxc.payload.web/docker/` + idA + ` init 560 claims docker/` + idA, ReasonInit},

		{"rootless Podman", rootless(""), nil, userDir, 42, `application "" "" ` + userDir + "/user.slice/libpod-" + idA + `.scope/container init 41 claims podman/` + idA, ReasonInit},
		{"rootless Podman: exec", append(rootless(""), proc{pid: 45, ppid: 40, ns: "9", cg: userDir + "/user.slice/libpod-" + idA + ".scope/container", root: 95, dev: "0:95"}), nil, userDir, 45,
			`application "" "" ` + userDir + "/user.slice/libpod-" + idA + `.scope/container init 41 claims podman/` + idA, ReasonProcs},
		{"rootless Podman: its conmon", rootless(""), nil, userDir, 40,
			`unit "systemd" "libpod-conmon-` + idA + `.scope" ` + userDir + "/user.slice/libpod-conmon-" + idA + `.scope init 0`, ReasonUnit},
		{"rootless Podman --pid=host", rootless("host"), nil, userDir, 42, `application "" "" ` + userDir + "/user.slice/libpod-" + idA + `.scope/container init 0 claims podman/` + idA, ReasonUnit},
		{"rootless Podman in a unit", []proc{{pid: 41, ppid: 1, ns: "1", cg: userDir + "/app.slice/web.service/libpod-payload-" + idA}}, nil, userDir, 41,
			`application "" "" ` + userDir + "/app.slice/web.service/libpod-payload-" + idA + ` init 41 claims podman/` + idA, ReasonInit},
		{"forged beside the init", []proc{{pid: 30, ppid: 1, ns: "1", cg: "/system.slice/d.service/a"}, {pid: 31, ppid: 30, ns: "2", cg: "/system.slice/d.service/lxc.payload.victim"}}, nil, "/system.slice/d.service", 31,
			`system "" "" /system.slice/d.service/a init 30`, ReasonInit},
		{"forged in a privileged machine", []proc{{pid: 41, ppid: 1, ns: "1", cg: "/machine.slice/machine-m.scope"}, {pid: 42, ppid: 41, ns: "2 1", cg: "/machine.slice/machine-m.scope/lxc.payload.victim"}}, nil, "", 42,
			`system "" "" /machine.slice/machine-m.scope/lxc.payload.victim init 42 claims lxc/victim`, ReasonInit},
		{"conmon is no container", []proc{{pid: 30, ppid: 1, cg: "/machine.slice/libpod-conmon-" + idA + ".scope"}}, nil, "", 30,
			`unit "systemd" "libpod-conmon-` + idA + `.scope" /machine.slice/libpod-conmon-` + idA + `.scope init 0`, ReasonUnit},

		{"init and child of one tick", []proc{{pid: 30, ppid: 31, ns: "2", cg: "/lxc.payload.web", start: 5}, {pid: 31, ppid: 1, ns: "1", cg: "/lxc.payload.web", start: 5}, {pid: 32, ppid: 30, ns: "3 1", cg: "/lxc.payload.web", start: 5}}, nil, "", 30,
			`system "lxc" "web" /lxc.payload.web init 31`, ReasonInit},
		{"LXC with an older starter in its cgroup", []proc{{pid: 30, ppid: 1, cg: "/lxc.payload.c1"}, {pid: 31, ppid: 30, ns: "1", cg: "/lxc.payload.c1"}, {pid: 32, ppid: 31, ns: "2 1", cg: "/lxc.payload.c1"}}, []uint32{32}, "", 31,
			`system "lxc" "c1" /lxc.payload.c1 init 31`, ReasonInit},
		{"--pid=host with a pid namespace in it", []proc{{pid: 30, ppid: 1, cg: "/docker/" + idA}, {pid: 31, ppid: 30, ns: "1", cg: "/docker/" + idA}}, []uint32{31}, "", 30,
			`application "docker" "` + idA + `" /docker/` + idA + ` init 0`, ReasonScope},
		{"nspawn on v1: no payload", []proc{{pid: 40, ppid: 1, cg: "/machine.slice/machine-m.scope", start: 4}, {pid: 41, ppid: 40, ns: "1", cg: "/machine.slice/machine-m.scope"}}, nil, "", 41,
			`system "nspawn" "m" /machine.slice/machine-m.scope init 41`, ReasonInit},
		{"pod with a shared pid namespace in a container", append(docker(), proc{pid: 660, ppid: 601, ns: "30 1", cg: "/system.slice/docker-" + idA + ".scope/cri-containerd-" + idA + ".scope"},
			proc{pid: 661, ppid: 660, ns: "31 2", cg: "/system.slice/docker-" + idA + ".scope/cri-containerd-" + idB + ".scope"}), nil, "", 661,
			`application "" "" /system.slice/docker-` + idA + `.scope/cri-containerd-` + idB + `.scope init 0 claims containerd/` + idB, ReasonOwnScope},
		{"no NStgid, by cgroup", []proc{{pid: 600, ppid: 1, cg: "/docker/" + idA, old: true}}, nil, "", 600, `application "docker" "` + idA + `" /docker/` + idA + ` init 0`, ReasonScope},
		{"no NStgid, host", []proc{{pid: 600, ppid: 1, cg: "/", old: true}}, nil, "", 600, "host", ReasonRoot},
		{"comm with parentheses and a newline", []proc{{pid: 30, ppid: 1, cg: "/system.slice/db.service", comm: ") R 1 (x\nPPid:\t7"}}, nil, "", 30, `unit "systemd" "db.service" /system.slice/db.service init 0`, ReasonUnit},
		{"cgroup with a colon and spaces", []proc{{pid: 30, ppid: 1, ns: "1", cg: "/a b:c\\d" + strings.Repeat("/x", 200)}}, nil, "", 30, `system "" "" /a b:c\d` + strings.Repeat("/x", 200) + ` init 30`, ReasonInit},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(tt.procs...)
			if tt.chown != "" {
				w.cgroup(tt.chown)
				w.chown(tt.chown, 1000)
			}
			r := w.resolver(t, Options{})
			for _, tid := range tt.prior {
				mustResolve(t, r, tid)
			}
			for range 2 { // the second answer is the remembered one
				d := mustResolve(t, r, tt.tid)
				if got := gist(d.Container); got != tt.want {
					t.Errorf("container:\n got %s\nwant %s", got, tt.want)
				}
				if d.Reason != tt.reason {
					t.Errorf("reason: got %q, want %q", d.Reason, tt.reason)
				}
			}
		})
	}
}

// TestDyingAncestors: each time the caller's parent is looked at it is another one's child: its
// ancestors die one after the other, and it is never shown the host.
func TestDyingAncestors(t *testing.T) {
	for _, tt := range []struct{ name, cg string }{
		{"LXC", "/lxc.payload.c"},
		{"no runtime and no unit", "/box"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(
				proc{pid: 10, ppid: 1, ns: "1", cg: tt.cg, root: 50},
				proc{pid: 13, ppid: 12, ns: "4", cg: tt.cg, root: 50},
			)
			parent := uint32(20)
			w.before = func(name string) {
				if name != "/proc/13/status" {
					return
				}
				w.kill(parent)
				parent++
				w.add(proc{pid: parent, ppid: 10, ns: fmt.Sprint(parent), cg: tt.cg, root: 50})
				w.add(proc{pid: 13, ppid: parent, ns: "4", cg: tt.cg, root: 50})
			}
			d := mustResolve(t, w.resolver(t, Options{}), 13)
			if d.Container == nil || d.Container.InitPID != 10 {
				t.Errorf("got %s (%s), want the container of init 10", gist(d.Container), d.Reason)
			}
		})
	}
}
