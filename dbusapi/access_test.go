package dbusapi

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/godbus/dbus/v5"

	"linuxcontainers.org/lxcfs/cgroup/hostfile/hosttest"
)

func TestReadAccess(t *testing.T) {
	for _, tt := range []struct {
		options string
		hidden  bool
		gid     uint32
		alone   bool
	}{
		{"", false, 0, false},
		{",hidepid=0", false, 0, false},
		{",hidepid=off,gid=7", false, 7, false},
		{",hidepid=1", true, 0, false},
		{",gid=26,hidepid=2", true, 26, false},
		{",hidepid=invisible", true, 0, false},
		{",hidepid=noaccess,subset=pid", true, 0, false},
		{",hidepid=ptraceable,gid=5", true, 5, true},
		{",hidepid=4", true, 0, true},
	} {
		a := ReadAccess(hostWith(tt.options))
		if a.Hidden != tt.hidden || a.GID != tt.gid || a.Alone != tt.alone {
			t.Errorf("%q: got %+v", tt.options, a)
		}
	}
	if a := ReadAccess(&hosttest.Archive{}); !a.Hidden {
		t.Error("without knowledge of /proc nothing is hidden")
	}
	over := hostWith("")
	over.Files["/proc/self/mountinfo"] += "25 24 0:23 / /proc rw - proc proc rw,hidepid=2\n26 24 0:24 / /proc/x rw - proc proc rw\n"
	if a := ReadAccess(over); !a.Hidden {
		t.Error("the mount over /proc does not count")
	}
}

func TestAccess(t *testing.T) {
	hidden := ReadAccess(hostWith(",hidepid=2,gid=26"))
	alone := ReadAccess(hostWith(",hidepid=4,gid=26"))
	open := ReadAccess(hostWith(""))
	root, nobody, member := caller{}, caller{uid: 65534}, caller{uid: 65533, groups: []uint32{26}}
	for _, tt := range []struct {
		name   string
		access Access
		caller caller
		pid    uint32
		want   bool
	}{
		{"nothing is hidden", open, nobody, 1000, true},
		{"root", hidden, root, 1000, true},
		{"a member of gid=", hidden, member, 1000, true},
		{"a member of gid= and ptraceable", alone, member, 1000, false},
		{"another's process", hidden, nobody, 1000, false},
		{"an own process", hidden, nobody, 2000, true},
		{"a process that is gone", hidden, nobody, 3000, false},
		{"no process", hidden, nobody, 0, false},
		{"no process for root", hidden, root, 0, true},
	} {
		if got := tt.access.sees(tt.caller, tt.pid); got != tt.want {
			t.Errorf("%s: got %v", tt.name, got)
		}
	}
	if open.reads(nobody, "/proc/slabinfo") || !open.reads(root, "/proc/slabinfo") || !open.reads(nobody, "/proc/stat") || open.reads(nobody, "/none") {
		t.Error("the modes of the host's files do not count")
	}
}

// Nothing of a container is to be had over the bus by those who have no way to
// it in /proc.
func TestHiddenContainers(t *testing.T) {
	b := newBus(t).start()
	m := newFake()
	m.access = ReadAccess(hostWith(",hidepid=2"))
	b.serve(m)
	for _, k := range []struct {
		name string
		c    *Client
		sees bool
	}{{"nobody", b.nobody(), false}, {"root", b.client(), true}} {
		t.Run(k.name, func(t *testing.T) {
			var texts []string
			answer := func(call *dbus.Call) { texts = append(texts, dbusText(call)) }
			answer(k.c.object(ManagerPath).Call(objectManagerInterface+".GetManagedObjects", 0))
			answer(k.c.object(ManagerPath).Call(ManagerInterface+".ListContainers", 0))
			answer(k.c.object(ManagerPath).Call(propertiesInterface+".GetAll", 0, ManagerInterface))
			answer(k.c.object(ManagerPath).Call(ManagerInterface+".GetContainerByPID", 0, uint32(1000)))
			answer(k.c.object(ContainerPath("a7")).Call(propertiesInterface+".GetAll", 0, ContainerInterface))
			answer(k.c.object(dbus.ObjectPath(containerDir)).Call(introspectable+".Introspect", 0))
			for i, text := range texts {
				if got := strings.Contains(text, "web") || strings.Contains(text, "a7"); got != k.sees {
					if k.sees || !strings.Contains(text, "no container") {
						t.Errorf("answer %d: got %v, want %v: %s", i, got, k.sees, text)
					}
				}
			}
			if _, err := k.c.ShowContainer(t.Context(), "a7", "/proc/stat", ""); (err == nil) != k.sees {
				t.Errorf("show of the container: %v", err)
			}
			_, err := k.c.Show(t.Context(), 1000, "/proc/stat", "")
			if (err == nil) != k.sees || !k.sees && !errors.Is(err, ErrNoSuchProcess) {
				t.Errorf("show: %v", err)
			}
			if _, err := k.c.Explain(t.Context(), 1000, "", ""); (err == nil) != k.sees {
				t.Errorf("explain: %v", err)
			}
		})
	}
}

