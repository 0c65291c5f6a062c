package cause

import (
	"fmt"
	"math"
)

// digits is a number of a finding's sentence, with three digits that count. From a thousand to ten million it is written out,
// 7,870 and not 7.87e+03, since ranges of activations lie there.
type digits float64

// String implements fmt.Stringer.
func (d digits) String() string {
	v := float64(d)
	size := math.Abs(v)
	if !(size >= 999.5 && size < 1e7) {
		return fmt.Sprintf("%.3g", v)
	}
	unit := math.Pow(10, math.Floor(math.Log10(size))-2)
	s := fmt.Sprintf("%.0f", math.Round(size/unit)*unit)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	if v < 0 {
		s = "-" + s
	}
	return s
}
