package main

import (
	"context"
	"fmt"
	"os"
	"path"
	"slices"
	"time"

	"github.com/containerd/nri/pkg/api"

	"linuxcontainers.org/lxcfs/hooks/bind"
)

// Annotation is that of a pod; its value "off" leaves the pod's containers
// alone.
const Annotation = "lxcfs.linuxcontainers.org/view"

// answerTimeout bounds the wait for lxcfs: the runtime closes the connection of
// a plugin that takes more than two seconds (nri, DefaultPluginRequestTimeout).
const answerTimeout = time.Second

// plugin adjusts containers. It keeps nothing of them.
type plugin struct {
	// tree is where lxcfs is mounted on the host, and here.
	tree string
	// hook is the createContainer hook to inject; "" adds mounts.
	hook string
	// all adds mounts over files that runc refuses, for runtimes that don't.
	all bool
	// served lists what lxcfs serves.
	served func() ([]string, error)
	// log reports why a container was not adjusted.
	log func(format string, args ...any)
}

func newPlugin(tree string, log func(string, ...any)) *plugin {
	return &plugin{tree: tree, log: log, served: func() ([]string, error) { return bind.Served(os.DirFS(tree)) }}
}

// CreateContainer is the runtime's question what to change.
func (p *plugin) CreateContainer(ctx context.Context, pod *api.PodSandbox, c *api.Container) (*api.ContainerAdjustment, []*api.ContainerUpdate, error) {
	if pod.GetAnnotations()[Annotation] == "off" {
		return nil, nil, nil
	}
	if p.hook != "" {
		return p.withHook(), nil, nil
	}
	paths, err := p.answer(ctx)
	if err != nil {
		p.log("container %s of pod %s/%s sees the host's numbers: %v", c.GetName(), pod.GetNamespace(), pod.GetName(), err)
		return nil, nil, nil
	}
	return p.withMounts(paths, c.GetMounts()), nil, nil
}

// answer is served, or an error when that takes too long. A question that is
// not answered stays behind until lxcfs is back.
func (p *plugin) answer(ctx context.Context) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	type result struct {
		paths []string
		err   error
	}
	done := make(chan result, 1)
	go func() {
		paths, err := p.served()
		done <- result{paths, err}
	}()
	select {
	case r := <-done:
		return r.paths, r.err
	case <-ctx.Done():
		return nil, fmt.Errorf("lxcfs does not answer at %s: %w", p.tree, ctx.Err())
	}
}

// withMounts binds the files, except where the container has a mount already.
func (p *plugin) withMounts(paths []string, mounts []*api.Mount) *api.ContainerAdjustment {
	a := &api.ContainerAdjustment{}
	for _, file := range paths {
		if !p.all && !bind.RuncAllows(file) {
			continue
		}
		if slices.ContainsFunc(mounts, func(m *api.Mount) bool { return path.Clean(m.GetDestination()) == file }) {
			continue
		}
		a.AddMount(&api.Mount{
			Source: p.tree + file, Destination: file, Type: "bind", Options: []string{"bind", "ro", "nosuid", "nodev", "noexec", "rprivate"},
		})
	}
	return a
}

// withHook injects the hook, which finds out itself what is served.
func (p *plugin) withHook() *api.ContainerAdjustment {
	const timeoutSeconds = 30
	a := &api.ContainerAdjustment{}
	a.AddHooks(&api.Hooks{CreateContainer: []*api.Hook{{
		Path: p.hook, Args: []string{path.Base(p.hook)}, Env: []string{"LXCFS_MOUNTPOINT=" + p.tree}, Timeout: api.Int(timeoutSeconds),
	}}})
	return a
}
