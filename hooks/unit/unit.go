package unit

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// FileName is that of the drop-in, in the directory NAME.d of a unit.
const FileName = "lxcfs-view.conf"

// header is the first line, by which a file of ours is known.
const header = "# lxcfs-view.conf: this unit sees its own memory, CPUs, load and so on in /proc and /sys."

// DropIn returns the drop-in that binds these paths of the tree. The '-' makes
// the unit start without those that are not served, and without lxcfs.
func DropIn(tree string, paths []string) string {
	var b strings.Builder
	b.WriteString(header + "\n" +
		"# Without lxcfs it starts all the same, and sees the host's.\n" +
		"[Unit]\nWants=lxcfs.service var-lib-lxcfs.mount\nAfter=lxcfs.service var-lib-lxcfs.mount\n\n[Service]\n")
	for _, p := range paths {
		b.WriteString("BindReadOnlyPaths=-" + quote(tree+p) + ":" + quote(p) + "\n")
	}
	return b.String()
}

// quote writes a path in a setting of pairs: ':' separates, '%' begins a
// specifier, a backslash escapes, and white space ends a word.
func quote(path string) string {
	return strings.NewReplacer(`\`, `\\`, ":", `\:`, "%", "%%", " ", `\x20`, "\t", `\t`, "\n", `\n`, `"`, `\x22`, "'", `\x27`).Replace(path)
}

// ErrName is returned, wrapped, for what is no name of a service.
var ErrName = errors.New("not the name of a service")

// Directory returns where a unit's drop-ins are, below a configuration directory
// such as /etc/systemd/system. A name without a type is that of a service.
func Directory(configuration, name string) (string, error) {
	if !strings.Contains(filepath.Base(name), ".") || strings.HasSuffix(name, "@") {
		name += ".service"
	}
	const allowed = ":-_.\\@"
	for _, c := range name {
		if (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') && !strings.ContainsRune(allowed, c) {
			return "", fmt.Errorf("%q: %w", name, ErrName)
		}
	}
	if !strings.HasSuffix(name, ".service") || strings.HasPrefix(name, ".") || len(name) > 255 {
		return "", fmt.Errorf("%q: %w", name, ErrName)
	}
	if name == "lxcfs.service" {
		return "", errors.New("lxcfs.service serves the files; it must not read them")
	}
	return filepath.Join(configuration, name+".d"), nil
}

// Install writes the drop-in into a directory, which it makes. It returns the
// file's name.
func Install(directory, text string) (string, error) {
	if err := os.MkdirAll(directory, 0o755); err != nil {
		return "", err
	}
	name := filepath.Join(directory, FileName)
	return name, os.WriteFile(name, []byte(text), 0o644)
}

// Remove takes the drop-in away, and the directory if nothing else is in it. A
// file that is not there is no error.
func Remove(directory string) error {
	if err := os.Remove(filepath.Join(directory, FileName)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if entries, err := os.ReadDir(directory); err == nil && len(entries) == 0 {
		return os.Remove(directory)
	}
	return nil
}
