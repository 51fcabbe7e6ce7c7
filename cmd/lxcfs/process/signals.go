package process

import (
	"os"
	"os/signal"

	"golang.org/x/sys/unix"
)

// CatchSignals catches the signals that mean something to lxcfs, and has a peer that
// hung up be an error of write(2).
func CatchSignals() <-chan os.Signal {
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, unix.SIGTERM, unix.SIGINT, unix.SIGHUP, unix.SIGUSR1, unix.SIGUSR2)
	signal.Ignore(unix.SIGPIPE)
	return signals
}
