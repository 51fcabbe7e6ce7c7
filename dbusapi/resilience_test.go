package dbusapi

import (
	"context"
	"errors"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
)

// A bus that comes late, goes and comes again: the name comes back by itself.
func TestBusComesAndGoes(t *testing.T) {
	b := newBus(t)
	if _, err := Connect(t.Context(), b.address); !errors.Is(err, ErrNoBus) {
		t.Errorf("without a bus: %v", err)
	}
	s := b.run(newFake())
	s.Changed() // nobody waits for a bus
	s.Reloaded()
	b.start()
	b.waitOwned()
	for range 2 {
		b.stop()
		b.start()
		b.waitOwned()
	}
}

// Somebody else has the name: the server waits for its turn.
func TestNameIsTaken(t *testing.T) {
	b := newBus(t).start()
	conn, err := dial(t.Context(), b.address, maxReply)
	if err != nil {
		t.Fatal(err)
	}
	if err := requestName(t.Context(), conn); err != nil {
		t.Fatal(err)
	}
	reports := make(chan error, 100)
	s, err := NewServer(newFake(), Config{Address: b.address, Retry: time.Millisecond, Report: func(err error) { reports <- err }})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { s.Run(ctx); close(done) }()
	defer func() { cancel(); <-done }()
	if err := <-reports; err == nil || !strings.Contains(err.Error(), "somebody else has it") {
		t.Errorf("told %v", err)
	}
	conn.Close()
	if err := <-reports; err != nil {
		t.Errorf("then told %v, want that the name is owned", err)
	}
}

func TestNobodyOnTheBus(t *testing.T) {
	b := newBus(t).start()
	if _, err := b.client().Status(t.Context()); !errors.Is(err, ErrNotRunning) {
		t.Errorf("got %v", err)
	}
}

// A bus that stands still holds nobody but those who talk to it.
func TestBusStandsStill(t *testing.T) {
	b := newBus(t).start()
	m := newFake()
	s := b.serve(m)
	b.cmd.Process.Signal(syscall.SIGSTOP)
	done := make(chan struct{})
	go func() {
		for range 1000 {
			s.Changed()
			s.Reloaded()
		}
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(patience):
		t.Error("the manager waits for the bus")
	}
	b.cmd.Process.Signal(syscall.SIGCONT)
	b.waitOwned()
}

// Messages that are longer than any of ours are left out, and others follow.
func TestHugeMessage(t *testing.T) {
	b := newBus(t).start()
	b.serve(newFake())
	c := b.client()
	huge := c.object(ManagerPath).Go(propertiesInterface+".GetAll", 0, make(chan *dbus.Call, 1), strings.Repeat("x", 8<<20))
	if _, err := c.Status(t.Context()); err != nil {
		t.Errorf("after a message of 8 MiB: %v", err)
	}
	select {
	case <-huge.Done:
		t.Errorf("a message of 8 MiB is answered: %v", huge.Err)
	default:
	}
}

// So many callers at once that not all can be served get an answer all the same.
func TestManyCallers(t *testing.T) {
	b := newBus(t).start()
	m := newFake()
	m.block = make(chan struct{})
	b.serve(m)
	const callers = maxCalls + maxWaiting + 100
	refused := make(chan error, callers)
	var wg sync.WaitGroup
	for range 8 {
		c := b.client()
		for range callers / 8 {
			call := c.object(ContainerPath("a7")).Go(propertiesInterface+".GetAll", 0, make(chan *dbus.Call, 1), ContainerInterface)
			wg.Add(1)
			go func() {
				defer wg.Done()
				<-call.Done
				refused <- call.Err
			}()
		}
	}
	var limited dbus.Error
	if err := <-refused; !errors.As(err, &limited) || limited.Name != errorLimitsExceeded {
		t.Errorf("one too many: %v", err)
	}
	close(m.block)
	wg.Wait()
	close(refused)
	served := 0
	for err := range refused {
		if err == nil {
			served++
		}
	}
	if served < maxCalls+maxWaiting {
		t.Errorf("%d served, want at least %d", served, maxCalls+maxWaiting)
	}
}

// Signals tell what changed, a few times however often it does.
func TestSignals(t *testing.T) {
	b := newBus(t).start()
	m := newFake()
	s := b.serve(m)
	c := b.client()
	signals := make(chan *dbus.Signal, 1000)
	c.conn.Signal(signals)
	if err := c.conn.AddMatchSignal(dbus.WithMatchSender(BusName)); err != nil {
		t.Fatal(err)
	}
	next := func(name string) []any {
		t.Helper()
		for {
			select {
			case got := <-signals:
				if got.Name == name || strings.HasSuffix(got.Name, "."+name) {
					return got.Body
				}
			case <-time.After(patience):
				t.Fatalf("no signal %s", name)
			}
		}
	}
	m.mu.Lock()
	m.connections = append(m.connections, Connection{ID: "2", Mountpoint: "/mnt"})
	m.mu.Unlock()
	s.Changed()
	if got := next("InterfacesAdded"); got[0] != ConnectionPath("2") {
		t.Errorf("added %v", got)
	}
	if got := next("ConnectionAdded"); got[0] != "2" || got[1] != ConnectionPath("2") {
		t.Errorf("connection added: %v", got)
	}
	if got := next("PropertiesChanged"); got[0] != ManagerInterface || got[1].(map[string]dbus.Variant)["Connections"].String() == "" {
		t.Errorf("changed %v", got)
	}
	m.mu.Lock()
	m.connections, m.containers = m.connections[:1], m.containers[:1]
	m.mu.Unlock()
	if got := next("ConnectionRemoved"); got[0] != "2" {
		t.Errorf("removed %v", got)
	}
	if got := next("PropertiesChanged"); len(got[2].([]string)) != 1 || got[2].([]string)[0] != "Containers" {
		t.Errorf("changed %v, want Containers invalidated", got)
	}
	if err := c.SetVirtualization(t.Context(), false); err != nil {
		t.Fatal(err)
	}
	if got := next("PropertiesChanged"); got[1].(map[string]dbus.Variant)["Virtualization"].Value() != false {
		t.Errorf("changed %v", got)
	}
	s.Reloaded()
	next("Reloaded")
}

// A container that is hidden from some is told to none.
func TestNoSignalsOfHiddenContainers(t *testing.T) {
	b := newBus(t).start()
	m := newFake()
	m.access = ReadAccess(hostWith(",hidepid=2"))
	s := b.serve(m)
	c := b.client()
	signals := make(chan *dbus.Signal, 1000)
	c.conn.Signal(signals)
	if err := c.conn.AddMatchSignal(dbus.WithMatchSender(BusName)); err != nil {
		t.Fatal(err)
	}
	m.mu.Lock()
	m.containers = append(m.containers, Container{ID: "a9", Name: "new"})
	m.status.Virtualization = false
	m.mu.Unlock()
	s.Changed()
	got := <-signals
	for got.Path == "/org/freedesktop/DBus" { // the bus's own
		got = <-signals
	}
	if !strings.HasSuffix(got.Name, ".PropertiesChanged") || len(got.Body[2].([]string)) > 0 {
		t.Errorf("told %v, want the switch and no container", got)
	}
}
