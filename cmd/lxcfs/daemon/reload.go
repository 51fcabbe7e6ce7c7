package daemon

import (
	"errors"
	"fmt"
	"reflect"
	"time"

	"golang.org/x/sys/unix"

	"linuxcontainers.org/lxcfs/cmd/lxcfs/config"
	"linuxcontainers.org/lxcfs/cmd/lxcfs/logs"
)

// echoTime is how long after a reload another one that finds the same is its echo: of
// two signals that systemd's reload sends, see ExecReload= in lxcfs.service.
const echoTime = 5 * time.Second

// loaded is what was read from the configuration files, and when.
type loaded struct {
	config config.Config
	err    error
	at     time.Time
}

// echoes says whether l is nothing new after what was loaded before.
func (l loaded) echoes(before *loaded) bool {
	return before != nil && l.at.Sub(before.at) < echoTime &&
		reflect.DeepEqual(l.config, before.config) && fmt.Sprint(l.err) == fmt.Sprint(before.err)
}

// reload reads the configuration again and says so to the manager. With a
// mistake in it the old one stays in force.
func (s *service) reload() error {
	s.store.notify(s.log, "RELOADING=1", monotonic())
	defer s.tellReady()
	cfg, err := loadConfig("/")
	l := loaded{cfg, err, time.Now()}
	before := s.loaded
	if s.loaded = &l; l.echoes(before) {
		return err
	}
	if err != nil {
		logMistakes(s.log, err)
		s.log.Error("the configuration was not reloaded: the old one stays in force")
		return err
	}
	s.reconfigure(cfg)
	if s.bus != nil {
		s.bus.Reloaded()
	}
	return nil
}

// reconfigure puts a configuration into force for all connections.
func (s *server) reconfigure(cfg config.Config) {
	s.mu.Lock()
	s.config = cfg
	s.mu.Unlock()
	s.log.SetLevel(cfg.LogLevel)
	for _, c := range s.connections() {
		opts, err := s.optionsOf(c.origin)
		if err != nil {
			s.log.Warn("options of a mount", "id", c.id, "error", err)
		}
		c.renderer.SetOptions(viewOf(opts))
	}
	s.log.Info("configuration loaded")
}

// errConfig ends a check that has logged what is wrong.
var errConfig = errors.New("there are mistakes in the configuration")

// CheckConfig reads the configuration files below root and logs their mistakes.
func CheckConfig(root string, log logs.Logger) error {
	if _, err := loadConfig(root); err != nil {
		logMistakes(log, err)
		return errConfig
	}
	return nil
}

// logMistakes logs each mistake in the configuration with file and line.
func logMistakes(log logs.Logger, err error) {
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
