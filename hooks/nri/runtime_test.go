package main

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/containerd/nri/pkg/adaptation"
	"github.com/containerd/nri/pkg/api"
)

// The plugin registers with a runtime and adjusts its containers, over the
// socket and by the runtime's side of NRI, as containerd and CRI-O have it.
func TestRuntime(t *testing.T) {
	dir := t.TempDir()
	tree, socket := filepath.Join(dir, "tree"), filepath.Join(dir, "nri.sock")
	if err := os.MkdirAll(filepath.Join(tree, "proc"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"meminfo", "vmstat"} {
		if err := os.WriteFile(filepath.Join(tree, "proc", name), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- run(ctx, []string{"-socket", socket, "-mountpoint", tree}) }() // before there is a runtime
	runtime := startRuntime(t, dir, socket)
	request := &api.CreateContainerRequest{
		Pod:       &api.PodSandbox{Id: "p", Name: "p", Namespace: "n"},
		Container: &api.Container{Id: "c", PodSandboxId: "p", Name: "c"},
	}
	deadline := time.Now().Add(30 * time.Second)
	for {
		response, err := runtime.CreateContainer(context.Background(), request)
		if err != nil {
			t.Fatal(err)
		}
		mounts := response.GetAdjust().GetMounts()
		if len(mounts) == 1 && mounts[0].Source == tree+"/proc/meminfo" && mounts[0].Destination == "/proc/meminfo" {
			break
		}
		if len(mounts) > 0 || time.Now().After(deadline) { // none while the plugin is on its way
			t.Fatalf("got mounts %v", mounts)
		}
		time.Sleep(10 * time.Millisecond)
	}
	runtime.Stop()
	cancel()
	select {
	case err := <-done:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(30 * time.Second):
		t.Error("the plugin does not end")
	}
}

func startRuntime(t *testing.T, dir, socket string) *adaptation.Adaptation {
	t.Helper()
	update := func(context.Context, []*api.ContainerUpdate) ([]*api.ContainerUpdate, error) { return nil, nil }
	sync := func(ctx context.Context, cb adaptation.SyncCB) error {
		_, err := cb(ctx, nil, nil)
		return err
	}
	r, err := adaptation.New("test", "1", sync, update, adaptation.WithSocketPath(socket),
		adaptation.WithPluginPath(filepath.Join(dir, "plugins")), adaptation.WithPluginConfigPath(filepath.Join(dir, "conf")))
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Start(); err != nil {
		t.Fatal(err)
	}
	return r
}
