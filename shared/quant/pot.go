package quant

// placePOT is the published CPU table.
func (s *sketch) placePOT() { s.placeRegions() }
