package numeric

const (
	// Lanes is the number of partial chains of a sum over the last axis: element i goes to lane i mod Lanes.
	Lanes = 16
	// Run is the number of additions after which a partial sum is added to its total and restarts at +0. One long chain
	// of float32 loses 1e-3 over 512 x 512 elements.
	Run = 128
)

// Chain sums in the order of Add, in two levels. Its zero value is ready and Sum of it is +0. It is the canonical sum of
// pooling windows, global average pooling and reductions that leave the last logical axis alone. A NaN has any pattern: what
// stores the sum makes it canonical.
type Chain struct {
	total, part float32
	n           int
}

// Add adds v.
func (c *Chain) Add(v float32) {
	c.part += v
	if c.n++; c.n == Run {
		c.total, c.part, c.n = c.total+c.part, 0, 0
	}
}

// Sum returns the sum so far; further Adds continue it.
func (c *Chain) Sum() float32 { return c.total + c.part }

// LaneSum is the canonical sum over axes that include the last logical one, fed in row-major order by Add; how the elements are
// spread over calls changes no bit. Its zero value is ready and Sum of it is +0. A NaN has any pattern, as in Chain.
type LaneSum struct {
	total, part [Lanes]float32
	lane, n     int // next lane; whole rows of lanes since the last flush
}

// Add appends the elements of x.
func (s *LaneSum) Add(x []float32) {
	for len(x) > 0 && s.lane != 0 {
		s.Add1(x[0])
		x = x[1:]
	}
	for len(x) >= Lanes {
		v := (*[Lanes]float32)(x)
		for j := range v {
			s.part[j] += v[j]
		}
		x = x[Lanes:]
		s.row()
	}
	for _, v := range x {
		s.Add1(v)
	}
}

// Add1 appends one element.
func (s *LaneSum) Add1(v float32) {
	s.part[s.lane] += v
	if s.lane++; s.lane == Lanes {
		s.lane = 0
		s.row()
	}
}

// row counts one element more in every lane. All lanes have the same number of additions here, so they flush together.
func (s *LaneSum) row() {
	if s.n++; s.n < Run {
		return
	}
	s.n = 0
	for j := range s.part {
		s.total[j] += s.part[j]
		s.part[j] = 0
	}
}

// Sum folds the lanes: lane j takes lane j+8, then j+4, j+2, j+1. It changes nothing: further Adds continue the sum.
func (s *LaneSum) Sum() float32 {
	t := s.total
	for j := range t {
		t[j] += s.part[j]
	}
	return Fold(&t)
}

// Fold adds 16 lane totals in the canonical order 8, 4, 2, 1; v is overwritten.
func Fold(v *[Lanes]float32) float32 {
	for half := Lanes / 2; half > 0; half /= 2 {
		for j := range half {
			v[j] += v[j+half]
		}
	}
	return v[0]
}

// Sum is the canonical sum of a row that lies in memory without gaps.
func Sum(x []float32) float32 {
	var s LaneSum
	s.Add(x)
	return s.Sum()
}
