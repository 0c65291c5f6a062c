package tile

import "assay/kernels/tier"

// Kernel is a line of the table of kernels, which is sorted by name.
type Kernel struct {
	Name string
	Tier tier.Tier
	Type string // f32 or u8s8
	Rows int    // of the highest tile
	Wide int    // panels of the widest tile
	// Work bounds rows * steps along k * panels of one call. Assembly holds up a garbage collection until it returns:
	// the bound is about 100 microseconds on a core of 3 GHz. A float chain longer than maxDepth continues in a second
	// call; integer depth is bounded by exactness (66,310), so one tile is below the bound.
	Work int
}

// Kernels lists the kernels of this build, sorted by name, those of tiers above the current one included. It is read only.
func Kernels() []Kernel { return table[:] }

// pick is the kernel of a type for the current tier: the fastest one that it includes; of several of a tier, the narrowest.
func pick(typ string) *Kernel { return below(typ, tier.Current()) }

// fallback is the kernel of the tier below that of k: for calls that k does not take.
func fallback(typ string, k *Kernel) *Kernel { return below(typ, k.Tier-1) }

// below is the fastest kernel of a type up to a tier, the narrowest of several.
func below(typ string, most tier.Tier) *Kernel {
	var best *Kernel
	for i := range table {
		if k := &table[i]; k.Type == typ && k.Tier <= most && (best == nil || k.Tier > best.Tier || k.Tier == best.Tier && k.Wide < best.Wide) {
			best = k
		}
	}
	return best
}

// of is the kernel of the same type and tier whose tiles are so many panels wide, nil without one.
func (k *Kernel) of(wide int) *Kernel {
	for i := range table {
		if o := &table[i]; o.Type == k.Type && o.Tier == k.Tier && o.Wide == wide {
			return o
		}
	}
	return nil
}

// Pick is the name of the kernel that runs a type, f32 or u8s8, on the current tier; of several of a tier, of that with the narrowest
// tiles. Another type is a panic.
func Pick(typ string) string { return pick(typ).Name }
