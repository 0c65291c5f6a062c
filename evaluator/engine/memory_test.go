package engine

import (
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"

	"assay/shared/graph"
	"assay/shared/op"
	"assay/shared/tensor"
)

// TestArenasFitTheirRuns: an arena that is free serves a run that wants no less than about half of it, begins where vectors may, and is
// counted until it is given up for room or discarded.
func TestArenasFitTheirRuns(t *testing.T) {
	m := &memory{limit: 4 << 20}
	large, err := m.acquire(1 << 20)
	require.NoError(t, err)
	require.Zero(t, uintptr(unsafe.Pointer(&large[0]))%alignment)
	require.GreaterOrEqual(t, len(large), 1<<20)
	counted := m.usage().Arena
	m.release(large)
	require.Equal(t, counted, m.usage().Arena, "a free one counts")
	again, err := m.acquire(600 << 10)
	require.NoError(t, err)
	require.Same(t, &large[0], &again[0])
	m.release(again)
	small, err := m.acquire(100)
	require.NoError(t, err)
	require.Less(t, len(small), 1<<10, "a small run must not sit on a large arena")
	huge, err := m.acquire(3 << 20)
	require.NoError(t, err, "the free one gives way")
	require.Less(t, m.usage().Arena, counted+3<<20)
	_, err = m.acquire(2 << 20)
	var refused *MemoryError
	require.ErrorAs(t, err, &refused)
	require.Greater(t, refused.Arena, refused.Limit)
	m.discard(huge)
	m.release(small)
	require.EqualValues(t, cap(small), m.usage().Arena, "what a fault had is forgotten")
	_, err = m.acquire(2 << 20)
	require.NoError(t, err)
}

// TestRoomIsMadeInOrder: free arenas go before stored activations, and these before packed weights; what is used stays.
func TestRoomIsMadeInOrder(t *testing.T) {
	m := &memory{limit: 1000, storeBudget: 1000}
	var asked []string
	m.evictStore = func(n int64) { asked = append(asked, "store"); m.dropStored(min(n, 300)) }
	m.evictPacks = func(n int64) { asked = append(asked, "packs"); m.dropWeights(n) }
	require.True(t, m.addStored(300))
	require.NoError(t, m.addWeights(200))
	require.False(t, m.addStored(501), "over the limit")
	require.Empty(t, asked, "storing gives nothing up")
	a, err := m.acquire(100)
	require.NoError(t, err)
	m.release(a)
	require.NoError(t, m.addWeights(500-164), "the free arena goes")
	require.Empty(t, asked)
	require.NoError(t, m.addWeights(264))
	require.Equal(t, []string{"store"}, asked)
	require.NoError(t, m.addWeights(900))
	require.Equal(t, []string{"store", "store", "packs"}, asked)
	require.False(t, (&memory{limit: 1000, storeBudget: 100}).addStored(101), "over the store's own budget")
}

// TestUnusedPacksGoOldestFirst: what was let go of first is dropped first, whenever it was built.
func TestUnusedPacksGoOldestFirst(t *testing.T) {
	m := &memory{limit: 1000}
	p := newPacks(m)
	holders := map[string]*holder{}
	for _, k := range []string{"a", "b", "c", "d"} {
		holders[k] = &holder{packs: p, keys: map[string]bool{}}
		_, err := holders[k].Get(k, func() (any, int64, error) { return k, 100, nil })
		require.NoError(t, err)
	}
	for _, k := range []string{"c", "a", "b"} {
		p.release(holders[k].keys)
	}
	for _, want := range [][]string{{"a", "b", "d"}, {"b", "d"}, {"d"}, {"d"}} {
		p.evict(1)
		require.Len(t, p.m, len(want))
		for _, k := range want {
			require.Contains(t, p.m, k)
		}
		require.EqualValues(t, 100*len(want), m.usage().Weights)
	}
}

