package main

import (
	"io"
	"log/slog"
	"os"
	"strings"
	"sync"
	"time"
)

// logger is the one way to say something; only this package has it.
type logger = *slog.Logger

// newLogger logs to w: with the priority prefix of sd-daemon(3) where the
// journal reads, else in plain lines.
func newLogger(w io.Writer, debug bool) logger {
	level := slog.LevelInfo
	if debug {
		level = slog.LevelDebug
	}
	_, journal := os.LookupEnv("JOURNAL_STREAM")
	return slog.New(slog.NewTextHandler(&lines{w: w, journal: journal}, &slog.HandlerOptions{
		Level:       level,
		ReplaceAttr: plain,
	}))
}

// plain leaves out the time: the journal and a terminal's reader have their own.
func plain(groups []string, a slog.Attr) slog.Attr {
	if len(groups) == 0 && a.Key == slog.TimeKey {
		return slog.Attr{}
	}
	return a
}

// lines puts "lxcfs: " or the journal's priority before each line.
type lines struct {
	w       io.Writer
	journal bool
}

// Write writes one line of slog's.
func (l *lines) Write(line []byte) (int, error) {
	text := string(line)
	prefix := "lxcfs: "
	if l.journal {
		prefix = priority(text)
	}
	if _, err := io.WriteString(l.w, prefix+text); err != nil {
		return 0, err
	}
	return len(line), nil
}

// priority returns the sd-daemon(3) prefix for slog's level= field.
func priority(text string) string {
	switch {
	case strings.HasPrefix(text, "level=ERROR"):
		return "<3>"
	case strings.HasPrefix(text, "level=WARN"):
		return "<4>"
	case strings.HasPrefix(text, "level=DEBUG"):
		return "<7>"
	}
	return "<6>"
}

// limiter lets a few messages of each kind through in each period and counts
// the rest, so that no container can fill the journal.
type limiter struct {
	mu     sync.Mutex
	period time.Duration
	burst  int
	kinds  map[string]*allowance
}

type allowance struct {
	since      time.Time
	used, left int
}

func newLimiter() *limiter {
	return &limiter{period: time.Minute, burst: 5, kinds: make(map[string]*allowance)}
}

// maxKinds bounds the limiter's memory; beyond it kinds share one allowance.
const maxKinds = 64

// allow says whether a message of this kind may be logged now, and how many of
// its kind were left out before it.
func (l *limiter) allow(kind string, now time.Time) (ok bool, suppressed int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, known := l.kinds[kind]; !known && len(l.kinds) >= maxKinds {
		kind = ""
	}
	a := l.kinds[kind]
	if a == nil {
		a = &allowance{since: now}
		l.kinds[kind] = a
	}
	if now.Sub(a.since) >= l.period {
		a.since, a.used = now, 0
	}
	if a.used >= l.burst {
		a.left++
		return false, 0
	}
	a.used++
	suppressed, a.left = a.left, 0
	return true, suppressed
}
