package psi

import (
	"encoding/json"
	"fmt"
	"time"
)

// record is how a trigger is kept for a successor. Fields may be added; what
// they mean must not change.
type record struct {
	KH        uint64    `json:"kh"`
	Notify    bool      `json:"notify"`
	Path      string    `json:"path"`
	Dir       string    `json:"dir,omitempty"`
	Inode     uint64    `json:"inode,omitempty"`
	Owner     [2]uint64 // of an earlier version: a container's cgroup and start
	Top       string    `json:"top,omitempty"`
	Full      bool      `json:"full,omitempty"`
	Threshold int64     `json:"threshold"` // ns
	Window    int64     `json:"window"`    // ns
}

func (t *trigger) record() []byte {
	b, err := json.Marshal(record{
		KH: t.kh, Notify: t.notify, Path: t.source.path, Dir: t.source.dir, Inode: t.source.inode,
		Top:  t.owner,
		Full: t.Full, Threshold: int64(t.Threshold), Window: int64(t.Window),
	})
	if err != nil {
		return nil // not with these types
	}
	return b
}

// parseRecord returns the trigger of a handle, nil for a record that is none.
func parseRecord(fh uint64, b []byte) *trigger {
	var r record
	if json.Unmarshal(b, &r) != nil || r.Path == "" {
		return nil
	}
	t := &trigger{
		fh: fh, kh: r.KH, notify: r.Notify,
		Trigger: Trigger{Full: r.Full, Threshold: time.Duration(r.Threshold), Window: time.Duration(r.Window)},
		source:  source{path: r.Path, dir: r.Dir, inode: r.Inode},
	}
	if t.owner = r.Top; t.owner == "" && r.Owner != [2]uint64{} {
		t.owner = fmt.Sprint(r.Owner)
	}
	if !t.allowed(true) {
		return nil
	}
	return t
}