// TestPacksFollowBounds: a program is a user of its packed weights once for each shape that it stays bound to, and a binding that fails is
// none.
func TestPacksFollowBounds(t *testing.T) {
	users := func(e *Engine) (n []int) {
		e.packs.mu.Lock()
		defer e.packs.mu.Unlock()
		for _, p := range e.packs.m {
			n = append(n, p.users)
		}
		return n
	}
	parsed := func(text string) *graph.Model {
		m, err := graph.Parse(text)
		require.NoError(t, err)
		return m
	}
	e := New(Options{Memory: 1 << 24})
	p, err := e.Compile(parsed("input x: float32[n,8]\nw: float32[8,4] = const random 1\ny = MatMul(x, w)\noutput y\n"), nil)
	require.NoError(t, err)
	for _, rows := range []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 10, 3} {
		_, err := p.Run(t.Context(), map[string]*tensor.Tensor{"x": tensor.New(tensor.Float32, rows, 8)}, [32]byte{})
		require.NoError(t, err)
		require.Equal(t, []int{len(p.bindings.bounds)}, users(e))
	}
	require.Len(t, p.bindings.bounds, keepBounds)

	e = New(Options{Memory: 256 << 10}) // the second matrix is packed to sixteen times its size
	p, err = e.Compile(parsed("input x: float32[n,64]\nw: float32[4096,1] = const random 2\ny = Relu(x)\n"+
		"a: float32[64,64] = const random 3\nb = MatMul(y, a)\nc: int64[2] = const [1, 4096]\nd = Reshape(b, c)\nz = MatMul(d, w)\noutput z\n"), nil)
	require.NoError(t, err)
	_, err = p.Run(t.Context(), map[string]*tensor.Tensor{"x": tensor.New(tensor.Float32, 64, 64)}, [32]byte{})
	var refused *MemoryError
	require.ErrorAs(t, err, &refused)
	require.Equal(t, []int{0}, users(e), "the first matrix was packed, and nobody uses it")
}

// chainOf is a bound of steps that write a slot each, which the next one reads, with these costs and sizes.
func chainOf(costs []float64, sizes []int) *bound {
	b := &bound{}
	for i, c := range costs {
		b.steps = append(b.steps, step{kernel: op.Kernel{Alias: -1}, in: []int{i - 1}, out: []int{i}, cost: c})
		b.slots = append(b.slots, slot{step: i, bytes: sizes[i], last: -1})
	}
	b.liveness()
	return b
}

// kept are the gains of what the store should hold, by slot.
func kept(b *bound) map[int]float64 {
	out := map[int]float64{}
	for i, s := range b.slots {
		if s.keep > 0 {
			out[i] = s.keep
		}
	}
	return out
}

// TestCutsAreWorthTheirBytes: a value is stored that costs more than copying it, cheap steps count for the value behind them, and where
// there is no room the cut goes that saves least for a byte, its steps falling to the next one.
func TestCutsAreWorthTheirBytes(t *testing.T) {
	const dear = copying * 1000
	for name, c := range map[string]struct {
		costs  []float64
		sizes  []int
		budget float64
		want   map[int]float64
	}{
		"each is worth it":              {[]float64{dear, dear, 1}, []int{1000, 1000, 1000}, 1e9, map[int]float64{0: copying, 1: copying}},
		"cheap steps count behind":      {[]float64{dear / 2, dear / 2, 1}, []int{1000, 1000, 1000}, 1e9, map[int]float64{1: copying}},
		"none is":                       {[]float64{1, 1, 1}, []int{1000, 1000, 1000}, 1e9, map[int]float64{}},
		"the last is never stored":      {[]float64{dear}, []int{1000}, 1e9, map[int]float64{}},
		"the worse one goes":            {[]float64{2 * dear, 3 * dear, 1}, []int{1000, 1000, 1000}, 2000, map[int]float64{1: 5 * copying}},
		"the better one stays in front": {[]float64{3 * dear, 2 * dear, 1}, []int{1000, 1000, 1000}, 2000, map[int]float64{0: 3 * copying}},
		"no room for any":               {[]float64{dear, dear, 1}, []int{1000, 1000, 1000}, 1999, map[int]float64{}},
	} {
		t.Run(name, func(t *testing.T) {
			b := chainOf(c.costs, c.sizes)
			b.cuts(c.budget)
			got := kept(b)
			require.Len(t, got, len(c.want))
			for i, gain := range c.want {
				require.InDelta(t, gain, got[i], 1e-9, "slot %d", i)
			}
		})
	}
}

