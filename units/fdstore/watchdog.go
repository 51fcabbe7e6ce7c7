package fdstore

import (
	"fmt"
	"math"
	"os"
	"strconv"
	"time"
)

// Watchdog returns how long the manager waits for a "WATCHDOG=1" before it
// kills this process, 0 when it does not (sd_watchdog_enabled(3)). Feed it
// twice as often. The variables stay in the environment.
func Watchdog() (time.Duration, error) {
	return watchdog(os.Getenv("WATCHDOG_USEC"), os.Getenv("WATCHDOG_PID"), os.Getpid())
}

// watchdog parses WATCHDOG_USEC=30000000 and WATCHDOG_PID=4711, which is
// optional.
func watchdog(usec, owner string, pid int) (time.Duration, error) {
	if usec == "" {
		return 0, nil
	}
	if owner != "" {
		n, err := strconv.Atoi(owner)
		if err != nil {
			return 0, fmt.Errorf("environment variable WATCHDOG_PID: not a pid: %q", owner)
		}
		if n != pid {
			return 0, nil
		}
	}
	n, err := strconv.ParseUint(usec, 10, 64)
	if err != nil || n == 0 || n > math.MaxInt64/uint64(time.Microsecond) {
		return 0, fmt.Errorf("environment variable WATCHDOG_USEC: not a time: %q", usec)
	}
	return time.Duration(n) * time.Microsecond, nil
}
