package mount

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// The hand-over is one message each way on a SOCK_SEQPACKET socket:
//
//	lxcfs-mount 1                     lxcfs-mount 1
//	mountpoint="/var/lib/lxcfs"       error="option \"cpu=many\": ..."
//	options="cpu=quota,noswap"
//	connection="52"
//
// The request carries the descriptor with SCM_RIGHTS. A mount that was not made is
// told likewise, with no descriptor and the reason in the place of the options:
//
//	lxcfs-mount 1
//	mountpoint="/var/lib/lxcfs"
//	failed="open /dev/fuse: permission denied"
//	connection="0"
//
// Values are quoted as in Go, so that they may hold any byte. Reading is strict:
// another first line, an unknown, repeated or missing key, an unquoted value are
// errors. A newer helper that needs another key therefore uses another version,
// and an older daemon refuses it in words.
const header = "lxcfs-mount 1"

// MaxMessage is the longest message, in bytes: twice four quoted bytes for each
// byte of a path and of an option page (PATH_MAX, 4096 each), and some.
const MaxMessage = 40 << 10

// ErrMessage is returned, wrapped, for a message that is not of the hand-over's
// form.
var ErrMessage = errors.New("not a message of " + header)

// message is the keys of either direction; which ones must be there is its
// reader's business.
type message map[string]string

func appendRequest(mountpoint, options string, connection uint32) []byte {
	b := appendLine([]byte(header+"\n"), "mountpoint", mountpoint)
	b = appendLine(b, "options", options)
	return appendLine(b, "connection", strconv.FormatUint(uint64(connection), 10))
}

func appendFailure(f Failure) []byte {
	b := appendLine([]byte(header+"\n"), "mountpoint", f.Mountpoint)
	b = appendLine(b, "failed", sentence(f.Reason))
	return appendLine(b, "connection", strconv.FormatUint(uint64(f.Connection), 10))
}

// appendReply says "ok", or why not.
func appendReply(err error) []byte {
	if err == nil {
		return appendLine([]byte(header+"\n"), "ok", "")
	}
	return appendLine([]byte(header+"\n"), "error", sentence(err))
}

// sentence is an error in no more words than a message has room for.
func sentence(err error) string {
	const limit = 2048 // a sentence, not a page
	text := err.Error()
	return text[:min(len(text), limit)]
}

func appendLine(b []byte, key, value string) []byte {
	b = append(append(b, key...), '=')
	return append(strconv.AppendQuote(b, value), '\n')
}

func parseMessage(content []byte, keys ...string) (message, error) {
	rest, ok := strings.CutPrefix(string(content), header+"\n")
	if !ok {
		first, _, _ := strings.Cut(string(content[:min(len(content), 64)]), "\n")
		return nil, fmt.Errorf("%w: begins with %q", ErrMessage, first)
	}
	m := make(message)
	for line := range strings.Lines(rest) {
		key, quoted, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
		value, err := strconv.Unquote(quoted)
		_, twice := m[key]
		if err != nil || quoted[0] != '"' || twice || !contains(keys, key) {
			return nil, fmt.Errorf("%w: line %.80q", ErrMessage, line)
		}
		m[key] = value
	}
	return m, nil
}

func contains(keys []string, key string) bool {
	for _, k := range keys {
		if k == key {
			return true
		}
	}
	return false
}

func parseRequest(content []byte) (r Request, err error) {
	m, err := parseMessage(content, "mountpoint", "options", "failed", "connection")
	if err != nil {
		return r, err
	}
	connection, err := strconv.ParseUint(m["connection"], 10, 32)
	if err != nil || len(m) != 3 {
		return r, fmt.Errorf("%w: not the keys of a request, or no number", ErrMessage)
	}
	r = Request{FD: -1, Mountpoint: m["mountpoint"], Options: m["options"], Connection: uint32(connection)}
	if reason, failed := m["failed"]; failed {
		r.Failed = errors.New(reason)
	}
	if !strings.HasPrefix(r.Mountpoint, "/") || strings.ContainsRune(r.Mountpoint+r.Options, 0) {
		return r, fmt.Errorf("%w: mountpoint %.80q", ErrMessage, r.Mountpoint)
	}
	return r, nil
}

// RefusedError is the daemon's own sentence on why it does not serve a mount.
type RefusedError struct{ Reason string }

// Error returns the sentence.
func (e *RefusedError) Error() string { return e.Reason }

// parseReply returns nil for the daemon's ack.
func parseReply(content []byte) error {
	m, err := parseMessage(content, "ok", "error")
	if err != nil {
		return err
	}
	if reason, refused := m["error"]; refused {
		return &RefusedError{Reason: reason}
	}
	if _, ok := m["ok"]; !ok {
		return fmt.Errorf("%w: neither ok nor error", ErrMessage)
	}
	return nil
}
