package main

import (
	"context"
	"fmt"
	"os"
	"path"
	"strings"
	"sync"
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

// maxName is how much of a name is logged.
const maxName = 253 // a DNS subdomain name, RFC 1123: what Kubernetes allows

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

	mu     sync.Mutex
	asking *question // guarded by mu; nil when nobody asks
}

// question is one to lxcfs: paths and err count once done is closed.
type question struct {
	done  chan struct{}
	paths []string
	err   error
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
		p.log("container %.*q of pod %.*q/%.*q sees the host's numbers: %v",
			maxName, c.GetName(), maxName, pod.GetNamespace(), maxName, pod.GetName(), err)
		return nil, nil, nil
	}
	return p.withMounts(paths, c.GetMounts()), nil, nil
}

// answer is served, or an error when that takes too long. A question that is not
// answered stays behind until lxcfs is back, and who asks meanwhile waits for the
// same one: each holds a thread, and who makes pods decides how many there are.
func (p *plugin) answer(ctx context.Context) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	q := p.ask()
	select {
	case <-q.done:
		return q.paths, q.err
	case <-ctx.Done():
		return nil, fmt.Errorf("lxcfs does not answer at %s: %w", p.tree, ctx.Err())
	}
}

func (p *plugin) ask() *question {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.asking == nil {
		q := &question{done: make(chan struct{})}
		p.asking = q
		go func() {
			q.paths, q.err = p.served()
			p.mu.Lock()
			p.asking = nil
			p.mu.Unlock()
			close(q.done)
		}()
	}
	return p.asking
}

// withMounts binds the files, except where the container has a mount already.
func (p *plugin) withMounts(paths []string, mounts []*api.Mount) *api.ContainerAdjustment {
	a := &api.ContainerAdjustment{}
	for _, file := range paths {
		if !p.all && !bind.RuncAllows(file) || !kernels(file, mounts) {
			continue
		}
		a.AddMount(&api.Mount{
			Source: p.tree + file, Destination: file, Type: "bind", Options: []string{"bind", "ro", "nosuid", "nodev", "noexec", "rprivate"},
		})
	}
	return a
}

// kernels: what the container has at a path is of its own procfs or sysfs, and not
// of a volume. With the host's /proc or /sys as a volume that propagates, what is
// mounted there would be over the host's files.
func kernels(file string, mounts []*api.Mount) bool {
	innermost, kernel := 0, true
	for _, m := range mounts {
		at := path.Clean("/" + m.GetDestination())
		within := at == "/" || file == at || strings.HasPrefix(file, at+"/")
		if within && len(at) >= innermost { // the later one is on top
			innermost = len(at)
			kernel = at != file && (m.GetType() == "proc" || m.GetType() == "sysfs")
		}
	}
	return kernel
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
