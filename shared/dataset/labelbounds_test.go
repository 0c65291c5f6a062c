package dataset

import (
	"encoding/binary"
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"assay/shared/tensor"
)

// TestLabelLines: what stands in a line, at the borders of what is taken. fault is a part of the error, and faults how many
// lines it names.
func TestLabelLines(t *testing.T) {
	for name, c := range map[string]struct {
		text   string
		want   []label
		fault  string
		faults int
	}{
		"the largest class":                  {text: "a.png 16777216", want: []label{{1, "a.png", maxClass}}},
		"one above":                          {text: "a.png 16777217", fault: "class 16777217 is outside 0..16777216", faults: 1},
		"below zero":                         {text: "a.png -1", fault: "class -1 is outside", faults: 1},
		"a name of nothing in quotes":        {text: `"" 3`, want: []label{{1, "", 3}}},
		"a quote in quotes":                  {text: `"a""b.png",3`, want: []label{{1, `a"b.png`, 3}}},
		"one quote is a name":                {text: `" 3`, want: []label{{1, `"`, 3}}},
		"a comment, and one of nothing":      {text: "# names and classes\n#\n#\tmore 3\na.png 2", want: []label{{4, "a.png", 2}}},
		"a name that begins with #":          {text: "#1.png 2", want: []label{{1, "#1.png", 2}}},
		"a header in front":                  {text: "filename,label\na.png,2", want: []label{{2, "a.png", 2}}},
		"a header behind labels is a fault":  {text: "a.png,2\nfilename,label", fault: `:2: "label" is no class index`, faults: 1},
		"a header behind a fault is another": {text: "a1.png,x\nfilename,label", fault: `:2: "label" is no class index`, faults: 2},
		"a header without a separator":       {text: "filename label", fault: "is no class index", faults: 1},
		"the class in front":                 {text: "3,a.png", fault: `the class stands last: "a.png 3"`, faults: 1},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := parseLabels("l.txt", []byte(c.text))
			if c.fault == "" {
				require.NoError(t, err)
				require.Equal(t, c.want, got)
				return
			}
			require.ErrorContains(t, err, c.fault)
			require.Equal(t, c.faults, countOf(err.Error(), "l.txt:"))
		})
	}
}

// countOf is how often part stands in s.
func countOf(s, part string) int {
	n := 0
	for i := 0; i+len(part) <= len(s); i++ {
		if s[i:i+len(part)] == part {
			n++
		}
	}
	return n
}

// TestLabelArrays: classes as arrays are whole numbers up to the largest class, one a sample, whatever type holds them.
func TestLabelArrays(t *testing.T) {
	ints := func(v ...int64) (b []byte) {
		for _, x := range v {
			b = binary.LittleEndian.AppendUint64(b, uint64(x))
		}
		return b
	}
	floats := func(v ...float64) (b []byte) {
		for _, x := range v {
			b = binary.LittleEndian.AppendUint64(b, math.Float64bits(x))
		}
		return b
	}
	for name, c := range map[string]struct {
		descr, shape string
		data         []byte
		want         []int32
		fault        string
	}{
		"a vector":                  {"<i8", "(3,)", ints(0, 7, maxClass), []int32{0, 7, maxClass}, ""},
		"a column":                  {"<i8", "(3, 1)", ints(1, 2, 3), []int32{1, 2, 3}, ""},
		"whole floats":              {"<f8", "(3,)", floats(0, 2, maxClass), []int32{0, 2, maxClass}, ""},
		"one above":                 {"<i8", "(3,)", ints(0, 7, maxClass+1), nil, "[2]: class 16777217 is outside 0..16777216"},
		"below zero":                {"<i8", "(3,)", ints(0, -7, 1), nil, "[1]: class -7 is outside"},
		"as many in a square":       {"<i8", "(3, 2)", ints(0, 1, 2, 3, 4, 5), nil, "has shape [3 2]: one class index a sample is needed"},
		"a single one":              {"<i8", "()", ints(0), nil, "has shape []"},
		"a float with a fraction":   {"<f8", "(3,)", floats(0, 1.5, 2), nil, "element 1 is 1.5: a class index is needed"},
		"a float that is too large": {"<f8", "(3,)", floats(0, 1, 2*maxClass), nil, "element 2 is 3.3554432e+07: a class index is needed"},
		"no number":                 {"<f8", "(3,)", floats(0, math.NaN(), 2), nil, "element 1 is NaN"},
		"infinity":                  {"<f8", "(3,)", floats(0, math.Inf(1), 2), nil, "element 1 is +Inf"},
		"another number of them":    {"<i8", "(2,)", ints(0, 1), nil, "has 2 labels, the data has 3 samples"},
	} {
		t.Run(name, func(t *testing.T) {
			file := write(t, t.TempDir(), "y.npy", npyOf(c.descr, c.shape, c.data))
			got, where, err := classes(file, 3)
			if c.fault != "" {
				require.ErrorContains(t, err, c.fault)
				return
			}
			require.NoError(t, err)
			require.Equal(t, c.want, got)
			for i, w := range where {
				require.Equal(t, fmt.Sprintf("y.npy[%d]", i), w)
			}
		})
	}
}

// TestOneArrayIsNotForAllInputs: an archive's only array is taken whatever its name where the model has one input, and goes by
// its name where it has more.
func TestOneArrayIsNotForAllInputs(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "a.npz", archive(t, map[string][]int64{"other": {5}}))
	_, err := Open(t.Context(), Source{Data: dir, Inputs: sentence[:1]})
	require.NoError(t, err)
	_, err = Open(t.Context(), Source{Data: dir, Inputs: sentence})
	require.ErrorContains(t, err, `no array for model input "ids"`)
}

// TestSamplesOfAnotherLayout: the first sample says how all are read; one of another type, with its channels on another side, or
// with more rows is a fault that names its file, and one of another size is none.
func TestSamplesOfAnotherLayout(t *testing.T) {
	const differs = "differs in type or layout from the first sample"
	picture, rows := Want{"x", tensor.Float32, []int{-1, 3, -1, -1}}, Want{"x", tensor.Float32, []int{-1, 2}}
	for name, c := range map[string]struct {
		want          Want
		descr, second string
		first         string
		size          int
		fault         string
	}{
		"another size":           {picture, "<f4", "(3, 5, 4)", "(3, 4, 4)", 4 * 60, ""},
		"channels last":          {picture, "<f4", "(4, 4, 3)", "(3, 4, 4)", 4 * 48, differs},
		"bytes":                  {picture, "|u1", "(3, 4, 4)", "(3, 4, 4)", 48, differs},
		"two rows":               {rows, "<f4", "(2, 2)", "(1, 2)", 4 * 4, differs},
		"a shape that fits none": {rows, "<f4", "(3,)", "(1, 2)", 4 * 3, "x"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			n := map[string]int{"(3, 4, 4)": 48, "(1, 2)": 2}[c.first]
			write(t, dir, "a.npy", npyOf("<f4", c.first, make([]byte, 4*n)))
			write(t, dir, "b.npy", npyOf(c.descr, c.second, make([]byte, c.size)))
			set, err := Open(t.Context(), Source{Data: dir, Inputs: []Want{c.want}})
			require.NoError(t, err)
			_, faults, err := set.Build(t.Context(), memory{}.put, nil)
			require.NoError(t, err)
			if c.fault == "" {
				require.NoError(t, faults.Err())
				return
			}
			require.ErrorContains(t, faults.Err(), "b.npy")
			require.ErrorContains(t, faults.Err(), c.fault)
		})
	}
}
