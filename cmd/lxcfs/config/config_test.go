package config

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"
	"time"
)

func TestParseMountOptions(t *testing.T) {
	off := Options{}
	for _, tt := range []struct {
		name, in string
		base     Options
		want     string
	}{
		{"nothing given keeps the base", "", Default(), "cpu=auto,swap,zswap,loadavg,nopsi-poll,nocgroup"},
		{"nothing given keeps another base", ",,", off, "cpu=auto,noswap,nozswap,noloadavg,nopsi-poll,nocgroup"},
		{"all on", "cpu=quota,swap,zswap,loadavg,psi-poll,cgroup", off, "cpu=quota,swap,zswap,loadavg,psi-poll,cgroup"},
		{"all off", "cpu=cpuset,noswap,nozswap,noloadavg,nopsi-poll,nocgroup", Default(), "cpu=cpuset,noswap,nozswap,noloadavg,nopsi-poll,nocgroup"},
		{"the last one counts", "noswap,cpu=quota,swap,cpu=auto", off, "cpu=auto,swap,nozswap,noloadavg,nopsi-poll,nocgroup"},
		{"auto is given, too", "cpu=auto", Options{CPU: Quota}, "cpu=auto,noswap,nozswap,noloadavg,nopsi-poll,nocgroup"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, err := ParseMountOptions(tt.in)
			if err != nil {
				t.Fatal(err)
			}
			if got := s.Over(tt.base).String(); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// TestEveryOptionHasAName: a field of Options that no name sets would be one that nobody can set.
func TestEveryOptionHasAName(t *testing.T) {
	var o Options
	names := make(map[*bool]string)
	for _, option := range table()[1:] {
		names[option.field(&o)] = option.name
	}
	fields := reflect.ValueOf(&o).Elem()
	for i := 1; i < fields.NumField(); i++ { // 0 is CPU
		field := fields.Field(i).Addr().Interface().(*bool)
		s, err := ParseMountOptions(names[field])
		if names[field] == "" || err != nil {
			t.Fatalf("%s: name %q, %v", fields.Type().Field(i).Name, names[field], err)
		}
		if got := s.Over(Options{}); !reflect.ValueOf(got).Field(i).Bool() {
			t.Errorf("%s: not set by %s: %v", fields.Type().Field(i).Name, names[field], got)
		}
	}
}

func TestParseMountOptionsRefuses(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"cpu=many", `wrong mount options: cpu="many" is not one of cpu=auto, cpu=cpuset, cpu=quota`},
		{"cpu", `wrong mount options: cpu="" is not one of cpu=auto, cpu=cpuset, cpu=quota`},
		{"nocpu", `wrong mount options: unknown option "nocpu"`},
		{"swap=no", `wrong mount options: swap takes no value (use swap or noswap)`},
		{"nonoswap", `wrong mount options: unknown option "nonoswap"`},
		{"Swap", `wrong mount options: unknown option "Swap"`},
		{" swap", `wrong mount options: unknown option " swap"`},
		{"a,swap,b\n", `wrong mount options: unknown option "a"; unknown option "b\n"`},
		{"a,b,c,d,e,f", `wrong mount options: unknown option "a"; unknown option "b"; unknown option "c"; unknown option "d"; and 2 more`},
		{strings.Repeat("x", 5000), `wrong mount options: unknown option "` + strings.Repeat("x", 64) + `"`},
	} {
		s, err := ParseMountOptions(tt.in)
		if err == nil || err.Error() != tt.want {
			t.Errorf("%.40q: got %v, want %s", tt.in, err, tt.want)
		}
		if s != (Settings{}) {
			t.Errorf("%.40q: settings remain: %+v", tt.in, s)
		}
	}
}

func tree(files ...string) fstest.MapFS {
	m := fstest.MapFS{}
	for i := 0; i < len(files); i += 2 {
		m[files[i]] = &fstest.MapFile{Data: []byte(files[i+1])}
	}
	return m
}

func TestLoad(t *testing.T) {
	const defaults = "cpu=auto,swap,zswap,loadavg,nopsi-poll,nocgroup"
	for _, tt := range []struct {
		name      string
		files     fstest.MapFS
		want      string
		wantLevel LogLevel
		wantErr   string
	}{
		{name: "no files", files: tree(), want: defaults},
		{name: "all names", files: tree("etc/lxcfs/lxcfs.conf",
			"# comment\n; too\n\n[View]\ncpu = quota\nloadavg=no\nswap=off\nzswap=0\npsi-poll=TRUE\ncgroup=1\n[Manager]\nLogLevel=debug\n"),
			want: "cpu=quota,noswap,nozswap,noloadavg,psi-poll,cgroup", wantLevel: 7},
		{name: "first main file only", files: tree("etc/lxcfs/lxcfs.conf", "[View]\ncpu=quota", "usr/lib/lxcfs/lxcfs.conf", "[View]\nswap=no"),
			want: "cpu=quota,swap,zswap,loadavg,nopsi-poll,nocgroup"},
		{name: "drop-ins sorted by name over all directories", files: tree(
			"etc/lxcfs/lxcfs.conf", "[View]\ncpu=quota",
			"etc/lxcfs/lxcfs.conf.d/10-a.conf", "[View]\ncpu=auto\nswap=no",
			"usr/lib/lxcfs/lxcfs.conf.d/20-b.conf", "[View]\nswap=yes",
			"run/lxcfs/lxcfs.conf.d/05-c.conf", "[View]\ncpu=cpuset\npsi-poll=y"),
			want: "cpu=auto,swap,zswap,loadavg,psi-poll,nocgroup"},
		{name: "etc over run over usr", files: tree(
			"usr/lib/lxcfs/lxcfs.conf.d/a.conf", "[View]\nswap=no",
			"run/lxcfs/lxcfs.conf.d/a.conf", "[View]\ncpu=quota",
			"usr/lib/lxcfs/lxcfs.conf.d/b.conf", "[View]\nzswap=no",
			"run/lxcfs/lxcfs.conf.d/b.conf", "[View]\npsi-poll=yes",
			"etc/lxcfs/lxcfs.conf.d/b.conf", ""),
			want: "cpu=quota,swap,zswap,loadavg,nopsi-poll,nocgroup"},
		{name: "other names are no drop-ins", files: tree("etc/lxcfs/lxcfs.conf.d/a.conf~", "x", "etc/lxcfs/lxcfs.conf.d/.a.conf", "x", "etc/lxcfs/lxcfs.conf.d/README", "x"),
			want: defaults},
		{name: "empty value takes back", files: tree("etc/lxcfs/lxcfs.conf", "[View]\ncpu=quota\nswap=no\n[Manager]\nLogLevel=3",
			"etc/lxcfs/lxcfs.conf.d/a.conf", "[View]\ncpu=\nswap=\n[Manager]\nLogLevel="), want: defaults},
		{name: "continuation, CRLF, no final newline", files: tree("etc/lxcfs/lxcfs.conf", "[View]\r\ncpu=\\\r\n# in between\r\n  quota\r\nswap=no"),
			want: "cpu=quota,noswap,zswap,loadavg,nopsi-poll,nocgroup"},
		{name: "sections of others", files: tree("etc/lxcfs/lxcfs.conf", "[X-Vendor]\nanything\n[View]\nswap=no"),
			want: "cpu=auto,noswap,zswap,loadavg,nopsi-poll,nocgroup"},
		{name: "every mistake, and the rest holds", files: tree(
			"etc/lxcfs/lxcfs.conf", "cpu=quota\n[View]\ncpu=two\n\nnoswap\nnoswap=yes\nzswap=maybe\nfoo=1\npsi-poll=yes\n[Huh]\nx=1\n[View\n[Manager]\nLogLevel=loud\nBus=1\n",
			"usr/lib/lxcfs/lxcfs.conf.d/a.conf", "[View] x\nswap=no\n[View]\nloadavg=\\\n no\ncgroup\n"),
			want: "cpu=auto,swap,zswap,noloadavg,psi-poll,nocgroup",
			wantErr: `/etc/lxcfs/lxcfs.conf:1: line before the first section
/etc/lxcfs/lxcfs.conf:3: cpu="two" is not one of cpu=auto, cpu=cpuset, cpu=quota
/etc/lxcfs/lxcfs.conf:5: "noswap" is not of the form NAME=VALUE
/etc/lxcfs/lxcfs.conf:6: noswap is a mount option; in a file, write swap=no
/etc/lxcfs/lxcfs.conf:7: zswap="maybe" is not a boolean (yes or no)
/etc/lxcfs/lxcfs.conf:8: unknown name "foo" in [View]
/etc/lxcfs/lxcfs.conf:10: unknown section [Huh], its lines are ignored
/etc/lxcfs/lxcfs.conf:12: "[View" is not a section header
/etc/lxcfs/lxcfs.conf:14: log level "loud" is not one of emerg, alert, crit, err, warning, notice, info, debug
/etc/lxcfs/lxcfs.conf:15: unknown name "Bus" in [Manager]
/usr/lib/lxcfs/lxcfs.conf.d/a.conf:1: "[View] x" is not a section header
/usr/lib/lxcfs/lxcfs.conf.d/a.conf:6: "cgroup" is not of the form NAME=VALUE`},
		{name: "binary", files: tree("etc/lxcfs/lxcfs.conf", "[View]\ncpu=quota\x00\n"), want: defaults,
			wantErr: "/etc/lxcfs/lxcfs.conf: holds a NUL byte"},
		{name: "too large", files: tree("etc/lxcfs/lxcfs.conf", strings.Repeat("#", maxFile+1)), want: defaults,
			wantErr: "/etc/lxcfs/lxcfs.conf: larger than 1048576 bytes"},
		{name: "a drop-in that is a directory", files: tree("etc/lxcfs/lxcfs.conf.d/a.conf/b", ""), want: defaults,
			wantErr: "/etc/lxcfs/lxcfs.conf.d/a.conf: not a regular file"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, err := Load(tt.files)
			if msg := errText(err); msg != tt.wantErr {
				t.Errorf("got error\n%s\nwant\n%s", msg, tt.wantErr)
			}
			if got := c.View.Over(Default()).String(); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			if tt.wantLevel == 0 {
				tt.wantLevel = LogInfo
			}
			if c.LogLevel != tt.wantLevel {
				t.Errorf("got level %v, want %v", c.LogLevel, tt.wantLevel)
			}
		})
	}
}

