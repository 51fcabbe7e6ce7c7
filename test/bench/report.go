package main

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"
)

// report writes the results as Markdown: for each scene and unit a table with a
// column for each server.
func report(r results, w io.Writer) error {
	out := bufio.NewWriter(w)
	fmt.Fprint(out, "# Results\n\nWhat `test/bench/run` measured. Medians; smaller is better but for /s.\n\n")
	for _, line := range r.Machine {
		fmt.Fprintln(out, "-", line)
	}
	for _, s := range scenes() {
		rows := slices.DeleteFunc(slices.Clone(r.Rows), func(one row) bool { return one.Scene != s.name })
		if len(rows) == 0 {
			continue
		}
		fmt.Fprintf(out, "\n## %s\n\n%s\n", s.title, s.about)
		for _, unit := range distinct(rows, func(one row) string { return one.Unit }) {
			table(out, unit, rows)
		}
	}
	return out.Flush()
}

// distinct returns the different values of f, in the order in which they come.
func distinct(rows []row, f func(row) string) []string {
	var all []string
	for _, one := range rows {
		if v := f(one); !slices.Contains(all, v) {
			all = append(all, v)
		}
	}
	return all
}

// table writes the rows of one unit.
func table(w io.Writer, unit string, rows []row) {
	rows = slices.DeleteFunc(slices.Clone(rows), func(one row) bool { return one.Unit != unit })
	servers := distinct(rows, func(one row) string { return one.Server })
	if !slices.ContainsFunc(rows, func(one row) bool { return one.Server == native && one.Value > 0 }) { // the kernel has no server
		servers = slices.DeleteFunc(servers, func(s string) bool { return s == native })
	}
	fmt.Fprintf(w, "\n| %s | %s |\n|---|%s\n", unit, strings.Join(servers, " | "), strings.Repeat("---:|", len(servers)))
	for _, what := range distinct(rows, func(one row) string { return one.Case }) {
		fmt.Fprintf(w, "| %s |", what)
		for _, s := range servers {
			i := slices.IndexFunc(rows, func(one row) bool { return one.Case == what && one.Server == s })
			if i < 0 {
				fmt.Fprint(w, " |")
				continue
			}
			fmt.Fprintf(w, " %s |", figure(rows[i].Value))
		}
		fmt.Fprintln(w)
	}
}

// figure prints three significant digits.
func figure(v float64) string {
	switch {
	case v >= 100:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.2f", v)
}
