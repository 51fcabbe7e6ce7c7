package dbusapi

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/godbus/dbus/v5"
)

// systemBus is where the system bus is, unless $DBUS_SYSTEM_BUS_ADDRESS says
// otherwise.
const systemBus = "unix:path=/run/dbus/system_bus_socket"

// SystemBusAddress returns the address of the system bus.
func SystemBusAddress() string {
	if address := os.Getenv("DBUS_SYSTEM_BUS_ADDRESS"); address != "" {
		return address
	}
	return systemBus
}

// ErrNoBus is returned when no bus answers.
var ErrNoBus = errors.New("no message bus")

const (
	handshakeTimeout = 20 * time.Second
	writeTimeout     = 20 * time.Second
)

// dial connects to a bus and says hello. No descriptor can be passed over the
// connection, and messages of more than max bytes are left out.
func dial(ctx context.Context, address string, max uint64, opts ...dbus.ConnOption) (*dbus.Conn, error) {
	socket, err := open(ctx, address)
	if err != nil {
		return nil, fmt.Errorf("%w at %s: %w", ErrNoBus, address, err)
	}
	if err := socket.SetDeadline(time.Now().Add(handshakeTimeout)); err != nil {
		return nil, errors.Join(err, socket.Close())
	}
	conn, err := dbus.NewConn(&stream{Conn: socket, max: max}, opts...)
	if err != nil {
		return nil, errors.Join(err, socket.Close())
	}
	err = conn.Auth([]dbus.Auth{dbus.AuthExternal(strconv.Itoa(os.Geteuid()))})
	if err == nil {
		err = conn.Hello()
	}
	if err == nil {
		err = socket.SetDeadline(time.Time{})
	}
	if err != nil {
		conn.Close()
		return nil, fmt.Errorf("%w at %s: %w", ErrNoBus, address, err)
	}
	return conn, nil
}

// open tries the addresses of a list, as the D-Bus specification has it:
//
//	unix:path=/run/dbus/system_bus_socket;unix:abstract=/tmp/x,guid=...
func open(ctx context.Context, list string) (net.Conn, error) {
	err := errors.New("no address of a unix socket")
	for address := range strings.SplitSeq(list, ";") {
		name, ok := socketName(address)
		if !ok {
			continue
		}
		d := net.Dialer{Timeout: handshakeTimeout}
		var conn net.Conn
		if conn, err = d.DialContext(ctx, "unix", name); err == nil {
			return conn, nil
		}
	}
	return nil, err
}

// socketName returns the name of an address's socket for package net.
func socketName(address string) (name string, ok bool) {
	rest, ok := strings.CutPrefix(address, "unix:")
	if !ok {
		return "", false
	}
	for pair := range strings.SplitSeq(rest, ",") {
		key, value, _ := strings.Cut(pair, "=")
		value, err := url.PathUnescape(value)
		switch {
		case err != nil:
		case key == "path":
			return value, true
		case key == "abstract":
			return "@" + value, true
		}
	}
	return "", false
}

// stream is the connection's bytes. Reads are made by one goroutine, writes by
// one at a time.
type stream struct {
	net.Conn
	max    uint64
	frames *frames // nil while authenticating
}

// Read reads what godbus is to see.
func (s *stream) Read(b []byte) (int, error) {
	if s.frames == nil {
		return s.Conn.Read(b)
	}
	return s.frames.Read(b)
}

// Write writes, but does not wait for a bus that takes nothing any more. After
// an error the stream is of no use.
func (s *stream) Write(b []byte) (int, error) {
	if bytes.Equal(b, []byte("BEGIN\r\n")) { // from here on the bus sends messages
		s.frames = newFrames(s.Conn, s.max)
		return s.Conn.Write(b)
	}
	if s.frames != nil {
		if err := s.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
			return 0, err
		}
	}
	n, err := s.Conn.Write(b)
	if err != nil {
		s.Conn.Close()
	}
	return n, err
}
