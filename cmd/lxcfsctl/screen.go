package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"unicode/utf8"

	"golang.org/x/sys/unix"
)

// screen is where output goes, and what that can do.
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

// paint colours text where there are colours.
func (s screen) paint(c colour, text string) string {
	if !s.colours || c == plain {
		return text
	}
	return string(c) + text + reset
}

// table prints rows in columns, the first row as a heading.
func (s screen) table(rows [][]string) error {
	var b strings.Builder
	t := tabwriter.NewWriter(&b, 0, 8, 2, ' ', 0)
	for _, row := range rows {
		fmt.Fprintln(t, strings.Join(row, "\t"))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	heading := bold
	for line := range strings.Lines(b.String()) {
		line = s.cut(strings.TrimRight(line, " \n"))
		if _, err := fmt.Fprintln(s, s.paint(heading, line)); err != nil {
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

// fields prints names and values, one a line.
func (s screen) fields(pairs [][2]string) error {
	width := 0
	for _, p := range pairs {
		width = max(width, len(p[0]))
	}
	for _, p := range pairs {
		if _, err := fmt.Fprintf(s, "%s %s\n", s.paint(bold, fmt.Sprintf("%*s:", width, p[0])), p[1]); err != nil {
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
