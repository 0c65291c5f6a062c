package engine

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"assay/shared/op"
)

// TestArenaKeepsLivingSlotsApart draws chains of steps with branches, results and in-place kernels, and checks for each
// step that no two slots alive there share a byte, but an input with the output written in its place.
func TestArenaKeepsLivingSlotsApart(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := &bound{slots: []slot{{step: -1, last: -1, bytes: 64}}}
		n := rapid.IntRange(1, 25).Draw(t, "steps")
		for i := range n {
			st := step{kernel: op.Kernel{Alias: rapid.IntRange(-1, 1).Draw(t, "alias")}}
			for range rapid.IntRange(1, 3).Draw(t, "inputs") {
				st.in = append(st.in, rapid.IntRange(max(0, len(b.slots)-5), len(b.slots)-1).Draw(t, "input"))
			}
			for range rapid.IntRange(1, 2).Draw(t, "outputs") {
				st.out = append(st.out, len(b.slots))
				b.slots = append(b.slots, slot{step: i, last: -1, bytes: rapid.SampledFrom([]int{0, 1, 64, 100, 1000}).Draw(t, "bytes"), result: rapid.IntRange(0, 9).Draw(t, "result") == 0})
			}
			b.steps = append(b.steps, st)
		}
		b.liveness()
		b.place()
		for i, st := range b.steps {
			for x := range b.slots {
				for y := range x {
					sx, sy := b.slots[x], b.slots[y]
					if !alive(sx, i) || !alive(sy, i) || sx.offset >= sy.offset+sy.bytes || sy.offset >= sx.offset+sx.bytes {
						continue
					}
					a := st.kernel.Alias
					require.True(t, a >= 0 && a < len(st.in) && st.in[a] == y && st.out[0] == x && sx.offset == sy.offset && sx.bytes == sy.bytes,
						"step %d: slots %d and %d overlap", i, y, x)
				}
			}
		}
		for _, s := range b.slots {
			require.Zero(t, s.offset%alignment)
			require.LessOrEqual(t, s.offset+s.bytes, max(b.arena, s.bytes))
		}
	})
}

// alive reports whether a slot of the arena holds its value before or after step i.
func alive(s slot, i int) bool {
	return s.step >= 0 && !s.result && s.bytes > 0 && s.step <= i && i <= max(s.last, s.step)
}
