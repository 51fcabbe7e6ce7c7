// Package layers has no code; its test says which package may import which.
package layers
