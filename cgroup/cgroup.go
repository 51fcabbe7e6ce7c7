package cgroup

import (
	"math"

	"linuxcontainers.org/lxcfs/cgroup/procpid"
)

// Max stands for "no limit" wherever a limit is a uint64. It is what the
// interface files of cgroup v2 call "max".
const Max = math.MaxUint64

// ErrFormat is returned, wrapped with the offending line, for a known file with
// content that the kernel does not write.
var ErrFormat = procpid.ErrFormat
