package jpeg

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestBlocksOfAUnit: T.81 allows ten blocks; more are read where no component has more than four on average, as files have whose
// components all have the factors 2x2 of a picture that is not subsampled.
func TestBlocksOfAUnit(t *testing.T) {
	for _, c := range []struct {
		name    string
		factors []byte
		refused string
	}{
		{"2x2 all", []byte{0x22, 0x22, 0x22}, ""},
		{"2x2, 1x1, 1x1", []byte{0x22, 0x11, 0x11}, ""},
		{"4x2, 1x1, 1x1", []byte{0x42, 0x11, 0x11}, ""}, // ten
		{"3x3, 1x1, 1x1", []byte{0x33, 0x11, 0x11}, ""}, // eleven, less than four on average
		{"4x4 alone", []byte{0x44}, ""},                 // a scan of one component has units of one block
		{"4x2, 4x1, 1x1", []byte{0x42, 0x41, 0x11}, "corrupt: 13 blocks in a unit, at most 10 are allowed"},
		{"4x4, 1x1, 1x1", []byte{0x44, 0x11, 0x11}, "corrupt: 18 blocks in a unit, at most 10 are allowed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := []byte{8, 0, 16, 0, 16, byte(len(c.factors))}
			for i, f := range c.factors {
				p = append(p, byte(i), f, 0)
			}
			_, err := newFrame(p, false, 1000)
			if c.refused == "" {
				require.NoError(t, err)
			} else {
				require.EqualError(t, err, c.refused)
			}
		})
	}
}
