package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"linuxcontainers.org/lxcfs/dbusapi"
)

// checkFiles has the daemon read each file whole, in blocks of all sizes that
// programs use, on the way that readers take: what they would get as an error is
// found though no number says so.
func checkFiles(w *world) []finding {
	if _, err := w.daemon(); err != nil {
		return nil // which another check says
	}
	if !w.root {
		return []finding{{Verdict: note, Text: "not read: root has the daemon read them", Mend: "sudo lxcfsctl doctor"}}
	}
	check, err := w.read()
	if err != nil {
		return []finding{{Verdict: warning, Text: "not all were read: " + err.Error(), Mend: "lxcfsctl doctor, once more; journalctl -b -u lxcfs"}}
	}
	if len(check.Faults) == 0 {
		return []finding{{Verdict: fine, Text: fmt.Sprintf("all %d are read whole, in blocks of 1 byte to 1 MiB", check.Files)}}
	}
	return faultFindings(check.Faults)
}

// faultFindings has one finding for each set of block sizes that fails, with the
// first of the files and its reason.
func faultFindings(faults []dbusapi.FileFault) []finding {
	type file struct{ connection, path string }
	sizes, reason := make(map[file][]string), make(map[file]string)
	var order []file
	for _, f := range faults {
		k := file{f.Connection, f.File}
		if sizes[k] == nil {
			order = append(order, k)
		}
		sizes[k], reason[k] = append(sizes[k], strconv.FormatUint(uint64(f.BlockSize), 10)), f.Reason
	}
	var found []finding
	var done []string
	for _, k := range order {
		blocks := strings.Join(sizes[k], ", ")
		if slices.Contains(done, blocks) {
			continue
		}
		done = append(done, blocks)
		others := 0
		for _, other := range order {
			if strings.Join(sizes[other], ", ") == blocks {
				others++
			}
		}
		text := k.path
		if others > 1 {
			text = fmt.Sprintf("%s and %d others", k.path, others-1)
		}
		found = append(found, finding{
			Verdict: problem, Text: fmt.Sprintf("%s can't be read in blocks of %s bytes: %s", text, blocks, reason[k]),
			Mend: "journalctl -b -u lxcfs; it is a fault of lxcfs: report it with the output of lxcfsctl doctor --json",
		})
	}
	return found
}
