//go:build !amd64 || noasm

package conv

import "assay/kernels/numeric"

// Without assembly nothing is packed in transformed form.

func winogradPanels(int, int) int { return 0 }

func (p *I8) tiles(Geometry) bool { return false }

func (p *winograd) scratch(Geometry) int { return 0 }

func (p *winograd) run([]uint8, []uint8, Geometry, uint8, numeric.Requant, []byte) {}

// Form is empty: tiles of package tile compute all pictures.
func Form(Geometry) string { return "" }