// TestStretchesAreWholeRows of every member of a group, about as long as the first-level cache likes, or there are none.
func TestStretchesAreWholeRows(t *testing.T) {
	for _, c := range []struct {
		periods []int
		row     int // 0: too long
	}{
		{[]int{0, 0}, 1}, {[]int{3, 4}, 12}, {[]int{6, -4}, 12}, {[]int{7, 1, 7}, 7}, {[]int{127, 128}, 127 * 128}, {[]int{129, 128}, 0},
	} {
		b := &bound{}
		var members []int
		for i, p := range c.periods {
			b.slots = append(b.slots, slot{dtype: tensor.Float32})
			b.steps = append(b.steps, step{kernel: op.Kernel{Stretches: &op.Stretches{Period: []int{0, p}}}, out: []int{i}})
			members = append(members, i)
		}
		n, ok := b.stretchOf(members)
		require.Equal(t, c.row > 0, ok, "%v", c.periods)
		if ok {
			require.Zero(t, n%c.row, "%v: stretches of %d", c.periods, n)
			require.True(t, n == c.row || 4*n <= stretchBytes, "%v: stretches of %d", c.periods, n)
		}
	}
}

// TestLayoutsOfOnePixelAreOne: both orders are the same bytes where there is one channel or one pixel, and nowhere else.
func TestLayoutsOfOnePixelAreOne(t *testing.T) {
	for want, shapes := range map[bool][][]int{
		true:  {{2, 3, 1, 1}, {2, 1, 5, 4}, {2, 3, 1}, {1, 1, 1, 1, 1}},
		false: {{1, 3, 2, 1}, {1, 3, 1, 2}, {2, 2, 2}, {1, 2, 1, 1, 3}},
	} {
		for _, s := range shapes {
			require.Equal(t, want, sameBytes(s), "%v", s)
		}
	}
}

// TestWholeImagesAreGlobalAverages: a quantized average becomes a global one where its one window is the whole image, and no other does.
func TestWholeImagesAreGlobalAverages(t *testing.T) {
	infos := map[string]op.Info{"x": {Shape: []int{2, 3, 5, 4}}}
	node := func(change func(n *graph.Node)) *graph.Node {
		n := &graph.Node{Domain: "com.microsoft", Op: "QLinearAveragePool", Inputs: []string{"x", "a", "b", "c", "d"}, Outputs: []string{"y"}}
		n.SetInts("kernel_shape", []int64{5, 4})
		change(n)
		return n
	}
	for name, c := range map[string]struct {
		change func(n *graph.Node)
		want   string
	}{
		"the whole image": {func(*graph.Node) {}, "QLinearGlobalAveragePool"},
		"no pads":         {func(n *graph.Node) { n.SetInts("pads", []int64{0, 0, 0, 0}) }, "QLinearGlobalAveragePool"},
		"pads":            {func(n *graph.Node) { n.SetInts("pads", []int64{0, 0, 0, 1}) }, "QLinearAveragePool"},
		"other pads": {func(n *graph.Node) {
			n.Set(graph.Attr{Name: "auto_pad", Kind: graph.KindString, Str: []byte("SAME_UPPER")})
		}, "QLinearAveragePool"},
		"a part of it":   {func(n *graph.Node) { n.SetInts("kernel_shape", []int64{5, 3}) }, "QLinearAveragePool"},
		"one axis":       {func(n *graph.Node) { n.SetInts("kernel_shape", []int64{5}) }, "QLinearAveragePool"},
		"too few inputs": {func(n *graph.Node) { n.Inputs = n.Inputs[:4] }, "QLinearAveragePool"},
		"ONNX's own":     {func(n *graph.Node) { n.Domain = "" }, "QLinearAveragePool"},
	} {
		t.Run(name, func(t *testing.T) {
			n := node(c.change)
			before := *n
			require.Equal(t, c.want, specialise(n, infos).Op)
			require.Equal(t, before, *n, "the node itself stays")
		})
	}
}
