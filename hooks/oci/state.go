package oci

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// maxJSON bounds the state and a bundle's config.json, bytes.
const maxJSON = 16 << 20

// Annotation is the key by which one container can be treated apart; its values
// are "off" and "strict".
const Annotation = "org.linuxcontainers.lxcfs"

// State is what a runtime writes to a hook's standard input, as far as it
// matters here (runtime-spec, runtime.md, "State"):
//
//	{"ociVersion":"1.0.2","id":"c1","status":"creating","pid":4422,"bundle":"/run/c1","annotations":{"k":"v"}}
type State struct {
	ID          string            `json:"id"`
	Bundle      string            `json:"bundle"`
	Annotations map[string]string `json:"annotations"`
}

// ReadState reads the state. A state without a bundle is an error.
func ReadState(r io.Reader) (State, error) {
	var s State
	if err := decode(r, &s); err != nil {
		return State{}, fmt.Errorf("state on standard input: %w", err)
	}
	if !filepath.IsAbs(s.Bundle) {
		return State{}, fmt.Errorf("state on standard input: bundle %q is no absolute path", s.Bundle)
	}
	return s, nil
}

// Root returns the container's root directory, which config.json names relative
// to the bundle or absolutely.
func (s State) Root() (string, error) {
	name := filepath.Join(s.Bundle, "config.json")
	f, err := os.Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	var config struct {
		Root struct {
			Path string `json:"path"`
		} `json:"root"`
	}
	if err := decode(f, &config); err != nil {
		return "", fmt.Errorf("%s: %w", name, err)
	}
	root := config.Root.Path
	if root == "" {
		return "", fmt.Errorf("%s: no root.path", name)
	}
	if !filepath.IsAbs(root) {
		root = filepath.Join(s.Bundle, root)
	}
	if root = filepath.Clean(root); root == "/" {
		return "", fmt.Errorf("%s: %w", name, errHostRoot)
	}
	return root, nil
}

var errHostRoot = errors.New("the container's root is the host's")

// decode decodes one JSON value and what is after it, which must be nothing.
func decode(r io.Reader, v any) error {
	content, err := io.ReadAll(io.LimitReader(r, maxJSON+1))
	if err != nil {
		return err
	}
	if len(content) > maxJSON {
		return fmt.Errorf("more than %d bytes", maxJSON)
	}
	return json.Unmarshal(content, v)
}
