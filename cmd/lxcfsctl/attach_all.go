package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"linuxcontainers.org/lxcfs/hooks/attach"
)

// What attach --all and detach --all take at most: time in all, time for one
// top-level container with all that is nested in it, and top-level containers that
// are worked on at a time. One that has its mounts or its processes wait costs its
// own time, and a worker for so long.
const (
	allTimeout  = 5 * time.Minute
	allPerTop   = attachTimeout
	allAtATime  = 8
	namesOfLeft = 20
)

// everywhere works on every namespace that was found, those of runtimes' containers
// first. An error of one does not keep the others from it.
func (a *attaching) everywhere(cmd *cobra.Command, refused *attach.Refused, found []attach.Found) error {
	ctx, cancel := context.WithTimeout(cmd.Context(), a.timeout)
	defer cancel()
	out := &lockedWriter{w: cmd.OutOrStdout()}
	known := 0
	for known < len(found) && found[known].Known() {
		known++
	}
	round := func(ctx context.Context, f attach.Found) error { return a.one(ctx, out, refused, f) }
	spent := make(map[string]time.Duration)
	var s sweep
	s.run(ctx, found[:known], spent, round)
	s.run(ctx, found[known:], spent, round)
	return s.result(a.verb(), a.timeout)
}

// sweep is what came of --all.
type sweep struct {
	mu   sync.Mutex
	errs []error
	left []string // by name, who were not got to
}

// run works on some namespaces, which are in the order of importance: on one of a
// top-level container after the other, on some top-level containers at a time.
// spent is what each has used.
func (s *sweep) run(ctx context.Context, found []attach.Found, spent map[string]time.Duration, one func(context.Context, attach.Found) error) {
	var tops []string
	of := make(map[string][]attach.Found)
	for _, f := range found {
		if of[f.Top] == nil {
			tops = append(tops, f.Top)
		}
		of[f.Top] = append(of[f.Top], f)
	}
	queue := make(chan string, len(tops))
	for _, top := range tops {
		queue <- top
	}
	close(queue)
	var working sync.WaitGroup
	for range min(allAtATime, len(tops)) {
		working.Go(func() {
			for top := range queue {
				s.mu.Lock()
				left := allPerTop - spent[top]
				s.mu.Unlock()
				used := s.inTop(ctx, of[top], left, one)
				s.mu.Lock()
				spent[top] += used
				s.mu.Unlock()
			}
		})
	}
	working.Wait()
}

// inTop works on the namespaces of one top-level container, and says how long.
func (s *sweep) inTop(ctx context.Context, found []attach.Found, limit time.Duration, one func(context.Context, attach.Found) error) time.Duration {
	begun := time.Now()
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	for _, f := range found {
		if ctx.Err() != nil {
			s.leave(f)
			continue
		}
		err := one(ctx, f)
		switch {
		case err == nil, errors.Is(err, attach.ErrGone): // it ended meanwhile
		case errors.Is(err, context.DeadlineExceeded):
			s.leave(f)
		default:
			s.fail(err)
		}
	}
	return time.Since(begun)
}

func (s *sweep) leave(f attach.Found) {
	name := f.Name()
	if name == "" {
		name = fmt.Sprintf("process %d", f.PID)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.left = append(s.left, name)
}

func (s *sweep) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.errs = append(s.errs, err)
}

// result says who was left, and what to do.
func (s *sweep) result(verb string, timeout time.Duration) error {
	if len(s.left) == 0 {
		return errors.Join(s.errs...)
	}
	names := s.left
	more := ""
	if len(names) > namesOfLeft {
		names, more = names[:namesOfLeft], fmt.Sprintf(" and %d more", len(names)-namesOfLeft)
	}
	text := ""
	for i, name := range names {
		if i > 0 {
			text += ", "
		}
		text += name
	}
	return errors.Join(append(s.errs, fmt.Errorf("not done within %v, or %v for one container with all in it: %s%s; for one: lxcfsctl %s NAME",
		timeout, allPerTop, text, more, verb))...)
}

// lockedWriter lets one write at a time through.
type lockedWriter struct {
	mu sync.Mutex
	w  io.Writer
}

func (l *lockedWriter) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(b)
}
