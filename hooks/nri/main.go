package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"
	"syscall"

	"github.com/containerd/nri/pkg/stub"

	"linuxcontainers.org/lxcfs/hooks/bind"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "lxcfs-nri:", err)
		os.Exit(1)
	}
}

// run serves until the runtime closes the connection, or a signal comes.
func run(args []string) error {
	flags := flag.NewFlagSet("lxcfs-nri", flag.ExitOnError)
	name := flags.String("name", "lxcfs", "plugin `NAME` to register")
	index := flags.String("idx", "50", "plugin `INDEX`: the order among plugins, two digits")
	socket := flags.String("socket", "", "the runtime's NRI `SOCKET` (default /var/run/nri/nri.sock)")
	tree := flags.String("mountpoint", bind.Mountpoint, "`DIR` where lxcfs is mounted, on the host and here")
	hook := flags.String("hook", "", "inject this createContainer hook of the host instead of mounts")
	all := flags.Bool("all", false, "mount over files that runc refuses, too")
	if err := flags.Parse(args); err != nil {
		return err
	}
	p := newPlugin(*tree, log.New(os.Stderr, "lxcfs-nri: ", 0).Printf)
	p.hook, p.all = *hook, *all
	options := []stub.Option{stub.WithPluginName(*name), stub.WithPluginIdx(*index)}
	if *socket != "" {
		options = append(options, stub.WithSocketPath(*socket))
	}
	s, err := stub.New(p, options...)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	err = s.Run(ctx)
	if ctx.Err() != nil {
		return nil
	}
	return err
}
