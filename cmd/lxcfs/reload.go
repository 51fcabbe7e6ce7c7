package main

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"linuxcontainers.org/lxcfs/fs/config"
)

// reload reads the configuration again and says so to the manager. With a
// mistake in it the old one stays in force.
func (s *service) reload() error {
	s.store.notify(s.log, "RELOADING=1", monotonic())
	defer func() { s.store.notify(s.log, "READY=1", "STATUS="+s.status()) }()
	if err := s.reconfigure(); err != nil {
		s.log.Error("the configuration was not reloaded: the old one stays in force")
		return err
	}
	if bus := s.bus.Load(); bus != nil {
		bus.Reloaded()
	}
	return nil
}

// reconfigure puts the configuration files into force for all connections, or
// logs their mistakes and returns them.
func (s *server) reconfigure() error {
	cfg, err := loadConfig("/")
	if err != nil {
		logMistakes(s.log, err)
		return err
	}
	s.mu.Lock()
	s.config = cfg
	s.mu.Unlock()
	s.log.setLevel(cfg.LogLevel)
	for _, c := range s.connections() {
		opts, err := s.optionsOf(c.origin)
		if err != nil {
			s.log.Warn("options of a mount", "id", c.id, "error", err)
		}
		c.renderer.SetOptions(viewOf(opts))
	}
	s.log.Info("configuration loaded")
	return nil
}

// logMistakes logs each mistake in the configuration with file and line.
func logMistakes(log logger, err error) {
	list, ok := err.(interface{ Unwrap() []error })
	if !ok {
		log.Error("mistake in the configuration", "error", err)
		return
	}
	for _, err := range list.Unwrap() {
		var line *config.LineError
		if errors.As(err, &line) {
			log.Error("mistake in the configuration", "file", line.File, "line", line.Line, "reason", line.Reason)
			continue
		}
		log.Error("mistake in the configuration", "error", err)
	}
}

// monotonic is the assignment that belongs to RELOADING=1, sd_notify(3).
func monotonic() string {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts); err != nil {
		return "MONOTONIC_USEC=0"
	}
	return fmt.Sprintf("MONOTONIC_USEC=%d", ts.Nano()/1000)
}
