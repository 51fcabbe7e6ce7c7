//go:build integration && race

package integration

// raceEnabled says that the daemon is built with the race detector, too.
const raceEnabled = true
