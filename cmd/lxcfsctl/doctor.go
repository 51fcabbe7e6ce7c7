package main

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"linuxcontainers.org/lxcfs/cgroup/hostfile"
	"linuxcontainers.org/lxcfs/dbusapi"
)

// verdict says how bad a finding is.
type verdict string

// The verdicts. Only problems make doctor fail.
const (
	fine    verdict = "ok"
	note    verdict = "note"
	warning verdict = "warning"
	problem verdict = "problem"
)

// finding is what a check found.
type finding struct {
	Check   string  `json:"check"`
	Verdict verdict `json:"verdict"`
	Text    string  `json:"text"`
	Mend    string  `json:"mend,omitempty"` // a command, or what to do in words
}

// world is the machine as the checks see it.
type world struct {
	files hostfile.FS
	// lstat is the mode of a file, symbolic links not followed.
	lstat func(name string) (fs.FileMode, error)
	// release is the kernel's, uname(2).
	release string
	// run runs a command and returns what it prints, trimmed.
	run func(name string, args ...string) (string, error)
	// daemon asks the daemon.
	daemon func() (dbusapi.Status, error)
	// root says whether the daemon does as asked without a password.
	root bool
	// read has the daemon read its files.
	read func() (dbusapi.FilesCheck, error)
}

// check looks at one thing.
type check struct {
	name string
	look func(*world) []finding
}

// checks are all checks, in the order in which one would look for a fault.
func checks() []check {
	return []check{
		{"kernel", checkKernel},
		{"fuse", checkFuse},
		{"request timeout", checkTimeout},
		{"cgroups", checkCgroups},
		{"proc", checkProc},
		{"units", checkUnits},
		{"mount", checkMount},
		{"descriptor store", checkStore},
		{"permissions", checkPermissions},
		{"bus", checkBus},
		{"daemon", checkDaemon},
		{"files", checkFiles},
		{"runtimes", checkRuntimes},
	}
}

// problemsError says that doctor found so many problems.
type problemsError int

// Error is empty: doctor has said it all.
func (e problemsError) Error() string { return "" }

func doctorVerb() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "look for what is wrong, and say what mends it",
		Long: `Looks at the kernel, FUSE, cgroups, /proc, the units, the mount, the descriptor
store, permissions, the bus, the daemon, and the hooks of runtimes; as root it has
the daemon read each file in-process, as programs do. Says what is wrong and the
command that mends it; it changes nothing. The exit status is 1 if there is a
problem; notes and warnings are none.`,
		Args: arguments(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			found := examine(thisMachine(cmd.Context()))
			s := screenOf(cmd.OutOrStdout())
			if err := printFindings(s, found, asJSON); err != nil {
				return err
			}
			if n := count(found, problem); n > 0 {
				return problemsError(n)
			}
			return nil
		},
	}
	jsonFlag(cmd, &asJSON)
	return cmd
}

// examine runs all checks.
func examine(w *world) []finding {
	all := []finding{}
	for _, c := range checks() {
		for _, f := range c.look(w) {
			f.Check = c.name
			all = append(all, f)
		}
	}
	return all
}

func count(all []finding, v verdict) int {
	n := 0
	for _, f := range all {
		if f.Verdict == v {
			n++
		}
	}
	return n
}

func printFindings(s screen, all []finding, asJSON bool) error {
	if asJSON {
		return printJSON(s, all)
	}
	colours := map[verdict]colour{fine: green, warning: yellow, problem: red}
	for _, f := range all {
		if err := s.say("%s %s: %s", s.paint(colours[f.Verdict], fmt.Sprintf("%-8s", f.Verdict)), f.Check, f.Text); err != nil {
			return err
		}
		if f.Mend == "" {
			continue
		}
		if err := s.say("         %s", s.paint(bold, f.Mend)); err != nil {
			return err
		}
	}
	return s.say("%d problems, %d warnings", count(all, problem), count(all, warning))
}

const (
	// runTimeout bounds the commands that doctor runs.
	runTimeout = 10 * time.Second
	// readTimeout is longer than the daemon takes at most to read its files.
	readTimeout = time.Minute
)

// thisMachine is the world.
func thisMachine(ctx context.Context) *world {
	var name unix.Utsname
	_ = unix.Uname(&name) // cannot fail with a pointer that is right
	return &world{
		files:   hostfile.OS{},
		lstat:   lstat,
		release: unix.ByteSliceToString(name.Release[:]),
		run: func(name string, args ...string) (string, error) {
			ctx, cancel := context.WithTimeout(ctx, runTimeout)
			defer cancel()
			out, err := exec.CommandContext(ctx, name, args...).Output()
			return strings.TrimSpace(string(out)), err
		},
		daemon: func() (dbusapi.Status, error) { return askDaemon(ctx, runTimeout, (*dbusapi.Client).Status) },
		root:   os.Geteuid() == 0,
		read:   func() (dbusapi.FilesCheck, error) { return askDaemon(ctx, readTimeout, (*dbusapi.Client).CheckFiles) },
	}
}

func lstat(name string) (fs.FileMode, error) {
	info, err := os.Lstat(name)
	if err != nil {
		return 0, err
	}
	return info.Mode(), nil
}

// askDaemon asks the daemon over a connection of its own.
func askDaemon[T any](ctx context.Context, timeout time.Duration, question func(*dbusapi.Client, context.Context) (T, error)) (answer T, err error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	c, err := dbusapi.Connect(ctx, "")
	if err != nil {
		return answer, err
	}
	defer c.Close()
	return question(c, ctx)
}

// text reads a file; "" when it is not there.
func (w *world) text(name string) string {
	b, err := w.files.Append(nil, name)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
}

func (w *world) exists(name string) bool {
	_, err := w.files.Stat(name)
	return err == nil
}
