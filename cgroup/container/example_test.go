package container_test

import (
	"fmt"
	"log"

	"linuxcontainers.org/lxcfs/cgroup"
	"linuxcontainers.org/lxcfs/cgroup/container"
	"linuxcontainers.org/lxcfs/cgroup/hostfile/hosttest"
)

// In which container thread 4711 is, and why. The machine's own files are
// hostfile.OS{}, here are those of another one: a systemd service.
func ExampleResolver_Resolve() {
	machine := &hosttest.Archive{Files: map[string]string{
		"/proc/self/mountinfo":                                 "30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n",
		"/sys/fs/cgroup/cgroup.controllers":                    "cpu memory\n",
		"/sys/fs/cgroup/system.slice/web.service/cgroup.procs": "4711\n",
		"/proc/4711/cgroup":                                    "0::/system.slice/web.service\n",
		"/proc/4711/stat":                                      "4711 (web) S 1 4711 4711 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 99 0 0\n",
		"/proc/4711/status":                                    "Name:\tweb\nTgid:\t4711\nPid:\t4711\nPPid:\t1\nNStgid:\t4711\n",
	}}
	host, err := cgroup.Detect(machine)
	if err != nil {
		log.Fatal(err)
	}
	resolver := container.New(host, container.Options{})
	decision, err := resolver.Resolve(4711)
	if err != nil {
		log.Fatal(err)
	}
	c := decision.Container
	fmt.Printf("%s %s (%s): %s\n", c.Runtime, c.Name, c.CgroupPath, decision.Reason)
	// Output: systemd web.service (/system.slice/web.service): systemd unit of the caller
}
