package nspawn

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// inside is where the tree is in the container.
const inside = "/run/host/lxcfs"

// header is the first line of a settings file of ours.
const header = "# Written by lxcfsctl nspawn."

// binds lists the arguments of BindReadOnly=, in order.
func binds(tree string, paths []string) []string {
	list := []string{quote(tree) + ":" + inside}
	for _, p := range paths {
		if strings.HasPrefix(p, "/proc/") {
			list = append(list, inside+quote(p)+":"+quote(p))
		} else {
			list = append(list, quote(tree+p)+":"+quote(p))
		}
	}
	return list
}

// quote escapes what separates source and target.
func quote(path string) string { return strings.NewReplacer(`\`, `\\`, ":", `\:`).Replace(path) }

// Settings returns a settings file that binds these paths of the tree. Each
// must be served, and the container's kernel, which is the host's, have it.
func Settings(tree string, paths []string) string {
	var b strings.Builder
	b.WriteString(header + "\n[Files]\n")
	for _, bind := range binds(tree, paths) {
		b.WriteString("BindReadOnly=" + bind + "\n")
	}
	return b.String()
}

// Arguments returns the same for the command line of systemd-nspawn.
func Arguments(tree string, paths []string) []string {
	var list []string
	for _, bind := range binds(tree, paths) {
		list = append(list, "--bind-ro="+bind)
	}
	return list
}

// ErrForeign is returned, wrapped, for a settings file that somebody else wrote.
var ErrForeign = errors.New("it has settings of somebody else's; put the lines of [Files] into it by hand")

// File returns a machine's settings file below a directory such as
// /etc/systemd/nspawn.
func File(directory, machine string) (string, error) {
	if machine == "" || len(machine) > 64 || strings.ContainsAny(machine, "/\n") || strings.HasPrefix(machine, ".") {
		return "", fmt.Errorf("%q is not the name of a machine", machine)
	}
	return filepath.Join(directory, machine+".nspawn"), nil
}

// Install writes a settings file, unless there is one that is not ours.
func Install(name, text string) error {
	if err := ours(name); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	return os.WriteFile(name, []byte(text), 0o644)
}

// Remove takes a settings file of ours away. One that is not there is no error.
func Remove(name string) error {
	err := ours(name)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return os.Remove(name)
}

func ours(name string) error {
	text, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	if !strings.HasPrefix(string(text), header+"\n") {
		return fmt.Errorf("%s: %w", name, ErrForeign)
	}
	return nil
}
