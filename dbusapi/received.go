package dbusapi

import (
	"fmt"
	"time"

	"github.com/godbus/dbus/v5"
)

// received is properties as a server sent them. It remembers the first that is of another type
// than ours; one that is missing, for the daemon is older, stays zero.
type received struct {
	values map[string]dbus.Variant
	err    error
}

func (b *received) take(name string, into any) {
	v, ok := b.values[name]
	if !ok {
		return
	}
	if err := v.Store(into); err != nil && b.err == nil {
		b.err = fmt.Errorf("property %s: %w", name, err)
	}
}

// moment takes microseconds since the epoch.
func (b *received) moment(name string) time.Time {
	var usec uint64
	b.take(name, &usec)
	return time.UnixMicro(int64(usec))
}

func (b *received) connection() (c Connection) {
	b.take("ID", &c.ID)
	b.take("Mountpoint", &c.Mountpoint)
	b.take("Options", &c.Options)
	b.take("Restored", &c.Restored)
	b.take("Processes", &c.Processes)
	b.take("Deaths", &c.Deaths)
	b.take("Requests", &c.Requests)
	b.take("Replayed", &c.Replayed)
	b.take("InFlight", &c.InFlight)
	b.take("LongestUSec", &c.LongestUSec)
	return c
}

func (b *received) container(path dbus.ObjectPath) (c ContainerUsage) {
	c.ID = names([]dbus.ObjectPath{path})[0]
	b.take("Name", &c.Name)
	b.take("Runtime", &c.Runtime)
	b.take("ClaimedName", &c.ClaimedName)
	b.take("Kind", &c.Kind)
	b.take("Unit", &c.Unit)
	b.take("Cgroup", &c.Cgroup)
	b.take("InitPID", &c.InitPID)
	c.StartedAt = b.moment("StartedAtUSec")
	b.take("MemoryLimit", &c.MemoryLimit)
	b.take("MemoryTotal", &c.MemoryTotal)
	b.take("MemoryFree", &c.MemoryFree)
	b.take("MemoryAvailable", &c.MemoryAvailable)
	b.take("SwapTotal", &c.SwapTotal)
	b.take("SwapFree", &c.SwapFree)
	b.take("CPUs", &c.CPUs)
	b.take("CPUQuotaPerSecUSec", &c.CPUQuotaPerSecUSec)
	b.take("CPUUsageUSec", &c.CPUUsageUSec)
	var load loadAverage
	b.take("LoadAverage", &load)
	c.LoadAverage = [3]float64{load.One, load.Five, load.Fifteen}
	b.take("Threads", &c.Threads)
	b.take("UptimeUSec", &c.UptimeUSec)
	b.take("Reads", &c.Reads)
	return c
}
