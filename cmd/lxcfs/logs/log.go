package logs

import (
	"io"
	"log/slog"
	"os"

	"linuxcontainers.org/lxcfs/cmd/lxcfs/config"
)

// Logger logs. Copies share their level.
type Logger struct {
	*slog.Logger
	level *slog.LevelVar
	debug bool // the command line asks for it: no configuration changes the level
}

// New logs to the journal where w is one, else in plain lines to w.
func New(w io.Writer, debug bool) Logger {
	log := Logger{level: new(slog.LevelVar), debug: debug}
	if debug {
		log.level.Set(slog.LevelDebug)
	}
	if w == os.Stderr && stderrIsJournal() {
		log.Logger = slog.New(&journalHandler{level: log.level})
		return log
	}
	log.Logger = slog.New(slog.NewTextHandler(&lines{w: w}, &slog.HandlerOptions{
		Level:       log.level,
		ReplaceAttr: plain,
	}))
	return log
}

// SetLevel puts a level of the configuration into force.
func (l Logger) SetLevel(level config.LogLevel) {
	if !l.debug {
		l.ForceLevel(level)
	}
}

// ForceLevel puts a level into force, whatever the command line asks for.
func (l Logger) ForceLevel(level config.LogLevel) { l.level.Set(slogLevel(level)) }

// Level is the level in force.
func (l Logger) Level() config.LogLevel { return syslogLevel(l.level.Level()) }

// Target says where messages go, in the words of LogControl1.
func Target() string {
	if stderrIsJournal() {
		return "journal"
	}
	return "console"
}

// slogLevel translates a syslog priority. What lies between slog's own names has
// numbers between theirs.
func slogLevel(level config.LogLevel) slog.Level {
	levels := [...]slog.Level{20, 16, 12, slog.LevelError, slog.LevelWarn, 2, slog.LevelInfo, slog.LevelDebug}
	if int(level) < len(levels) {
		return levels[level]
	}
	return slog.LevelInfo
}

// syslogLevel is slogLevel's inverse.
func syslogLevel(level slog.Level) config.LogLevel {
	for p := config.LogLevel(0); p < 7; p++ {
		if level >= slogLevel(p) {
			return p
		}
	}
	return 7
}

// plain leaves out the time: the journal and a terminal's reader have their own.
func plain(groups []string, a slog.Attr) slog.Attr {
	if len(groups) == 0 && a.Key == slog.TimeKey {
		return slog.Attr{}
	}
	return a
}

// lines puts "lxcfs: " before each line.
type lines struct{ w io.Writer }

// Write writes one line of slog's.
func (l *lines) Write(line []byte) (int, error) {
	if _, err := io.WriteString(l.w, "lxcfs: "+string(line)); err != nil {
		return 0, err
	}
	return len(line), nil
}
