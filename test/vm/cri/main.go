// Command cri runs containers as the kubelet does: by the Container Runtime
// Interface of containerd or CRI-O, which no program of Debian's speaks. It is
// for tests in a machine.
//
//	cri [-socket PATH] run [-memory BYTES] [-cpus N] [-annotation KEY=VALUE]... IMAGE NAME
//	    starts a pod with one container, which sleeps; prints the ids of both
//	cri [-socket PATH] exec CONTAINER COMMAND...
//	    runs a command in it; its output and status are the program's
//	cri [-socket PATH] remove POD
//	    ends and removes the pod
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// timeout bounds each command; the machine may be an emulated one.
const timeout = 3 * time.Minute

// period is the CFS period in microseconds that the kubelet asks for.
const period = 100_000

func main() {
	socket := flag.String("socket", "/run/containerd/containerd.sock", "the runtime's `SOCKET`")
	flag.Parse()
	status, err := run(*socket, flag.Args())
	if err != nil {
		fmt.Fprintln(os.Stderr, "cri:", err)
		os.Exit(125)
	}
	os.Exit(status)
}

func run(socket string, args []string) (status int, err error) {
	if len(args) < 2 {
		return 0, errors.New("give run, exec or remove, and its arguments")
	}
	connection, err := grpc.NewClient("unix://"+socket, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return 0, err
	}
	defer connection.Close()
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	runtime := cri.NewRuntimeServiceClient(connection)
	switch args[0] {
	case "run":
		return 0, start(ctx, runtime, args[1:])
	case "exec":
		return execute(ctx, runtime, args[1], args[2:])
	case "remove":
		return 0, remove(ctx, runtime, args[1])
	}
	return 0, fmt.Errorf("no command %q", args[0])
}

// annotations is a flag that may be given more than once.
type annotations map[string]string

func (a annotations) String() string { return "" }

func (a annotations) Set(text string) error {
	key, value, ok := strings.Cut(text, "=")
	if !ok {
		return errors.New("want KEY=VALUE")
	}
	a[key] = value
	return nil
}

// start makes a pod on the host's network and a container in it.
func start(ctx context.Context, runtime cri.RuntimeServiceClient, args []string) error {
	flags := flag.NewFlagSet("run", flag.ContinueOnError)
	memory := flags.Int64("memory", 0, "memory limit in `BYTES`; 0 for none")
	cpus := flags.Float64("cpus", 0, "CPU limit; 0 for none")
	notes := make(annotations)
	flags.Var(notes, "annotation", "the pod's")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() != 2 {
		return errors.New("run needs IMAGE and NAME")
	}
	image, name := flags.Arg(0), flags.Arg(1)
	pod := &cri.PodSandboxConfig{
		Metadata:    &cri.PodSandboxMetadata{Name: name, Uid: name, Namespace: "test"},
		Annotations: notes,
		// systemd makes a slice that a scope is to be in.
		Linux: &cri.LinuxPodSandboxConfig{CgroupParent: "kubepods-pod" + name + ".slice", SecurityContext: &cri.LinuxSandboxSecurityContext{
			NamespaceOptions: &cri.NamespaceOption{Network: cri.NamespaceMode_NODE},
		}},
	}
	sandbox, err := runtime.RunPodSandbox(ctx, &cri.RunPodSandboxRequest{Config: pod})
	if err != nil {
		return err
	}
	container, err := runtime.CreateContainer(ctx, &cri.CreateContainerRequest{
		PodSandboxId: sandbox.PodSandboxId,
		Config: &cri.ContainerConfig{
			Metadata: &cri.ContainerMetadata{Name: name},
			Image:    &cri.ImageSpec{Image: image},
			Command:  []string{"sleep", "3600"},
			Linux: &cri.LinuxContainerConfig{Resources: &cri.LinuxContainerResources{
				MemoryLimitInBytes: *memory, CpuPeriod: period, CpuQuota: int64(*cpus * period),
			}},
		},
		SandboxConfig: pod,
	})
	if err != nil {
		return errors.Join(err, remove(ctx, runtime, sandbox.PodSandboxId))
	}
	if _, err := runtime.StartContainer(ctx, &cri.StartContainerRequest{ContainerId: container.ContainerId}); err != nil {
		return errors.Join(err, remove(ctx, runtime, sandbox.PodSandboxId))
	}
	fmt.Println(sandbox.PodSandboxId, container.ContainerId)
	return nil
}

func execute(ctx context.Context, runtime cri.RuntimeServiceClient, container string, command []string) (int, error) {
	answer, err := runtime.ExecSync(ctx, &cri.ExecSyncRequest{ContainerId: container, Cmd: command, Timeout: int64(timeout / time.Second)})
	if err != nil {
		return 0, err
	}
	os.Stdout.Write(answer.Stdout)
	os.Stderr.Write(answer.Stderr)
	return int(answer.ExitCode), nil
}

func remove(ctx context.Context, runtime cri.RuntimeServiceClient, pod string) error {
	if _, err := runtime.StopPodSandbox(ctx, &cri.StopPodSandboxRequest{PodSandboxId: pod}); err != nil {
		return err
	}
	_, err := runtime.RemovePodSandbox(ctx, &cri.RemovePodSandboxRequest{PodSandboxId: pod})
	return err
}
