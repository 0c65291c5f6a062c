package main

import (
	"slices"
	"time"

	"assay/evaluator/clock"
)

// sample runs f once to warm up, since the other side has had the caches, then for about d of thread time, at least once, and
// returns the seconds of one of these runs. The caller has locked its goroutine to a thread.
func sample(d time.Duration, f func() error) (float64, error) {
	if err := f(); err != nil {
		return 0, err
	}
	n, start := 0, clock.Thread()
	for n == 0 || clock.Thread()-start < d {
		if err := f(); err != nil {
			return 0, err
		}
		n++
	}
	return (clock.Thread() - start).Seconds() / float64(n), nil
}

// median is the middle one, of an even number the upper of the two in the middle; v keeps its order and is not empty.
func median(v []float64) float64 {
	s := slices.Sorted(slices.Values(v))
	return s[len(s)/2]
}

// byTurns samples ours and theirs in turns and returns the medians; theirs is 0 where there is no peer.
func byTurns(rounds int, ours, theirs func() (float64, error)) (o, t float64, err error) {
	var a, b []float64
	for range rounds {
		s, err := ours()
		if err != nil {
			return 0, 0, err
		}
		a = append(a, s)
		if theirs == nil {
			continue
		}
		if s, err = theirs(); err != nil {
			return 0, 0, err
		}
		b = append(b, s)
	}
	if theirs != nil {
		t = median(b)
	}
	return median(a), t, nil
}
