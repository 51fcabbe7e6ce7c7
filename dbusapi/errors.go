package dbusapi

import (
	"errors"
	"fmt"

	"github.com/godbus/dbus/v5"
)

// newError returns an error with a name of its own on the bus.
func newError(name, format string, args ...any) *dbus.Error {
	return dbus.NewError(name, []any{EncodeText(fmt.Sprintf(format, args...))})
}

// errorNames are the sentinels of a Manager and their names on the bus.
func errorNames() map[error]string {
	return map[error]string{
		ErrNoSuchProcess:    errorNoSuchProcess,
		ErrNoSuchContainer:  errorNoSuchContainer,
		ErrNoSuchConnection: errorNoSuchConnection,
		ErrNoSuchFile:       errorNoSuchFile,
		ErrInvalid:          errorInvalidArgs,
	}
}

// asError names an error.
func asError(err error) *dbus.Error {
	var named *dbus.Error
	if errors.As(err, &named) {
		return named
	}
	var value dbus.Error
	if errors.As(err, &value) {
		return &value
	}
	for sentinel, name := range errorNames() {
		if errors.Is(err, sentinel) {
			return newError(name, "%v", err)
		}
	}
	return newError(errorFailed, "%v", err)
}
