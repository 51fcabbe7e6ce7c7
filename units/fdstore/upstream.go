package fdstore

import "strings"

// forward tells the keeper's own manager what the worker said. A manager that does
// not read holds the worker up as it would without a keeper: for 5 s at most.
func (k *Keeper) forward(message string, fds []int) {
	if k.config.Upstream == nil {
		return
	}
	message = withoutOwn(message)
	if message == "" {
		return
	}
	if err := k.config.Upstream.forward(message, fds); err != nil {
		k.report(Event{Kind: Untold, Err: err})
	}
}

// withoutOwn returns a message of the worker's without what is the keeper's to say:
// that the main process is alive, and which that is.
//
//	READY=1
//	WATCHDOG=1
//	STATUS=Serving 1 connection
func withoutOwn(message string) string {
	var kept []string
	for line := range strings.SplitSeq(strings.TrimSuffix(message, "\x00"), "\n") {
		switch key, _, _ := strings.Cut(line, "="); key {
		case "", "WATCHDOG", "WATCHDOG_USEC", "MAINPID", "MAINPIDFDID":
		default:
			kept = append(kept, line)
		}
	}
	return strings.Join(kept, "\n")
}

// forward sends a message of somebody else's as it is.
func (c *Client) forward(message string, fds []int) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.send(message, fds...)
}

// beat tells the keeper's own manager that the keeper is alive.
func (k *Keeper) beat() {
	if err := k.config.Upstream.Notify("WATCHDOG=1"); err != nil {
		k.report(Event{Kind: Untold, Err: err})
	}
}
