package sys

import (
	"bytes"
	"errors"
	"io/fs"
	"path"
	"testing"

	"linuxcontainers.org/lxcfs/cgroup"
	"linuxcontainers.org/lxcfs/fs/view"
	"linuxcontainers.org/lxcfs/test/hosts"
	captured "linuxcontainers.org/lxcfs/test/hosts/machine"
)

// Each file of each captured container: online is what it sees, possible and
// present are the host's, and offline is what online lacks of possible.
func TestCaptured(t *testing.T) {
	for _, c := range hosts.Containers() {
		m := captured.New(t, hosts.Load(t, c.Host))
		who := m.Container(t, c.PID)
		for _, file := range Files() {
			got, host, v, err := m.Read(who, file)
			if host == nil && errors.Is(err, fs.ErrNotExist) {
				continue
			}
			t.Run(path.Join(c.Host, c.Name, file.Path), func(t *testing.T) {
				want := string(host)
				switch path.Base(file.Path) {
				case "online":
					want = v.CPUs.String() + "\n"
				case "offline":
					want = v.Possible.AndNot(v.CPUs).String() + "\n"
				}
				if string(got) != want || err != nil {
					t.Errorf("got %q, %v, want %q", got, err, want)
				}
			})
		}
	}
}

func TestAppendOnline(t *testing.T) {
	v := &view.View{CPUs: cgroup.CPUSetOf(1, 3, 4)}
	for _, test := range []struct {
		name, host, want string
		v                *view.View
		wrong            bool
	}{
		{"some of the host's", "0-7\n", "1,3-4\n", v, false},
		{"an empty host's list", "\n", "1,3-4\n", v, false},
		{"no newline", "0-7", "", v, true},
		{"no list", "zero\n", "", v, true},
		{"two lines", "0\n1\n", "", v, true},
		{"empty", "", "", v, true},
		{"no CPU in the view", "0-7\n", "", new(view.View), true},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := AppendOnline([]byte("x"), []byte(test.host), test.v)
			if string(got) != "x"+test.want || (err != nil) != test.wrong {
				t.Errorf("got %q, %v, want %q, an error: %v", got, err, test.want, test.wrong)
			}
		})
	}
}

// The lists of a machine with CPUs taken offline.
func TestAppendOffline(t *testing.T) {
	set := cgroup.CPUSetOf
	for _, test := range []struct {
		name, host, want string
		possible, cpus   cgroup.CPUSet
		wrong            bool
	}{
		{"one of two", "\n", "0\n", set(0, 1), set(1), false},
		{"all of two", "\n", "\n", set(0, 1), set(0, 1), false},
		{"the host's own as well", "2-3\n", "1-3\n", set(0, 1, 2, 3), set(0), false},
		{"gaps", "5\n", "0,2,5-6\n", set(0, 1, 2, 3, 5, 6), set(1, 3), false},
		{"beyond the possible, before Linux 5.10", "2-3\n", "0,2-3\n", set(0, 1), set(1), false},
		{"beyond the possible", ",2-3\n", "1,2-3\n", set(0, 1), set(0), false},
		{"beyond the possible, and no other", ",2-3\n", ",2-3\n", set(0, 1), set(0, 1), false},
		{"the host's own, and beyond", "1,4-7\n", "0-2,4-7\n", set(0, 1, 2, 3), set(3), false},
		{"no newline", "2", "", set(0, 1), set(0), true},
		{"two commas", ",,2\n", "", set(0, 1), set(0), true},
		{"no list", "1-0\n", "", set(0, 1), set(0), true},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := AppendOffline([]byte("x"), []byte(test.host), &view.View{Possible: test.possible, CPUs: test.cpus})
			if string(got) != "x"+test.want || (err != nil) != test.wrong {
				t.Errorf("got %q, %v, want %q, an error: %v", got, err, test.want, test.wrong)
			}
		})
	}
}

func FuzzAppend(f *testing.F) {
	f.Add([]byte("0-7\n"), uint64(5))
	f.Add([]byte("\n"), uint64(1)<<63)
	f.Fuzz(func(t *testing.T, host []byte, cpus uint64) {
		v := &view.View{CPUs: cgroup.CPUSet{cpus}, Possible: cgroup.CPUSet{cpus | 15}}
		for _, file := range Files() {
			got, err := file.Append(nil, host, v)
			if err != nil {
				continue
			}
			set, err := cgroup.ParseCPUList(bytes.TrimPrefix(got, []byte(",")))
			switch path.Base(file.Path) {
			case "online":
				if err != nil || !set.Equal(v.CPUs) {
					t.Errorf("online: %q of %v: %v", got, v.CPUs, err)
				}
			case "offline":
				if err != nil || !v.Possible.AndNot(v.CPUs).Within(set) || !set.And(v.CPUs).And(v.Possible).Empty() && !bytes.Equal(got, host) {
					t.Errorf("offline: %q of %q without %v: %v", got, host, v.CPUs, err)
				}
			default:
				if !bytes.Equal(got, host) {
					t.Errorf("%s: %q of %q", file.Path, got, host)
				}
			}
		}
	})
}
