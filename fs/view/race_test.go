//go:build race

package view_test

// raceEnabled: sync.Pool then forgets at random.
const raceEnabled = true
