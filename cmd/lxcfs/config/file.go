package config

import (
	"errors"
	"fmt"
	"strings"

	"github.com/coreos/go-systemd/v22/unit"
)

// LogLevel is a syslog priority, 0 (emerg) to 7 (debug).
type LogLevel uint8

// LogInfo is the default level.
const LogInfo LogLevel = 6

func levelNames() []string {
	return []string{"emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"}
}

// String returns the level's name, syslog(3).
func (l LogLevel) String() string {
	if names := levelNames(); int(l) < len(names) {
		return names[l]
	}
	return fmt.Sprintf("LogLevel(%d)", uint8(l))
}

// ParseLogLevel parses a name or number of systemd's LogLevel=.
func ParseLogLevel(s string) (LogLevel, error) {
	for i, name := range levelNames() {
		if s == name || s == fmt.Sprint(i) {
			return LogLevel(i), nil
		}
	}
	return 0, fmt.Errorf("log level %s is not one of %s", quote(s), strings.Join(levelNames(), ", "))
}

// Config is what the files say.
type Config struct {
	// View holds the options for connections that do not give their own.
	View Settings
	// LogLevel is [LogInfo] unless set.
	LogLevel LogLevel
}

// LineError is a mistake in a file.
type LineError struct {
	File   string
	Line   int // from 1; 0 for the file as a whole
	Reason string
}

// Error returns "FILE:LINE: REASON".
func (e *LineError) Error() string {
	if e.Line == 0 {
		return e.File + ": " + e.Reason
	}
	return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.Reason)
}

// line is a logical line: continuations joined, comments left out.
type line struct {
	number int // of its first physical line
	text   string
}

// logicalLines joins lines that end in a backslash to the next with a space, as
// systemd.syntax(7) has it: comment lines in between are skipped.
func logicalLines(content string) []line {
	var lines []line
	var open bool
	number := 0
	for raw := range strings.Lines(content) {
		number++
		text := strings.TrimSpace(raw)
		if text == "" && !open || strings.HasPrefix(text, "#") || strings.HasPrefix(text, ";") {
			continue
		}
		before, more := strings.CutSuffix(text, `\`)
		if more {
			text = before
		}
		if open {
			last := &lines[len(lines)-1]
			last.text = strings.TrimSpace(last.text + " " + text)
		} else {
			lines = append(lines, line{number, text})
		}
		open = more
	}
	return lines
}

// parseFile adds what a file says to c and returns its mistakes.
//
//	[View]
//	cpu=quota
//	swap=no
//
//	[Manager]
//	LogLevel=debug
//
// Syntax is systemd.syntax(7)'s: an empty value takes back what an earlier file
// or line set, switches are booleans in systemd's spellings, sections that
// begin with "X-" are not ours. The unit package stops at the first mistake and
// knows no line numbers, so it is given one logical line at a time.
func (c *Config) parseFile(file, content string) (mistakes []error) {
	section := ""
	for _, l := range logicalLines(content) {
		var err error
		if strings.HasPrefix(l.text, "[") {
			section, err = parseSection(l.text)
		} else {
			err = c.parseLine(section, l.text)
		}
		if err != nil {
			mistakes = append(mistakes, &LineError{file, l.number, err.Error()})
		}
	}
	return mistakes
}

// ignoredSection is the name of a section whose lines are passed over.
const ignoredSection = "X-"

func parseSection(text string) (string, error) {
	sections, err := unit.DeserializeSections(strings.NewReader(text))
	if err != nil || len(sections) != 1 {
		return ignoredSection, fmt.Errorf("%s is not a section header", quote(text))
	}
	switch name := sections[0].Section; {
	case name == "View", name == "Manager":
		return name, nil
	case strings.HasPrefix(name, "X-"):
		return ignoredSection, nil
	default:
		return ignoredSection, fmt.Errorf("unknown section [%.64s], its lines are ignored", name)
	}
}

func (c *Config) parseLine(section, text string) error {
	if section == ignoredSection {
		return nil
	}
	if section == "" {
		return errors.New("line before the first section")
	}
	if !strings.Contains(text, "=") {
		return fmt.Errorf("%s is not of the form NAME=VALUE", quote(text))
	}
	options, err := unit.DeserializeOptions(strings.NewReader("[" + section + "]\n" + text))
	switch {
	case err != nil:
		return err
	case len(options) != 1:
		return fmt.Errorf("%s is not one assignment", quote(text))
	}
	o := options[0]
	if section == "Manager" {
		return c.setManager(o.Name, o.Value)
	}
	return c.View.set(o.Name, o.Value)
}

func (c *Config) setManager(key, value string) (err error) {
	switch {
	case key != "LogLevel":
		return fmt.Errorf("unknown name %s in [Manager]", quote(key))
	case value == "":
		c.LogLevel = LogInfo
		return nil
	}
	level, err := ParseLogLevel(value)
	if err == nil {
		c.LogLevel = level
	}
	return err
}

// set does one line of [View].
func (s *Settings) set(key, value string) error {
	place, ok := lookup(key)
	if !ok {
		if positive, negated := strings.CutPrefix(key, "no"); negated {
			if _, ok := lookup(positive); ok {
				return fmt.Errorf("%s is a mount option; in a file, write %s=no", key, positive)
			}
		}
		return fmt.Errorf("unknown name %s in [View]", quote(key))
	}
	if value == "" {
		s.given &^= 1 << place
		return nil
	}
	on := false
	if table()[place].field != nil {
		var err error
		if on, err = parseBool(value); err != nil {
			return fmt.Errorf("%s=%w", key, err)
		}
	}
	return s.give(place, value, on)
}

// parseBool knows the spellings of systemd's parse_boolean().
func parseBool(s string) (bool, error) {
	switch strings.ToLower(s) {
	case "1", "yes", "y", "true", "t", "on":
		return true, nil
	case "0", "no", "n", "false", "f", "off":
		return false, nil
	}
	return false, fmt.Errorf("%s is not a boolean (yes or no)", quote(s))
}