func errText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// On a real tree: a link to /dev/null masks, a FIFO does not block, a dangling
// link is told.
func TestLoadRealTree(t *testing.T) {
	root := t.TempDir()
	etc, usr := filepath.Join(root, "etc/lxcfs/lxcfs.conf.d"), filepath.Join(root, "usr/lib/lxcfs/lxcfs.conf.d")
	for _, err := range []error{
		os.MkdirAll(etc, 0o755), os.MkdirAll(usr, 0o755),
		os.WriteFile(filepath.Join(usr, "mask.conf"), []byte("[View]\ncpu=quota\n"), 0o644),
		os.Symlink("/dev/null", filepath.Join(etc, "mask.conf")),
		os.Symlink("nowhere", filepath.Join(etc, "dangling.conf")),
		syscall.Mkfifo(filepath.Join(etc, "fifo.conf"), 0o644),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		c, err := Load(os.DirFS(root))
		want := "/etc/lxcfs/lxcfs.conf.d/dangling.conf: no such file or directory\n/etc/lxcfs/lxcfs.conf.d/fifo.conf: not a regular file"
		if errText(err) != want {
			t.Errorf("got %q, want %q", errText(err), want)
		}
		if got := c.View.Over(Default()); got != Default() {
			t.Errorf("got %v, want the defaults", got)
		}
	}()
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		t.Fatal("Load blocks")
	}
}

