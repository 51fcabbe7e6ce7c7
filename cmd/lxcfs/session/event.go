package session

import (
	"fmt"
	"strings"
	"sync"
	"time"
)

// EventKind says what an [Event] is about.
type EventKind uint8

// The kinds of events.
const (
	EventLibrary  EventKind = iota // a line of go-fuse's log
	EventPanic                     // the file system panicked; the reader got EIO
	EventPoison                    // a request outlived several processes; the reader got EIO
	EventTorn                      // a slot held what no kernel writes; dropped
	EventForeign                   // the journal is unusable; a new one was made, see Session.JournalFD
	EventUnpinned                  // memory could not be locked; a kill under memory pressure may cost a reader EIO
	EventReply                     // the kernel refused a reply
	EventBusy                      // all slots are being handled: nobody reads requests
	EventDegraded                  // three crashes in ten seconds
)

// String returns the kind in words.
func (k EventKind) String() string {
	names := [...]string{
		"go-fuse", "panic", "poison", "torn slot", "foreign journal", "memory not locked", "reply refused", "all slots busy", "degraded",
	}
	if int(k) < len(names) {
		return names[k]
	}
	return fmt.Sprintf("event %d", k)
}

// Event is something that an operator may want to know.
type Event struct {
	Kind       EventKind
	Message    string // what happened
	Err        error  // nil if no error is behind it
	Suppressed int    // events of this kind that were left out since the last one
}

// String returns the event as one line.
func (e Event) String() string {
	s := e.Kind.String() + ": " + e.Message
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

const (
	eventBurst  = 10               // events of a kind let through ...
	eventWindow = 10 * time.Second // ... in this time
)

// reporter passes events on, a few of each kind at a time: readers decide how
// many there are, and readers may be hostile. Any goroutine may use it.
type reporter struct {
	to func(Event)

	mu    sync.Mutex // guards kinds
	kinds map[EventKind]*eventCount
}

type eventCount struct {
	since          time.Time
	passed, missed int
}

func newReporter(to func(Event)) *reporter {
	return &reporter{to: to, kinds: make(map[EventKind]*eventCount)}
}

func (r *reporter) report(kind EventKind, err error, format string, args ...any) {
	if r.to == nil {
		return
	}
	missed, ok := r.admit(kind, time.Now())
	if ok {
		r.to(Event{Kind: kind, Message: fmt.Sprintf(format, args...), Err: err, Suppressed: missed})
	}
}

// admit says whether an event may pass, and how many before it did not.
func (r *reporter) admit(kind EventKind, now time.Time) (missed int, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := r.kinds[kind]
	if c == nil || now.Sub(c.since) >= eventWindow {
		if c != nil {
			missed = c.missed
		}
		r.kinds[kind] = &eventCount{since: now, passed: 1}
		return missed, true
	}
	if c.passed >= eventBurst {
		c.missed++
		return 0, false
	}
	c.passed++
	return 0, true
}

// Write takes go-fuse's log lines.
func (r *reporter) Write(line []byte) (int, error) {
	r.report(EventLibrary, nil, "%s", strings.TrimSpace(string(line)))
	return len(line), nil
}
