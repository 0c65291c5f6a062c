package config

import (
	"errors"
	"fmt"
	"math/bits"
	"slices"
	"strconv"
	"strings"
)

// Calibration says which samples give the ranges. Without Every and Source, calibration takes its samples from those of the
// search, as POT does: the first Count, or Count drawn at random.
type Calibration struct {
	Count   int    // at most so many samples, 1 or more
	Every   int    // K: samples 0, K, 2K ... calibrate and the others are searched; 0: all are searched
	Source  string // calibration data of its own; "": the search data
	Shuffle bool   // draw Count samples instead of taking the first
	Seed    uint64 // of the draw
}

// ParseCalibration reads --calib and returns c with what it says: "N" for the first N samples, "every:K" for every K-th one (the
// search then uses the others, and Count stays), or else a path to calibration data of its own, of which Count are taken. A
// folder that is named like a number is written ./300. After an error it returns c as it was. Paths are not looked at.
func ParseCalibration(s string, c Calibration) (Calibration, error) {
	if k, ok := strings.CutPrefix(s, "every:"); ok {
		n, err := strconv.Atoi(k)
		if err != nil || n < 2 {
			return c, fmt.Errorf("%q: want every:K with K of 2 or more", s)
		}
		c.Every, c.Source = n, ""
		return c, nil
	}
	if n, err := strconv.Atoi(s); err == nil {
		if n < 1 {
			return c, fmt.Errorf("%q: want 1 or more samples", s)
		}
		c.Count, c.Every, c.Source = n, 0, ""
		return c, nil
	}
	if s == "" {
		return c, errors.New("empty; want N, every:K or a path")
	}
	c.Every, c.Source = 0, s
	return c, nil
}

// Split gives the sample indices of calibration and search for n samples of search data, both ascending. The search takes all
// samples, or all but every K-th; calibration takes at most Count of all, or of every K-th, which is the same draw for the same
// Seed on any machine. With Source the calibration list is empty: Pick chooses from that data. The lists are the caller's. No
// sample at all, and none left to search, are errors.
func (c Calibration) Split(n int) (calibration, search []uint32, err error) {
	if n < 1 {
		return nil, nil, errors.New("no samples")
	}
	if c.Every > 0 && n < 2 {
		return nil, nil, fmt.Errorf("calibration takes one sample in %d, and there is only one: none is left to search", c.Every)
	}
	var own []uint32
	for i := range n {
		if c.Every > 0 && i%c.Every == 0 {
			own = append(own, uint32(i))
		} else {
			search = append(search, uint32(i))
		}
	}
	switch {
	case c.Source != "":
		return nil, search, nil
	case c.Every == 0:
		own = search
	}
	return c.pick(own), search, nil
}

// Pick gives the indices to use, ascending, of n samples of calibration data of its own: the first Count, or as many drawn with Seed.
func (c Calibration) Pick(n int) []uint32 {
	all := make([]uint32, n)
	for i := range all {
		all[i] = uint32(i)
	}
	return c.pick(all)
}

// pick takes Count of list, all if it has fewer.
func (c Calibration) pick(list []uint32) []uint32 {
	list = slices.Clone(list)
	if len(list) <= c.Count {
		return list
	}
	if !c.Shuffle {
		return list[:c.Count]
	}
	// Fisher-Yates over the SplitMix64 stream of the seed: the draw is the same for ever and on every machine.
	state := c.Seed
	for i := range c.Count {
		state += 0x9e3779b97f4a7c15
		z := state
		z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
		z = (z ^ z>>27) * 0x94d049bb133111eb
		hi, _ := bits.Mul64(z^z>>31, uint64(len(list)-i))
		k := i + int(hi)
		list[i], list[k] = list[k], list[i]
	}
	list = list[:c.Count]
	slices.Sort(list)
	return list
}
