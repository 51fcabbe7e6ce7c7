package main

import (
	"fmt"
	"slices"
	"time"
)

// sample is one measurement of one server in one round.
type sample struct {
	count          float64
	wall           time.Duration
	p50, p99, p999 float64       // microseconds
	cpu            time.Duration // of the server
}

// read has readers in a container read one file for a while.
func (b *bench) read(x *box, s *server, file, mode string, readers, cpu int) (sample, error) {
	before := s.cpu()
	answer, err := x.ask("read %s %s %s %d %d %d", s.root, file, mode, readers, b.slice.Milliseconds(), cpu)
	used := s.cpu() - before
	if err != nil {
		return sample{}, err
	}
	var n, failed, wall, p50, p99, p999 float64
	if _, err := fmt.Sscan(answer, &n, &failed, &wall, &p50, &p99, &p999); err != nil || failed > 0 || n == 0 {
		return sample{}, fmt.Errorf("%s %s of %s: answer %q", file, mode, s.name, answer)
	}
	return sample{n, time.Duration(wall), p50 / 1000, p99 / 1000, p999 / 1000, used}, nil
}

// median of what f says of each.
func median(all []sample, f func(sample) float64) float64 {
	values := make([]float64, len(all))
	for i, s := range all {
		values[i] = f(s)
	}
	slices.Sort(values)
	return values[len(values)/2]
}

// alternate measures each server in each round, and returns the samples by the
// server's name.
func alternate(servers []*server, rounds int, measure func(*server) (sample, error)) (map[string][]sample, error) {
	all := make(map[string][]sample)
	for range rounds {
		for _, s := range servers {
			one, err := measure(s)
			if err != nil {
				return nil, err
			}
			all[s.name] = append(all[s.name], one)
		}
	}
	return all, nil
}
