package tile

import "assay/kernels/tier"

// Kernel is a line of the table of kernels, which is sorted by name.
type Kernel struct {
	Name string
	Tier tier.Tier
	Type string // f32 or u8s8
	Rows int    // of the highest tile
	// Work bounds rows * steps along k * panels of one call. Assembly holds up a garbage collection until it returns:
	// the bound is about 100 microseconds on a core of 3 GHz. A float chain longer than maxDepth continues in a second
	// call; integer depth is bounded by exactness (66,310), so one tile is below the bound.
	Work int
}

// Kernels lists the kernels of this build, sorted by name.
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

// Pick is the name of the kernel that runs a type, f32 or u8s8, on the current tier.
func Pick(typ string) string { return pick(typ).Name }
