package dataset

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestResultSize: the size of every picture, where the preprocessing alone fixes it; zero where the picture has a say.
func TestResultSize(t *testing.T) {
	wide := Size{W: 320, H: 240}
	for _, c := range []struct {
		name string
		p    Prep
		want Size
	}{
		{"nothing", Prep{}, Size{}},
		{"both sides", Prep{Resize: Resize{Size: wide}}, wide},
		{"the shorter side", Prep{Resize: Resize{Short: 256}}, Size{}},
		{"within a window", Prep{Resize: Resize{Size: wide, Keep: KeepFit}}, Size{}},
		{"within a window, filled up", Prep{Resize: Resize{Size: wide, Keep: KeepFit}, Pad: Pad{Size: wide}}, wide},
		{"a crop", Prep{Crop: Size{W: 224, H: 200}}, Size{W: 224, H: 200}},
		{"a crop wins over a resize", Prep{Resize: Resize{Size: wide}, Crop: Size{W: 8, H: 9}}, Size{W: 8, H: 9}},
		{"up to a multiple", Prep{Resize: Resize{Size: Size{W: 33, H: 32}}, Pad: Pad{Stride: 32}}, Size{W: 64, H: 32}},
		{"up to a multiple of what is not known", Prep{Pad: Pad{Stride: 32}}, Size{}},
		{"a size that is no multiple", Prep{Pad: Pad{Size: Size{W: 30, H: 40}, Stride: 32}}, Size{W: 32, H: 64}},
	} {
		require.Equal(t, c.want, c.p.result(), c.name)
	}
}
