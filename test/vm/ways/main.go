// Ways reads files in every way that package ways knows, and compares what it gets
// with what read(2) gets. Each way that gets something else is a line, and status 1.
//
//	ways FILE...
//
// A way that the kernel refuses is no fault, for programs read(2) then: EINVAL, EXDEV,
// ENOSYS, and EIO of a splice of what may not be in the page cache, with kernels
// newer than Linux 6.18. It knows nothing of lxcfs.
package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"linuxcontainers.org/lxcfs/test/lib/ways"
)

func main() {
	status := 0
	for _, path := range os.Args[1:] {
		for _, fault := range faults(path) {
			fmt.Println(fault)
			status = 1
		}
	}
	os.Exit(status)
}

func faults(path string) []string {
	want, err := os.ReadFile(path)
	if err != nil {
		return []string{err.Error()}
	}
	var found []string
	for _, w := range ways.All() {
		os.Stat(path) // what it shows must not change what is read
		got, err := w.Read(path)
		switch {
		case errors.Is(err, unix.EINVAL), errors.Is(err, unix.EXDEV), errors.Is(err, unix.ENOSYS):
			continue
		case w.Spliced() && errors.Is(err, unix.EIO):
			continue
		}
		if err != nil || !bytes.Equal(got, want) {
			found = append(found, fmt.Sprintf("%s of %s: %d bytes of %d, %v", w.Name, path, len(got), len(want), err))
		}
	}
	return found
}
