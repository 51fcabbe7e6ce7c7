package dbusapi

import (
	"fmt"
	"strings"

	"github.com/godbus/dbus/v5"
)

// Names on the bus.
const (
	BusName             = "org.linuxcontainers.lxcfs1"
	ManagerInterface    = "org.linuxcontainers.lxcfs1.Manager"
	ConnectionInterface = "org.linuxcontainers.lxcfs1.Connection"
	ContainerInterface  = "org.linuxcontainers.lxcfs1.Container"
	LogControlInterface = "org.freedesktop.LogControl1"

	ManagerPath    dbus.ObjectPath = "/org/linuxcontainers/lxcfs1"
	LogControlPath dbus.ObjectPath = "/org/freedesktop/LogControl1"

	// ManageAction is the action of polkit that privileged methods need.
	ManageAction = "org.linuxcontainers.lxcfs1.manage"
)

// Names of errors.
const (
	errorNoSuchProcess    = "org.linuxcontainers.lxcfs1.Error.NoSuchProcess"
	errorNoSuchContainer  = "org.linuxcontainers.lxcfs1.Error.NoSuchContainer"
	errorNoSuchConnection = "org.linuxcontainers.lxcfs1.Error.NoSuchConnection"
	errorNoSuchFile       = "org.linuxcontainers.lxcfs1.Error.NoSuchFile"

	errorFailed            = "org.freedesktop.DBus.Error.Failed"
	errorAccessDenied      = "org.freedesktop.DBus.Error.AccessDenied"
	errorInteractive       = "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired"
	errorInvalidArgs       = "org.freedesktop.DBus.Error.InvalidArgs"
	errorLimitsExceeded    = "org.freedesktop.DBus.Error.LimitsExceeded"
	errorUnknownObject     = "org.freedesktop.DBus.Error.UnknownObject"
	errorUnknownInterface  = "org.freedesktop.DBus.Error.UnknownInterface"
	errorUnknownProperty   = "org.freedesktop.DBus.Error.UnknownProperty"
	errorPropertyReadOnly  = "org.freedesktop.DBus.Error.PropertyReadOnly"
	errorServiceUnknown    = "org.freedesktop.DBus.Error.ServiceUnknown"
	errorNameHasNoOwner    = "org.freedesktop.DBus.Error.NameHasNoOwner"
	errorNoReply           = "org.freedesktop.DBus.Error.NoReply"
	errorSpawn             = "org.freedesktop.DBus.Error.Spawn"
	errorSystemdUnit       = "org.freedesktop.systemd1."
	connectionDir          = string(ManagerPath) + "/connection"
	containerDir           = string(ManagerPath) + "/container"
	introspectable         = "org.freedesktop.DBus.Introspectable"
	propertiesInterface    = "org.freedesktop.DBus.Properties"
	objectManagerInterface = "org.freedesktop.DBus.ObjectManager"
)

// ConnectionPath returns the object of the connection of that id.
func ConnectionPath(id string) dbus.ObjectPath {
	return dbus.ObjectPath(connectionDir + "/" + escape(id))
}

// ContainerPath returns the object of the container of that id.
func ContainerPath(id string) dbus.ObjectPath {
	return dbus.ObjectPath(containerDir + "/" + escape(id))
}

// escape makes an element of a path of any string, as sd_bus_path_encode(3)
// does: what is neither letter nor digit, and a digit at the front, becomes _XX;
// the empty string becomes "_".
func escape(id string) string {
	if id == "" {
		return "_"
	}
	var b strings.Builder
	for i, c := range []byte(id) {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9' && i > 0:
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "_%02x", c)
		}
	}
	return b.String()
}
