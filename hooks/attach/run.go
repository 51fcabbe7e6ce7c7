package attach

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
)

// Run does the request in the target's mount namespace, in a child. Only a
// program whose main function honours [IsChild] may use it. When the context
// ends before the child does, the child is killed.
func Run(ctx context.Context, t *Target, request Request) (Result, error) {
	if err := t.check(); err != nil {
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
	var output, said bytes.Buffer
	cmd := exec.CommandContext(ctx, "/proc/self/exe")
	cmd.Args = []string{childName}
	cmd.Dir = "/"
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(input), &output, &said
	cmd.ExtraFiles = []*os.File{t.namespace}
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return reply{}, fmt.Errorf("%w (does the lxcfs daemon run?)", ctx.Err())
		}
		return reply{}, fmt.Errorf("child: %w: %s", err, bytes.TrimSpace(said.Bytes()))
	}
	var answer reply
	if err := json.Unmarshal(output.Bytes(), &answer); err != nil {
		return reply{}, fmt.Errorf("answer of the child: %w", err)
	}
	if answer.Error != "" {
		return reply{}, errors.New(answer.Error)
	}
	return answer, nil
}
