package dbusapi

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/godbus/dbus/v5"
	"github.com/godbus/dbus/v5/introspect"
)

// objectKinds are one object of each kind.
func objectKinds() map[dbus.ObjectPath][]string {
	return map[dbus.ObjectPath][]string{
		ManagerPath:         {"org.freedesktop.DBus.Peer", introspectable, propertiesInterface, objectManagerInterface, ManagerInterface},
		ConnectionPath("1"): {"org.freedesktop.DBus.Peer", introspectable, propertiesInterface, ConnectionInterface},
		ContainerPath("a7"): {"org.freedesktop.DBus.Peer", introspectable, propertiesInterface, ContainerInterface},
		LogControlPath:      {"org.freedesktop.DBus.Peer", introspectable, propertiesInterface, LogControlInterface},
	}
}

func introspectNode(t *testing.T, o dbus.BusObject) introspect.Node {
	t.Helper()
	var text string
	if err := o.Call(introspectable+".Introspect", 0).Store(&text); err != nil {
		t.Fatalf("%s: %v", o.Path(), err)
	}
	var n introspect.Node
	if err := xml.Unmarshal([]byte(text), &n); err != nil {
		t.Fatalf("%s: %v in %s", o.Path(), err, text)
	}
	return n
}

// What the live objects say of themselves is what the installed files say.
func TestIntrospectionIsTheXML(t *testing.T) {
	b := newBus(t).start()
	b.serve(newFake())
	c := b.client()
	for path, want := range objectKinds() {
		live := introspectNode(t, c.object(path))
		var got []string
		for _, i := range live.Interfaces {
			got = append(got, i.Name)
			file, err := parse(i.Name)
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(i, file.Interface) {
				t.Errorf("%s: %s differs from its file", path, i.Name)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: interfaces %q, want %q", path, got, want)
		}
	}
}

// Every method that is declared is there, and what it returns is as declared.
func TestMethodsAreAsDeclared(t *testing.T) {
	b := newBus(t).start()
	b.serve(newFake())
	c := b.client()
	args := map[string][]any{
		"Explain": {uint32(1000), "", ""}, "GetContainerByPID": {uint32(1000)},
		"SetVirtualization": {true}, "Get": {ManagerInterface, "Version"}, "GetAll": {ManagerInterface},
		"Set": {LogControlInterface, "LogLevel", dbus.MakeVariant("debug")},
	}
	for path, interfaces := range objectKinds() {
		args["Show"] = []any{uint32(1000), "/proc/stat", ""}
		if path == ContainerPath("a7") {
			args["Show"] = []any{"/proc/stat", ""}
		}
		for _, name := range interfaces {
			d, err := parse(name)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range d.Methods {
				if (m.Name == "Get" || m.Name == "GetAll") != (path == ManagerPath) && name == propertiesInterface {
					continue // called below, for all properties
				}
				if m.Name == "Set" && path != LogControlPath {
					continue
				}
				call := c.object(path).Call(name+"."+m.Name, 0, args[m.Name]...)
				if call.Err != nil {
					t.Errorf("%s %s.%s: %v", path, name, m.Name, call.Err)
				} else if got, want := dbus.SignatureOf(call.Body...).String(), signature(&m, "out"); got != want && !strings.Contains(want, "a") {
					t.Errorf("%s.%s returns %q, want %q", name, m.Name, got, want)
				}
				if wrong := c.object(path).Call(name+"."+m.Name, 0, int16(3), int16(4)); wrong.Err == nil && name != "org.freedesktop.DBus.Peer" {
					t.Errorf("%s.%s takes what it does not declare", name, m.Name)
				}
			}
		}
	}
}

// Every property that is declared is there, with its type, and no other is.
func TestPropertiesAreAsDeclared(t *testing.T) {
	b := newBus(t).start()
	b.serve(newFake())
	c := b.client()
	for path, interfaces := range objectKinds() {
		name := interfaces[len(interfaces)-1]
		d, err := parse(name)
		if err != nil {
			t.Fatal(err)
		}
		call := c.object(path).Call(propertiesInterface+".GetAll", 0, name)
		if call.Err != nil {
			t.Fatal(call.Err)
		}
		all := received(call.Body[0].(map[string]dbus.Variant))
		if len(all) != len(d.Properties) {
			t.Errorf("%s: %d properties, %d are declared", path, len(all), len(d.Properties))
		}
		for _, p := range d.Properties {
			v, err := c.object(path).GetProperty(name + "." + p.Name)
			if err != nil || v.Signature().String() != p.Type || all[p.Name].Signature().String() != p.Type {
				t.Errorf("%s %s: %v of type %q, %v; want %q", path, p.Name, v, v.Signature(), err, p.Type)
			}
			switch e := annotated(p.Annotations, emitsAnnotation); e {
			case "true", "invalidates", "const", "false":
			default:
				t.Errorf("%s: EmitsChangedSignal %q", p.Name, e)
			}
			value := "info"
			if p.Name == "LogTarget" {
				value = "auto"
			}
			if err := c.object(path).SetProperty(name+"."+p.Name, dbus.MakeVariant(value)); (err == nil) != (p.Access == "readwrite") {
				t.Errorf("%s is %s; setting it: %v", p.Name, p.Access, err)
			}
		}
	}
}

// What goes in on one side comes out on the other.
func TestClientGetsWhatTheManagerHas(t *testing.T) {
	b := newBus(t).start()
	m := newFake()
	b.serve(m)
	c, ctx := b.client(), t.Context()
	st, err := c.Status(ctx)
	want := m.Status()
	want.LogLevel, want.LogTarget = "", "" // of another object
	if err != nil || !reflect.DeepEqual(st, want) {
		t.Errorf("status\n got %+v, %v\nwant %+v", st, err, want)
	}
	if got, err := c.Connections(ctx); err != nil || !reflect.DeepEqual(got, m.connections) {
		t.Errorf("connections\n got %+v, %v\nwant %+v", got, err, m.connections)
	}
	got, err := c.Containers(ctx)
	wantContainers := []ContainerUsage{{m.containers[2], usageOf("a9")}, {m.containers[1], usageOf("a8")}, {m.containers[0], usageOf("a7")}}
	if err != nil || !reflect.DeepEqual(got, wantContainers) {
		t.Errorf("containers\n got %+v, %v\nwant %+v", got, err, wantContainers)
	}
	if got, err := c.ContainerByPID(ctx, 1001); err != nil || got.Name != "web" {
		t.Errorf("container of 1001: %+v, %v", got, err)
	}
	if got, err := c.Show(ctx, 1001, "/proc/stat", "1"); err != nil || string(got) != "1001 reads /proc/stat\n" {
		t.Errorf("show: %q, %v", got, err)
	}
	if got, err := c.ShowContainer(ctx, m.containers[0].ID, "/proc/stat", ""); err != nil || string(got) != "a7 reads /proc/stat\n" {
		t.Errorf("show of a container: %q, %v", got, err)
	}
	fault := FileFault{"1", "/proc/meminfo", 262144, "READ of 262144 bytes at 0: input/output error"}
	if check, err := c.CheckFiles(ctx); err != nil || check.Files != 70 || len(check.Faults) != 1 || check.Faults[0] != fault {
		t.Errorf("check: %+v, %v", check, err)
	}
	e, err := c.Explain(ctx, 1001, "/proc/stat", "")
	if err != nil || e.Reason != "init" || e.Container == nil || e.Container.Name != "web" || len(e.Sources) != 1 || e.Sources[0].Shown != "/proc/stat" {
		t.Errorf("explain: %+v, %v", e, err)
	}
	if e, err := c.Explain(ctx, 1, "", ""); err != nil || e.Container != nil {
		t.Errorf("explain the host: %+v, %v", e, err)
	}
}

func TestActions(t *testing.T) {
	b := newBus(t).start()
	m := newFake()
	b.serve(m)
	c, ctx := b.client(), t.Context()
	if err := errors.Join(c.Reload(ctx), c.SetVirtualization(ctx, false), c.Reexecute(ctx)); err != nil {
		t.Error(err)
	}
	if err := c.object(LogControlPath).SetProperty(LogControlInterface+".LogLevel", dbus.MakeVariant("debug")); err != nil {
		t.Error(err)
	}
	want := []string{"reload", "virtualize false", "reexecute", "log debug"}
	if got := m.actions(); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if err := c.object(LogControlPath).SetProperty(LogControlInterface+".LogTarget", dbus.MakeVariant("console")); err == nil {
		t.Error("another log target: no error")
	}
	if err := c.object(LogControlPath).SetProperty(LogControlInterface+".LogTarget", dbus.MakeVariant("journal")); err != nil {
		t.Errorf("the log target that it has: %v", err)
	}
	var state struct {
		Status      struct{ Version string }
		Connections []struct{ ID string }
		Containers  []struct{ CPUs string }
		Stored      map[string]int
	}
	text, err := c.DumpState(ctx)
	if err := errors.Join(err, json.Unmarshal([]byte(text), &state)); err != nil || state.Status.Version != "1.2" ||
		len(state.Connections) != 1 || len(state.Containers) != 3 || state.Containers[0].CPUs != "0-3" || state.Stored["fuse-1"] != 7 {
		t.Errorf("state: %v, %+v", err, state)
	}
	m.mu.Lock()
	m.fail = errors.New("line 3: what is this")
	m.mu.Unlock()
	if err := c.Reload(ctx); err == nil || !strings.Contains(err.Error(), "line 3") {
		t.Errorf("a failed reload: %v", err)
	}
}

func TestErrors(t *testing.T) {
	b := newBus(t).start()
	m := newFake()
	m.panics = true
	b.serve(m)
	c, ctx := b.client(), t.Context()
	_, errProcess := c.ContainerByPID(ctx, 4242)
	_, errHost := c.ContainerByPID(ctx, 1)
	_, errFile := c.Show(ctx, 1000, "/proc/none", "")
	_, errConnection := c.Show(ctx, 1000, "/proc/stat", "9")
	_, errPath := c.container(ctx, ContainerPath("none"))
	for _, tt := range []struct{ got, want error }{
		{errProcess, ErrNoSuchProcess}, {errHost, ErrNoSuchContainer}, {errFile, ErrNoSuchFile},
		{errConnection, ErrNoSuchConnection}, {errPath, ErrNoSuchContainer},
	} {
		if !errors.Is(tt.got, tt.want) {
			t.Errorf("got %v, want %v", tt.got, tt.want)
		}
	}
	if _, err := c.DumpState(ctx); err == nil || !strings.Contains(err.Error(), "panicked") {
		t.Errorf("a panic: %v", err)
	}
	for path, method := range map[dbus.ObjectPath]string{
		"/no/such/object": introspectable + ".Introspect",
		ManagerPath:       ManagerInterface + ".NoSuchMethod",
		LogControlPath:    ManagerInterface + ".Reload",
	} {
		if err := c.object(path).Call(method, 0).Err; err == nil {
			t.Errorf("%s %s: no error", path, method)
		}
	}
	if _, err := c.object(ManagerPath).GetProperty(ManagerInterface + ".Nothing"); err == nil {
		t.Error("a property that is not there: no error")
	}
}

// busctl tree walks down from the root.
func TestTree(t *testing.T) {
	b := newBus(t).start()
	b.serve(newFake())
	c := b.client()
	var found []dbus.ObjectPath
	var walk func(dbus.ObjectPath)
	walk = func(path dbus.ObjectPath) {
		found = append(found, path)
		for _, child := range introspectNode(t, c.object(path)).Children {
			walk(dbus.ObjectPath(strings.TrimSuffix(string(path), "/") + "/" + child.Name))
		}
	}
	walk("/")
	for path := range objectKinds() {
		if !slices.Contains(found, path) {
			t.Errorf("%s is not in the tree: %q", path, found)
		}
	}
}
