package main

import (
	"slices"
	"time"

	"assay/evaluator/clock"
)

// sample runs f once to warm up, since the other side has had the caches, then for about d of thread time, at least once, and
// returns the seconds of one of these runs, their mean. The caller has locked its goroutine to a thread: the clock is that
// thread's CPU time, which a neighbour on the core does not lengthen but for the caches that it spoils.
//
// Reading that clock is a call of the system, which takes a microsecond or two on a virtual machine, as long as some layers. It is
// read after as many runs as there have been, or as fill what is left of d if these are fewer: a dozen times in a slice, and not
// after every run, which the peer does not do either.
func sample(d time.Duration, f func() error) (float64, error) {
	if err := f(); err != nil {
		return 0, err
	}
	start := clock.Thread()
	for n, more := 0, 1; ; {
		for range more {
			if err := f(); err != nil {
				return 0, err
			}
		}
		n += more
		spent := clock.Thread() - start
		if spent >= d {
			return spent.Seconds() / float64(n), nil
		}
		more = n
		if spent > 0 {
			more = max(1, min(n, int(float64(n)*float64(d-spent)/float64(spent))))
		}
	}
}

// median is the middle one, of an even number the upper of the two in the middle; v keeps its order and is not empty.
func median(v []float64) float64 {
	s := slices.Sorted(slices.Values(v))
	return s[len(s)/2]
}

// byTurns samples ours and theirs in turns and returns the medians in seconds; theirs is 0 where there is no peer. Turns rather
// than one side after the other: a machine that slows down for a while slows both.
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
