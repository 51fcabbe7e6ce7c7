package daemon

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// origin is what a connection was mounted with. It goes into the descriptor
// store with the connection: a successor cannot ask for it again.
type origin struct {
	Mountpoint string // for messages
	Options    string // of the view, comma separated
	Connection uint32 // below /sys/fs/fuse/connections; 0: not known
}

// save writes the record to a new memfd: "MOUNTPOINT\0OPTIONS\0CONNECTION". Later
// versions may add fields, separated likewise.
func (o origin) save() (int, error) {
	fd, err := unix.MemfdCreate("lxcfs-origin", unix.MFD_CLOEXEC)
	if err != nil {
		return -1, fmt.Errorf("memfd_create: %w", err)
	}
	if _, err := unix.Pwrite(fd, []byte(o.Mountpoint+"\x00"+o.Options+"\x00"+strconv.FormatUint(uint64(o.Connection), 10)), 0); err != nil {
		unix.Close(fd)
		return -1, fmt.Errorf("record of the mount options: %w", err)
	}
	return fd, nil
}

// maxOrigin is the longest record that is read, in bytes.
const maxOrigin = 64 << 10

// loadOrigin reads what save wrote.
func loadOrigin(fd int) (origin, error) {
	if fd < 0 {
		return origin{}, errors.New("the record of the mount options is not there")
	}
	buf := make([]byte, maxOrigin)
	n, err := unix.Pread(fd, buf, 0)
	if err != nil {
		return origin{}, fmt.Errorf("record of the mount options: %w", err)
	}
	fields := strings.Split(string(buf[:n]), "\x00")
	if len(fields) < 2 {
		return origin{}, fmt.Errorf("record of the mount options: %.80q", buf[:n])
	}
	o := origin{Mountpoint: fields[0], Options: fields[1]}
	if len(fields) > 2 {
		number, _ := strconv.ParseUint(fields[2], 10, 32) // 0 means unknown as well
		o.Connection = uint32(number)
	}
	return o, nil
}
