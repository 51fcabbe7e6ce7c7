package main

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
)

func example() results {
	return results{
		Machine: []string{"a machine"},
		Rows: []row{
			{"files", "meminfo cat", ours, "p50 us", 12.345},
			{"files", "meminfo cat", native, "p50 us", 1234.5},
			{"files", "stat cat", ours, "p50 us", 1.2345},
			{"files", "stat cat", ours, "CPU us", 5},
			{"hertz", "2 containers", ours, "CPU %", 3},
		},
	}
}

func TestReport(t *testing.T) {
	var out strings.Builder
	if err := report(example(), &out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"- a machine\n",
		"| p50 us | ours | native |\n|---|---:|---:|\n| meminfo cat | 12.3 | 1234 |\n| stat cat | 1.23 | |\n",
		"| CPU us | ours |\n",
		"\n## Many containers, once a second\n",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in\n%s", want, out.String())
		}
	}
}

func TestPlot(t *testing.T) {
	var out strings.Builder
	if err := plot(example(), &out); err != nil {
		t.Fatal(err)
	}
	for d := xml.NewDecoder(strings.NewReader(out.String())); ; {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("%v in\n%s", err, out.String())
		}
	}
	if n := strings.Count(out.String(), "<rect x="); n != 3 {
		t.Errorf("got %d bars, want 3", n)
	}
}

func TestMedian(t *testing.T) {
	all := []sample{{p50: 9}, {p50: 1}, {p50: 5}}
	if got := median(all, func(s sample) float64 { return s.p50 }); got != 5 {
		t.Errorf("got %v, want 5", got)
	}
}
