//go:build integration

package integration

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sort"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// The test binary is also a client of the cgroup tree: in a new pid namespace,
// as its init, it reads steps from its standard input and prints what came of
// each. Its environment says what to be.
const (
	clientVariable = "LXCFS_CLIENT" // "start", or "start-userns": make the namespaces; "run": read steps; "fuzz"
	treeVariable   = "LXCFS_CLIENT_TREE"
)

// clientMain is the client; TestMain calls it.
func clientMain() int {
	switch mode := os.Getenv(clientVariable); mode {
	case "start", "start-userns", "start-fuzz":
		return startClient(mode)
	case "fuzz":
		return fuzzClient()
	}
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		fmt.Println(step(strings.Split(in.Text(), " ")))
	}
	return 0
}

// startClient runs the client as the init of a pid namespace.
func startClient(mode string) int {
	// Here, for the client may be a user who is not let in on the way.
	if err := os.Chdir(os.Getenv(treeVariable)); err != nil {
		fmt.Println(err)
		return 1
	}
	cmd := exec.Command("/proc/self/exe")
	next := "run"
	attr := &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWPID | syscall.CLONE_NEWNS, Pdeathsig: syscall.SIGKILL}
	switch mode {
	case "start-userns":
		attr.Cloneflags |= syscall.CLONE_NEWUSER
		attr.UidMappings = []syscall.SysProcIDMap{{HostID: 100000, Size: 65536}}
		attr.GidMappings = attr.UidMappings
		attr.GidMappingsEnableSetgroups = true
		attr.Credential = &syscall.Credential{}
	case "start-fuzz":
		next = "fuzz"
	}
	cmd.SysProcAttr = attr
	cmd.Env = append(os.Environ(), clientVariable+"="+next)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	if err := cmd.Run(); err != nil {
		fmt.Println("client:", err)
		return 1
	}
	return 0
}

// step does one thing and says what came of it: "ok", an error's name, or what
// was read, in one line.
func step(words []string) string {
	arg := func(i int) string {
		if i < len(words) {
			return strings.NewReplacer(`\n`, "\n", `\s`, " ").Replace(words[i])
		}
		return ""
	}
	var text string
	var err error
	switch words[0] {
	case "mkdir":
		err = syscall.Mkdir(arg(1), 0o755)
	case "rmdir":
		err = syscall.Rmdir(arg(1))
	case "unlink":
		err = syscall.Unlink(arg(1))
	case "rename":
		err = syscall.Rename(arg(1), arg(2))
	case "link":
		err = syscall.Link(arg(1), arg(2))
	case "symlink":
		err = syscall.Symlink(arg(1), arg(2))
	case "create":
		var fd int
		if fd, err = syscall.Open(arg(1), syscall.O_CREAT|syscall.O_WRONLY, 0o644); err == nil {
			syscall.Close(fd)
		}
	case "write":
		err = writeOnce(arg(1), arg(2))
	case "read":
		text, err = readLine(arg(1))
	case "list":
		text, err = listDirectories(arg(1))
	case "stat":
		text, err = statLine(arg(1))
	case "setxattr":
		err = unix.Setxattr(arg(1), "user.lxcfs.container", []byte("x"), 0)
	case "chmod":
		mode, _ := strconv.ParseUint(arg(2), 8, 32)
		err = syscall.Chmod(arg(1), uint32(mode))
	case "chown":
		uid, _ := strconv.Atoi(arg(2))
		err = syscall.Chown(arg(1), uid, uid)
	case "setuid":
		uid, _ := strconv.Atoi(arg(1))
		err = errors.Join(syscall.Setgroups(nil), syscall.Setresgid(uid, uid, uid), syscall.Setresuid(uid, uid, uid))
	case "spawn":
		cmd := exec.Command("sleep", "1000")
		err = cmd.Start()
		if err == nil {
			text = strconv.Itoa(cmd.Process.Pid)
		}
	default:
		text, err = hostileStep(words)
	}
	return result(text, err)
}

func result(text string, err error) string {
	var errno syscall.Errno
	switch {
	case errors.As(err, &errno):
		return unix.ErrnoName(errno)
	case err != nil:
		return err.Error()
	case text == "":
		return "ok"
	}
	return text
}

// writeOnce writes with one write(2), as kernel files want it.
func writeOnce(name, text string) error {
	fd, err := syscall.Open(name, syscall.O_WRONLY|syscall.O_TRUNC, 0)
	if err != nil {
		return err
	}
	defer syscall.Close(fd)
	_, err = syscall.Write(fd, []byte(text))
	return err
}

func readLine(name string) (string, error) {
	text, err := os.ReadFile(name)
	return "=" + strings.Join(strings.Fields(string(text)), " "), err
}

func listDirectories(name string) (string, error) {
	entries, err := os.ReadDir(name)
	var names []string
	for _, e := range entries {
		if e.IsDir() {
			names = append(names, e.Name())
		}
	}
	sort.Strings(names)
	return "=" + strings.Join(names, " "), err
}

// statLine is mode and owner, in the client's user namespace.
func statLine(name string) (string, error) {
	var st syscall.Stat_t
	err := syscall.Stat(name, &st)
	return fmt.Sprintf("%o %d:%d", st.Mode&0o7777, st.Uid, st.Gid), err
}
