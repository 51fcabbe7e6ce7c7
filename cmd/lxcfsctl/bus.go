package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"linuxcontainers.org/lxcfs/dbusapi"
	"linuxcontainers.org/lxcfs/hooks/attach"
)

// askTimeout bounds a question to the daemon; for a password it is longer.
const (
	askTimeout    = 25 * time.Second
	manageTimeout = 2 * time.Minute
)

// ask connects to the bus and lets f ask the daemon.
func ask(cmd *cobra.Command, timeout time.Duration, f func(context.Context, *dbusapi.Client) error) error {
	ctx, cancel := context.WithTimeout(cmd.Context(), timeout)
	defer cancel()
	client, err := dbusapi.Connect(ctx, "")
	if err != nil {
		return err
	}
	defer client.Close()
	err = f(ctx, client)
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("%w: no answer within %v", dbusapi.ErrNotRunning, timeout)
	}
	return err
}

// inOneSentence says what to do about a daemon that is not reached.
func inOneSentence(err error) error {
	switch {
	case errors.Is(err, dbusapi.ErrNoBus):
		return fmt.Errorf("lxcfs can't be asked without the system bus: %w", err)
	case errors.Is(err, dbusapi.ErrNotRunning):
		return fmt.Errorf("%w; is it running? systemctl start lxcfs", err)
	}
	return err
}

// statusOf returns the exit status for an error.
func statusOf(err error) int {
	var usage usageError
	var problems problemsError
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &usage):
		return exitUsage
	case errors.As(err, &problems):
		return exitFailure
	case errors.Is(err, dbusapi.ErrNoBus), errors.Is(err, dbusapi.ErrNotRunning):
		return exitUnreachable
	case errors.Is(err, dbusapi.ErrDenied):
		return exitDenied
	case errors.Is(err, dbusapi.ErrNoSuchContainer), errors.Is(err, dbusapi.ErrNoSuchProcess),
		errors.Is(err, dbusapi.ErrNoSuchFile), errors.Is(err, dbusapi.ErrNoSuchConnection),
		errors.Is(err, attach.ErrNotFound), errors.Is(err, attach.ErrGone):
		return exitNotFound
	}
	return exitFailure
}

// jsonFlag adds --json.
func jsonFlag(cmd *cobra.Command, value *bool) {
	cmd.Flags().BoolVar(value, "json", false, "print JSON")
}

// printJSON prints one JSON value.
func printJSON(w io.Writer, value any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(value)
}

// pick finds the container that a name means: the name or RUNTIME/NAME, the
// first eight or more characters of an id, the unit, or the cgroup.
func pick(all []dbusapi.ContainerUsage, name string) (dbusapi.ContainerUsage, error) {
	var found []dbusapi.ContainerUsage
	encoded := dbusapi.EncodeText(name)
	for _, c := range all {
		if named(c.Container, encoded) {
			found = append(found, c)
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		if c, ok := claiming(all, encoded); ok {
			return dbusapi.ContainerUsage{}, fmt.Errorf("%w: %s is only claimed, and claims name nothing; if that one is meant, give its cgroup: --container %s",
				dbusapi.ErrNoSuchContainer, c.ClaimedName, c.Cgroup)
		}
		return dbusapi.ContainerUsage{}, fmt.Errorf("%w: %q has read no file of lxcfs yet (lxcfsctl containers lists those that have; --pid finds others)", dbusapi.ErrNoSuchContainer, name)
	}
	return dbusapi.ContainerUsage{}, fmt.Errorf("%q is more than one container: %s and %s; name the cgroup", name, found[0].Cgroup, found[1].Cgroup)
}

// claiming finds who claims a name, as containers shows it or in full.
func claiming(all []dbusapi.ContainerUsage, name string) (dbusapi.ContainerUsage, bool) {
	name = strings.TrimSuffix(name, " (claimed)")
	for _, c := range all {
		_, bare, _ := strings.Cut(c.ClaimedName, "/")
		if c.ClaimedName != "" && name != "" && (strings.HasPrefix(c.ClaimedName, name) || strings.HasPrefix(bare, name)) {
			return c, true
		}
	}
	return dbusapi.ContainerUsage{}, false
}

func named(c dbusapi.Container, name string) bool {
	const digits = 8
	switch {
	case name == "":
		return false
	case name == c.Name, c.Name != "" && name == c.Runtime+"/"+c.Name, name == c.Unit, name == c.Cgroup:
		return true
	}
	return c.Kind == "application" && len(name) >= digits && len(c.Name) > len(name) && c.Name[:len(name)] == name
}
