package dbusapi

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/godbus/dbus/v5"
)

// values are properties by name.
type values map[string]any

// variants wraps the values for a{sv}.
func (v values) variants() map[string]dbus.Variant {
	out := make(map[string]dbus.Variant, len(v))
	for name, value := range v {
		out[name] = dbus.MakeVariant(value)
	}
	return out
}

// sinceEpoch is a time in microseconds since the epoch.
func sinceEpoch(t time.Time) uint64 { return uint64(max(t.UnixMicro(), 0)) }

// latencyClass is one of the property Latency.
type latencyClass struct{ Bound, Count uint64 }

// managerValues are the properties of the manager for somebody who may know of
// these containers.
func managerValues(st Status, connections []Connection, containers []Container) values {
	v := values{
		"Version":        st.Version,
		"StartedAtUSec":  sinceEpoch(st.StartedAt),
		"Restarts":       st.Restarts,
		"Connections":    connectionPaths(connections),
		"Containers":     containerPaths(containers),
		"Virtualization": st.Virtualization,
		"Degraded":       st.Degraded,
		"CgroupLayout":   st.CgroupLayout,
		"CgroupReason":   st.CgroupReason,
		"Features":       slices.Concat([]string{}, st.Features),
	}
	maps.Copy(v, counterValues(st))
	return v
}

func connectionPaths(list []Connection) []dbus.ObjectPath {
	paths := []dbus.ObjectPath{}
	for _, c := range list {
		paths = append(paths, ConnectionPath(c.ID))
	}
	slices.Sort(paths)
	return paths
}

func containerPaths(list []Container) []dbus.ObjectPath {
	paths := []dbus.ObjectPath{}
	for _, c := range list {
		paths = append(paths, ContainerPath(c.ID))
	}
	slices.Sort(paths)
	return paths
}

// fallbackPrefix stands before the reasons in the property Files.
const fallbackPrefix = "fallbacks-"

// counterValues sums up what was counted of the files.
func counterValues(st Status) values {
	var requests, failures, inFlight uint64
	fallbacks := make(map[string]uint64)
	perFile := make(map[string]map[string]uint64)
	served := []string{}
	for _, f := range st.Files {
		served = append(served, f.Path)
		requests, failures, inFlight = requests+f.Requests, failures+f.Errors, inFlight+f.InFlight
		perFile[f.Path] = fileValues(f)
		for reason, n := range f.Fallbacks {
			fallbacks[reason] += n
		}
	}
	return values{
		"ServedFiles": served, "Requests": requests, "Errors": failures, "InFlight": inFlight,
		"Fallbacks": fallbacks, "Latency": latencyClasses(st), "Files": perFile,
	}
}

func latencyClasses(st Status) []latencyClass {
	classes := []latencyClass{}
	for i, count := range st.Latency {
		c := latencyClass{NoLimit, count}
		if i < len(st.LatencyBounds) {
			c.Bound = st.LatencyBounds[i]
		}
		classes = append(classes, c)
	}
	return classes
}

func fileValues(f FileStats) map[string]uint64 {
	v := map[string]uint64{"requests": f.Requests, "errors": f.Errors, "in-flight": f.InFlight, "busy-usec": f.BusyUSec, "fallbacks": 0}
	for reason, n := range f.Fallbacks {
		v["fallbacks"] += n
		v[fallbackPrefix+reason] = n
	}
	return v
}

// fileStats is the inverse of fileValues.
func fileStats(path string, v map[string]uint64) FileStats {
	f := FileStats{
		Path: path, Requests: v["requests"], Errors: v["errors"], InFlight: v["in-flight"], BusyUSec: v["busy-usec"],
		Fallbacks: make(map[string]uint64),
	}
	for name, n := range v {
		if reason, ok := strings.CutPrefix(name, fallbackPrefix); ok {
			f.Fallbacks[reason] = n
		}
	}
	return f
}

func connectionValues(c Connection) values {
	return values{
		"ID": c.ID, "Mountpoint": c.Mountpoint, "Options": c.Options, "Restored": c.Restored,
		"Processes": c.Processes, "Deaths": c.Deaths, "Requests": c.Requests, "Replayed": c.Replayed,
		"InFlight": c.InFlight, "LongestUSec": c.LongestUSec,
	}
}

// loadAverage is the type of the property.
type loadAverage struct{ One, Five, Fifteen float64 }

// identityValues are the properties of a container that never change.
func identityValues(c Container) values {
	return values{
		"Name": c.Name, "Runtime": c.Runtime, "ClaimedName": c.ClaimedName, "Kind": c.Kind, "Unit": c.Unit, "Cgroup": c.Cgroup,
		"InitPID": c.InitPID, "StartedAtUSec": sinceEpoch(c.StartedAt),
	}
}

func containerValues(c Container, u Usage) values {
	v := identityValues(c)
	maps.Copy(v, values{
		"MemoryLimit": u.MemoryLimit, "MemoryTotal": u.MemoryTotal, "MemoryFree": u.MemoryFree, "MemoryAvailable": u.MemoryAvailable,
		"SwapTotal": u.SwapTotal, "SwapFree": u.SwapFree,
		"CPUs": u.CPUs, "CPUQuotaPerSecUSec": u.CPUQuotaPerSecUSec, "CPUUsageUSec": u.CPUUsageUSec,
		"LoadAverage": loadAverage{u.LoadAverage[0], u.LoadAverage[1], u.LoadAverage[2]},
		"Threads":     u.Threads, "UptimeUSec": u.UptimeUSec, "Reads": u.Reads,
	})
	return v
}

// syslogIdentifier is what the daemon's messages have before them.
const syslogIdentifier = "lxcfs"

func logControlValues(st Status) values {
	return values{"LogLevel": st.LogLevel, "LogTarget": st.LogTarget, "SyslogIdentifier": syslogIdentifier}
}
