package graph

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestBrokenTexts: each text is refused at its first fault, which says what stands there and what is expected.
func TestBrokenTexts(t *testing.T) {
	for text, want := range map[string]string{
		"y = Relu(x) {a":                                    "the end where '=' is expected",
		"y = Relu(x) {a 1}":                                 "'1' where '=' is expected",
		`y = Relu(x) {"="=1, @=2}`:                          "'@' where an attribute name is expected",
		"y = Relu(x) {a=@}":                                 `attribute "a": '@' where a value is expected`,
		"y = Relu(x) {a=}":                                  `attribute "a": '}' where a value is expected`,
		"y = Relu(x) {a=ref}":                               `attribute "a": '}' where an attribute of the function is expected`,
		"y = Relu(x) {a=ref b}":                             `attribute "a": '}' where a kind is expected`,
		"y = Relu(x) {a=ref b floatx}":                      `attribute "a": kind "floatx" is unknown`,
		"y = Relu(x) {a=ref b @}":                           `attribute "a": '@' where a kind is expected`,
		"y = Relu(x) {a=ref @ int}":                         `attribute "a": '@' where an attribute of the function is expected`,
		"y = Relu(x) {a=nan:7f800000}":                      `attribute "a": "nan:7f800000" is no NaN`,
		"y = Relu(x) {a=nan:1}":                             `attribute "a": "nan:1" is no NaN`,
		"y = Relu(x) {a=nan:1ffffffff}":                     `attribute "a": "nan:1ffffffff" is no NaN`,
		"y = Relu(x) {a=nan:zz}":                            `attribute "a": "nan:zz" is no NaN`,
		"y = Relu(x) {a=NaN}":                               `attribute "a": "NaN" is no number`,
		"y = Relu(x) {a=1e39}":                              `attribute "a": "1e39" is no number`,
		"y = Relu(x) {a=true}":                              `attribute "a": "true" is no number`,
		"y = Relu(x) {a=raw}":                               `attribute "a": "raw" is no number`,
		"y = Relu(x) {a=raw 1}":                             `attribute "a": "raw" is no number`,
		"y = Relu(x) {a=floats}":                            `attribute "a": "floats" is no number`,
		"y = Relu(x) {a=floats[1, x]}":                      `attribute "a": "x" is no number`,
		"y = Relu(x) {a=floats[1, @]}":                      `attribute "a": '@' where an item is expected`,
		"y = Relu(x) {a=ints[1, 2.5]}":                      `attribute "a": "2.5" is no integer of 64 bits`,
		"y = Relu(x) {a=ints[9223372036854775808]}":         `attribute "a": "9223372036854775808" is no integer of 64 bits`,
		"y = Relu(x) {a=int[1]}":                            `attribute "a": "int" is no number`,
		"y = Relu(x) {a=[1, x]}":                            `attribute "a": "x" is no number`,
		`y = Relu(x) {a=["b", 1]}`:                          `attribute "a": '1' in a list of 1 items`,
		"y = Relu(x) {a=[1, [2]]}":                          `attribute "a": '[' in a list of 1 items`,
		"y = Relu(x) {a=[1 2]}":                             `attribute "a": '2' where ',' is expected`,
		"y = Relu(x) {a=tensors[float32[1] [1]]}":           `attribute "a": 'float32' where 'tensor' is expected`,
		"y = Relu(x) {a=tensors[tensor float32[1] [1, 2]]}": `attribute "a": more than the 1 elements of shape [1]`,
		"y = Relu(x) {a=tensors[tensor floatx[1] [1]]}":     `attribute "a": element type "floatx" is unknown`,
		"y = Relu(x) {a=tensor float32[N] [1]}":             `attribute "a": type must have an element type of fixed size and a shape of numbers`,
		"y = Relu(x) {a=tensor @}":                          `attribute "a": '@' where an element type is expected`,
		"y = Relu(x) {a=graphs[{ }]}":                       `attribute "a": '{' where 'graph' is expected`,
		"y = Relu(x) {a=graphs[graph { y = }]}":             `attribute "a": '}' where an operator is expected`,
		"y = Relu(x) {a=graph name}":                        `attribute "a": '}' where '{' is expected`,
		"y = Relu(x) {a=graph @ {}}":                        `attribute "a": '@' where a graph name is expected`,
		"y = Relu(x) {a=graph { }":                          "the end where ',' is expected",
		"y = Relu(x) {a=graph { y = Relu(x) output }}":      `attribute "a": '}' where ',' is expected`,
		"y = Relu(x) {a=graph name {} b}":                   "'b' where ',' is expected",
		"y = Relu(x) @":                                     "the end where a node name is expected",
		"y = Relu(x) !":                                     "the end where a string is expected",
		"y = Relu(x) @a !":                                  "the end where a string is expected",
		"y = Relu(x, @)":                                    "'@' where a value name is expected",
		"y = Relu x":                                        "'x' where '(' is expected",
		"y = (x)":                                           "'(' where an operator is expected",
		`y = "d" Relu(x)`:                                   "'Relu' where ':' is expected",
		`y = "d":(x)`:                                       "'(' where an operator is expected",
		"y = @(x)":                                          "'@' where an operator is expected",
		"@ = Relu(x)":                                       "'@' where a value name is expected",
		"y: = Relu(x)":                                      "'=' where an element type is expected",
		"y z = Relu(x)":                                     "'z' where ',' is expected",
		"input":                                             "the end where ',' is expected",
		"input @":                                           "'@' where ',' is expected",
		"input x:":                                          "the end where an element type is expected",
		"input x: float32[":                                 "the end where a size is expected",
		"input x: float32[1":                                "the end where ',' is expected",
		"input x: float32[-1]":                              "size -1 is impossible",
		"input x: float32[1.5]":                             "'1.5' where a size is expected",
		"input x: float32[99999999999999999999]":            "'99999999999999999999' where a size is expected",
		"input x: float32[@]":                               "'@' where a size is expected",
		"input x: @":                                        "'@' where an element type is expected",
		"input x: dtype(256)":                               "element type dtype(256) is out of range",
		"input x: dtype(-1)":                                "element type dtype(-1) is out of range",
		"input x: dtype(253)":                               "element type dtype(253) is out of range",
		"input x: dtype(254)":                               "element type dtype(254) is out of range",
		"input x: dtype(x)":                                 "'x' where a type number is expected",
		"input x: dtype(25":                                 "the end where ')' is expected",
		"input x: sequence(":                                "the end where an element type is expected",
		"input x: sequence(float32":                         "the end where ')' is expected",
		"input x: sequence(sequence(float32))":              "'sequence' where the item type of sequence is expected",
		"input x: optional(optional(float32))":              "'optional' where the item type of optional is expected",
		"input x: sequence(optional(float32))":              "'optional' where the item type of sequence is expected",
		"input x: float32 y":                                "the end where ',' is expected",
		"opset x":                                           "'x' where a number is expected",
		"opset 2147483648":                                  "'2147483648' where a number is expected",
		"ir 1.5":                                            "'1.5' where a number is expected",
		"version x":                                         "'x' where a number is expected",
		"file_opset 99999999999":                            "'99999999999' where a number is expected",
		"producer @":                                        "'@' where ',' is expected",
		"meta @ b":                                          "'@' where ',' is expected",
		"meta a @":                                          "'@' where a value is expected",
		"meta a":                                            "the end where a value is expected",
		"import @ 1":                                        "'@' where ',' is expected",
		"import a x":                                        "'x' where an opset version is expected",
		"import a 2147483648":                               "'2147483648' where an opset version is expected",
		"func":                                              "the end where ',' is expected",
		"func F":                                            "the end where '(' is expected",
		"func F(a":                                          "the end where ',' is expected",
		"func F(a) b {}":                                    "'b' where '(' is expected",
		"func F(a) (b":                                      "the end where ',' is expected",
		"func F(a) (b) x":                                   "'x' where '{' is expected",
		"func F(a) (b) {":                                   "the end where a value name is expected",
		"func F(a) (b) { c: float32[1] = const [1] }":       `function "F" holds constants; write Constant nodes`,
		"func F(a) (b) { attr a default }":                  "'}' where ',' is expected",
		"func F(a) (b) { default a }":                       "'}' where '=' is expected",
		"func F(a) (b) { default a=@ }":                     `attribute "a": '@' where a value is expected`,
		"func F(a) (b) { import d x }":                      "'x' where an opset version is expected",
		"func F(a) (b) { other a }":                         "'a' where attr, default, import or a definition is expected",
		"func F(a) (b) { b = Relu(a }":                      "'}' where ',' is expected",
		"w = const [1]":                                     `constant "w": type must have an element type of fixed size and a shape of numbers`,
		"w: float32[1] = const":                             `constant "w": the end where elements are expected`,
		"w: float32[1] = const @":                           `constant "w": '@' where elements are expected`,
		`w: float32[1] = const "a"`:                         `constant "w": "a" where elements are expected`,
		"w: float32[1] = const other":                       `constant "w": 'other' where [, fill, ramp, random, bytes or sha256: is expected`,
		"w: float32[1] = const [x]":                         `constant "w": "x" is no float32`,
		`w: float32[1] = const ["1"]`:                       `constant "w": "1" in a list of elements`,
		"w: float32[1] = const [1":                          `constant "w": the end in a list of elements`,
		"w: float32[1] = const [{}]":                        `constant "w": '{' in a list of elements`,
		"w: float32[1] = const [1e39]":                      `constant "w": "1e39" is no float32`,
		"w: float32[1] = const fill":                        `constant "w": "" is no float32`,
		"w: float32[1] = const fill x":                      `constant "w": "x" is no float32`,
		"w: float32[1] = const ramp 0":                      `constant "w": ramp "0" "": two numbers are expected`,
		"w: float32[1] = const ramp x 1":                    `constant "w": ramp "x" "1": two numbers are expected`,
		"w: float32[1] = const ramp 1 x":                    `constant "w": ramp "1" "x": two numbers are expected`,
		"w: float32[1] = const ramp nan 1":                  `constant "w": ramp "nan" "1": two numbers are expected`,
		"w: float32[1] = const ramp 1 nan":                  `constant "w": ramp "1" "nan": two numbers are expected`,
		"w: int32[1] = const ramp 1.5 1":                    `constant "w": ramp "1.5" "1": two integers are expected`,
		"w: int32[1] = const ramp 1 1.5":                    `constant "w": ramp "1" "1.5": two integers are expected`,
		"w: complex64[1] = const ramp 1 1":                  `constant "w": ramp "1" "1": two integers are expected`,
		"w: complex128[1] = const ramp 1 1":                 `constant "w": ramp "1" "1": two integers are expected`,
		"w: float32[1] = const random x":                    `constant "w": 'x' where a seed is expected`,
		"w: float32[1] = const bytes 0":                     `constant "w": bytes: encoding/hex: odd length hex string`,
		"w: float32[1] = const bytes zz":                    `constant "w": bytes: encoding/hex: invalid byte: U+007A 'z'`,
		"w: float32[1] = const bytes 00000000ff":            `constant "w": tensor float32[1] holds 5 bytes, its shape needs 4`,
		"w: string[1] = const [1]":                          `constant "w": type must have an element type of fixed size and a shape of numbers`,
		"w: complex64[1] = const [1]":                       `constant "w": elements of complex64 have no spelling but bytes`,
		"w: bool[1] = const [2x]":                           `constant "w": "2x" is no bool`,
		"w: int4[1] = const [8]":                            `constant "w": "8" is no int4`,
		"w: uint2[1] = const [4]":                           `constant "w": "4" is no uint2`,
		"w: int8[1] = const [-129]":                         `constant "w": "-129" is no int8`,
		"v: float32[1], w: float32[1] = const [1]":          "a constant has one name, this one 2",
		": float32[1] = const [1]":                          "':' where a value name is expected",
		`"": float32[1] = const [1]`:                        "a constant has no name",
		"= const [1]":                                       "a constant has one name, this one 0",
		"w: float32[?] = const [1]":                         `constant "w": type must have an element type of fixed size and a shape of numbers`,
		"w: float32 = const [1]":                            `constant "w": type must have an element type of fixed size and a shape of numbers`,
		`"abc`:                                              "string has no end or a bad escape",
		"\"\\q\" = Relu(x)":                                 "string has no end or a bad escape",
		"ä = Relu(x)":                                       "character 'ä' stands in no name, number or sign; quote names that hold it",
		"}":                                                 "'}' where a value name is expected",
	} {
		_, err := Parse("# a comment in front\n\n" + text)
		require.EqualError(t, err, "graph text: line 3: "+want, text)
	}
}

