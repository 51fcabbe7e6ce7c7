package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "hostile:", err)
		os.Exit(1)
	}
}

var errUsage = errors.New("usage: hostile flood|ioctl THREADS FILE... | hostile sample COUNT FILE")

func run(args []string) error {
	if len(args) < 3 {
		return errUsage
	}
	n, err := strconv.Atoi(args[1])
	if err != nil {
		return errUsage
	}
	switch {
	case args[0] == "flood":
		flood(n, (*counts).read, args[2:])
		return nil
	case args[0] == "ioctl":
		flood(n, (*counts).ioctl, args[2:])
		return nil
	case args[0] == "sample" && len(args) == 3:
		return sample(n, args[2])
	}
	return errUsage
}

// counts are what the threads of a flood did.
type counts struct{ reads, failed atomic.Int64 }

// flood asks for files with so many threads until it gets SIGTERM. It prints a line
// when each has begun, and one with what they did at the end.
func flood(threads int, ask func(*counts, string), files []string) {
	end := make(chan os.Signal, 1)
	signal.Notify(end, syscall.SIGTERM)
	debug.SetMaxThreads(threads + 1000)
	runtime.GOMAXPROCS(256) // a thread that comes back from the kernel asks again at once
	var c counts
	var begun sync.WaitGroup
	begun.Add(threads)
	for i := range threads {
		go func() {
			runtime.LockOSThread()
			begun.Done()
			for k := i; ; k++ {
				ask(&c, files[k%len(files)])
			}
		}()
	}
	begun.Wait()
	fmt.Println("flooding")
	began, before := time.Now(), c.reads.Load()
	<-end
	fmt.Printf("%d threads, %.0f reads a second, %d failed\n", threads,
		float64(c.reads.Load()-before)/time.Since(began).Seconds(), c.failed.Load())
}

// read opens, reads and closes one file.
func (c *counts) read(name string) {
	var buf [16384]byte
	c.reads.Add(1)
	fd, err := syscall.Open(name, syscall.O_RDONLY, 0)
	if err != nil {
		c.failed.Add(1)
		return
	}
	if _, err := syscall.Read(fd, buf[:]); err != nil {
		c.failed.Add(1)
	}
	syscall.Close(fd)
}

// ioctl opens a file, has the kernel send 100 requests of 8000 bytes each, and
// closes it. Each is to be refused.
func (c *counts) ioctl(name string) {
	const command = 1<<30 | 8000<<16 // _IOC(_IOC_WRITE, 0, 0, 8000)
	var buf [8000]byte
	fd, err := syscall.Open(name, syscall.O_RDONLY, 0)
	if err != nil {
		c.failed.Add(1)
		return
	}
	for range 100 {
		c.reads.Add(1)
		if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, uintptr(fd), command, uintptr(unsafe.Pointer(&buf))); errno != syscall.ENOTTY {
			c.failed.Add(1)
		}
	}
	syscall.Close(fd)
}

// sample reads a file so often, each time by a new process, and prints how long
// that took, from fork(2) to the end, how many failed, and each first line there
// was. Between two reads it rests, as a program that looks now and then.
func sample(count int, name string) error {
	var took []time.Duration
	seen := make(map[string]int)
	failed := 0
	for range count {
		began := time.Now()
		text, err := exec.Command("cat", name).Output()
		took = append(took, time.Since(began))
		line, _, _ := bytes.Cut(text, []byte("\n"))
		seen[string(line)]++
		if err != nil {
			failed++
		}
		time.Sleep(5 * time.Millisecond)
	}
	slices.Sort(took)
	var sum time.Duration
	for _, t := range took {
		sum += t
	}
	at := func(percent int) time.Duration { return took[(count-1)*percent/100].Round(10 * time.Microsecond) }
	fmt.Printf("mean %v, p50 %v, p99 %v, worst %v, %d of %d failed\n",
		(sum / time.Duration(count)).Round(10*time.Microsecond), at(50), at(99), at(100), failed, count)
	for line, n := range seen {
		fmt.Printf("%d times %s\n", n, line)
	}
	return nil
}
