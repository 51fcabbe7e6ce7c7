package daemon

import (
	"linuxcontainers.org/lxcfs/cmd/lxcfs/session"
	"linuxcontainers.org/lxcfs/fs/psi"
)

// newTriggers makes the pressure triggers of a connection with the option
// psi-poll.
func (s *server) newTriggers(conn *session.Session) *psi.Engine {
	return psi.New(psi.Config{
		Host:     s.machine.host,
		Resolver: s.machine.resolver,
		Clock:    bootClock,
		Notify:   func(kh uint64) { conn.NotifyPoll(kh) }, // fails when the mount is gone
		Keep:     func(fh uint64, record []byte) { conn.Handles().Mark(fh, record) },
		Drop:     func(fh uint64) { conn.Handles().Unmark(fh) },
	})
}

// restoreTriggers takes over those of an earlier process, or forgets them where
// they are switched off now.
func (c *connection) restoreTriggers() {
	for fh, record := range c.session.Handles().Marks() {
		if c.triggers == nil {
			c.session.Handles().Unmark(fh)
			continue
		}
		c.triggers.Restore(fh, record)
	}
}
