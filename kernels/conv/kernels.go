package conv

import "assay/kernels/tier"

// Kernel is a line of the table of depthwise kernels, which is sorted by name. Dense convolution runs on the kernels of
// package tile.
type Kernel struct {
	Name string
	Tier tier.Tier
	Type string // f32 or u8s8
	// Lanes is the number of channels that go together, and so how many pixels of few channels may share a vector.
	Lanes   int
	Gathers bool // there are variants for vectors of 2 or 4 pixels that lie apart
	Slides  bool // there are variants that take whole lines and unpack each column once
	Lines   bool // there are variants that take whole lines and load each column once for a group of pixels
}

// Kernels lists the kernels of this build, sorted by name, those of tiers above the current one included. It is read only.
func Kernels() []Kernel { return table[:] }

// pick is the kernel of a type for the current tier: the fastest one that it includes.
func pick(typ string) *Kernel {
	var best *Kernel
	now := tier.Current()
	for i := range table {
		if k := &table[i]; k.Type == typ && k.Tier <= now && (best == nil || k.Tier > best.Tier) {
			best = k
		}
	}
	return best
}

// Pick is the name of the kernel of a depthwise convolution in a type, f32 or u8s8, on the current tier. Another type is a panic.
// Kernels of more than 64 taps (of integers, whose lines are filled up to fours), and weights less a zero point that are no signed
// bytes, run by the plain one all the same.
func Pick(typ string) string { return pick(typ).Name }