func dbusText(call *dbus.Call) string {
	if call.Err != nil {
		return call.Err.Error()
	}
	var b strings.Builder
	for _, v := range call.Body {
		b.WriteString(dbus.MakeVariant(v).String())
	}
	return b.String()
}

// Reading is for everybody; changing is for root where there is no polkit.
func TestUnprivileged(t *testing.T) {
	b := newBus(t).start()
	m := newFake()
	b.serve(m)
	c, ctx := b.nobody(), t.Context()
	if _, err := c.Status(ctx); err != nil {
		t.Errorf("status: %v", err)
	}
	if _, err := c.Show(ctx, 1000, "/proc/stat", ""); err != nil {
		t.Errorf("show: %v", err)
	}
	if _, err := c.Show(ctx, 1000, "/proc/slabinfo", ""); !errors.Is(err, ErrDenied) {
		t.Errorf("a file that is root's: %v", err)
	}
	_, err := c.DumpState(ctx)
	_, readErr := c.CheckFiles(ctx)
	for what, err := range map[string]error{
		"reload": c.Reload(ctx), "reexec": c.Reexecute(ctx), "virtualization": c.SetVirtualization(ctx, false), "dump": err, "check": readErr,
	} {
		if !errors.Is(err, ErrDenied) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if err := c.object(LogControlPath).SetProperty(LogControlInterface+".LogLevel", dbus.MakeVariant("debug")); err == nil {
		t.Error("nobody sets the log level")
	}
	if got := m.actions(); len(got) > 0 {
		t.Errorf("done: %v", got)
	}
}

// polkit is a polkitd that answers as told.
type polkit struct {
	answer polkitResult
	asked  chan string
}

// CheckAuthorization notes what was asked.
func (p *polkit) CheckAuthorization(_ polkitSubject, action string, _ map[string]string, flags uint32, _ string) (polkitResult, *dbus.Error) {
	p.asked <- action
	if flags == 0 && p.answer.Authorized && p.answer.Challenge {
		return polkitResult{Challenge: true, Details: map[string]string{}}, nil
	}
	return p.answer, nil
}

func TestPolkit(t *testing.T) {
	b := newBus(t).start()
	m := newFake()
	b.serve(m)
	p := &polkit{asked: make(chan string, 100)}
	if os.Getuid() == 0 { // others skip, at nobody
		b.polkit(p)
	}
	interactive := true
	c := b.nobody(dbus.WithOutgoingInterceptor(func(msg *dbus.Message) {
		if interactive {
			allowInteraction(msg)
		}
	}))
	for _, tt := range []struct {
		name        string
		answer      polkitResult
		interactive bool
		want        error
	}{
		{"refused", polkitResult{}, true, ErrDenied},
		{"granted", polkitResult{Authorized: true}, false, nil},
		{"after a password", polkitResult{Authorized: true, Challenge: true}, true, nil},
		{"no way to ask for a password", polkitResult{Authorized: true, Challenge: true}, false, ErrDenied},
	} {
		tt.answer.Details = map[string]string{}
		p.answer = tt.answer
		interactive = tt.interactive
		err := c.Reload(t.Context())
		if !errors.Is(err, tt.want) || err != nil && tt.want == nil {
			t.Errorf("%s: got %v, want %v", tt.name, err, tt.want)
		}
		if got := <-p.asked; got != ManageAction {
			t.Errorf("%s: asked for %q", tt.name, got)
		}
	}
	if got := m.actions(); len(got) != 2 {
		t.Errorf("done: %v, want 2 reloads", got)
	}
	if err := b.client().Reload(t.Context()); err != nil || len(p.asked) > 0 {
		t.Errorf("root: %v, and polkit was asked %d times", err, len(p.asked))
	}
}
