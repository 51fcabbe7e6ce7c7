package proc

import (
	"errors"
	"testing"

	"linuxcontainers.org/lxcfs/cgroup"
	"linuxcontainers.org/lxcfs/fs/view"
)

func TestPressure(t *testing.T) {
	const (
		host = "some avg10=0.54 avg60=1.74 avg300=1.69 total=23541975\nfull avg10=0.04 avg60=0.57 avg300=0.66 total=15410117\n"
		own  = "some avg10=0.00 avg60=0.00 avg300=0.01 total=12\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=3\n"
		irq  = "full avg10=0.00 avg60=0.00 avg300=0.00 total=0\n"
	)
	for _, tt := range []struct {
		name, host, own, want string
		wrong                 bool
	}{
		{"the cgroup's", host, own, own, false},
		{"no some line", irq, irq, irq, false},
		{"none for the cgroup: the host's", host, "", host, false},
		{"a line that is none", host, "some avg10=0.00\nhalf avg10=0.00\n", "", true},
		{"a value that is none", host, "some avg10=1 avg60=0.00 avg300=0.01 total=12\n", "", true},
		{"the host's broken", "some", "", "", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := AppendPressure([]byte("x"), []byte(tt.host), &view.View{Pressure: []byte(tt.own)})
			if string(got) != "x"+tt.want || errors.Is(err, cgroup.ErrFormat) != tt.wrong {
				t.Errorf("got %q, %v; want %q, wrong format: %v", got, err, tt.want, tt.wrong)
			}
		})
	}
}
