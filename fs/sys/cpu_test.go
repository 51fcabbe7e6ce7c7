package sys

import (
	"errors"
	"io/fs"
	"path"
	"testing"

	"linuxcontainers.org/lxcfs/cgroup"
	"linuxcontainers.org/lxcfs/fs/view"
	"linuxcontainers.org/lxcfs/test/hosts"
	"linuxcontainers.org/lxcfs/test/hosts/machine"
)

// Each file of each captured container is the list of the CPUs that it sees.
func TestCaptured(t *testing.T) {
	for _, c := range hosts.Containers() {
		m := machine.New(t, hosts.Load(t, c.Host))
		who := m.Container(t, c.PID)
		for _, file := range Files() {
			got, host, v, err := m.Read(who, machine.File{Path: "/sys/" + file.Name, Needs: file.Needs, Append: file.Append})
			if host == nil && errors.Is(err, fs.ErrNotExist) {
				continue
			}
			t.Run(path.Join(c.Host, c.Name, file.Name), func(t *testing.T) {
				want := v.CPUs.String() + "\n"
				if path.Base(file.Name) == "offline" {
					want = "\n"
				}
				if string(got) != want || err != nil {
					t.Errorf("got %q, %v, want %q", got, err, want)
				}
			})
		}
	}
}

func TestAppend(t *testing.T) {
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

func FuzzAppend(f *testing.F) {
	f.Add([]byte("0-7\n"), uint64(5))
	f.Add([]byte("\n"), uint64(1)<<63)
	f.Fuzz(func(t *testing.T, host []byte, cpus uint64) {
		v := &view.View{CPUs: cgroup.CPUSet{cpus}}
		for _, file := range Files() {
			got, err := file.Append(nil, host, v)
			if err != nil {
				continue
			}
			set, err := cgroup.ParseCPUList(got)
			if err != nil || path.Base(file.Name) != "offline" && !set.Equal(v.CPUs) {
				t.Errorf("%s: %q of %v: %v", file.Name, got, v.CPUs, err)
			}
		}
	})
}
