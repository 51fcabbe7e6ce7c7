package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/containerd/nri/pkg/api"
	"github.com/containerd/nri/pkg/stub"

	"linuxcontainers.org/lxcfs/hooks/bind"
)

// retryWait is how long a plugin whose runtime is away waits for it.
const retryWait = time.Second

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "lxcfs-nri:", err)
		os.Exit(1)
	}
}

// run serves until a signal comes. A runtime that is restarted is connected to
// again; one that started the plugin by itself does that, too.
func run(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("lxcfs-nri", flag.ExitOnError)
	name := flags.String("name", "lxcfs", "plugin `NAME` to register")
	index := flags.String("idx", "50", "plugin `INDEX`: the order among plugins, two digits")
	socket := flags.String("socket", api.DefaultSocketPath, "the runtime's NRI `SOCKET`")
	tree := flags.String("mountpoint", bind.Mountpoint, "`DIR` where lxcfs is mounted, on the host and here")
	hook := flags.String("hook", "", "inject this createContainer `HOOK` of the host instead of mounts")
	all := flags.Bool("all", false, "mount over files that runc refuses, too")
	if err := flags.Parse(args); err != nil {
		return err
	}
	logger := log.New(os.Stderr, "lxcfs-nri: ", 0)
	p := newPlugin(*tree, logger.Printf)
	p.hook, p.all = *hook, *all
	for {
		err := serve(ctx, p, stub.WithPluginName(*name), stub.WithPluginIdx(*index), stub.WithSocketPath(*socket))
		switch {
		case ctx.Err() != nil:
			return nil
		case os.Getenv(api.PluginSocketEnvVar) != "":
			return err
		}
		logger.Printf("%s: %v; trying again", *socket, err)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(retryWait):
		}
	}
}

// serve is one connection to the runtime.
func serve(ctx context.Context, p *plugin, options ...stub.Option) error {
	s, err := stub.New(p, options...)
	if err != nil {
		return err
	}
	return s.Run(ctx)
}
