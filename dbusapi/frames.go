package dbusapi

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
)

// The longest messages that are looked at, in bytes. No method of ours takes
// more than a few hundred, and a bus would pass on 128 MiB; what the methods
// return may be long.
const (
	maxRequest = 64 << 10
	maxReply   = 128 << 20
)

var errFraming = errors.New("not a D-Bus message")

// frames reads messages and leaves the too long ones out.
//
// A message begins with 'l' or 'B' for the byte order, type, flags, version,
// and in that order the lengths of body, serial, and length of the header's
// array of fields, which is padded to 8 bytes.
type frames struct {
	in   *bufio.Reader
	left int // bytes of the present message
	max  uint64
}

func newFrames(r io.Reader, max uint64) *frames { return &frames{in: bufio.NewReader(r), max: max} }

const fixedHeader = 16

// Read returns bytes of the present message, or of the next one.
func (f *frames) Read(b []byte) (int, error) {
	for f.left == 0 {
		length, err := f.next()
		if err != nil {
			return 0, err
		}
		if length <= f.max {
			f.left = int(length)
			break
		}
		if _, err := io.CopyN(io.Discard, f.in, int64(length)); err != nil {
			return 0, err
		}
	}
	n, err := f.in.Read(b[:min(len(b), f.left)])
	f.left -= n
	return n, err
}

// next returns the length of the message that comes, of which it takes nothing.
func (f *frames) next() (uint64, error) {
	head, err := f.in.Peek(fixedHeader)
	if err != nil {
		return 0, err
	}
	var order binary.ByteOrder = binary.LittleEndian
	switch head[0] {
	case 'l':
	case 'B':
		order = binary.BigEndian
	default:
		return 0, errFraming
	}
	body, fields := uint64(order.Uint32(head[4:])), uint64(order.Uint32(head[12:]))
	return fixedHeader + (fields+7)&^7 + body, nil
}
