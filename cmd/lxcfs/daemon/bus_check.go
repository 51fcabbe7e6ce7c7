package daemon

import (
	"context"
	"fmt"
	"strings"
	"time"

	"linuxcontainers.org/lxcfs/dbusapi"
)

// blockSizes are those in which programs read: busybox's dd and some shells, glibc's
// stdio, Go and Java, cat of coreutils before and since 9.0, mbuffer and dd bs=1M.
func blockSizes() []int { return []int{1, 512, 4096, 65536, 131072, 262144, 1 << 20} }

const (
	// checkTime bounds a check of all files.
	checkTime = 30 * time.Second
	// checkCaller reads: pid 1, to whom the files are the host's. What goes wrong
	// on the way to a container's numbers is a fallback, which is counted.
	checkCaller = 1
	// maxFaults bounds what is reported.
	maxFaults = 1000
	// ofAKind is how many files are read whose paths differ in numbers only: those of
	// CPUs, nodes and blocks of memory, of which a host may have thousands.
	ofAKind = 2
)

// kindOf returns a path with a "#" for each number in it.
func kindOf(path string) string {
	var kind strings.Builder
	number := false
	for _, c := range path {
		digit := '0' <= c && c <= '9'
		switch {
		case !digit:
			kind.WriteRune(c)
		case !number:
			kind.WriteByte('#')
		}
		number = digit
	}
	return kind.String()
}

// CheckFiles has each connection read its files as programs would, a few of each
// kind.
func (b *onBus) CheckFiles() (c dbusapi.FilesCheck, err error) {
	if !b.checking.TryLock() {
		return c, fmt.Errorf("the files are being checked already")
	}
	defer b.checking.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), checkTime)
	defer cancel()
	for _, conn := range b.connections() {
		var paths []string
		conn.use(func() { paths = conn.tree.Paths(checkCaller) })
		kinds := make(map[string]int)
		for _, path := range paths {
			kind := kindOf(path)
			if kinds[kind]++; kinds[kind] > ofAKind {
				continue
			}
			var faults []dbusapi.FileFault
			conn.use(func() { faults = b.checkFile(ctx, conn, path) })
			if ctx.Err() != nil {
				return c, fmt.Errorf("after %v only %d files were read", checkTime, c.Files)
			}
			c.Files++
			c.Faults = append(c.Faults, faults...)
			if len(c.Faults) > maxFaults {
				return c, nil
			}
		}
	}
	return c, nil
}

// checkFile reads one file in all block sizes. A file that can't be read on the host
// either is as it should be.
func (b *onBus) checkFile(ctx context.Context, c *connection, path string) (faults []dbusapi.FileFault) {
	for _, size := range blockSizes() {
		_, err := c.session.Rehearse(ctx, path, checkCaller, size)
		if err == nil {
			continue
		}
		if _, hostErr := b.machine.files.Append(nil, path); hostErr != nil {
			return nil
		}
		faults = append(faults, dbusapi.FileFault{Connection: c.id, File: path, BlockSize: uint32(size), Reason: err.Error()})
	}
	return faults
}
