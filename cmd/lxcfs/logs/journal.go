package logs

import (
	"context"
	"log/slog"
	"os"
	"strings"

	"github.com/coreos/go-systemd/v22/journal"

	"linuxcontainers.org/lxcfs/cmd/escape"
)

// stderrIsJournal says whether what is written to stderr ends in the journal: then
// its native protocol does as well, with the fields kept apart.
func stderrIsJournal() bool {
	ok, err := journal.StderrIsJournalStream()
	return ok && err == nil && journal.Enabled()
}

// journalHandler writes records to the journal. A value that is not fit for a
// terminal is escaped, as package escape does: journalctl shows the message, and
// cuts one with such a byte to "[blob data]". The message has all that a line
// has; each attribute is also a field of its own, LXCFS_NAME.
type journalHandler struct {
	level slog.Leveler
	attrs []slog.Attr
}

// Enabled is of slog.Handler.
func (h *journalHandler) Enabled(_ context.Context, level slog.Level) bool {
	return level >= h.level.Level()
}

// Handle is of slog.Handler. Where the journal does not take it, stderr does.
func (h *journalHandler) Handle(_ context.Context, r slog.Record) error {
	message := new(strings.Builder)
	message.WriteString(r.Message)
	fields := map[string]string{"SYSLOG_IDENTIFIER": "lxcfs"}
	add := func(a slog.Attr) bool {
		value := escape.Text(a.Value.Resolve().String())
		fields["LXCFS_"+strings.ToUpper(a.Key)] = value
		message.WriteString(separator(len(fields)) + a.Key + "=" + quoted(value))
		return true
	}
	for _, a := range h.attrs {
		add(a)
	}
	r.Attrs(add)
	err := journal.Send(message.String(), journal.Priority(syslogLevel(r.Level)), fields)
	if err != nil {
		_, err = os.Stderr.WriteString("<" + string('0'+byte(syslogLevel(r.Level))) + ">" + message.String() + "\n")
	}
	return err
}

// separator comes before the first attribute, when there are two fields, and before
// the others.
func separator(fields int) string {
	if fields == 2 {
		return ": "
	}
	return ", "
}

// quoted quotes what would not be read as one value.
func quoted(value string) string {
	if value == "" || strings.ContainsAny(value, "\n\"") {
		return strings.TrimSpace(slog.StringValue(value).String())
	}
	return value
}

// WithAttrs is of slog.Handler.
func (h *journalHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &journalHandler{h.level, append(h.attrs[:len(h.attrs):len(h.attrs)], attrs...)}
}

// WithGroup is of slog.Handler; nobody here makes groups.
func (h *journalHandler) WithGroup(string) slog.Handler { return h }