func TestLineErrorIsFound(t *testing.T) {
	_, err := Load(tree("etc/lxcfs/lxcfs.conf", "\n\n[View]\nx=1"))
	var le *LineError
	if !errors.As(err, &le) || le.Line != 4 || le.File != "/etc/lxcfs/lxcfs.conf" {
		t.Errorf("got %+v", le)
	}
}

func TestMountOptionsWinOverFiles(t *testing.T) {
	c, err := Load(tree("etc/lxcfs/lxcfs.conf", "[View]\ncpu=quota\nswap=no\nloadavg=no"))
	if err != nil {
		t.Fatal(err)
	}
	s, err := ParseMountOptions("swap,cpu=auto")
	if err != nil {
		t.Fatal(err)
	}
	want := "cpu=auto,swap,zswap,noloadavg,nopsi-poll,nocgroup"
	if got := s.Over(c.View.Over(Default())).String(); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// What Options.String writes is read back, whatever the options.
func FuzzParseMountOptions(f *testing.F) {
	for _, s := range []string{"", "cpu=quota,noswap", "psi-poll,cgroup,nozswap", "cpu==", "no", ",,no,"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, in string) {
		s, err := ParseMountOptions(in)
		if err != nil {
			if strings.ContainsAny(err.Error(), "\n\x00\x1b") || len(err.Error()) > 2000 {
				t.Errorf("error is not one sentence: %q", err)
			}
			return
		}
		o := s.Over(Default())
		again, err := ParseMountOptions(o.String())
		if err != nil || again.Over(Options{}) != o {
			t.Errorf("%q: got %v, %v; want %v", o, again, err, o)
		}
	})
}

// No content makes the parser panic, hang or report a line that is not there.
func FuzzLoad(f *testing.F) {
	for _, s := range []string{"[View]\ncpu=quota\n", "[View]\ncpu=\\\n\\\nauto", "[", "[X-]\n\\", "=\n[View]\n=\n==", "[View]\n[a]b]=\n"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, in string) {
		_, err := Load(tree("etc/lxcfs/lxcfs.conf", in))
		joined, ok := err.(interface{ Unwrap() []error })
		if !ok {
			return
		}
		for _, e := range joined.Unwrap() {
			le, ok := e.(*LineError)
			if !ok || le.Line > strings.Count(in, "\n")+1 {
				t.Errorf("%q: got %#v", in, e)
			}
		}
	})
}
