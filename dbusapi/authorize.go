package dbusapi

import (
	"context"
	"errors"
	"time"

	"github.com/godbus/dbus/v5"
)

const (
	busTimeout = 10 * time.Second
	// polkitTimeout is long enough to type a password.
	polkitTimeout = 2 * time.Minute
)

// bus makes a call to the bus itself while others may take the caller's place.
func (c *call) bus(f func(dbus.BusObject) error) (err error) {
	c.gate.outside(func() { err = f(c.conn.BusObject()) })
	return err
}

// polkitSubject is the subject of CheckAuthorization.
type polkitSubject struct {
	Kind    string
	Details map[string]dbus.Variant
}

// polkitResult is what CheckAuthorization returns.
type polkitResult struct {
	Authorized, Challenge bool
	Details               map[string]string
}

// authorize returns nil for root, and for whom polkit grants ManageAction.
// Without polkit it is root only.
func (c *call) authorize() error {
	who, err := c.caller()
	if err != nil {
		return err
	}
	if who.uid == 0 {
		return nil
	}
	var result polkitResult
	c.gate.outside(func() { result, err = c.askPolkit() })
	switch {
	case err != nil:
		return newError(errorAccessDenied, "%s is for root, and polkit does not answer: %v", c.node.path, err)
	case result.Authorized:
		return nil
	case result.Challenge && !c.interactive:
		return newError(errorInteractive, "polkit wants a password for %s", ManageAction)
	}
	return newError(errorAccessDenied, "polkit refuses %s", ManageAction)
}

func (c *call) askPolkit() (polkitResult, error) {
	ctx, cancel := context.WithTimeout(c.conn.Context(), polkitTimeout)
	defer cancel()
	var flags uint32
	if c.interactive {
		flags = 1 // AllowUserInteraction
	}
	subject := polkitSubject{"system-bus-name", map[string]dbus.Variant{"name": dbus.MakeVariant(c.sender)}}
	var result polkitResult
	err := c.conn.Object("org.freedesktop.PolicyKit1", "/org/freedesktop/PolicyKit1/Authority").CallWithContext(ctx,
		"org.freedesktop.PolicyKit1.Authority.CheckAuthorization", 0,
		subject, ManageAction, map[string]string{}, flags, "").Store(&result)
	var named dbus.Error
	if errors.As(err, &named) && named.Name == errorServiceUnknown {
		err = errors.New("it is not installed")
	}
	return result, err
}
