package process

import (
	"os"
	"runtime"
	"runtime/debug"

	"golang.org/x/sys/unix"
)

const (
	// maxHeld bounds the files held open of the machine: the kernel keeps 5 KiB
	// for each.
	maxHeld = 16384
	// ownFiles is how many descriptors are left for all else: connections,
	// journals, accounts, the bus, and files that are open for one read.
	ownFiles = 512
	// heapPercent is how much the heap may grow, in percent of what is live,
	// before it is collected.
	heapPercent = 50
	// ballastSize is memory that is never touched, bytes: half of it is what a
	// small daemon may leave in garbage, about 1 KiB for each request, before it
	// is collected. A collection takes a reader a millisecond.
	ballastSize = 16 << 20
	// heapGoal is where the collector begins to try harder, bytes; ten thousand
	// containers live in half of it.
	heapGoal = 256 << 20
)

// Tune sets the runtime up for a small daemon, most of whose threads wait in
// read(2). One processor of Go's more than these makes it let them keep theirs:
// else its monitor takes them away every 20 us, and a request costs two futex(2)
// more. $GOMAXPROCS is obeyed.
func Tune() {
	if os.Getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(processors(runtime.NumCPU()))
	}
	debug.SetGCPercent(heapPercent)
	ballast = make([]byte, ballastSize)
	debug.SetMemoryLimit(heapGoal)
}

// ballast makes the collector believe that there is more to keep.
var ballast []byte

// processors returns how many goroutines may run at once on so many CPUs.
func processors(cpus int) int { return min(max(cpus+2, 4), 16) }

// HeldFiles returns how many files of the machine may be held open under
// RLIMIT_NOFILE, whose soft limit Go raises to the hard one.
func HeldFiles() int {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return ownFiles
	}
	return heldOf(limit.Cur)
}

// heldOf is HeldFiles for a limit.
func heldOf(limit uint64) int {
	if limit < 2*ownFiles {
		return int(limit / 2)
	}
	return int(min(limit-ownFiles, maxHeld))
}
