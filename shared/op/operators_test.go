package op

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write golden files anew")

// roles are what OPERATORS.md says of each role.
var roles = map[Role]string{
	RoleFloat: "float", RoleLayer: "layer", RoleElementwise: "integer with two inputs", RoleTable: "table of 256 bytes",
	RoleAbsorbed: "absorbed in the producer's saturation", RolePool: "integer pool", RoleConcat: "integers pass, one scale",
	RolePassThrough: "integers pass", RoleShape: "shapes and indices", RoleQuantized: "quantized already",
}

// TestOperatorsTable keeps OPERATORS.md equal to the table of operators; -update writes it.
func TestOperatorsTable(t *testing.T) {
	var b strings.Builder
	fmt.Fprintf(&b, `# Operators

Made from the table of package op by `+"`go test ./shared/op -run TestOperatorsTable -update`"+`. Models of ai.onnx opset %d to %d are read
and upgraded to the spelling of opset %d; later definitions only admit more element types and attributes, which are refused
where a node uses them. "Opsets" are those at which the definition changed. An attribute that is not listed is refused.
float16 and bfloat16 are computed in float32 and rounded as they are stored. "Tiers" are the instruction sets with a form of their
own beside the plain one; "with the shapes" says that the shape rule computes the output: before anything runs where it follows from
shapes and constants, else as soon as the elements of its inputs are there.

`, oldestOpset, latestOpset, Newest)
	b.WriteString("| operator | opsets | attributes | element types of the first input | in quantization | tiers | family |\n|---|---|---|---|---|---|---|\n")
	var rows []string
	for _, f := range families {
		for _, o := range f.ops {
			rows = append(rows, fmt.Sprintf("| %s | %s | %s | %s | %s | %s | %s |", spelled(o.Domain, o.Name), words(o.Opsets),
				words(o.Attrs), typeNames(o), roles[o.Role], form(f.name, o), f.name))
		}
	}
	slices.Sort(rows)
	b.WriteString(strings.Join(rows, "\n") + "\n")
	if *update {
		require.NoError(t, os.WriteFile("OPERATORS.md", []byte(b.String()), 0o644))
	}
	have, err := os.ReadFile("OPERATORS.md")
	require.NoError(t, err)
	require.Equal(t, b.String(), string(have), "run with -update")
}

func words[T any](v []T) string {
	return strings.Trim(strings.ReplaceAll(fmt.Sprint(v), " ", ", "), "[]")
}

func typeNames(o *Op) string {
	if o.Types == nil {
		return "any of a fixed size"
	}
	return words(o.Types)
}

// TestTableIsWhole: every operator has what drivers rely on.
func TestTableIsWhole(t *testing.T) {
	count := 0
	for _, f := range families {
		for _, o := range f.ops {
			count++
			name := spelled(o.Domain, o.Name)
			require.NotNil(t, o.Infer, name)
			require.NotEmpty(t, o.Opsets, name)
			require.IsIncreasing(t, append([]int{0}, o.Opsets...), name)
			require.True(t, o.Opsets[len(o.Opsets)-1] <= Newest || len(o.Opsets) == 1, "%s: later than Newest only what began then", name)
			require.True(t, o.Outputs.Least >= 1 && (o.Inputs.Most < 0 || o.Inputs.Most >= o.Inputs.Least), name)
			require.True(t, o.data == 0 || o.Inputs.Least > o.data, name)
			require.Same(t, o, Lookup(o.Domain, o.Name), "%s stands twice", name)
		}
	}
	require.Len(t, registry, count)
}

// TestPlain: what computes without vector instructions is called plain, what copies is not, and families that are named as
// copying exist.
func TestPlain(t *testing.T) {
	for name, want := range map[string]bool{
		"Elu": true, "HardSwish": false, "Div": false, "Pow": true, "ReduceMean": false, "ReduceL1": true, "DeformConv": true, "ArgMax": true,
		"Conv": false, "MatMul": false, "MatMulInteger": false, "Add": false, "LSTM": false, "Softmax": false, "Loop": false,
		"Transpose": false, "Concat": false, "Gather": false, "Cast": false, "NonMaxSuppression": false, "Shape": false, "Nonsense": false,
	} {
		require.Equal(t, want, Plain("", name), name)
	}
	var names []string
	for _, f := range families {
		names = append(names, f.name)
	}
	require.Subset(t, names, copying)
	for key := range fastForms {
		require.True(t, Lookup("", key) != nil || slices.Contains(names, key), key)
	}
}
