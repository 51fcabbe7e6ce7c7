package cgroup

import (
	"fmt"
	"io/fs"
	"strings"
	"testing"

	"linuxcontainers.org/lxcfs/cgroup/hostfile/hosttest"
)

// deepMachine has a cgroup of v2 so many levels deep, each with the files of the memory and CPU controllers down to level
// enabled, and returns the cgroup's path and what the path of each level is, the first being 1.
func deepMachine(t *testing.T, levels, enabled int) (h *Host, a *hosttest.Archive, read *[]string, at func(level int) string) {
	t.Helper()
	a = &hosttest.Archive{Errors: make(map[string]error), Files: map[string]string{
		"/proc/self/mountinfo":              "31 27 0:28 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw\n",
		"/sys/fs/cgroup/cgroup.controllers": "cpu memory\n",
	}}
	at = func(level int) string { return "/a" + strings.Repeat("/d", level-1) }
	for level := 1; level <= levels; level++ {
		dir := "/sys/fs/cgroup" + at(level) + "/"
		a.Files[dir+"cgroup.procs"] = ""
		if level > enabled {
			continue
		}
		a.Files[dir+"memory.max"], a.Files[dir+"memory.swap.max"], a.Files[dir+"cpu.max"] = "max\n", "max\n", "max 100000\n"
		a.Files[dir+"memory.current"], a.Files[dir+"memory.swap.current"] = fmt.Sprintln(level), "0\n"
		a.Files[dir+"memory.stat"] = "anon 1\n"
	}
	h, err := Detect(a)
	if err != nil {
		t.Fatal(err)
	}
	read = new([]string)
	h.FS = recorder{a, read}
	return h, a, read, at
}

// TestDeepLimits: every limit counts of a cgroup as deep as any there is, and the host's of one that somebody made deeper; what
// that costs does not grow with its depth.
func TestDeepLimits(t *testing.T) {
	for _, levels := range []int{1, 2, nearLevels, nearLevels + 1, nearLevels + farLevels, nearLevels + farLevels + 1, 1500} {
		h, a, read, at := deepMachine(t, levels, levels)
		m := on(t, at(levels))
		for _, level := range []int{1, min(2, levels), min(farLevels, levels), max(1, levels-nearLevels+1), levels} {
			dir := "/sys/fs/cgroup" + at(level) + "/"
			a.Files[dir+"memory.max"], a.Files[dir+"cpu.max"] = "12345\n", "50000 100000\n"
			*read = nil
			var mem Memory
			if err := h.ReadMemory(m, &mem); err != nil || mem.Limit.Value != 12345 {
				t.Errorf("%d levels, a limit at %d: got %d, %v", levels, level, mem.Limit.Value, err)
			}
			quota, err := h.ReadCPUQuota(m)
			if err != nil || quota.From.Cgroup() != at(level) {
				t.Errorf("%d levels, a quota at %d: got that of level %d, %v", levels, level, strings.Count(quota.From.Cgroup(), "/"), err)
			}
			if most := 4 + 3*(nearLevels+farLevels); len(*read) > most {
				t.Errorf("%d levels: %d files read, at most %d are", levels, len(*read), most)
			}
			a.Files[dir+"memory.max"], a.Files[dir+"cpu.max"] = "max\n", "max 100000\n"
		}
	}
}

// TestDeepCharged: a cgroup without the controller is charged to the nearest one above that has it, however far that is.
func TestDeepCharged(t *testing.T) {
	for _, tt := range []struct{ levels, enabled int }{{2, 1}, {20, 3}, {20, 19}, {1500, 1}, {1500, 2}, {1500, 700}, {1500, 1498}, {1500, 1499}, {3, 0}, {1500, 0}} {
		h, _, read, at := deepMachine(t, tt.levels, tt.enabled)
		var mem Memory
		err := h.ReadMemory(on(t, at(tt.levels)), &mem)
		if tt.enabled == 0 {
			mustBe(t, err, fs.ErrNotExist)
		} else if err != nil || mem.Usage != uint64(tt.enabled) || mem.From.Cgroup() != at(tt.enabled) {
			t.Errorf("%d levels, enabled to %d: got usage of level %d, %v", tt.levels, tt.enabled, mem.Usage, err)
		}
		if most := 4 + 2*(nearLevels+farLevels) + nearLevels + 12; len(*read) > most {
			t.Errorf("%d levels, enabled to %d: %d files read, at most %d are", tt.levels, tt.enabled, len(*read), most)
		}
	}
}