// TestBlanksOnlySeparate: tabs, carriage returns, comments and blanks between any two signs change nothing.
func TestBlanksOnlySeparate(t *testing.T) {
	tokens := strings.Fields(`input x : float32 [ 2 , N ] c : int8 [ 2 ] = const [ 1 , -2 ] y = d.Op ( x , c , "" ) { a = 1 , b = [ 1.5 ] } @ n ! "doc" output y`)
	want, err := Parse(strings.Join(tokens, " "))
	require.NoError(t, err)
	for _, blank := range []string{"\t", "\r\n", "\n\n", " \t \r ", "# comment , ( \" '\n", "#\n", "#\t#\n"} {
		got, err := Parse(blank + strings.Join(tokens, blank) + blank + "# no line end")
		require.NoError(t, err, "%q", blank)
		require.Equal(t, Print(want), Print(got), "%q", blank)
		_, err = Parse(strings.Join(tokens, blank) + blank + "@")
		require.ErrorContains(t, err, fmt.Sprintf("line %d: ", 1+len(tokens)*strings.Count(blank, "\n")), "%q", blank)
	}
}

// TestDepthOfGraphs: graphs nest up to a bound, in texts and in calls of functions; one more is refused.
func TestDepthOfGraphs(t *testing.T) {
	nested := func(depth int) string {
		return strings.Repeat("y = If(c) {g=graph { ", depth) + "y = Relu(c)" + strings.Repeat(" output y }}", depth)
	}
	_, err := Parse(nested(maxTextDepth - 1)) // the outermost counts
	require.NoError(t, err)
	_, err = Parse(nested(maxTextDepth))
	require.ErrorContains(t, err, fmt.Sprintf("graphs are nested deeper than %d", maxTextDepth))

	calls := func(depth int) *Model {
		var b strings.Builder
		for i := range depth - 1 {
			fmt.Fprintf(&b, "func d.F%d(a) (b) {\n b = d.F%d(a) @f\n}\n", i, i+1)
		}
		fmt.Fprintf(&b, "func d.F%d(a) (b) {\n b = Relu(a) @r\n}\ninput x\ny = d.F0(x) @y\noutput y\n", depth-1)
		m, err := Parse(b.String())
		require.NoError(t, err)
		return m
	}
	m := calls(maxInlinedDepth)
	require.NoError(t, Inline(m))
	require.Len(t, m.Graph.Nodes, 1)
	require.Equal(t, "Relu", m.Graph.Nodes[0].Op)
	require.ErrorContains(t, Inline(calls(maxInlinedDepth+1)), "functions call each other deeper than 64")
}

// TestInlinedGraphsAreApart: a graph that a call gives to two nodes of a function is one of its own in each, and the bodies of a function
// that is called twice share nothing.
func TestInlinedGraphsAreApart(t *testing.T) {
	m, err := Parse(`func d.F(a) (c) {
  attr body
  b = If(a) {then_branch=ref body graph} @l
  c = If(b) {then_branch=ref body graph, absent=ref other int} @r
}
input x
y = d.F(x) {body=graph { p = Neg(x) @n output p }} @one
z = d.F(y) {body=graph { q = Neg(y) @n output q }} @two
output z
`)
	require.NoError(t, err)
	require.NoError(t, Inline(m))
	require.NoError(t, Validate(m))
	graphs, names := map[*Graph]bool{}, map[string]bool{}
	walkNodes(m.Graph, func(n *Node) {
		require.False(t, names[n.Name], n.Name)
		names[n.Name] = true
		require.Nil(t, n.Attr("absent"))
		for _, g := range Nested(n) {
			require.False(t, graphs[g], "%s shares its graph", n.Name)
			graphs[g] = true
		}
	})
	require.Len(t, graphs, 4)
	require.Len(t, names, 8)
}
