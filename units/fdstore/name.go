package fdstore

import (
	"errors"
	"fmt"
)

// maxName is FDNAME_MAX of systemd, in bytes.
const maxName = 255

// ErrName says that a descriptor's name breaks the rules of sd_notify(3).
var ErrName = errors.New("wrong name of a file descriptor")

// CheckName reports whether name can name a stored descriptor: 1 to 255
// printable ASCII characters, none of them ':', which separates names in
// LISTEN_FDNAMES. systemd allows the empty name as well; nothing can be found
// again by it, so it is refused here.
func CheckName(name string) error {
	if name == "" || !validName(name) {
		return fmt.Errorf("%w: %q", ErrName, name)
	}
	return nil
}

// validName is fdname_is_valid() of systemd (src/basic/fd-util.c).
func validName(name string) bool {
	if len(name) > maxName {
		return false
	}
	for i := range len(name) {
		if c := name[i]; c < ' ' || c >= 0x7f || c == ':' {
			return false
		}
	}
	return true
}
