package dbusapi

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/godbus/dbus/v5"
)

func TestEncodeText(t *testing.T) {
	for in, want := range map[string]string{
		"":                               "",
		"/lxc.payload.größe":             "/lxc.payload.größe",
		`dev-disk-by\x2duuid\xff.device`: `dev-disk-by\x2duuid\xff.device`,
		"\ufffd":                         "\ufffd",
		"a\xffb":                         "a\U0010feffb",
		"\xc3":                           "\U0010fec3",
		"\U0010fe80":                     "\U0010fef4\U0010fe8f\U0010feba\U0010fe80",
	} {
		if got := EncodeText(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
		if back := DecodeText(want); back != in {
			t.Errorf("%q comes back as %q", in, back)
		}
	}
}

func FuzzEncodeText(f *testing.F) {
	for _, seed := range []string{"web", "\xff", "\U0010feff", "\xf4\x8f\xba", "\xed\xa0\x80"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in string) {
		out := EncodeText(in)
		if !utf8.ValidString(out) || DecodeText(out) != in {
			t.Errorf("%q: %q is %q", in, out, DecodeText(out))
		}
	})
}

// Strings are encoded wherever they are in a message, and nothing else is changed.
func TestEncodeAll(t *testing.T) {
	type entry struct {
		Name string
		N    uint32
		Path dbus.ObjectPath
	}
	const bad, good = "\xff", "\U0010feff"
	in := []any{
		bad, []string{bad}, []entry{{bad, 7, "/x"}}, map[string]dbus.Variant{bad: dbus.MakeVariant([]entry{{bad, 8, "/y"}})},
		map[dbus.ObjectPath]map[string]map[string]dbus.Variant{"/z": {"i": {"p": dbus.MakeVariant(bad)}}},
		[]byte(bad), uint64(9), true, []string(nil), dbus.MakeVariant(map[string]uint64{bad: 1}),
	}
	want := []any{
		good, []string{good}, []entry{{good, 7, "/x"}}, map[string]dbus.Variant{good: dbus.MakeVariant([]entry{{good, 8, "/y"}})},
		map[dbus.ObjectPath]map[string]map[string]dbus.Variant{"/z": {"i": {"p": dbus.MakeVariant(good)}}},
		[]byte(bad), uint64(9), true, []string(nil), dbus.MakeVariant(map[string]uint64{good: 1}),
	}
	got := encodeAll(in)
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %#v, want %#v", got, want)
	}
	if in[1].([]string)[0] != bad || in[2].([]entry)[0].Name != bad {
		t.Error("what was given is changed")
	}
}

// A cgroup whose name is not UTF-8 takes nothing away from anybody: all that lists
// containers, with it or for another, answers, and the name comes back.
func TestNameThatIsNotUTF8(t *testing.T) {
	b := newBus(t).start()
	m := newFake()
	const name = "web\xff"
	m.containers[0].Name, m.containers[0].Cgroup = name, "/lxc.payload."+name
	m.connections[0].Mountpoint = "/srv/" + name
	b.serve(m)
	c, ctx := b.client(), t.Context()
	list, err := c.Containers(ctx)
	if err != nil || len(list) != len(m.containers) {
		t.Fatalf("containers: %+v, %v", list, err)
	}
	at := slices.IndexFunc(list, func(c ContainerUsage) bool { return c.ID == m.containers[0].ID })
	if got := list[at]; !strings.HasPrefix(got.Name, "web") || DecodeText(got.Name) != name || DecodeText(got.Cgroup) != "/lxc.payload."+name {
		t.Errorf("got %+v", got.Container)
	}
	if all, err := c.Connections(ctx); err != nil || DecodeText(all[0].Mountpoint) != "/srv/"+name {
		t.Errorf("connections: %+v, %v", all, err)
	}
	if n, err := c.CountContainers(ctx); err != nil || n != len(m.containers) {
		t.Errorf("count: %d, %v", n, err)
	}
	if e, err := c.Explain(ctx, 1001, "", ""); err != nil || DecodeText(e.Container.Name) != name {
		t.Errorf("explain: %+v, %v", e, err)
	}
	if _, err := c.Show(ctx, 1, "/proc/none"+"\U0010feff", ""); err == nil {
		t.Error("a file that is not served is shown")
	}
}
