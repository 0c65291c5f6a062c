package onnx

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"assay/shared/graph"
)

// TestEveryOpsetHasItsRelease: the IR version of the release of ONNX that brought the opset, whatever lower one the model names.
func TestEveryOpsetHasItsRelease(t *testing.T) {
	released := []int{ // from opset 7 on
		4, 4, 4, 5, 6, 7, 7, 7, 8, 8, 8, 8, 9, 9, 10, 10, 11, 12, 13, 13, 13, 14,
	}
	for i, want := range released {
		m := &graph.Model{Opset: 7 + i}
		require.EqualValues(t, want, irVersion(m), "opset %d", m.Opset)
		m.IRVersion = want + 1
		require.EqualValues(t, want+1, irVersion(m), "opset %d of a later release", m.Opset)
	}
	for name, want := range map[string]int64{"F": 8, "F:overload": 10} {
		require.Equal(t, want, irVersion(&graph.Model{Opset: 13, Functions: []graph.Function{{Name: name}}}))
	}
}

// TestOverloadsAreTakenApart: the last colon separates an overload; a name that begins with one has none.
func TestOverloadsAreTakenApart(t *testing.T) {
	for name, want := range map[string][2]string{"F": {"F", ""}, "F:a": {"F", "a"}, "F:a:b": {"F:a", "b"}, ":F": {":F", ""}, "F;a": {"F;a", ""}} {
		base, overload := overloadOf(name)
		require.Equal(t, want[0], base, name)
		require.Equal(t, want[1] != "", overload != nil, name)
		if overload != nil {
			require.Equal(t, want[1], *overload, name)
		}
	}
}

// TestWhatIsNoModelIsNamed: what people pass for a model by mistake is recognised by its first bytes, at their very place.
func TestWhatIsNoModelIsNamed(t *testing.T) {
	for _, m := range magics {
		whole := strings.Repeat("\x01", m.at) + m.text
		require.Equal(t, m.what, looksLike([]byte(whole)), "%q", whole)
		require.Equal(t, m.what, looksLike([]byte(whole+"\x00more")), "%q", whole)
		require.NotEqual(t, m.what, looksLike([]byte(whole[:len(whole)-1])), "%q", whole)
		require.NotEqual(t, m.what, looksLike([]byte("\x01"+whole)), "%q", whole)
	}
	long := strings.Repeat("a", 512)
	for b, want := range map[string]string{
		"": "an empty file", " \n\t\r": "blank text", "<!DOCTYPE HTML>": "an HTML page (a download that answered with a web page?)", "\n <HTML>": "an HTML page (a download that answered with a web page?)",
		"<?xml version": "XML (OpenVINO IR?); give the ONNX file", "<net name": "XML (OpenVINO IR?); give the ONNX file", `{"a": 1}`: "JSON", "a,b\r\n1,2\tx": "text", "\x00\x00\x00\x00\x00": "zeros (an unfinished download?)",
		"{\x01": "", "a\x01": "", "a\x7f": "text", "gr\xc3\xb6\xc3": "text", "gr\xc3\xb6\xc3(": "", "a\xff": "", long + "\x01": "text", long[:511] + "\x01": "", long[:511] + "\xc3\xb6": "text", "a\x00b": "",
	} {
		require.Equal(t, want, looksLike([]byte(b)), "%.20q", b)
	}
}
