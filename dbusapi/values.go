package dbusapi

import (
	"maps"
	"slices"
	"strings"

	"github.com/godbus/dbus/v5"
)

// latencyClass is one of the property Latency.
type latencyClass struct{ Bound, Count uint64 }

// managerValues are the properties of the manager for somebody who may know of
// these containers.
func managerValues(st Status, connections []Connection, containers []Container) values {
	v := valuesOf(&st)
	v["Connections"] = connectionPaths(connections)
	v["Containers"] = containerPaths(containers)
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

// syslogIdentifier is what the daemon's messages have before them.
const syslogIdentifier = "lxcfs"

func logControlValues(st Status) values {
	return values{"LogLevel": st.LogLevel, "LogTarget": st.LogTarget, "SyslogIdentifier": syslogIdentifier}
}
