package dbusapi

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"testing"
	"testing/iotest"
)

// message makes a message with so many bytes of header fields and body.
func message(order binary.ByteOrder, fields, body int) []byte {
	head := make([]byte, fixedHeader+(fields+7)&^7+body)
	head[0] = 'l'
	if order == binary.BigEndian {
		head[0] = 'B'
	}
	head[1], head[3] = 1, 1
	order.PutUint32(head[4:], uint32(body))
	order.PutUint32(head[12:], uint32(fields))
	for i := fixedHeader; i < len(head); i++ {
		head[i] = byte(i)
	}
	return head
}

func TestFrames(t *testing.T) {
	a, b := message(binary.LittleEndian, 13, 5), message(binary.BigEndian, 8, 0)
	long := message(binary.LittleEndian, 8, maxRequest)
	exact := message(binary.LittleEndian, 8, maxRequest-fixedHeader-8)
	for _, tt := range []struct {
		name     string
		in, want []byte
	}{
		{"nothing", nil, nil},
		{"two", bytes.Join([][]byte{a, b}, nil), bytes.Join([][]byte{a, b}, nil)},
		{"a long one between", bytes.Join([][]byte{a, long, b}, nil), bytes.Join([][]byte{a, b}, nil)},
		{"the longest", bytes.Join([][]byte{exact, a}, nil), bytes.Join([][]byte{exact, a}, nil)},
	} {
		for _, r := range []io.Reader{bytes.NewReader(tt.in), iotest.OneByteReader(bytes.NewReader(tt.in)), iotest.DataErrReader(bytes.NewReader(tt.in))} {
			got, err := io.ReadAll(newFrames(r, maxRequest))
			if err != nil || !bytes.Equal(got, tt.want) {
				t.Errorf("%s: got %d bytes, %v, want %d", tt.name, len(got), err, len(tt.want))
			}
		}
	}
	if _, err := io.ReadAll(newFrames(bytes.NewReader(bytes.Repeat([]byte("x"), 20)), maxRequest)); !errors.Is(err, errFraming) {
		t.Errorf("no message: %v", err)
	}
}

func FuzzFrames(f *testing.F) {
	f.Add(message(binary.LittleEndian, 13, 5))
	f.Add(append(message(binary.LittleEndian, 8, maxRequest), message(binary.BigEndian, 8, 3)...))
	f.Fuzz(func(t *testing.T, in []byte) {
		got, _ := io.ReadAll(newFrames(bytes.NewReader(in), 64))
		if len(got) > len(in) {
			t.Errorf("%d bytes of %d", len(got), len(in))
		}
	})
}

func TestSocketName(t *testing.T) {
	for _, tt := range []struct {
		address, want string
		ok            bool
	}{
		{"unix:path=/run/dbus/system_bus_socket", "/run/dbus/system_bus_socket", true},
		{"unix:guid=1,path=/tmp/a%20b", "/tmp/a b", true},
		{"unix:abstract=/tmp/x,guid=1", "@/tmp/x", true},
		{"unix:runtime=yes", "", false},
		{"tcp:host=localhost,port=1", "", false},
		{"unix:path=%zz", "", false},
		{"", "", false},
	} {
		if got, ok := socketName(tt.address); got != tt.want || ok != tt.ok {
			t.Errorf("%q: got %q, %v", tt.address, got, ok)
		}
	}
}

func TestEscape(t *testing.T) {
	for in, want := range map[string]string{"": "_", "a7": "a7", "7a": "_37a", "a-b/ü": "a_2db_2f_c3_bc", "a_b": "a_5fb"} {
		if got := escape(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
		if !ConnectionPath(in).IsValid() {
			t.Errorf("%q: no valid path %q", in, ConnectionPath(in))
		}
	}
}
