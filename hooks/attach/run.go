package attach

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// endTimeout bounds the wait for a child that was killed.
const endTimeout = 2 * time.Second

// Run does the request in the target's mount namespace, in a child. Only a
// program whose main function honours [IsChild] may use it. When the context
// ends before the child does, the child is killed.
func Run(ctx context.Context, refused *Refused, t *Target, request Request) (Result, error) {
	if err := refused.check(t); err != nil {
		return Result{}, fmt.Errorf("%s: %w", t, err)
	}
	answer, err := start(ctx, t, request)
	if err != nil {
		return Result{}, fmt.Errorf("%s: %w", t, err)
	}
	return answer.Result, nil
}

func start(ctx context.Context, t *Target, request Request) (reply, error) {
	input, err := json.Marshal(request)
	if err != nil {
		return reply{}, err
	}
	cmd := exec.Command("/proc/self/exe")
	cmd.Args = []string{childName}
	cmd.Dir = "/"
	cmd.Stdin = bytes.NewReader(input)
	cmd.ExtraFiles = []*os.File{t.namespace}
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	output, err := cmd.StdoutPipe()
	if err != nil {
		return reply{}, err
	}
	if err := cmd.Start(); err != nil {
		return reply{}, fmt.Errorf("child: %w", err)
	}
	answer := make(chan reply, 1)
	go func() { answer <- read(output) }()
	select {
	case a := <-answer:
		end(cmd)
		if a.Error != "" {
			return reply{}, errors.New(a.Error)
		}
		return a, nil
	case <-ctx.Done():
		end(cmd)
		return reply{}, fmt.Errorf("%w (does the lxcfs daemon run?)", ctx.Err())
	}
}

// read reads one reply, and not to the end of the pipe: a thread of the child
// may be stuck in a mount that does not answer.
func read(output io.Reader) reply {
	var answer reply
	if err := json.NewDecoder(output).Decode(&answer); err != nil {
		answer.Error = fmt.Sprintf("the child ended without an answer: %v", err)
	}
	return answer
}

// end kills the child and waits for it, but not for one that cannot be killed
// because the server of a mount took its request and was stopped.
func end(cmd *exec.Cmd) {
	cmd.Process.Kill() // it may have ended
	done := make(chan struct{})
	go func() { cmd.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(endTimeout):
	}
}
