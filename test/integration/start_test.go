//go:build integration

package integration

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"linuxcontainers.org/lxcfs/test/servicemanager"
)

// refuseEnv makes the test binary a program that executes its arguments where
// mmap(2) is refused as by a kernel with pages of 64 KiB: EINVAL for an offset in a
// file that is not on such a page. A journal of pages of 4 KiB is refused there.
const refuseEnv = "LXCFS_TEST_REFUSE"

const largePage = 64 << 10

// refuseMain never returns when all is well.
func refuseMain() error {
	runtime.LockOSThread() // a filter is a thread's, and the one that executes hands it on
	load := func(offset uint32) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: offset}
	}
	answer := func(k uint32) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: k}
	}
	// struct seccomp_data of linux/seccomp.h: the number at 0, argument 3 at 40 and 5
	// at 56. What is mapped private is let through: a program with the race detector
	// has shared libraries.
	filter := []unix.SockFilter{
		load(0),
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: unix.SYS_MMAP, Jf: 5},
		load(40),
		{Code: unix.BPF_JMP | unix.BPF_JSET | unix.BPF_K, K: unix.MAP_SHARED, Jf: 3},
		load(56),
		{Code: unix.BPF_JMP | unix.BPF_JSET | unix.BPF_K, K: largePage - 1, Jf: 1},
		answer(unix.SECCOMP_RET_ERRNO | uint32(unix.EINVAL)),
		answer(unix.SECCOMP_RET_ALLOW),
	}
	program := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("no new privileges: %w", err)
	}
	_, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, 0, uintptr(unsafe.Pointer(&program)))
	if errno != 0 {
		return fmt.Errorf("seccomp: %w", errno)
	}
	if err := os.Unsetenv(refuseEnv); err != nil {
		return err
	}
	return syscall.Exec(os.Args[1], os.Args[1:], os.Environ())
}

// refusing writes a program that runs lxcfs where its journal is refused.
func refusing(t *testing.T, dir, lxcfs string) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	script := filepath.Join(dir, "refused")
	text := fmt.Sprintf("#!/bin/sh\nexec env %s=1 %s %s \"$@\"\n", refuseEnv, self, lxcfs)
	if err := os.WriteFile(script, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
	return script
}

const refusedSentence = "connection 1: journal: mmap: invalid argument"

// Where no process could serve, lxcfs ends at once with a sentence and a status of
// its own and leaves no mount: a look at that would wait for ever.
func TestJournalIsRefused(t *testing.T) {
	for _, options := range [][]string{nil, {"--keeper"}} {
		t.Run(strings.Join(options, ""), func(t *testing.T) {
			needRoot(t)
			dir := t.TempDir()
			mountpoint := filepath.Join(dir, "mnt")
			if err := os.Mkdir(mountpoint, 0o755); err != nil {
				t.Fatal(err)
			}
			d := &daemon{t: t, dir: mountpoint, pidfile: filepath.Join(dir, "pid")}
			var err error
			if d.log.File, err = os.Create(filepath.Join(dir, "log")); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { d.log.Close() })
			d.program = refusing(t, dir, binary)
			d.run(options...)
			if status := d.wait(); status != 69 {
				t.Errorf("exit status %d, want 69", status)
			}
			if strings.Contains(ourMounts(), mountpoint) {
				t.Error("still mounted")
			}
			lines := strings.Split(strings.TrimSpace(d.log.String()), "\n")
			if last := lines[len(lines)-1]; !strings.HasPrefix(last, "lxcfs: ") || !strings.HasSuffix(last, refusedSentence) {
				t.Errorf("the last line is %q, want %q", last, refusedSentence)
			}
			if n := strings.Count(d.log.String(), "worker started"); n > 1 {
				t.Errorf("%d workers were started in vain", n)
			}
			if _, err := os.Stat(d.pidfile); !os.IsNotExist(err) {
				t.Errorf("pid file: %v, want it removed", err)
			}
		})
	}
}

// A worker that is started anew where none can serve any more is the last: readers
// that waited for it get an error.
func TestJournalIsRefusedLater(t *testing.T) {
	needRoot(t)
	dir := t.TempDir()
	program := filepath.Join(dir, "lxcfs")
	if err := os.Link(binary, program); err != nil {
		t.Fatal(err)
	}
	d := startProgram(t, program, "--keeper")
	if err := os.Rename(refusing(t, dir, binary), program); err != nil {
		t.Fatal(err)
	}
	if err := unix.Kill(d.worker(), unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	out, err := exec.CommandContext(ctx, "cat", d.path("proc/meminfo")).CombinedOutput()
	if err == nil || ctx.Err() != nil {
		t.Errorf("a read: got %q, %v, want an error", out, ctx.Err())
	}
	if status := d.wait(); status != 69 {
		t.Errorf("exit status %d, want 69", status)
	}
	if strings.Contains(ourMounts(), d.dir) {
		t.Error("still mounted")
	}
}

// A service whose mount is refused, by itself, by the kernel or by what is in its
// place, does not wait for another.
func TestServiceThatCannotStart(t *testing.T) {
	for _, tt := range []struct {
		name    string
		program func(s *service) string
		mount   func(s *service) error
		want    string
	}{
		{
			"journal", func(s *service) string { return refusing(t, s.dir, s.program) },
			func(s *service) error { _, err := s.mount("a"); return err }, refusedSentence,
		},
		{
			"options", nil,
			func(s *service) error { _, err := s.mount("a", "cpu=many"); return err }, `cpu="many" is not one of`,
		},
		{
			"foreign", nil,
			func(s *service) error {
				dir := filepath.Join(s.dir, "a")
				if err := os.Mkdir(dir, 0o755); err != nil {
					return err
				}
				if err := unix.Mount("none", dir, "tmpfs", 0, ""); err != nil {
					return err
				}
				defer unix.Unmount(dir, unix.MNT_DETACH)
				_, err := s.mount("a")
				return err
			}, "already mounted: a filesystem of type tmpfs",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newService(t, 0)
			if tt.program != nil {
				s.program = tt.program(s)
			}
			go s.Start(s.ctx)
			if err := tt.mount(s); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("mount: got %v, want %q", err, tt.want)
			}
			state, err := s.Wait(s.ctx, func(state servicemanager.State) bool { return state.Deaths > 0 })
			if err != nil {
				t.Fatal(err)
			}
			if state.Last.ExitStatus() != 69 {
				t.Errorf("exit status %d, want 69", state.Last.ExitStatus())
			}
			sentence := fmt.Sprintf("lxcfs: no mount at %s/a: ", s.dir)
			if said := s.log.String(); !strings.Contains(said, sentence) || !strings.Contains(said, tt.want) {
				t.Errorf("it said %q, want %s... %s", said, sentence, tt.want)
			}
		})
	}
}
