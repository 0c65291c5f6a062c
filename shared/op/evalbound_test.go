package op

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"assay/shared/graph"
	"assay/shared/tensor"
)

// TestControlOutputsStayWithinTheBound: what nodes with nested graphs make is charged like the values of other nodes, so that many of
// them cannot take many times what is allowed; values that a branch only passes on cost nothing again.
func TestControlOutputsStayWithinTheBound(t *testing.T) {
	const loop = `%s = Loop(n, go) {body=graph {
  input i: int64[]
  input c: bool[]
  output c
  output x
}}
`
	const scan = `%s = Scan(x) {num_scan_inputs=1, body=graph {
  input e: float32[]
  output x
}}
`
	for name, c := range map[string]struct {
		text  string
		nodes int
		ok    bool
	}{
		"a loop":          {loop, 1, true}, // 64 KiB each
		"many loops":      {loop, 17, false},
		"a scan":          {scan, 1, false}, // 1024 x 4 KiB
		"a loop within":   {"%s = If(go) {else_branch=graph {\n output x\n}, then_branch=graph {\n" + strings.ReplaceAll(loop, "%s", "u") + " output u\n}}\n", 1, true},
		"loops within":    {"%s = If(go) {else_branch=graph {\n output x\n}, then_branch=graph {\n" + strings.ReplaceAll(loop, "%s", "u") + " output u\n}}\n", 17, false},
		"passed on":       {"%s = If(go) {else_branch=graph {\n output x\n}, then_branch=graph {\n output x\n}}\n", 1000, true},
		"pieces":          {"%s = SplitToSequence(x)\n", 1, true},
		"pieces in heaps": {"%s = SplitToSequence(x)\n", 64, false},
	} {
		t.Run(name, func(t *testing.T) {
			var b strings.Builder
			b.WriteString("input x: float32[1024]\nn: int64[] = const [16]\ngo: bool[] = const [1]\n")
			for i := range c.nodes {
				fmt.Fprintf(&b, c.text, fmt.Sprintf("y%d", i))
			}
			b.WriteString("output y0\n")
			m, err := graph.Parse(b.String())
			require.NoError(t, err)
			_, err = EvalBounded(context.Background(), m.Graph, map[string]*tensor.Tensor{"x": tensor.New(tensor.Float32, 1024)}, 1<<20)
			if c.ok {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, "memory")
		})
	}
}
