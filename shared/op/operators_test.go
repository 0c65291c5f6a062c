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

// fastForms are the instruction-set tiers above plain that a family's float32 or 8-bit kernels have, and by operator those
// that are alone in their family. Everything runs on tier plain.
var fastForms = map[string]string{
	"convolution": "avx2, avx512vnni", "gemm": "avx2, avx512vnni", "matmul": "avx2, avx512vnni",
	"quantized convolution": "avx2, avx512vnni", "quantized matmul": "avx2, avx512vnni", "attention": "avx2, avx512vnni",
	"transposed convolution": "avx2, avx512vnni, over data set apart by zeros", "softmax": "avx2, avx512vnni",
	"pool": "avx2", "quantized pool": "avx2", "quantized binary": "avx2", "quantized tables": "avx512vnni", "clip": "avx2",
	"Add": "avx2", "Sub": "avx2", "Mul": "avx2", "Relu": "avx2", "LayerNormalization": "avx2", "QuantizeLinear": "avx2",
	"Exp": "avx2, avx512vnni", "Sigmoid": "avx2, avx512vnni", "Tanh": "avx2, avx512vnni", "Erf": "avx2, avx512vnni", "Gelu": "avx2, avx512vnni",
	"Hardmax": "",
}

// fastForm is what OPERATORS.md says of an operator's tiers.
func fastForm(family string, o *Op) string {
	for _, key := range []string{o.Name, family} {
		if s, ok := fastForms[key]; ok && s != "" {
			return s
		} else if ok {
			break
		}
	}
	if o.Lower == nil && o.Control == nil {
		return "with the shapes"
	}
	return "plain"
}

// TestOperatorsTable keeps OPERATORS.md equal to the table of operators; -update writes it.
func TestOperatorsTable(t *testing.T) {
	var b strings.Builder
	fmt.Fprintf(&b, `# Operators

Made from the table of package op by `+"`go test ./shared/op -run TestOperatorsTable -update`"+`. Models of ai.onnx opset %d to %d are read
and upgraded to the spelling of opset %d; later definitions only admit more element types and attributes, which are refused
where a node uses them. "Opsets" are those at which the definition changed. An attribute that is not listed is refused.
float16 and bfloat16 are computed in float32 and rounded as they are stored. "Tiers" are the instruction sets with a form of their
own beside the plain one; "with the shapes" says that the output follows from shapes and constants before anything runs.

`, oldestOpset, latestOpset, Newest)
	b.WriteString("| operator | opsets | attributes | element types of the first input | in quantization | tiers | family |\n|---|---|---|---|---|---|---|\n")
	var rows []string
	for _, f := range families {
		for _, o := range f.ops {
			rows = append(rows, fmt.Sprintf("| %s | %s | %s | %s | %s | %s | %s |", spelled(o.Domain, o.Name), words(o.Opsets),
				words(o.Attrs), typeNames(o), roles[o.Role], fastForm(f.name, o), f.name))
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
