package keeper

import (
	"errors"
	"fmt"
	"reflect"
	"syscall"
	"testing"

	"linuxcontainers.org/lxcfs/units/fdstore"
	"linuxcontainers.org/lxcfs/units/mount"
)

// The keeper of a service ends as its server did, for RestartPreventExitStatus=
// goes by that.
func TestEndOf(t *testing.T) {
	for _, row := range []struct {
		err  error
		want string
	}{
		{nil, "<nil>"},
		{fdstore.ErrNoWorker, "<nil>"},
		{&fdstore.WorkerError{PID: 1, Status: syscall.WaitStatus(69 << 8)}, "the server ended with status 69"},
		{&fdstore.WorkerError{PID: 1, Status: syscall.WaitStatus(syscall.SIGTERM)}, "<nil>"},
		{&fdstore.WorkerError{PID: 1, Status: syscall.WaitStatus(syscall.SIGKILL)}, "worker 1: killed by killed"},
		{errors.New("no such binary"), "no such binary"},
	} {
		if got := fmt.Sprint(endOf(row.err)); got != row.want {
			t.Errorf("%v: got %s, want %s", row.err, got, row.want)
		}
	}
}

func TestSortPassed(t *testing.T) {
	store := []fdstore.File{{Name: "fuse-1", FD: 4}, {Name: "unknown", FD: 5}}
	socket := fdstore.File{Name: mount.SocketName, FD: 3}
	p := sortPassed(append([]fdstore.File{socket}, store...))
	if !reflect.DeepEqual(p, passed{sockets: []fdstore.File{socket}, stored: store}) {
		t.Errorf("from a service manager: got %+v", p)
	}
	t.Setenv(workerVariable, "4711 true")
	p = sortPassed(append([]fdstore.File{socket, {Name: notifySocket, FD: 9}}, store...))
	want := passed{sockets: []fdstore.File{socket}, stored: store, handover: &fdstore.Handover{Socket: 9, Worker: 4711, Ready: true}}
	if !reflect.DeepEqual(p, want) {
		t.Errorf("from a keeper: got %+v, want %+v", p, want)
	}
}

func TestParseWorker(t *testing.T) {
	for _, row := range []struct {
		text  string
		pid   int
		ready bool
	}{
		{"4711 true", 4711, true},
		{"4711 false", 4711, false},
		{"4711", 4711, false},
		{"0 true", 0, false},
		{"-1 true", 0, false},
		{"", 0, false},
		{"x true", 0, false},
	} {
		if pid, ready := parseWorker(row.text); pid != row.pid || ready != row.ready {
			t.Errorf("%q: got %d, %v", row.text, pid, ready)
		}
	}
}
