package dbusapi

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/godbus/dbus/v5"
)

// Config is what an owner decides about a [Server]. The zero value is complete.
type Config struct {
	// Address of the bus; "" is the system bus.
	Address string
	// Interval is the least time between two changes told; 0: 1 s.
	Interval time.Duration
	// Poll is how often containers are looked for; 0: 5 s.
	Poll time.Duration
	// Retry is the first pause after a bus is gone or not there, which then
	// doubles; 0: 250 ms.
	Retry time.Duration
	// Report is told when the bus came (nil) and why it is gone or not there,
	// one of each at a time. It may be nil.
	Report func(error)
}

// maxRetry is the longest pause between two tries to find a bus.
const maxRetry = 8 * time.Second

// Server keeps a [Manager] on the bus. Changed and Reloaded never wait and may
// be called by any goroutine; Run is called once.
type Server struct {
	manager    Manager
	config     Config
	interfaces map[nodeKind][]*declaration
	gate       *gate
	changed    chan struct{} // one element: something may have changed
	reloaded   chan struct{}
}

// NewServer returns a server that does nothing before Run.
func NewServer(m Manager, config Config) (*Server, error) {
	interfaces, err := interfacesOf()
	if err != nil {
		return nil, err
	}
	if config.Address == "" {
		config.Address = SystemBusAddress()
	}
	for _, d := range []struct {
		value    *time.Duration
		fallback time.Duration
	}{{&config.Interval, time.Second}, {&config.Poll, 5 * time.Second}, {&config.Retry, 250 * time.Millisecond}} {
		if *d.value <= 0 {
			*d.value = d.fallback
		}
	}
	if config.Report == nil {
		config.Report = func(error) {}
	}
	return &Server{
		manager: m, config: config, interfaces: interfaces, gate: newGate(),
		changed: make(chan struct{}, 1), reloaded: make(chan struct{}, 1),
	}, nil
}

// Changed says that connections or switches may have changed.
func (s *Server) Changed() { wake(s.changed) }

// Reloaded says that the configuration was read again.
func (s *Server) Reloaded() { wake(s.reloaded) }

func wake(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// Run serves until ctx is done: whenever there is a bus, however often it goes.
func (s *Server) Run(ctx context.Context) {
	pause, told := s.config.Retry, false
	for ctx.Err() == nil {
		owned, err := s.serve(ctx)
		if ctx.Err() != nil {
			return
		}
		if owned {
			pause, told = s.config.Retry, false
		}
		if !told {
			s.config.Report(err)
			told = true
		}
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
		case <-timer.C:
		}
		pause = min(2*pause, maxRetry)
	}
}

// errBusGone is the normal end of a bus.
var errBusGone = errors.New("the message bus closed the connection")

// session is the server on one connection to a bus.
type session struct {
	*Server
	conn *dbus.Conn
}

// serve connects, exports, and only then owns the name, until the bus is gone.
func (s *Server) serve(ctx context.Context) (owned bool, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	session := &session{Server: s}
	session.conn, err = dial(ctx, s.config.Address, maxRequest, dbus.WithHandler(session))
	if err != nil {
		return false, err
	}
	defer session.conn.Close()
	p := newPublisher(session)
	if err := requestName(ctx, session.conn); err != nil {
		return false, err
	}
	s.config.Report(nil)
	p.run(ctx)
	return true, errBusGone
}

func requestName(ctx context.Context, conn *dbus.Conn) error {
	ctx, cancel := context.WithTimeout(ctx, busTimeout)
	defer cancel()
	var reply uint32
	err := conn.BusObject().CallWithContext(ctx, "org.freedesktop.DBus.RequestName", 0, BusName, uint32(dbus.NameFlagDoNotQueue)).Store(&reply)
	if err != nil {
		return fmt.Errorf("bus name %s: %w", BusName, err)
	}
	if r := dbus.RequestNameReply(reply); r != dbus.RequestNameReplyPrimaryOwner {
		return fmt.Errorf("bus name %s: somebody else has it", BusName)
	}
	return nil
}
