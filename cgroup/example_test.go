package cgroup_test

import (
	"fmt"
	"log"

	"linuxcontainers.org/lxcfs/cgroup"
	"linuxcontainers.org/lxcfs/cgroup/hostfile/hosttest"
)

// What a process may use: the machine's own files are hostfile.OS{}, here are those
// of another one.
func Example() {
	machine := &hosttest.Archive{Files: map[string]string{
		"/proc/self/mountinfo":                  "30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n",
		"/proc/4711/cgroup":                     "0::/box/app\n",
		"/sys/fs/cgroup/cgroup.controllers":     "cpu memory\n",
		"/sys/fs/cgroup/box/memory.max":         "268435456\n",
		"/sys/fs/cgroup/box/cpu.max":            "max 100000\n",
		"/sys/fs/cgroup/box/app/memory.max":     "max\n",
		"/sys/fs/cgroup/box/app/memory.stat":    "anon 1048576\n",
		"/sys/fs/cgroup/box/app/memory.current": "2097152\n",
		"/sys/fs/cgroup/box/app/cpu.max":        "150000 100000\n",
	}}
	host, err := cgroup.Detect(machine)
	if err != nil {
		log.Fatal(err)
	}
	content, err := machine.Append(nil, "/proc/4711/cgroup")
	if err != nil {
		log.Fatal(err)
	}
	member, err := cgroup.ParseMembership(content)
	if err != nil {
		log.Fatal(err)
	}
	var memory cgroup.Memory
	if err := host.ReadMemory(member, &memory); err != nil {
		log.Fatal(err)
	}
	quota, err := host.ReadCPUQuota(member)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(host.Layout, "memory:", memory.Usage, "of", memory.Limit.Value, "bytes, as much CPU time as", quota.Ceil(), "CPUs have")
	// Output: v2 memory: 2097152 of 268435456 bytes, as much CPU time as 2 CPUs have
}
