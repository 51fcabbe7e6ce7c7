package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"unicode/utf8"

	"golang.org/x/sys/unix"

	"linuxcontainers.org/lxcfs/cmd/escape"
	"linuxcontainers.org/lxcfs/dbusapi"
)

// screen is where output goes, and what that can do. All that is said in words goes
// through it: containers choose names and paths, and no byte of these may be an
// order to a terminal, or a line of its own.
type screen struct {
	io.Writer
	width    int // columns; 0: as many as it takes
	colours  bool
	terminal bool
}

// screenOf looks at an output. Colours and a width are for terminals only;
// https://no-color.org.
func screenOf(w io.Writer) screen {
	s := screen{Writer: w}
	file, ok := w.(*os.File)
	if !ok {
		return s
	}
	size, err := unix.IoctlGetWinsize(int(file.Fd()), unix.TIOCGWINSZ)
	if err != nil {
		return s
	}
	s.terminal = true
	s.width = int(size.Col)
	s.colours = os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
	return s
}

// colour is a sequence of ECMA-48.
type colour string

const (
	plain  colour = ""
	bold   colour = "\x1b[1m"
	red    colour = "\x1b[31m"
	green  colour = "\x1b[32m"
	yellow colour = "\x1b[33m"
	reset         = "\x1b[0m"
)

// painted is text that is fit to be printed as it is.
type painted string

// shown makes text of anybody, as the bus has it, fit to be printed.
func shown(text string) painted { return painted(escape.Text(dbusapi.DecodeText(text))) }

// paint colours text where there are colours.
func (s screen) paint(c colour, text string) painted { return s.coloured(c, shown(text)) }

func (s screen) coloured(c colour, text painted) painted {
	if !s.colours || c == plain {
		return text
	}
	return painted(c) + text + reset
}

// say prints a line. What is not painted is made fit to be printed.
func (s screen) say(format string, args ...any) error {
	for i, arg := range args {
		switch v := arg.(type) {
		case painted:
		case string:
			args[i] = shown(v)
		case error:
			args[i] = shown(v.Error())
		case fmt.Stringer:
			args[i] = shown(v.String())
		}
	}
	_, err := fmt.Fprintf(s, format+"\n", args...)
	return err
}

// complain prints errors, each on a line.
func (s screen) complain(err error) error {
	if all, ok := err.(interface{ Unwrap() []error }); ok && joined(err, all.Unwrap()) {
		var failed error
		for _, e := range all.Unwrap() {
			failed = errors.Join(failed, s.complain(e))
		}
		return failed
	}
	return s.say("lxcfsctl: %s", err)
}

// joined says whether err is no more than these errors, errors.Join's.
func joined(err error, all []error) bool { return err.Error() == errors.Join(all...).Error() }

// table prints rows in columns, the first row as a heading.
func (s screen) table(rows [][]string) error {
	var b strings.Builder
	t := tabwriter.NewWriter(&b, 0, 8, 2, ' ', 0)
	for _, row := range rows {
		cells := make([]string, len(row))
		for i, cell := range row {
			cells[i] = string(shown(cell))
		}
		fmt.Fprintln(t, strings.Join(cells, "\t"))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	heading := bold
	for line := range strings.Lines(b.String()) {
		line = s.cut(strings.TrimRight(line, " \n"))
		if err := s.say("%s", s.coloured(heading, painted(line))); err != nil {
			return err
		}
		heading = plain
	}
	return nil
}

// cut shortens a line to the width.
func (s screen) cut(line string) string {
	if s.width <= 0 || utf8.RuneCountInString(line) <= s.width {
		return line
	}
	return string([]rune(line)[:s.width])
}

// field is a name and a value.
type field struct {
	name, value string
	colour      colour // of the value
}

// fields prints names and values, one a line.
func (s screen) fields(all []field) error {
	width := 0
	for _, f := range all {
		width = max(width, len(f.name))
	}
	for _, f := range all {
		if err := s.say("%s %s", s.paint(bold, fmt.Sprintf("%*s:", width, f.name)), s.paint(f.colour, f.value)); err != nil {
			return err
		}
	}
	return nil
}

// size prints bytes in units of 1024, to one place.
func size(bytes uint64) string {
	const units = "KMGTPE"
	if bytes < 1024 {
		return fmt.Sprintf("%dB", bytes)
	}
	v, unit := float64(bytes)/1024, 0
	for v >= 1023.95 && unit < len(units)-1 {
		v /= 1024
		unit++
	}
	return fmt.Sprintf("%.1f%c", v, units[unit])
}
