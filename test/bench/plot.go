package main

import (
	"bufio"
	"fmt"
	"io"
)

// Sizes of the plot, pixels.
const (
	plotWidth  = 760
	plotLeft   = 150
	barHeight  = 12
	groupSpace = 14
)

// colour of a server's bars.
func colour(server string) string {
	switch server {
	case ours:
		return "#1b7f5c"
	case upstream:
		return "#c0504d"
	case native:
		return "#4472c4"
	}
	return "#999999"
}

// plot draws how long a reader waits for each file, by the rows of scene files
// with p50, as SVG.
func plot(r results, w io.Writer) error {
	var bars []row
	longest := 1.0
	for _, one := range r.Rows {
		if one.Scene == "files" && one.Unit == "p50 us" && one.Server != floorGo {
			bars = append(bars, one)
			longest = max(longest, one.Value)
		}
	}
	cases := distinct(bars, func(one row) string { return one.Case })
	height := len(bars)*barHeight + len(cases)*groupSpace + 40
	out := bufio.NewWriter(w)
	fmt.Fprintf(out, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" font-family="sans-serif" font-size="11">`+"\n", plotWidth, height)
	fmt.Fprintf(out, `<rect width="100%%" height="100%%" fill="white"/><text x="8" y="16">microseconds until the answer, median, one reader</text>`+"\n")
	y := 28
	for _, what := range cases {
		fmt.Fprintf(out, `<text x="8" y="%d">%s</text>`+"\n", y+barHeight-2, what)
		for _, one := range bars {
			if one.Case != what {
				continue
			}
			width := one.Value / longest * (plotWidth - plotLeft - 120)
			fmt.Fprintf(out, `<rect x="%d" y="%d" width="%.1f" height="%d" fill="%s"/>`, plotLeft, y, width, barHeight-2, colour(one.Server))
			fmt.Fprintf(out, `<text x="%.1f" y="%d">%s %s</text>`+"\n", plotLeft+width+4, y+barHeight-3, figure(one.Value), one.Server)
			y += barHeight
		}
		y += groupSpace
	}
	fmt.Fprintln(out, "</svg>")
	return out.Flush()
}
