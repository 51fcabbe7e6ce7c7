package fdstore

import (
	"syscall"
	"time"
)

// Kind says what an [Event] reports.
type Kind uint8

// What a Manager or a Keeper reports, and which fields of [Event] are set
// beside Kind and PID.
const (
	Ready     Kind = iota + 1 // READY=1
	Reloading                 // RELOADING=1
	Stopping                  // STOPPING=1
	Status                    // STATUS=: Text
	Alive                     // WATCHDOG=1
	Trigger                   // WATCHDOG=trigger: kill me
	Stored                    // FDSTORE=1: Name
	Duplicate                 // FDSTORE=1 of what is there already: Name
	Full                      // FDSTORE=1 and no room, dropped: Name
	Removed                   // FDSTOREREMOVE=1: Name
	HungUp                    // polled, and has hung up, dropped: Name
	Refused                   // a message that is not acceptFrom: PID of the sender, Text says why
	Started                   // Keeper: worker PID runs
	Failed                    // Keeper: worker could not be started: Err
	Died                      // Keeper: worker ended: Wait
	Delayed                   // Keeper: the next start waits: Delay
	Starved                   // Keeper: no WATCHDOG=1 in time, worker is killed
	Overdue                   // Keeper: did not stop in time, worker is killed
	Untold                    // Keeper: its own manager did not take a message: Err
	Kept                      // Keeper: it could not be executed anew and goes on: Err
)

// String returns the kind as a word.
func (k Kind) String() string {
	names := [...]string{
		Ready: "ready", Reloading: "reloading", Stopping: "stopping", Status: "status",
		Alive: "alive", Trigger: "trigger", Stored: "stored", Duplicate: "duplicate",
		Full: "full", Removed: "removed", HungUp: "hung up", Refused: "refused",
		Started: "started", Failed: "failed", Died: "died", Delayed: "delayed",
		Starved: "starved", Overdue: "overdue", Untold: "untold", Kept: "kept",
	}
	if int(k) < len(names) && names[k] != "" {
		return names[k]
	}
	return "unknown"
}

// Event is one thing that happened, for the log of whoever owns the Keeper.
type Event struct {
	Kind  Kind
	PID   int // of the worker, unless Kind says otherwise
	Name  string
	Text  string
	Wait  syscall.WaitStatus
	Delay time.Duration
	Err   error
}
