package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
)

// maxFile is the longest configuration file, in bytes.
const maxFile = 1 << 20

// Load reads the configuration below root, os.DirFS("/"):
//
//   - lxcfs.conf, the first that there is of /etc/lxcfs, /run/lxcfs,
//     /usr/lib/lxcfs;
//   - then lxcfs.conf.d/*.conf of all three, sorted by file name; of those of
//     one name only the first directory's is read, so that an empty file or a
//     link to /dev/null in /etc masks the vendor's.
//
// Later lines win. Missing files are no mistake. Load returns what was right
// even with an error, which joins a [LineError] for each mistake in order.
func Load(root fs.FS) (Config, error) {
	c := Config{LogLevel: LogInfo}
	var mistakes []error
	for _, file := range files(root, &mistakes) {
		content, err := read(root, file)
		if err != nil {
			mistakes = append(mistakes, &LineError{File: "/" + file, Reason: err.Error()})
			continue
		}
		mistakes = append(mistakes, c.parseFile("/"+file, content)...)
	}
	return c, errors.Join(mistakes...)
}

// directories in order of precedence.
func directories() []string { return []string{"etc/lxcfs", "run/lxcfs", "usr/lib/lxcfs"} }

// files returns the files to read, in order.
func files(root fs.FS, mistakes *[]error) []string {
	var list []string
	for _, dir := range directories() {
		main := path.Join(dir, "lxcfs.conf")
		if _, err := fs.Stat(root, main); !errors.Is(err, fs.ErrNotExist) {
			list = append(list, main)
			break
		}
	}
	dropIns := make(map[string]string)
	for _, dir := range directories() {
		dir = path.Join(dir, "lxcfs.conf.d")
		entries, err := fs.ReadDir(root, dir)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			*mistakes = append(*mistakes, &LineError{File: "/" + dir, Reason: reason(err)})
		}
		for _, e := range entries {
			_, seen := dropIns[e.Name()]
			if !seen && strings.HasSuffix(e.Name(), ".conf") && !strings.HasPrefix(e.Name(), ".") {
				dropIns[e.Name()] = path.Join(dir, e.Name())
			}
		}
	}
	names := make([]string, 0, len(dropIns))
	for name := range dropIns {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		list = append(list, dropIns[name])
	}
	return list
}

// read returns a regular file's content; a character device, which is
// /dev/null, is empty. Other files, such as a FIFO, could block.
func read(root fs.FS, file string) (string, error) {
	info, err := fs.Stat(root, file)
	switch {
	case err != nil:
		return "", errors.New(reason(err))
	case info.Mode()&fs.ModeCharDevice != 0:
		return "", nil
	case !info.Mode().IsRegular():
		return "", errors.New("not a regular file")
	}
	f, err := root.Open(file)
	if err != nil {
		return "", errors.New(reason(err))
	}
	defer f.Close()
	content, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	switch {
	case err != nil:
		return "", errors.New(reason(err))
	case len(content) > maxFile:
		return "", fmt.Errorf("larger than %d bytes", maxFile)
	case bytes.IndexByte(content, 0) >= 0:
		return "", errors.New("holds a NUL byte")
	}
	return string(content), nil
}

// reason is an error without the file name, which a LineError has already.
func reason(err error) string {
	var pe *os.PathError
	if errors.As(err, &pe) {
		return pe.Err.Error()
	}
	return err.Error()
}
