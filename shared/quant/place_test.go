package quant

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	"github.com/stretchr/testify/require"

	"assay/shared/graph"
	"assay/shared/plan"
)

// configOf reads a configuration from the arguments of a script's line.
func configOf(t *testing.T, d *datadriven.TestData) Config {
	var cfg Config
	for _, a := range d.CmdArgs {
		switch a.Key {
		case "pot":
			cfg.Placement = POT
		case "mixed":
			cfg.Preset = Mixed
		case "pertensor":
			cfg.Weights.Granularity = PerTensor
		case "nobias":
			cfg.NoFastBias = true
		case "ignore":
			cfg.Ignored.Scope = a.Vals
		case "ignore_type":
			for _, v := range a.Vals {
				cfg.Ignored.Operations = append(cfg.Ignored.Operations, Operation{Type: v})
			}
		case "transformer":
			cfg.Transformer = true
		case "float":
		default:
			require.Fail(t, "argument "+a.Key)
		}
	}
	return cfg
}

func parse(t *testing.T, text string) *graph.Model {
	m, err := graph.Parse(text)
	require.NoError(t, err)
	require.NoError(t, graph.Validate(m))
	return m
}

// TestPlace prints, for a model, the points by group, and why operations are float.
//
//	place [pot] [mixed] [transformer] [pertensor] [nobias] [ignore=(node,...)] [ignore_type=(Op,...)]
func TestPlace(t *testing.T) {
	datadriven.Walk(t, "testdata/place", func(t *testing.T, path string) {
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			m := parse(t, d.Input)
			cfg := configOf(t, d)
			if _, err := Taps(m, cfg); err != nil {
				return err.Error() + "\n"
			}
			p, report, err := Build(m, cfg, statistics(t, m, cfg, noise(m, 2, nil)))
			if err != nil {
				return err.Error() + "\n"
			}
			return describe(m, p) + reasons(report)
		})
	})
}

func describe(m *graph.Model, p *plan.Params) string {
	var b strings.Builder
	names := GroupOps(m, p)
	for g, members := range p.Groups {
		fmt.Fprintf(&b, "group %d: %s\n", g, strings.Join(names[g], " "))
		for _, i := range members {
			x := p.Points[i]
			fmt.Fprintf(&b, "  %s %s", []string{"value", "weight", "bias"}[x.Kind], x.Value)
			if x.Axis >= 0 {
				fmt.Fprintf(&b, " axis %d", x.Axis)
			}
			if x.Kind == plan.Activation && x.Zero[0] != 0 {
				fmt.Fprintf(&b, " zero %d", x.Zero[0])
			}
			b.WriteString(" ->")
			for _, u := range x.Uses {
				fmt.Fprintf(&b, " %s", useName(u))
			}
			b.WriteString("\n")
		}
		for _, x := range p.Patches {
			if int(x.Group) == g {
				fmt.Fprintf(&b, "  patch %s\n", useName(x.Use))
			}
		}
	}
	return b.String()
}

func useName(u plan.Use) string {
	if u.Node == "" {
		return fmt.Sprintf("output:%d", u.Input)
	}
	return fmt.Sprintf("%s:%d", u.Node, u.Input)
}

func reasons(r *Report) string {
	var b strings.Builder
	for _, x := range r.Float {
		fmt.Fprintf(&b, "float %s (%s): %s\n", x.Node, x.Op, x.Why)
	}
	for _, w := range r.Warnings {
		fmt.Fprintf(&b, "warning: %s\n", w)
	}
	return b.String()
}

// TestApply prints the nodes of a plan's graph, and which operations the runtimes run in integers.
//
//	apply [float=(group,...)] [as for place]
func TestApply(t *testing.T) {
	datadriven.Walk(t, "testdata/apply", func(t *testing.T, path string) {
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			m := parse(t, d.Input)
			before := graph.Print(m)
			cfg := configOf(t, d)
			p, _, err := Build(m, cfg, statistics(t, m, cfg, noise(m, 2, nil)))
			require.NoError(t, err)
			pl := plan.All(p)
			if a, ok := d.Arg("float"); ok {
				for _, v := range a.Vals {
					g, err := strconv.Atoi(v)
					require.NoError(t, err)
					pl, err = pl.Revert(g, len(p.Groups))
					require.NoError(t, err)
				}
			}
			q, err := Apply(m, p, pl)
			require.NoError(t, err)
			require.NoError(t, graph.Validate(q))
			require.Equal(t, before, graph.Print(m), "the model must not change")
			run(t, q, noise(m, 1, nil)[0])
			var b strings.Builder
			for _, line := range strings.Split(graph.PrintGraph(q.Graph), "\n") {
				if !strings.Contains(line, "= const ") && line != "" {
					b.WriteString(line + "\n")
				}
			}
			fmt.Fprintf(&b, "integer: %s\n", strings.Join(IntegerOps(q), " "))
			return b.String()
		})
	})
}

// TestBuildIsAFunction: the same arguments give the same bytes.
func TestBuildIsAFunction(t *testing.T) {
	m := parse(t, residual)
	cfg := Config{}
	samples := noise(m, 3, nil)
	a, _, err := Build(m, cfg, statistics(t, m, cfg, samples))
	require.NoError(t, err)
	b, _, err := Build(m.Clone(), cfg, statistics(t, m.Clone(), cfg, samples))
	require.NoError(t, err)
	require.Equal(t, a.Digest(), b.Digest())
	qa, err := Apply(m, a, plan.All(a))
	require.NoError(t, err)
	qb, err := Apply(m, b, plan.All(b))
	require.NoError(t, err)
	require.Equal(t, graph.Digest(qa), graph.Digest(qb))
	require.True(t, slices.IsSortedFunc(a.Groups, func(x, y []uint32) int { return int(x[0]) - int(y[0]) }))
}

// residual is a stem and one residual block, with a pool and a classifier.
const residual = `
input x: float32[1,3,8,8]
w0: float32[4,3,3,3] = const random 1
b0: float32[4] = const random 2
w1: float32[4,4,3,3] = const random 3
b1: float32[4] = const random 4
w2: float32[4,4,3,3] = const random 5
wf: float32[4,5] = const random 6
bf: float32[5] = const random 7
c0 = Conv(x, w0, b0) {pads=[1,1,1,1]} @stem
r0 = Relu(c0) @relu0
c1 = Conv(r0, w1, b1) {pads=[1,1,1,1]} @left
r1 = Relu(c1) @relu1
c2 = Conv(r1, w2) {pads=[1,1,1,1]} @right
s = Add(c2, r0) @sum
r2 = Relu(s) @relu2
p = GlobalAveragePool(r2) @pool
f = Flatten(p) {axis=1} @flatten
y = Gemm(f, wf, bf) @head
output y: float32[1,5]
`

// TestGuessedRanksFollowDeclaredOnes: where shapes cannot be inferred a declared rank stays, and operations behind it follow.
func TestGuessedRanksFollowDeclaredOnes(t *testing.T) {
	m := parse(t, `input x
a = Relu(x)
f = Flatten(a)
s = Sigmoid(f)
output s
`)
	ranks := map[string]int{"x": 4, "a": 4, "f": 3}
	guessRanks(m.Graph, ranks)
	require.Equal(t, map[string]int{"x": 4, "a": 4, "f": 3, "s": 3}, ranks)
}
