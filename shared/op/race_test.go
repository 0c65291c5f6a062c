//go:build race

package op

// race: the detector lets pools forget what was put back, so that allocations cannot be counted.
const race = true
