package cell

import (
	"slices"
	"time"
)

// median is the middle one, the lower of two.
func median(d []time.Duration) time.Duration {
	s := slices.Clone(d)
	slices.Sort(s)
	return s[(len(s)-1)/2]
}
