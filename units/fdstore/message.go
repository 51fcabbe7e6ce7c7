package fdstore

import "strings"

// maxMessage is NOTIFY_BUFFER_MAX of systemd, in bytes: longer messages are
// ignored.
const maxMessage = 4096

// message is a parsed notification.
type message struct {
	ready, reloading, stopping, alive bool
	status                            string
	hasStatus                         bool
	store, remove, barrier, noPoll    bool
	name                              string // FDNAME, "" when absent or wrong
	trigger                           bool   // WATCHDOG=trigger
}

// parseMessage parses one datagram, lines of assignments (sd_notify(3)):
//
//	FDSTORE=1
//	FDNAME=fuse-42
//	FDPOLL=0
//
// Unknown assignments, MAINPID= among them, are ignored; of a repeated one the
// first counts. A message with a NUL byte anywhere but at its end is none
// (manager_dispatch_notify_fd() of systemd, src/core/manager.c).
func parseMessage(content string) (m message, ok bool) {
	content = strings.TrimSuffix(content, "\x00")
	if strings.Contains(content, "\x00") {
		return m, false
	}
	seen := make(map[string]bool, 4)
	for line := range strings.SplitSeq(content, "\n") {
		key, value, ok := strings.Cut(line, "=")
		if !ok || seen[key] {
			continue
		}
		if m.set(key, value) {
			seen[key] = true
		}
	}
	return m, true
}

// set takes one assignment; it reports whether it knows it.
func (m *message) set(key, value string) bool {
	on := value == "1"
	switch key {
	case "READY":
		m.ready = on
	case "RELOADING":
		m.reloading = on
	case "STOPPING":
		m.stopping = on
	case "WATCHDOG":
		m.alive, m.trigger = on, value == "trigger"
	case "STATUS":
		m.status, m.hasStatus = strings.ToValidUTF8(value, "\uFFFD"), true
	case "FDSTORE":
		m.store = on
	case "FDSTOREREMOVE":
		m.remove = on
	case "FDPOLL":
		m.noPoll = value == "0"
	case "BARRIER":
		m.barrier = on
	case "FDNAME":
		if validName(value) {
			m.name = value
		}
	default:
		return false
	}
	return true
}
