package dbusapi

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// setGroups sets the groups of this thread only.
func setGroups(groups []int) error {
	ids := make([]uint32, len(groups)+1)
	for i, g := range groups {
		ids[i] = uint32(g)
	}
	_, _, errno := syscall.RawSyscall(unix.SYS_SETGROUPS, uintptr(len(groups)), uintptr(unsafe.Pointer(&ids[0])), 0)
	if errno != 0 {
		return errno
	}
	return nil
}
