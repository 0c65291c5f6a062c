//go:build !noasm

package conv

import (
	"fmt"

	"assay/kernels/gemm/tile"
	"assay/kernels/tier"
)

// winogradCosts are what a tier takes for the parts of a convolution, in hundredths of a cycle, fitted to layers of 16 to 256 channels on Zen 4. A panel is
// 16 output channels.
type winogradCosts struct {
	direct  int // of a panel of one output by dense kernels, for each channel and tap that it sees
	store   int // of a panel of one output by dense kernels, besides
	product int // of a panel of one place, for each channel
	spread  int // of 16 channels of a tile of pixels
	gather  int // of a panel of a tile of outputs
	panels  int // of a group of weights at most
	most    int // bytes of weights at most
}

// fetch is what a byte takes that comes from the last cache: weights that are larger than the second pass by from there for every block.
const fetch = 11

var winogradTiers = [...]winogradCosts{
	tier.AVX2:       {90, 2_000, 73, 11_000, 24_000, 1, 32 << 20},
	tier.AVX512VNNI: {27, 1_000, 51, 7_500, 40_000, winogradWide, 8 << 20},
	tier.AMX:        {}, // tile registers are faster
}

// winogradPanels is how many panels of weights for c to oc channels the current tier wants together: 0 if it has no kernels for them, or if they
// gain in no picture.
func winogradPanels(c, oc int) int {
	t := tier.Current()
	k := winogradTiers[t]
	const outputs = winogradOut * winogradOut
	if t == tier.AVX2 && oc%tile.Panel != 0 || 2*winogradPlaces*c*oc > k.most || !k.pays(c, panels(oc), 1, outputs, 9*outputs, 0) {
		return 0
	}
	return k.panels
}

// pays says that tiles with so many outputs, which see met taps in the picture, are faster in transformed form: c channels, n panels, weights passing
// by in so many bytes.
func (k *winogradCosts) pays(c, n, tiles, outputs, met, bytes int) bool {
	product := max(tiles*winogradPlaces*c*n*k.product, bytes*fetch)
	return product+tiles*(c/tile.Panel*k.spread+n*k.gather) < n*(met*c*k.direct+outputs*k.store)
}

// tiles says that pictures of g are computed in transformed form: where that is estimated to be faster.
func (p *I8) tiles(g Geometry) bool {
	if p.tiled == nil || winogradPanels(g.C, g.OC) == 0 {
		return false
	}
	c := newWinogradCall(p.tiled, g)
	return winogradTiers[tier.Current()].pays(g.C, panels(g.OC), g.Batch*c.down*c.over, g.Batch*c.oh*c.ow, g.Batch*c.met(), c.blocks*p.tiled.bytes())
}

// met is the number of taps of all outputs of a picture that lie in it, which dense kernels multiply.
func (c *winogradCall) met() int { return met(c.oh, c.g.H, c.g.PadTop) * met(c.ow, c.g.W, c.g.PadLeft) }

// met is how often n outputs of three taps each see one of size elements, the first of which lies pad behind the first tap.
func met(n, size, pad int) (all int) {
	for tap := range 3 {
		all += max(0, min(n, size+pad-tap)-max(0, pad-tap))
	}
	return all
}

// Form is the name of the kernel that computes pictures of g in transformed form, empty where tiles of package tile do: what PackI8 and Run decide for
// weights without zero points of which a channel's magnitudes add up to less than 2^18.
func Form(g Geometry) string {
	p := &I8{tiled: &winograd{}}
	if g.Check() != nil || !g.winogradShape() || !p.tiles(g) {
		return ""
	}
	t := tier.Current()
	if t == tier.AVX2 {
		return fmt.Sprintf("u8s8_winograd_%v_6x16", t)
	}
	return fmt.Sprintf("u8s8_winograd_%v_6x64", t)
}
