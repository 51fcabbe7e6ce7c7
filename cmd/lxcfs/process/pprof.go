package process

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"runtime/pprof"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"linuxcontainers.org/lxcfs/cmd/lxcfs/logs"
)

const (
	// profileSeconds is how long a CPU profile takes unless the request says so.
	profileSeconds = 10
	maxProfile     = 10 * time.Minute
)

// ServeProfiles listens at a socket for requests for profiles: a line "cpu",
// "cpu SECONDS", "heap", "allocs", "goroutine", "mutex" or "block". The answer is
// what `go tool pprof` reads. Only root and the daemon's own user may ask. stop ends
// it.
func ServeProfiles(path string, log logs.Logger) (stop func(), err error) {
	if path == "" {
		return func() {}, nil
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("--pprof: %w", err)
	}
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path})
	if err != nil {
		return nil, fmt.Errorf("--pprof: %w", err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, fmt.Errorf("--pprof: %w", errors.Join(err, l.Close()))
	}
	ctx, cancel := context.WithCancel(context.Background())
	var answering sync.WaitGroup
	answering.Go(func() {
		for {
			c, err := l.AcceptUnix()
			if err != nil {
				return
			}
			if err := answerProfile(ctx, c); err != nil {
				log.Warn("no profile", "error", err)
			}
			c.Close()
		}
	})
	return func() { cancel(); l.Close(); answering.Wait() }, nil
}

// answerProfile answers one request.
func answerProfile(ctx context.Context, c *net.UnixConn) error {
	defer context.AfterFunc(ctx, func() { c.Close() })()
	if err := checkPeer(c); err != nil {
		return err
	}
	if err := c.SetReadDeadline(time.Now().Add(time.Second)); err != nil {
		return err
	}
	line, err := bufio.NewReader(io.LimitReader(c, 64)).ReadString('\n')
	if err != nil {
		return fmt.Errorf("request: %w", err)
	}
	return writeProfile(ctx, c, strings.Fields(line))
}

// checkPeer lets root in, and who we are.
func checkPeer(c *net.UnixConn) error {
	raw, err := c.SyscallConn()
	if err != nil {
		return err
	}
	var peer *unix.Ucred
	var failed error
	err = raw.Control(func(fd uintptr) {
		peer, failed = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
	})
	if err := errors.Join(err, failed); err != nil {
		return fmt.Errorf("peer: %w", err)
	}
	if peer.Uid != 0 && peer.Uid != uint32(os.Getuid()) {
		return fmt.Errorf("peer of uid %d: %w", peer.Uid, os.ErrPermission)
	}
	return nil
}

func writeProfile(ctx context.Context, w io.Writer, request []string) error {
	if len(request) == 0 {
		return errors.New("empty request")
	}
	if request[0] != "cpu" {
		p := pprof.Lookup(request[0])
		if p == nil {
			return fmt.Errorf("no profile %q", request[0])
		}
		return p.WriteTo(w, 0)
	}
	seconds := profileSeconds
	if len(request) > 1 {
		n, err := strconv.Atoi(request[1])
		if err != nil {
			return fmt.Errorf("seconds: %w", err)
		}
		seconds = n
	}
	if err := pprof.StartCPUProfile(w); err != nil {
		return err
	}
	select {
	case <-ctx.Done():
	case <-time.After(min(max(time.Duration(seconds)*time.Second, 0), maxProfile)):
	}
	pprof.StopCPUProfile()
	return nil
}
