package tile

import "assay/kernels/tier"

// Kernel is a line of the table of kernels.
type Kernel struct {
	Name string
	Tier tier.Tier
	Type string // f32 or u8s8
	Rows int    // the highest tile
}

// table is sorted by name.
var table = [...]Kernel{
	{"f32_tile_plain_8x16", tier.Plain, "f32", 8},
	{"u8s8_tile_plain_8x16", tier.Plain, "u8s8", 8},
}

// Kernels lists the kernels of this build, sorted by name.
func Kernels() []Kernel { return table[:] }

// pick is the kernel of a type for the current tier.
func pick(typ string) Kernel {
	var best Kernel
	now := tier.Current()
	for i := range table {
		if k := &table[i]; k.Type == typ && k.Tier <= now && (best.Name == "" || k.Tier > best.Tier) {
			best = *k
		}
	}
	return best
}

func f32Kernel() Kernel { return pick("f32") }
func i8Kernel() Kernel  { return pick("u8s8") }

// f32 and i8 call by name and not through a function value: arguments of a call through one would move to the heap.
func (k Kernel) f32(c *callF32) { plainF32(c) }
func (k Kernel) i8(c *callI8)   { plainI8(c) }
