package dataset

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"assay/shared/tensor"
)

// TestGroup: samples that fill the rows of a fixed batch evenly go together, by the stream whose samples have most rows; all others
// go alone.
func TestGroup(t *testing.T) {
	for _, c := range []struct {
		rows []uint32 // of the streams
		want map[int]uint32
	}{
		{[]uint32{1}, map[int]uint32{-1: 1, 0: 1, 1: 1, 2: 2, 8: 8}},
		{[]uint32{2, 1}, map[int]uint32{0: 1, 1: 1, 2: 1, 3: 1, 4: 2, 6: 3, 7: 1}},
		{[]uint32{0}, map[int]uint32{0: 1, 4: 4}},
		{nil, map[int]uint32{4: 4}},
	} {
		var in Inputs
		for _, r := range c.rows {
			in.Streams = append(in.Streams, Stream{Rows: r})
		}
		for rows, want := range c.want {
			require.Equal(t, want, in.Group(rows), "%v, batch of %d", c.rows, rows)
		}
	}
}

// TestTogetherIsTheLongestStart: the group is what a look at every shape gives, samples of one shape go together however the pieces
// lie, and Feed takes it and not one sample more.
func TestTogetherIsTheLongestStart(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var in Inputs
		var shapes [][]uint32 // by stream and sample
		in.Count = uint32(rapid.IntRange(1, 12).Draw(t, "samples"))
		m := memory{}
		for range rapid.IntRange(1, 2).Draw(t, "streams") {
			s := Stream{Input: string(rune('a' + len(in.Streams))), DType: tensor.Uint8, Want: tensor.Uint8, Rows: 1}
			var of []uint32
			for len(of) < int(in.Count) {
				n := uint32(rapid.IntRange(1, int(in.Count)-len(of)).Draw(t, "count"))
				length := uint32(rapid.IntRange(1, 2).Draw(t, "length"))
				d, err := m.put(make([]byte, n*length))
				require.NoError(t, err)
				s.Pieces = append(s.Pieces, Piece{Digest: d, Shape: []uint32{length}, Count: n})
				for range n {
					of = append(of, length)
				}
			}
			in.Streams, shapes = append(in.Streams, s), append(shapes, of)
		}
		require.NoError(t, in.Check())
		samples := rapid.SliceOfN(rapid.Uint32Range(0, in.Count-1), 1, 8).Draw(t, "list")
		want := 1
		for want < len(samples) {
			same := true
			for _, of := range shapes {
				same = same && of[samples[want]] == of[samples[0]]
			}
			if !same {
				break
			}
			want++
		}
		require.Equal(t, want, in.Together(samples))
		fed, err := in.Feed(t.Context(), m.get, samples[:want])
		require.NoError(t, err)
		for k, s := range in.Streams {
			require.Equal(t, []int{want, int(shapes[k][samples[0]])}, fed[s.Input].Shape)
		}
		if want < len(samples) {
			_, err = in.Feed(t.Context(), m.get, samples[:want+1])
			require.ErrorIs(t, err, ErrMixed)
		}
	})
}
