package fdstore

import (
	"os"
	"slices"
	"strconv"
	"testing"

	"golang.org/x/sys/unix"
)

func TestListenEnvironment(t *testing.T) {
	const pid, ppid = 100, 50
	for _, row := range []struct {
		name string
		env  listenEnvironment
		want []File
		ok   bool
	}{
		{"nothing", listenEnvironment{}, nil, true},
		{"no count", listenEnvironment{pid: "100"}, nil, true},
		{"none", listenEnvironment{pid: "100", fds: "0"}, nil, true},
		{"two", listenEnvironment{pid: "100", fds: "2", names: "a:b"}, []File{{"a", 3}, {"b", 4}}, true},
		{"no names", listenEnvironment{pid: "100", fds: "2"}, []File{{"unknown", 3}, {"unknown", 4}}, true},
		{"too few names", listenEnvironment{pid: "100", fds: "3", names: "a:b"}, []File{{"a", 3}, {"b", 4}, {"unknown", 5}}, true},
		{"too many names", listenEnvironment{pid: "100", fds: "1", names: "a:b:c"}, []File{{"a", 3}}, true},
		{"empty name between", listenEnvironment{pid: "100", fds: "3", names: "a::c"}, []File{{"a", 3}, {"", 4}, {"c", 5}}, true},
		{"same name", listenEnvironment{pid: "100", fds: "2", names: "a:a"}, []File{{"a", 3}, {"a", 4}}, true},
		{"another's", listenEnvironment{pid: "101", fds: "2"}, nil, true},
		{"nobody's", listenEnvironment{fds: "2"}, nil, true},
		{"keeper", listenEnvironment{keeper: "50", fds: "1", names: "a"}, []File{{"a", 3}}, true},
		{"another keeper", listenEnvironment{keeper: "51", fds: "1", names: "a"}, nil, true},
		{"the pid wins", listenEnvironment{pid: "101", keeper: "50", fds: "1"}, nil, true},
		{"bad pid", listenEnvironment{pid: "x", fds: "1"}, nil, false},
		{"bad count", listenEnvironment{pid: "100", fds: "x"}, nil, false},
		{"negative", listenEnvironment{pid: "100", fds: "-1"}, nil, false},
		{"overflow", listenEnvironment{pid: "100", fds: "2147483645"}, nil, false},
		{"huge", listenEnvironment{pid: "100", fds: "99999999999999999999"}, nil, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			got, err := row.env.parse(pid, ppid)
			if (err == nil) != row.ok || !slices.Equal(got, row.want) {
				t.Errorf("got %v, %v, want %v, ok %v", got, err, row.want, row.ok)
			}
		})
	}
}

func TestListenEnvironmentIsBounded(t *testing.T) {
	got, err := listenEnvironment{pid: "1", fds: "2147483644"}.parse(1, 1)
	if err != nil || len(got) != maxInherited {
		t.Errorf("got %d files, %v, want %d", len(got), err, maxInherited)
	}
}

func TestOpenOnes(t *testing.T) {
	fd := newMemfd(t, "")
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_SETFD, 0); err != nil {
		t.Fatal(err)
	}
	got, err := openOnes([]File{{"closed", 1 << 20}, {"open", fd}})
	if err == nil || !slices.Equal(got, []File{{"open", fd}}) {
		t.Errorf("got %v, %v, want the open one and an error", got, err)
	}
	if flags, _ := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); flags&unix.FD_CLOEXEC == 0 {
		t.Error("not close-on-exec")
	}
}

func TestInheritedClearsTheEnvironment(t *testing.T) {
	variables := []string{"LISTEN_PID", "LISTEN_PIDFDID", "LISTEN_FDS", "LISTEN_FDNAMES", KeeperVariable}
	for _, name := range variables {
		t.Setenv(name, strconv.Itoa(os.Getpid()+1))
	}
	files, err := Inherited()
	if err != nil || files != nil {
		t.Errorf("got %v, %v, want nothing", files, err)
	}
	for _, name := range variables {
		if value, ok := os.LookupEnv(name); ok {
			t.Errorf("%s is still %q", name, value)
		}
	}
}
